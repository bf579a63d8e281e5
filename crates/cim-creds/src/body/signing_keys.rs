//! An account's signing keys: plain ones, and those with a scope that sets their users' permissions.
//!
//! Upstream: nats-io/jwt v2.8.2, `signingkeys.go`.

use std::collections::BTreeMap;

use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::body::limits::NO_LIMIT;
use crate::body::permissions::UserPermissionLimits;

/// Public account key → the scope of its users; `None`: the user's JWT says what it may do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SigningKeys(BTreeMap<String, Option<UserScope>>);

/// What every user of a scoped signing key may do; the users' own JWTs say nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserScope {
    kind: Kind,
    /// Public account key that signs the users.
    pub key: String,
    /// Name of the role, for people.
    #[serde(default)]
    pub role: String,
    /// Permissions and limits. Subjects may have `{{name()}}`, `{{subject()}}`,
    /// `{{account-name()}}`, `{{account-subject()}}`, `{{tag(x)}}` and `{{account-tag(x)}}`.
    #[serde(default, deserialize_with = "template")]
    pub template: UserPermissionLimits,
    /// For people.
    #[serde(default)]
    pub description: String,
}

/// The only kind of scope there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    #[serde(rename = "user_scope")]
    User,
}

impl UserScope {
    /// A scope for the users that `key` signs.
    pub fn new(
        key: impl Into<String>,
        role: impl Into<String>,
        template: UserPermissionLimits,
    ) -> Self {
        Self {
            kind: Kind::User,
            key: key.into(),
            role: role.into(),
            template,
            description: String::new(),
        }
    }
}

impl SigningKeys {
    /// Adds a key without a scope; a scope that it had is gone.
    pub fn add(&mut self, key: impl Into<String>) {
        self.0.insert(key.into(), None);
    }

    /// Adds a key with its scope, or changes its scope.
    pub fn add_scoped(&mut self, scope: UserScope) {
        self.0.insert(scope.key.clone(), Some(scope));
    }

    /// Takes a key out; its users are refused from then on.
    pub fn remove(&mut self, key: &str) {
        self.0.remove(key);
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The public keys, in order.
    pub fn keys(&self) -> impl Iterator<Item = &String> {
        self.0.keys()
    }

    /// The scopes, in the order of their keys.
    pub fn scopes(&self) -> impl Iterator<Item = &UserScope> {
        self.0.values().flatten()
    }

    /// `None`: no such key; `Some(None)`: it has no scope.
    pub fn get(&self, key: &str) -> Option<Option<&UserScope>> {
        self.0.get(key).map(Option::as_ref)
    }
}

impl Serialize for SigningKeys {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for (key, scope) in &self.0 {
            match scope {
                Some(scope) => list.serialize_element(scope)?,
                None => list.serialize_element(key)?,
            }
        }
        list.end()
    }
}

impl<'de> Deserialize<'de> for SigningKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Plain(String),
            Scoped(Box<UserScope>),
        }
        let mut keys = Self::default();
        for key in Vec::<Either>::deserialize(deserializer)? {
            match key {
                Either::Plain(key) => keys.add(key),
                Either::Scoped(scope) => keys.add_scoped(*scope),
            }
        }
        Ok(keys)
    }
}

/// In a template, and only there, an absent limit is none: nats-io/jwt reads into `NewUserScope`.
fn template<'de, D: Deserializer<'de>>(deserializer: D) -> Result<UserPermissionLimits, D::Error> {
    let mut value = Value::deserialize(deserializer)?;
    if let Value::Object(members) = &mut value {
        for limit in ["subs", "data", "payload"] {
            members.entry(limit).or_insert(NO_LIMIT.into());
        }
    }
    UserPermissionLimits::deserialize(value).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_a_sorted_set_and_absent_limits_of_a_template_none() {
        let text =
            r#"["B",{"kind":"user_scope","key":"A","role":"r","template":{"payload":5}},"B"]"#;
        let keys: SigningKeys = serde_json::from_str(text).unwrap();
        assert_eq!(keys.keys().collect::<Vec<_>>(), ["A", "B"]);
        let template = &keys.get("A").unwrap().unwrap().template;
        assert_eq!((template.subs, template.payload), (NO_LIMIT, 5));
        assert_eq!(keys.get("B"), Some(None));
        assert_eq!(keys.get("C"), None);
    }

    #[test]
    fn another_kind_of_scope_is_refused() {
        assert!(serde_json::from_str::<SigningKeys>(r#"[{"kind":"x","key":"A"}]"#).is_err());
    }
}
