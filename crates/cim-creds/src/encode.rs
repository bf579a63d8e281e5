//! Signs claims: the same key, claims and time give the same token, byte for byte Go's.
//!
//! Upstream: nats-io/jwt v2.8.2, `claims.go` (`doEncode`).

use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD};
use nkeys::KeyPair;
use serde::Serialize;
use sha2::{Digest, Sha512_256};

use crate::claims::{Body, ClaimType, Claims, ClaimsData};
use crate::json;
use crate::key::KeyKind;

/// `{"typ":"JWT","alg":"ed25519-nkey"}`, as every token begins.
pub(crate) const HEADER: &str = r#"{"typ":"JWT","alg":"ed25519-nkey"}"#;

/// Version of the claims that this crate writes and reads.
pub(crate) const VERSION: u64 = 2;

/// Why claims were not signed. Never shows a key that may be a seed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// The signing key is of the wrong kind.
    #[error("a JWT of type {claim} is signed by {wanted}, not by {}: give a seed S{}…", shown(*.found), .wanted.prefix())]
    Signer {
        /// What was to be signed.
        claim: ClaimType,
        /// Whose key signs it.
        wanted: KeyKind,
        /// Whose key was given; `None`: one that NATS's JWTs do not know.
        found: Option<KeyKind>,
    },
    /// The key is only a public half.
    #[error("the signing key has no seed, only its public half: give the seed")]
    NoSeed,
    /// The subject is no public key of the right kind.
    #[error("the sub of a JWT of type {claim} is the public key of {wanted} ({}…, 56 characters)", .wanted.prefix())]
    Subject {
        /// What was to be signed.
        claim: ClaimType,
        /// Whose key it is about.
        wanted: KeyKind,
    },
    /// There is no subject.
    #[error("a JWT of type {0} needs a sub")]
    NoSubject(ClaimType),
    /// A key in the claims is none of the right kind.
    #[error("{field}: not the public key of {kind}: write one that begins with {}, 56 characters", .kind.prefix())]
    Key {
        /// The field.
        field: &'static str,
        /// Whose key belongs there.
        kind: KeyKind,
    },
    /// Something else that nats-server would refuse or ignore.
    #[error("{field} {what}: {help}")]
    Field {
        /// The field.
        field: String,
        /// What is wrong with it.
        what: String,
        /// What to write.
        help: &'static str,
    },
    /// The claims cannot be written as JSON.
    #[error("the claims cannot be written as JSON")]
    Json,
}

fn shown(kind: Option<KeyKind>) -> String {
    kind.map_or("a key of an unknown kind".to_owned(), |kind| {
        kind.to_string()
    })
}

impl EncodeError {
    pub(crate) fn field(field: &str, what: impl Into<String>, help: &'static str) -> Self {
        Self::Field {
            field: field.to_owned(),
            what: what.into(),
            help,
        }
    }
}

/// What stands under `nats`: the kind's own fields, then type and version, as in Go's structs.
#[derive(Serialize)]
pub(crate) struct Nats<'a, T> {
    #[serde(flatten)]
    pub body: &'a T,
    #[serde(rename = "type")]
    pub claim: &'static str,
    pub version: u64,
}

impl<T: Body> Claims<T> {
    /// Signs the claims as issued at `iat` (seconds since 1970). Issuer, `iat` and jti in the
    /// token are new, whatever `self` says; lists stand in the reference's order.
    ///
    /// # Errors
    /// A key or subject of the wrong kind, and what nats-server would not take.
    pub fn encode(&self, key: &KeyPair, iat: i64) -> Result<String, EncodeError> {
        let found = KeyKind::of_pair(key);
        if found != Some(T::SIGNER) {
            return Err(EncodeError::Signer {
                claim: T::TYPE,
                wanted: T::SIGNER,
                found,
            });
        }
        let mut claims = self.clone();
        claims.check()?;
        claims.data.iss = key.public_key();
        claims.data.iat = iat;
        claims.data.jti = claims.data.digest()?;
        claims.nats.arrange();

        let payload = claims.json()?;
        let signed = format!(
            "{}.{}",
            BASE64URL_NOPAD.encode(HEADER.as_bytes()),
            BASE64URL_NOPAD.encode(&payload)
        );
        let signature = key
            .sign(signed.as_bytes())
            .map_err(|_| EncodeError::NoSeed)?;
        Ok(format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature)))
    }

    fn check(&self) -> Result<(), EncodeError> {
        let claim = T::TYPE;
        if self.data.sub.is_empty() {
            return Err(EncodeError::NoSubject(claim));
        }
        if let Some(wanted) = T::SUBJECT.filter(|kind| !kind.is(&self.data.sub)) {
            return Err(EncodeError::Subject { claim, wanted });
        }
        self.nats.check(&self.data)
    }

    /// The JSON text of the claims as they are, byte for byte Go's.
    ///
    /// # Errors
    /// None in practice: the claims have no map with other keys than texts.
    pub fn json(&self) -> Result<Vec<u8>, EncodeError> {
        let whole = Claims {
            data: self.data.clone(),
            nats: Nats {
                body: &self.nats,
                claim: T::TYPE.as_str(),
                version: VERSION,
            },
        };
        json::go(&whole).map_err(|_| EncodeError::Json)
    }
}

