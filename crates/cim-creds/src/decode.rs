//! Reads tokens: form, signature and kind are checked, and nothing is lost in silence.
//!
//! Times and the chain of issuers are questions of their own: [`Claims::holds_at`] and
//! [`crate::chain`]. Upstream: nats-io/jwt v2.8.2, `decoder.go`; here version 1 is refused.

use data_encoding::BASE64URL_NOPAD;
use nkeys::KeyPair;
use serde::Deserialize;
use serde_json::Value;

use crate::body::account::Account;
use crate::body::activation::Activation;
use crate::body::authorization::{AuthorizationRequest, AuthorizationResponse};
use crate::body::operator::Operator;
use crate::body::user::User;
use crate::claims::{Body, ClaimType, Claims};
use crate::encode::VERSION;
use crate::json;
use crate::key::KeyKind;

/// The longest token that nats-io/jwt reads, in bytes.
pub const MAX_TOKEN_SIZE: usize = 1024 * 1024;

/// A token that was read and whose signature is its issuer's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token<T> {
    /// What it says.
    pub claims: Claims<T>,
    /// Dotted paths of fields that this crate does not know, such as `nats.limits.new_limit`:
    /// the token is newer than this program. Encoding `claims` again would drop them.
    pub unknown: Vec<String>,
}

/// A token of any kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnyToken {
    /// An operator.
    Operator(Box<Token<Operator>>),
    /// An account.
    Account(Box<Token<Account>>),
    /// A user.
    User(Box<Token<User>>),
    /// An activation.
    Activation(Box<Token<Activation>>),
    /// A callout's request.
    AuthorizationRequest(Box<Token<AuthorizationRequest>>),
    /// A callout's response.
    AuthorizationResponse(Box<Token<AuthorizationResponse>>),
}

/// Why a token was not read. Never shows what the token says: it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Longer than [`MAX_TOKEN_SIZE`].
    #[error("the token has {0} bytes, of which nats-server reads at most {MAX_TOKEN_SIZE}")]
    TooLarge(usize),
    /// Not three parts with dots between.
    #[error(
        "this is no JWT: it has {0} parts, not 3 with dots between; give one whole token without white space"
    )]
    Parts(usize),
    /// A part is not base64url.
    #[error("the {0} of the JWT is not base64url: it was cut or changed; take the original")]
    Base64(&'static str),
    /// A part is not JSON, or not an object.
    #[error("the {0} of the JWT is not JSON: it was cut or changed; take the original")]
    Json(&'static str),
    /// Not a NATS JWT.
    #[error("the JWT is not NATS's: its header must say typ JWT and alg ed25519-nkey")]
    Header,
    /// A JWT of the first generation.
    #[error("the JWT is of version 1, which NATS stopped making in 2020: issue it anew")]
    Version1,
    /// A JWT of a later generation.
    #[error("the JWT is of version {0}, this program reads version {VERSION}: use a newer one")]
    NewerVersion(u64),
    /// The type is none that NATS has.
    #[error("the JWT's type is none of NATS's own")]
    UnknownType,
    /// Another type than was asked for.
    #[error("this is a JWT of type {found}, where one of type {wanted} is needed")]
    WrongType {
        /// The type that is needed.
        wanted: ClaimType,
        /// The type that is there.
        found: ClaimType,
    },
    /// The issuer's key is of a kind that may not sign this.
    #[error("the JWT's iss is no key that may sign a JWT of type {0}")]
    Issuer(ClaimType),
    /// The subject is no key of the right kind.
    #[error("the JWT's sub is not the public key of {wanted}, as type {claim} needs")]
    Subject {
        /// The type.
        claim: ClaimType,
        /// Whose key it should be.
        wanted: KeyKind,
    },
    /// The signature is not the issuer's.
    #[error(
        "the JWT's signature is not its issuer's: it was changed after it was signed; take the original"
    )]
    Signature,
    /// A field has a value of the wrong kind.
    #[error("the JWT's fields are not those of type {0}: one has a value of the wrong kind")]
    Fields(ClaimType),
    /// Fields that this crate does not know, where all must be known.
    #[error("the JWT has fields that this program does not know and would drop: {}; use a newer program", .0.join(", "))]
    UnknownFields(Vec<String>),
}

impl<T> Token<T> {
    /// The claims, if nothing of the token is missing in them: what may be encoded again.
    ///
    /// # Errors
    /// Fields that are not known.
    pub fn whole(self) -> Result<Claims<T>, DecodeError> {
        if self.unknown.is_empty() {
            return Ok(self.claims);
        }
        Err(DecodeError::UnknownFields(self.unknown))
    }
}

