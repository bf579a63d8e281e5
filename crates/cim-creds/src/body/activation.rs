//! The activation JWT: lets one account import a private export of another.
//!
//! Upstream: nats-io/jwt v2.8.2, `activation_claims.go`.

use serde::{Deserialize, Serialize};

use crate::body::share::ExportType;
use crate::body::{key, subject};
use crate::claims::{Body, ClaimType, ClaimsData};
use crate::encode::EncodeError;
use crate::key::KeyKind;

/// What an activation JWT adds; its `sub` is the importing account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activation {
    /// Subject that may be imported; the import's must lie within.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// Stream or service.
    pub kind: ExportType,
    /// Public key of the exporting account, where one of its signing keys signs; empty: its
    /// identity key signs.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub issuer_account: String,
    /// Free words, lower case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

impl Activation {
    /// Leave to import `subject` from `account`, one of whose signing keys signs.
    pub fn of(account: impl Into<String>, kind: ExportType, subject: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            kind,
            issuer_account: account.into(),
            tags: Vec::new(),
        }
    }
}

impl Body for Activation {
    const TYPE: ClaimType = ClaimType::Activation;
    const ISSUERS: &'static [KeyKind] = &[KeyKind::Account, KeyKind::Operator];
    // nats-server takes only what the exporting account, or its signing key, has signed.
    const SIGNER: KeyKind = KeyKind::Account;
    const SUBJECT: Option<KeyKind> = Some(KeyKind::Account);

    fn check(&self, _: &ClaimsData) -> Result<(), EncodeError> {
        key("issuer_account", KeyKind::Account, &self.issuer_account)?;
        subject::check("subject", &self.subject)
    }
}
