//! The account JWT: limits, exports, imports, signing keys, revocations, callout.
//!
//! Upstream: nats-io/jwt v2.8.2, `account_claims.go`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::body::limits::{NO_LIMIT, OperatorLimits};
use crate::body::permissions::Permissions;
use crate::body::revocations::{ALL, Revocations};
use crate::body::share::{Export, Import};
use crate::body::sharing::{check_exports, check_imports};
use crate::body::signing_keys::SigningKeys;
use crate::body::{key, keys, subject};
use crate::claims::{Body, ClaimType, ClaimsData};
use crate::encode::EncodeError;
use crate::json::is_zero;
use crate::key::KeyKind;

/// What an account JWT adds. `Default` limits nothing and leaves JetStream off.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// What it takes from other accounts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub imports: Vec<Import>,
    /// What it offers to other accounts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exports: Vec<Export>,
    /// What the operator allows it.
    #[serde(default = "OperatorLimits::none")]
    pub limits: OperatorLimits,
    /// Keys that sign its users and activations.
    #[serde(default, skip_serializing_if = "SigningKeys::is_empty")]
    pub signing_keys: SigningKeys,
    /// Users that are refused.
    #[serde(default, skip_serializing_if = "Revocations::is_empty")]
    pub revocations: Revocations,
    /// Permissions of users that have none of their own.
    #[serde(default)]
    pub default_permissions: Permissions,
    /// Subject → where messages to it go.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub mappings: BTreeMap<String, Vec<WeightedMapping>>,
    /// Auth callout; without users: none.
    #[serde(default)]
    pub authorization: ExternalAuthorization,
    /// Tracing of messages that carry a `traceparent`; absent: none (nats-server 2.11).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<MsgTrace>,
    /// Where its JetStream's cluster traffic runs; absent: in the system account (nats-server 2.11).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_traffic: Option<ClusterTraffic>,
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub info_url: String,
    /// Free words, lower case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

/// Where a part of the messages goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightedMapping {
    /// Subject; `$1` or `{{wildcard(1)}}` is the first wildcard of the source.
    pub subject: String,
    /// Percentage, 1 to 100; 0: 100.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub weight: u8,
    /// Only in this cluster; empty: everywhere.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cluster: String,
}

/// Auth callout of an account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExternalAuthorization {
    /// Public keys of the users that are not asked about: the callout service's own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub auth_users: Vec<String>,
    /// Accounts into which the service may put users; `*` alone: any; empty: only this one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_accounts: Vec<String>,
    /// Public xkey of the service: requests are then encrypted for it; empty: they are not.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub xkey: String,
}

/// Tracing of messages that carry a `traceparent` header.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MsgTrace {
    /// Subject of the traces, without wildcards.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub dest: String,
    /// Percentage of messages, 1 to 100; 0: 100.
    #[serde(skip_serializing_if = "is_zero")]
    pub sampling: i64,
}

/// Where an account's JetStream cluster traffic runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClusterTraffic {
    /// In the system account.
    System,
    /// In the account itself.
    Owner,
}

impl Body for Account {
    const TYPE: ClaimType = ClaimType::Account;
    const ISSUERS: &'static [KeyKind] = &[KeyKind::Account, KeyKind::Operator];
    // nats-server trusts only operators; self-signed accounts are drafts of old tools.
    const SIGNER: KeyKind = KeyKind::Operator;
    const SUBJECT: Option<KeyKind> = Some(KeyKind::Account);

    fn arrange(&mut self) {
        self.exports.sort_by(|a, b| a.subject.cmp(&b.subject));
        self.imports.sort_by(|a, b| a.subject.cmp(&b.subject));
    }

    fn check(&self, data: &ClaimsData) -> Result<(), EncodeError> {
        keys("signing_keys", KeyKind::Account, self.signing_keys.keys())?;
        for scope in self.signing_keys.scopes() {
            scope.template.check()?;
        }
        check_exports(&self.exports)?;
        check_imports(&self.imports, &data.sub)?;
        self.check_counts()?;
        self.limits.check()?;
        self.default_permissions.check()?;
        let revoked = self.revocations.0.keys().filter(|key| *key != ALL);
        keys("revocations", KeyKind::User, revoked)?;
        self.authorization.check()?;
        self.trace.as_ref().map_or(Ok(()), MsgTrace::check)?;
        check_mappings(&self.mappings)
    }
}