/// Reads a token of one kind.
///
/// # Errors
/// Anything that is wrong with its form, kind, issuer's kind or signature.
pub fn decode<T: Body>(token: &str) -> Result<Token<T>, DecodeError> {
    let parts = Parts::split(token)?;
    let payload = parts.payload()?;
    let found = claim_type(&payload)?;
    if found != T::TYPE {
        return Err(DecodeError::WrongType {
            wanted: T::TYPE,
            found,
        });
    }
    parts.read(payload)
}

/// Reads a token of whatever kind.
///
/// # Errors
/// As [`decode`].
pub fn decode_any(token: &str) -> Result<AnyToken, DecodeError> {
    let parts = Parts::split(token)?;
    let payload = parts.payload()?;
    Ok(match claim_type(&payload)? {
        ClaimType::Operator => AnyToken::Operator(Box::new(parts.read(payload)?)),
        ClaimType::Account => AnyToken::Account(Box::new(parts.read(payload)?)),
        ClaimType::User => AnyToken::User(Box::new(parts.read(payload)?)),
        ClaimType::Activation => AnyToken::Activation(Box::new(parts.read(payload)?)),
        ClaimType::AuthorizationRequest => {
            AnyToken::AuthorizationRequest(Box::new(parts.read(payload)?))
        }
        ClaimType::AuthorizationResponse => {
            AnyToken::AuthorizationResponse(Box::new(parts.read(payload)?))
        }
    })
}

struct Parts<'a> {
    /// Header and payload with the dot between: what is signed.
    signed: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> Parts<'a> {
    fn split(token: &'a str) -> Result<Self, DecodeError> {
        if token.len() > MAX_TOKEN_SIZE {
            return Err(DecodeError::TooLarge(token.len()));
        }
        let mut parts = token.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(DecodeError::Parts(token.split('.').count()));
        };
        check_header(header)?;
        Ok(Self {
            signed: &token[..header.len() + 1 + payload.len()],
            payload,
            signature,
        })
    }

    fn payload(&self) -> Result<Value, DecodeError> {
        let bytes = base64("payload", self.payload)?;
        let mut value = serde_json::from_slice(&bytes).map_err(|_| DecodeError::Json("payload"))?;
        json::without_nulls(&mut value);
        Ok(value)
    }

    fn read<T: Body>(&self, payload: Value) -> Result<Token<T>, DecodeError> {
        let issuer = payload.get("iss").and_then(Value::as_str);
        self.verify::<T>(issuer.unwrap_or_default())?;
        let claims: Claims<T> =
            Claims::deserialize(&payload).map_err(|_| DecodeError::Fields(T::TYPE))?;
        if let Some(wanted) = T::SUBJECT.filter(|kind| !kind.is(&claims.data.sub)) {
            return Err(DecodeError::Subject {
                claim: T::TYPE,
                wanted,
            });
        }
        let again = claims
            .json()
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok())
            .ok_or(DecodeError::Fields(T::TYPE))?;
        let unknown = json::lost(&payload, &again);
        Ok(Token { claims, unknown })
    }

    fn verify<T: Body>(&self, issuer: &str) -> Result<(), DecodeError> {
        let kind = KeyKind::of(issuer).filter(|kind| T::ISSUERS.contains(kind));
        let key = kind.and_then(|_| KeyPair::from_public_key(issuer).ok());
        let key = key.ok_or(DecodeError::Issuer(T::TYPE))?;
        let signature = base64("signature", self.signature)?;
        key.verify(self.signed.as_bytes(), &signature)
            .map_err(|_| DecodeError::Signature)
    }
}

fn base64(part: &'static str, text: &str) -> Result<Vec<u8>, DecodeError> {
    BASE64URL_NOPAD
        .decode(text.as_bytes())
        .map_err(|_| DecodeError::Base64(part))
}

fn check_header(header: &str) -> Result<(), DecodeError> {
    #[derive(Deserialize)]
    struct Header {
        typ: String,
        alg: String,
    }
    let header: Header = serde_json::from_slice(&base64("header", header)?)
        .map_err(|_| DecodeError::Json("header"))?;
    let algorithm = header.alg.to_ascii_lowercase();
    match (header.typ.eq_ignore_ascii_case("JWT"), algorithm.as_str()) {
        (true, "ed25519-nkey") => Ok(()),
        (true, "ed25519") => Err(DecodeError::Version1),
        _ => Err(DecodeError::Header),
    }
}

fn claim_type(payload: &Value) -> Result<ClaimType, DecodeError> {
    // The first generation had the type outside of `nats`.
    if payload.get("type").is_some() {
        return Err(DecodeError::Version1);
    }
    match payload.pointer("/nats/version").and_then(Value::as_u64) {
        Some(VERSION) => {}
        Some(newer) if newer > VERSION => return Err(DecodeError::NewerVersion(newer)),
        _ => return Err(DecodeError::Version1),
    }
    let name = payload.pointer("/nats/type").and_then(Value::as_str);
    name.and_then(ClaimType::parse)
        .ok_or(DecodeError::UnknownType)
}
