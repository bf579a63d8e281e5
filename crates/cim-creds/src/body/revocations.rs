//! Whom an account, or an export, no longer lets in.
//!
//! Upstream: nats-io/jwt v2.8.2, `revocation_list.go`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Stands for every key.
pub const ALL: &str = "*";

/// Public key, or [`ALL`], → seconds since 1970: JWTs of that key issued at or before are refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revocations(pub BTreeMap<String, i64>);

impl Revocations {
    /// Refuses JWTs of `key` issued up to `at`; a later revocation of it stays.
    pub fn revoke(&mut self, key: impl Into<String>, at: i64) {
        let revoked = self.0.entry(key.into()).or_insert(at);
        *revoked = at.max(*revoked);
    }

    /// Whether a JWT of `key` issued at `iat` is refused.
    pub fn is_revoked(&self, key: &str, iat: i64) -> bool {
        [key, ALL]
            .into_iter()
            .filter_map(|key| self.0.get(key))
            .any(|at| *at >= iat)
    }

    /// Whether nobody is refused.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_issued_by_then_is_refused_and_what_came_later_not() {
        let mut revocations = Revocations::default();
        revocations.revoke("U1", 10);
        revocations.revoke("U1", 5);
        assert!(revocations.is_revoked("U1", 10));
        assert!(!revocations.is_revoked("U1", 11));
        assert!(!revocations.is_revoked("U2", 1));
        revocations.revoke(ALL, 20);
        revocations.revoke("U3", 30);
        assert!(revocations.is_revoked("U2", 20));
        assert!(revocations.is_revoked("U1", 20));
        assert!(revocations.is_revoked("U3", 30));
    }
}
