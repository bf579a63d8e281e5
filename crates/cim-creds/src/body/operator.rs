//! The operator JWT: the root of trust that nats.conf's `operator` names.
//!
//! Upstream: nats-io/jwt v2.8.2, `operator_claims.go`.

use serde::{Deserialize, Serialize};

use crate::body::{key, keys};
use crate::claims::{Body, ClaimType, ClaimsData};
use crate::encode::EncodeError;
use crate::json::is_zero;
use crate::key::KeyKind;

/// What an operator JWT adds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Operator {
    /// Operator keys that may sign accounts on behalf of the identity.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub signing_keys: Vec<String>,
    /// Where tools push and pull account JWTs, such as `nats://hub:4222`; empty: nowhere.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub account_server_url: String,
    /// Where tools reach the servers: `nats`, `tls`, `ws` or `wss` URLs without path or user.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub operator_service_urls: Vec<String>,
    /// Public key of the system account; empty: nats.conf's `system_account` says it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub system_account: String,
    /// Oldest nats-server that may use it, `major.minor.patch`; empty: any.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub assert_server_version: String,
    /// Identity keys sign nothing but their own JWT: accounts need an operator's signing key, and
    /// users an account's.
    #[serde(skip_serializing_if = "is_zero")]
    pub strict_signing_key_usage: bool,
    /// Free words, lower case.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

impl Body for Operator {
    const TYPE: ClaimType = ClaimType::Operator;
    const ISSUERS: &'static [KeyKind] = &[KeyKind::Operator];
    const SIGNER: KeyKind = KeyKind::Operator;
    const SUBJECT: Option<KeyKind> = Some(KeyKind::Operator);

    fn check(&self, _: &ClaimsData) -> Result<(), EncodeError> {
        keys("signing_keys", KeyKind::Operator, &self.signing_keys)?;
        key("system_account", KeyKind::Account, &self.system_account)?;
        let version = &self.assert_server_version;
        let parts: Vec<_> = version.split('.').map(str::parse::<u32>).collect();
        if !version.is_empty() && (parts.len() != 3 || parts.iter().any(Result::is_err)) {
            return Err(EncodeError::field(
                "assert_server_version",
                "is no version",
                "write major.minor.patch, such as 2.14.0",
            ));
        }
        if !self.account_server_url.is_empty() && !self.account_server_url.contains("://") {
            return Err(EncodeError::field(
                "account_server_url",
                "has no scheme",
                "write nats://host:port, or leave it out",
            ));
        }
        if !self
            .operator_service_urls
            .iter()
            .all(|url| is_service_url(url))
        {
            return Err(EncodeError::field(
                "operator_service_urls",
                "have one that is none",
                "write nats, tls, ws or wss, ://, host and port, without user or path",
            ));
        }
        Ok(())
    }
}

/// Never quoted in a message: it may hold a password.
fn is_service_url(url: &str) -> bool {
    url.split_once("://").is_some_and(|(scheme, rest)| {
        ["nats", "tls", "ws", "wss"].contains(&scheme.to_ascii_lowercase().as_str())
            && !rest.is_empty()
            && !rest.contains(['@', '/'])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_and_versions_are_checked() {
        let check = |change: fn(&mut Operator)| {
            let mut operator = Operator::default();
            change(&mut operator);
            operator.check(&ClaimsData::default()).is_ok()
        };
        assert!(check(|operator| operator
            .operator_service_urls
            .push("tls://h:4222".into())));
        assert!(!check(|operator| operator
            .operator_service_urls
            .push("tls://u:p@h".into())));
        assert!(!check(|operator| operator
            .operator_service_urls
            .push("http://h".into())));
        assert!(!check(
            |operator| operator.account_server_url = "hub:4222".into()
        ));
        assert!(check(
            |operator| operator.assert_server_version = "2.14.0".into()
        ));
        assert!(!check(
            |operator| operator.assert_server_version = "2.14".into()
        ));
        assert!(!check(|operator| operator.system_account = "SYS".into()));
    }
}
