//! What every NATS JWT says: who, by whom, from when to when; and what kinds there are.
//!
//! Upstream: nats-io/jwt v2.8.2, `claims.go`.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::encode::EncodeError;
use crate::json::is_zero;
use crate::key::KeyKind;

/// The registered claims, in the order in which Go writes them: the jti is a digest of that text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClaimsData {
    /// Audience; empty: none. Only authorization requests and responses, and users of a callout
    /// without operator, have one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub aud: String,
    /// Last second of validity, in seconds since 1970; 0: it does not expire.
    #[serde(skip_serializing_if = "is_zero")]
    pub exp: i64,
    /// Digest of the other registered claims, made when a token is encoded. nats-server never
    /// checks it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub jti: String,
    /// When it was issued, in seconds since 1970. Revocations compare with it.
    #[serde(skip_serializing_if = "is_zero")]
    pub iat: i64,
    /// Public key that signed it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub iss: String,
    /// A name for people and for `{{name()}}` in templates; empty: none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// First second of validity, in seconds since 1970; 0: at once.
    #[serde(skip_serializing_if = "is_zero")]
    pub nbf: i64,
    /// Public key of whom it is about.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sub: String,
}

/// A whole JWT: the registered claims, and what its kind adds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims<T> {
    /// Who, by whom, from when to when.
    #[serde(flatten)]
    pub data: ClaimsData,
    /// What its kind adds.
    pub nats: T,
}

/// The kinds of NATS JWTs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimType {
    /// Who vouches for accounts.
    Operator,
    /// An account: its limits, exports, imports and signing keys.
    Account,
    /// A user: permissions and limits.
    User,
    /// Lets another account import a private export.
    Activation,
    /// nats-server asks a callout service about a client.
    AuthorizationRequest,
    /// The callout service's answer.
    AuthorizationResponse,
}

impl ClaimType {
    const ALL: [ClaimType; 6] = [
        ClaimType::Operator,
        ClaimType::Account,
        ClaimType::User,
        ClaimType::Activation,
        ClaimType::AuthorizationRequest,
        ClaimType::AuthorizationResponse,
    ];

    /// As it stands in a token's `nats.type`.
    pub fn as_str(self) -> &'static str {
        match self {
            ClaimType::Operator => "operator",
            ClaimType::Account => "account",
            ClaimType::User => "user",
            ClaimType::Activation => "activation",
            ClaimType::AuthorizationRequest => "authorization_request",
            ClaimType::AuthorizationResponse => "authorization_response",
        }
    }

    /// The kind that `nats.type` names; `None` when it is none of NATS's own.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

impl fmt::Display for ClaimType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a kind of JWT adds to the registered claims, and who may sign it.
pub trait Body: Serialize + DeserializeOwned + Clone {
    /// Its kind.
    const TYPE: ClaimType;
    /// Whose keys may sign it: what is read, nats-io/jwt's `ExpectedPrefixes`.
    const ISSUERS: &'static [KeyKind];
    /// With whose key we sign it: the one that nats-server then trusts.
    const SIGNER: KeyKind;
    /// Whom it is about; `None`: not always a key.
    const SUBJECT: Option<KeyKind>;

    /// Brings lists into the order in which the reference writes them.
    fn arrange(&mut self) {}

    /// What nats-server or nats-io/jwt would refuse in it.
    ///
    /// # Errors
    /// The first thing that is wrong, and what to write.
    fn check(&self, data: &ClaimsData) -> Result<(), EncodeError> {
        let _ = data;
        Ok(())
    }
}

impl<T: Body> Claims<T> {
    /// Claims about `sub`, without a name or an end. The issuer, time and jti come with
    /// [`Claims::encode`].
    pub fn new(sub: impl Into<String>, nats: T) -> Self {
        let data = ClaimsData {
            sub: sub.into(),
            ..ClaimsData::default()
        };
        Self { data, nats }
    }

    /// The same with a name.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.data.name = name.into();
        self
    }

    /// The same with an end, in seconds since 1970; 0: none.
    #[must_use]
    pub fn expiring(mut self, exp: i64) -> Self {
        self.data.exp = exp;
        self
    }
}
