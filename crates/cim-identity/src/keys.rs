//! `identity/keys.json`: the public keys that a fleet's identity is made of.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Public keys by what they stand for. A fleet of static accounts has only those of leaves and users.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Keys {
    /// The operator (`O…`); `None`: not made yet, or static accounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    /// The operator's key that signs accounts (`O…`); `None`: as above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator_signing_key: Option<String>,
    /// The signing key before it, while `cim-admin rotate` has both; `None`: there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retiring_operator_signing_key: Option<String>,
    /// Accounts by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub accounts: BTreeMap<String, AccountKeys>,
    /// Leaves (`U…`) by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub leaves: BTreeMap<String, String>,
    /// Users (`U…`) by account and name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub users: BTreeMap<String, BTreeMap<String, String>>,
    /// Keys (`U…`) that were replaced and still log in, by the place of the JWT.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub retiring: BTreeMap<String, String>,
}

/// The keys of one account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccountKeys {
    /// The account (`A…`).
    pub nkey: String,
    /// Its signing keys (`A…`) by role.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub signing_keys: BTreeMap<String, String>,
    /// Signing keys that were replaced and whose users still log in, by role.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub retiring: BTreeMap<String, String>,
}

impl Keys {
    /// The public key of an account; `None`: it has none yet.
    pub fn account(&self, name: &str) -> Option<&str> {
        self.accounts.get(name).map(|account| account.nkey.as_str())
    }

    /// Takes over which keys are on their way out, of what there still is.
    pub fn carry(&mut self, before: &Keys) {
        let old = before.retiring_operator_signing_key.clone();
        self.retiring_operator_signing_key =
            old.filter(|key| Some(key) != self.operator_signing_key.as_ref());
        self.retiring.clone_from(&before.retiring);
        for (name, account) in &mut self.accounts {
            let Some(before) = before.accounts.get(name) else {
                continue;
            };
            let roles = &account.signing_keys;
            let known = before.retiring.iter();
            let known = known.filter(|(role, key)| roles.get(*role).is_some_and(|new| new != *key));
            account.retiring = known
                .map(|(role, key)| (role.clone(), key.clone()))
                .collect();
        }
    }

    /// The signing key of an account's role; `None`: it has none yet.
    pub fn role(&self, account: &str, role: &str) -> Option<&str> {
        let account = self.accounts.get(account)?;
        account.signing_keys.get(role).map(String::as_str)
    }
}