impl ClaimsData {
    /// The jti that belongs to these claims: SHA-512/256 over their text without one, in base32.
    ///
    /// # Errors
    /// None in practice: they are texts and numbers.
    pub fn digest(&self) -> Result<String, EncodeError> {
        let bare = Self {
            jti: String::new(),
            ..self.clone()
        };
        let text = json::go(&bare).map_err(|_| EncodeError::Json)?;
        Ok(BASE32_NOPAD.encode(&Sha512_256::digest(text)))
    }
}

#[cfg(test)]
mod tests {
    use nkeys::KeyPairType;

    use super::*;
    use crate::body::account::{Account, ExternalAuthorization, WeightedMapping};
    use crate::body::limits::{JetStreamLimits, OperatorLimits};
    use crate::body::operator::Operator;
    use crate::body::share::{Export, ExportType, ResponseType};
    use crate::body::user::User;

    fn pair(kind: KeyPairType, raw: u8) -> KeyPair {
        KeyPair::new_from_raw(kind, [raw; 32]).unwrap()
    }

    fn account(nats: Account) -> Result<String, String> {
        let sub = pair(KeyPairType::Account, 2).public_key();
        Claims::new(sub, nats)
            .encode(&pair(KeyPairType::Operator, 1), 1)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_wrong_key_signs_nothing() {
        let claims = Claims::new(
            pair(KeyPairType::Account, 2).public_key(),
            Account::default(),
        );
        for wrong in [KeyPairType::Account, KeyPairType::User, KeyPairType::Curve] {
            assert!(claims.encode(&pair(wrong, 1), 1).is_err());
        }
        let error = claims.encode(&pair(KeyPairType::User, 1), 1).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a JWT of type account is signed by an operator, not by a user: give a seed SO…"
        );
        let public = pair(KeyPairType::Operator, 1).public_key();
        let public = KeyPair::from_public_key(&public).unwrap();
        assert_eq!(claims.encode(&public, 1), Err(EncodeError::NoSeed));
    }

    #[test]
    fn a_subject_of_the_wrong_kind_is_refused_and_not_shown() {
        let seed = pair(KeyPairType::User, 1).seed().unwrap();
        let error = Claims::new(seed.clone(), User::default())
            .encode(&pair(KeyPairType::Account, 2), 1)
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "the sub of a JWT of type user is the public key of a user (U…, 56 characters)"
        );
        assert!(!format!("{error:?}").contains(&seed));
        let error = Claims::new("", Operator::default())
            .encode(&pair(KeyPairType::Operator, 1), 1)
            .unwrap_err();
        assert_eq!(error.to_string(), "a JWT of type operator needs a sub");
    }

    #[test]
    fn what_nats_server_would_refuse_or_ignore_is_refused() {
        assert!(account(Account::default()).is_ok());
        let jetstream = JetStreamLimits {
            disk_storage: 1,
            ..JetStreamLimits::default()
        };
        let both = OperatorLimits {
            jetstream,
            tiered_limits: [("R1".to_owned(), jetstream)].into(),
            ..OperatorLimits::default()
        };
        let mut stream = Export::new(ExportType::Stream, "a");
        stream.response_type = Some(ResponseType::Stream);
        let half = WeightedMapping {
            subject: "b".to_owned(),
            weight: 60,
            cluster: String::new(),
        };
        let cases = [
            (
                "tiered_limits stand beside",
                Account {
                    limits: both,
                    ..Account::default()
                },
            ),
            (
                "exports have the stream",
                Account {
                    exports: vec![stream],
                    ..Account::default()
                },
            ),
            (
                "mappings have weights",
                Account {
                    mappings: [("a".to_owned(), vec![half.clone(), half])].into(),
                    ..Account::default()
                },
            ),
            (
                "authorization.allowed_accounts: not the public key of an account",
                Account {
                    authorization: ExternalAuthorization {
                        allowed_accounts: vec!["*".to_owned(), "*".to_owned()],
                        ..ExternalAuthorization::default()
                    },
                    ..Account::default()
                },
            ),
        ];
        for (begin, nats) in cases {
            let error = account(nats).unwrap_err();
            assert!(error.starts_with(begin), "{error}");
        }
    }

    #[test]
    fn the_time_is_the_callers() {
        let claims = Claims::new(pair(KeyPairType::User, 1).public_key(), User::default());
        let key = pair(KeyPairType::Account, 2);
        assert_eq!(claims.encode(&key, 7), claims.encode(&key, 7));
        assert_ne!(claims.encode(&key, 7), claims.encode(&key, 8));
    }
}
