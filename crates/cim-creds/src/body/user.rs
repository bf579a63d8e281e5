//! The user JWT: what one client, leaf or service may do.
//!
//! Upstream: nats-io/jwt v2.8.2, `user_claims.go`.

use serde::{Deserialize, Serialize};

use crate::body::key;
use crate::body::permissions::UserPermissionLimits;
use crate::claims::{Body, ClaimType, ClaimsData};
use crate::encode::EncodeError;
use crate::key::KeyKind;

/// What a user JWT adds. `Default` allows everything the account may.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Permissions and limits.
    #[serde(flatten)]
    pub limits: UserPermissionLimits,
    /// Public key of the account, where one of its signing keys signs; empty: the account's
    /// identity key signs.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub issuer_account: String,
    /// Free words, lower case; `{{tag(x)}}` in templates reads `x:value`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

impl User {
    /// A user of `account` whose JWT says what it may do; one of the account's plain signing keys
    /// signs it.
    pub fn of(account: impl Into<String>, limits: UserPermissionLimits) -> Self {
        Self {
            limits,
            issuer_account: account.into(),
            tags: Vec::new(),
        }
    }

    /// A user of `account` whose scoped signing key says what it may do.
    pub fn scoped(account: impl Into<String>) -> Self {
        Self::of(account, UserPermissionLimits::empty())
    }
}

impl Body for User {
    const TYPE: ClaimType = ClaimType::User;
    const ISSUERS: &'static [KeyKind] = &[KeyKind::Account];
    const SIGNER: KeyKind = KeyKind::Account;
    const SUBJECT: Option<KeyKind> = Some(KeyKind::User);

    fn check(&self, _: &ClaimsData) -> Result<(), EncodeError> {
        key("issuer_account", KeyKind::Account, &self.issuer_account)?;
        self.limits.check()
    }
}
