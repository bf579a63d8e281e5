//! What differs between two JWTs of one account, in words, and whom that cuts off.

use std::collections::{BTreeMap, BTreeSet};

use cim_creds::body::limits::OperatorLimits;
use cim_creds::body::permissions::Permissions;
use cim_creds::body::revocations::ALL;
use cim_creds::body::signing_keys::UserScope;
use cim_creds::{Account, Claims};
use serde::Serialize;
use serde_json::Value;

use super::committed::Holder;
use super::permissions;
use super::sharing::{exports, imports, rest};
use super::words::{limit, until};

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What it is, for people.
    pub what: String,
    /// Who loses something by it; empty: nobody, or nobody that is known by name.
    pub who: Vec<String>,
    /// Whether anybody loses something by it.
    pub cuts: bool,
    /// The signing key whose users nats-server disconnects for it, that they log in anew.
    #[serde(skip)]
    pub key: Option<String>,
}

/// Whom public keys belong to.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    /// Accounts and users by public key.
    pub keys: &'a BTreeMap<String, String>,
    /// Those who have a JWT.
    pub holders: &'a [Holder],
}

impl Names<'_> {
    /// The name that a key has here, else the key.
    pub fn of<'b>(&'b self, key: &'b str) -> &'b str {
        self.keys.get(key).map_or(key, String::as_str)
    }

    /// Who was issued by a signing key.
    fn issued_by(&self, key: &str) -> Vec<String> {
        let issued = self.holders.iter().filter(|h| h.claims.data.iss == key);
        issued.map(|holder| holder.title.clone()).collect()
    }
}

impl Change {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            who: Vec::new(),
            cuts: false,
            key: None,
        }
    }

    pub(super) fn cutting(what: impl Into<String>, who: Vec<String>) -> Self {
        Self {
            who,
            cuts: true,
            ..Self::new(what)
        }
    }

    fn of(self, key: &str) -> Self {
        Self {
            key: Some(key.to_owned()),
            ..self
        }
    }
}

/// What changes when `old` becomes `new`.
pub fn between(old: &Claims<Account>, new: &Claims<Account>, names: &Names<'_>) -> Vec<Change> {
    let mut changes = Vec::new();
    let (from, to) = (&old.nats, &new.nats);
    registered(old, new, &mut changes);
    limits(&from.limits, &to.limits, &mut changes);
    exports(&from.exports, &to.exports, &mut changes);
    imports(&from.imports, &to.imports, names, &mut changes);
    roles(from, to, names, &mut changes);
    revocations(from, to, names, &mut changes);
    defaults(
        &from.default_permissions,
        &to.default_permissions,
        &mut changes,
    );
    rest(from, to, &mut changes);
    if changes.is_empty() {
        changes.push(Change::new("it is issued anew and says the same"));
    }
    changes
}

fn registered(old: &Claims<Account>, new: &Claims<Account>, changes: &mut Vec<Change>) {
    let (from, to) = (&old.data, &new.data);
    if from.name != to.name {
        changes.push(Change::new(format!("name {} → {}", from.name, to.name)));
    }
    if from.iss != to.iss {
        let what = format!("signed by {} → {}", from.iss, to.iss);
        changes.push(Change::new(what));
    }
    if from.exp != to.exp {
        let what = format!("holds {} → {}", until(from.exp), until(to.exp));
        let sooner = to.exp != 0 && (from.exp == 0 || to.exp < from.exp);
        changes.push(if sooner {
            Change::cutting(what, vec!["everybody in it, from then on".to_owned()])
        } else {
            Change::new(what)
        });
    }
    if from.nbf != to.nbf {
        let what = format!("not before second {} → {}", from.nbf, to.nbf);
        changes.push(Change::new(what));
    }
}

/// By the names that they have in the JWT.
fn limits(from: &OperatorLimits, to: &OperatorLimits, changes: &mut Vec<Change>) {
    let members = |limits: &OperatorLimits| match serde_json::to_value(limits) {
        Ok(Value::Object(members)) => members,
        _ => serde_json::Map::new(),
    };
    let (old, new) = (members(from), members(to));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for name in names {
        let value = |members: &serde_json::Map<String, Value>| {
            members.get(name).cloned().unwrap_or_else(|| 0.into())
        };
        let (before, after) = (value(&old), value(&new));
        if before == after {
            continue;
        }
        let what = format!("limit {name} {} → {}", limit(&before), limit(&after));
        changes.push(if lowered(name, &before, &after) {
            Change::cutting(what, vec!["whatever is over it".to_owned()])
        } else {
            Change::new(what)
        });
    }
}