impl Account {
    fn check_counts(&self) -> Result<(), EncodeError> {
        let over = |have: usize, limit: i64| {
            limit != NO_LIMIT && i64::try_from(have).is_ok_and(|have| have > limit)
        };
        let help = "raise the limit, or share less";
        if over(self.imports.len(), self.limits.imports) {
            let what = format!(
                "allows {} imports, fewer than there are",
                self.limits.imports
            );
            return Err(EncodeError::field("limits.imports", what, help));
        }
        if over(self.exports.len(), self.limits.exports) {
            let what = format!(
                "allows {} exports, fewer than there are",
                self.limits.exports
            );
            return Err(EncodeError::field("limits.exports", what, help));
        }
        let wild = |export: &&Export| subject::has_wildcards(&export.subject);
        let literal = self.limits.exports != NO_LIMIT && !self.limits.wildcards;
        if let Some(export) = self.exports.iter().find(wild).filter(|_| literal) {
            return Err(EncodeError::field(
                "limits.wildcards",
                format!("is false, but there is the export {:?}", export.subject),
                "set it, or export subjects without wildcards",
            ));
        }
        Ok(())
    }
}

impl MsgTrace {
    fn check(&self) -> Result<(), EncodeError> {
        subject::check_literal("trace.dest", &self.dest)?;
        if !(0..=100).contains(&self.sampling) {
            return Err(EncodeError::field(
                "trace.sampling",
                format!("is {}", self.sampling),
                "write 1 to 100, or 0 for all",
            ));
        }
        Ok(())
    }
}

impl ExternalAuthorization {
    fn check(&self) -> Result<(), EncodeError> {
        keys("authorization.auth_users", KeyKind::User, &self.auth_users)?;
        let any = self.allowed_accounts.len() == 1;
        let named = self.allowed_accounts.iter().filter(|a| !(any && *a == "*"));
        keys("authorization.allowed_accounts", KeyKind::Account, named)?;
        key("authorization.xkey", KeyKind::Curve, &self.xkey)?;
        if self.auth_users.is_empty() && *self != Self::default() {
            return Err(EncodeError::field(
                "authorization.auth_users",
                "is empty, so that there would be no auth callout",
                "name the callout service's user",
            ));
        }
        Ok(())
    }
}

fn check_mappings(mappings: &BTreeMap<String, Vec<WeightedMapping>>) -> Result<(), EncodeError> {
    for (from, targets) in mappings {
        subject::check("mappings", from)?;
        let mut sums: BTreeMap<&str, u32> = BTreeMap::new();
        for target in targets {
            subject::check("mappings[].subject", &target.subject)?;
            let weight = if target.weight == 0 {
                100
            } else {
                target.weight
            };
            *sums.entry(&target.cluster).or_default() += u32::from(weight);
        }
        if sums.values().any(|sum| *sum > 100) {
            return Err(EncodeError::field(
                "mappings",
                format!("have weights of more than 100 % for {from:?} in one cluster"),
                "lower them; a weight of 0 counts as 100",
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::limits::JetStreamLimits;
    use crate::body::share::ExportType;

    fn refusal(change: fn(&mut Account)) -> String {
        let mut account = Account::default();
        change(&mut account);
        let error = account.check(&ClaimsData::default()).unwrap_err();
        error.to_string()
    }

    #[test]
    fn an_account_that_nobody_could_log_into_is_refused() {
        assert!(Account::default().check(&ClaimsData::default()).is_ok());
        let tier = refusal(|account| {
            let limits = JetStreamLimits::default();
            account.limits.tiered_limits.insert(String::new(), limits);
        });
        assert!(tier.contains("a tier without a name"), "{tier}");
        let more = refusal(|account| {
            account.exports.push(Export::new(ExportType::Stream, "a"));
            account.limits.exports = 0;
        });
        assert!(more.starts_with("limits.exports allows 0"), "{more}");
        let wild = refusal(|account| {
            account.exports.push(Export::new(ExportType::Stream, "a.>"));
            (account.limits.exports, account.limits.wildcards) = (5, false);
        });
        assert!(wild.starts_with("limits.wildcards is false"), "{wild}");
        let trace = refusal(|account| {
            account.trace = Some(MsgTrace {
                dest: "a".to_owned(),
                sampling: 101,
            });
        });
        assert!(trace.starts_with("trace.sampling is 101"), "{trace}");
        let callout = refusal(|account| account.authorization.allowed_accounts.push("*".into()));
        assert!(
            callout.starts_with("authorization.auth_users is empty"),
            "{callout}"
        );
    }
}