/// Whether less is allowed. 0 is none at all for connections and storage, and no limit for the rest.
fn lowered(name: &str, before: &Value, after: &Value) -> bool {
    match (before.as_i64(), after.as_i64()) {
        (Some(before), Some(after)) => {
            let none = [
                "conn",
                "leaf",
                "mem_storage",
                "disk_storage",
                "imports",
                "exports",
            ];
            let high = |limit: i64| match limit {
                limit if limit < 0 => i64::MAX,
                0 if !none.contains(&name) => i64::MAX,
                limit => limit,
            };
            high(after) < high(before)
        }
        // `wildcards` allows; `disallow_bearer` and `max_bytes_required` forbid; 0 is false.
        _ => {
            let on = |value: &Value| value.as_bool().unwrap_or(false);
            match name {
                "wildcards" => on(before) && !on(after),
                "disallow_bearer" | "max_bytes_required" => on(after) && !on(before),
                _ => true,
            }
        }
    }
}

fn roles(from: &Account, to: &Account, names: &Names<'_>, changes: &mut Vec<Change>) {
    let title = |scope: Option<&UserScope>, key: &str| match scope {
        Some(scope) => format!("role {}", scope.role),
        None => format!("signing key {key}"),
    };
    for key in from.signing_keys.keys() {
        let old = from.signing_keys.get(key).flatten();
        match to.signing_keys.get(key) {
            None => {
                let role = old.map(|scope| scope.role.as_str());
                let replaced = to
                    .signing_keys
                    .scopes()
                    .any(|new| Some(new.role.as_str()) == role);
                let what = format!("{} loses the key {key}", title(old, key));
                let who = names.issued_by(key);
                let who = if who.is_empty() && replaced {
                    vec!["whoever still has creds of that key".to_owned()]
                } else {
                    who
                };
                changes.push(Change::cutting(what, who).of(key));
            }
            Some(new) => role(key, old, new, names, changes),
        }
    }
    for key in to.signing_keys.keys() {
        if from.signing_keys.get(key).is_none() {
            let new = to.signing_keys.get(key).flatten();
            let what = format!("{} has the new key {key}", title(new, key));
            changes.push(Change::new(what));
        }
    }
}

fn role(
    key: &str,
    old: Option<&UserScope>,
    new: Option<&UserScope>,
    names: &Names<'_>,
    changes: &mut Vec<Change>,
) {
    let who = || names.issued_by(key);
    let (old, new) = match (old, new) {
        (None, None) => return,
        (None, Some(new)) => {
            let what = format!("signing key {key} gets the scope {}", new.role);
            changes.push(Change::cutting(what, who()).of(key));
            return;
        }
        (Some(old), None) => {
            let what = format!("role {} has no scope any more", old.role);
            changes.push(Change::cutting(what, who()).of(key));
            return;
        }
        (Some(old), Some(new)) => (old, new),
    };
    if old.role != new.role {
        let what = format!("role {} is now called {}", old.role, new.role);
        changes.push(Change::new(what).of(key));
    }
    for said in permissions::between(&old.template, &new.template) {
        let what = format!("role {}: {}", new.role, said.what);
        let change = if said.narrower {
            Change::cutting(what, who())
        } else {
            Change::new(what)
        };
        changes.push(change.of(key));
    }
}

fn revocations(from: &Account, to: &Account, names: &Names<'_>, changes: &mut Vec<Change>) {
    for (key, at) in &to.revocations.0 {
        if from.revocations.0.get(key) == Some(at) {
            continue;
        }
        let name = if key == ALL {
            "everybody"
        } else {
            names.of(key)
        };
        // One that was issued again since is let in.
        let cut = names.holders.iter().filter(|holder| {
            let data = &holder.claims.data;
            (key == ALL || data.sub == *key) && data.iat <= *at
        });
        let mut who: Vec<String> = cut.map(|holder| holder.title.clone()).collect();
        if who.is_empty() {
            who.push(format!("creds of {name} that were issued until then"));
        }
        let what = format!("revokes {name}, issued {}", until(*at));
        changes.push(Change::cutting(what, who));
    }
    for key in from.revocations.0.keys() {
        if !to.revocations.0.contains_key(key) {
            let what = format!("no longer revokes {}", names.of(key));
            changes.push(Change::new(what));
        }
    }
}

fn defaults(from: &Permissions, to: &Permissions, changes: &mut Vec<Change>) {
    for said in permissions::of_permissions(from, to) {
        let what = format!("users without permissions: {}", said.what);
        changes.push(if said.narrower {
            let who = vec!["users without permissions of their own".to_owned()];
            Change::cutting(what, who)
        } else {
            Change::new(what)
        });
    }
}
