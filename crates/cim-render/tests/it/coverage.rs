//! Every field that nats-server takes has an option, is refused with a reason, or is free-form for one.

use std::collections::{BTreeMap, BTreeSet};

use cim_render::conf::{Map, Node};
use cim_render::{Host, artefacts, input};
use cim_spec::field::{Block, Field};
use cim_spec::settings::{Role, Value, check, reason};
use cim_spec::{OptionPath, Problems};
use serde::Deserialize;

use crate::change::{golden, set};
use crate::support::{golden_specs, plan};

/// What nats-server's own parser takes; `*` stands for any name.
const ACCEPTED: &str = include_str!("../../../cim-spec/tests/accepted-fields.json");

/// What has no option.
const FREE: &str = include_str!("../../../cim-spec/fields/free-form.json");

/// At most so many may have none.
const MOST_FREE: usize = 15;

#[derive(Deserialize)]
struct Accepted {
    fields: Vec<Path>,
}

#[derive(Deserialize)]
struct Path {
    path: String,
    aliases: Vec<String>,
}

#[derive(Deserialize)]
struct Free {
    key: String,
    why: String,
}

/// What no golden case sets, and an option does: a case, a place in its spec, and what to put there.
const ALSO: &[(&str, &str, &str)] = &[
    (
        "hub-1",
        "/hub/hub/leafnodes/rttThresholds",
        r#"["10ms", "50ms"]"#,
    ),
    (
        "cim-prod-001",
        "/leaf/leaf/remotes/hub/rttThresholds",
        r#"["10ms", "50ms"]"#,
    ),
    (
        "hub-callout",
        "/hub/fleet/authCallout/xkey",
        r#""XBJFI4WL24IGQLCSPIZSSAMUW3ZPG4YMKCVTGZXR23CNK7QVV7QDDROX""#,
    ),
    (
        "hub-operator",
        "/hub/fleet/operator/resolver",
        r#"{"allowDelete": false, "interval": null, "limit": 10, "timeout": null, "ttl": "1h", "type": "cache"}"#,
    ),
    (
        "hub-sharing",
        "/hub/fleet/accounts/CIM/defaultPermissions/publish/deny",
        r#"["domain.secret.>"]"#,
    ),
    (
        "hub-sharing",
        "/hub/fleet/accounts/CIM/mappings",
        r#"{"a.*": [{"destination": "b.{{wildcard(1)}}", "weight": 50, "cluster": "hub"}]}"#,
    ),
    (
        "cim-prod-001",
        "/leaf/leaf/server/websocket",
        r#"{"host": "127.0.0.1", "port": 8080, "plaintext": false, "fields": {},
            "tls": {"certFile": "/run/a.pem", "keyFile": "/run/a.key", "caFile": "/run/ca.pem", "fields": {"verify": true}}}"#,
    ),
    (
        "cim-prod-001",
        "/leaf/leaf/server/mqtt",
        r#"{"host": "127.0.0.1", "port": 1883, "plaintext": false, "fields": {},
            "tls": {"certFile": "/run/a.pem", "keyFile": "/run/a.key", "caFile": "/run/ca.pem", "fields": {"verify": true}}}"#,
    ),
];

impl Path {
    /// All names of the field.
    fn names(&self) -> Vec<String> {
        let above = self.path.rfind('.').map_or("", |dot| &self.path[..=dot]);
        let aliases = self.aliases.iter().map(|alias| format!("{above}{alias}"));
        let names = aliases.chain([self.path.clone()]);
        // Users outside of accounts are those of accounts.
        names
            .map(|name| {
                let inside = ["users", "default_permissions"]
                    .into_iter()
                    .find(|key| name.starts_with(&format!("authorization.{key}")));
                match inside {
                    Some(_) => name.replacen("authorization.", "accounts.*.", 1),
                    None => name,
                }
            })
            .collect()
    }
}

#[test]
fn every_field_of_nats_server_has_an_option_or_a_reason() {
    let accepted: Accepted = serde_json::from_str(ACCEPTED).unwrap();
    assert!(accepted.fields.len() > 700, "fields are missing");
    let free: Vec<Free> = serde_json::from_str(FREE).unwrap();
    assert!(free.len() <= MOST_FREE, "too many are free-form");
    assert!(
        free.iter().all(|free| free.why.len() > 20),
        "why is one free-form?"
    );
    let written = written();
    let mut missing = Vec::new();
    for field in &accepted.fields {
        let path = &field.path;
        let keys: Vec<&str> = path.split('.').collect();
        let is_free = free.iter().any(|free| free.key == keys[0]);
        let is_written = field.names().iter().any(|name| written.contains(name));
        let says_why = |role| reason(&keys, role).is_some();
        let is_row = field.names().iter().any(|name| is_row(name));
        let known = is_free || is_written || is_row;
        if known || [Role::Hub, Role::Leaf].into_iter().all(says_why) {
            continue;
        }
        missing.push(path.as_str());
    }
    assert!(
        missing.is_empty(),
        "neither option nor reason:\n{}",
        missing.join("\n")
    );
}

#[test]
fn settings_take_no_field_but_the_free_ones() {
    let accepted: Accepted = serde_json::from_str(ACCEPTED).unwrap();
    let free: Vec<Free> = serde_json::from_str(FREE).unwrap();
    let mut taken = Vec::new();
    for role in [Role::Hub, Role::Leaf] {
        for Path { path, .. } in &accepted.fields {
            let keys: Vec<&str> = path.split('.').collect();
            let is_free = free.iter().any(|free| free.key == keys[0]);
            if is_refused(&keys, role) == is_free {
                taken.push(format!("{path} on a {}", role.name()));
            }
        }
    }
    assert!(
        taken.is_empty(),
        "taken, or free and refused:\n{}",
        taken.join("\n")
    );
}

/// Whether a row is about it, or about something inside it.
fn is_row(path: &str) -> bool {
    let keys: Vec<&str> = path.split('.').collect();
    let accounts = [
        (Block::Account, &["accounts", "*"][..]),
        (Block::User, &["accounts", "*", "users"][..]),
    ];
    let top = Block::TOP.into_iter().map(|block| (block, block.keys()));
    top.chain(accounts).any(|(block, above)| {
        block.fields().any(|field| {
            let path: Vec<&str> = above.iter().copied().chain(names(field)).collect();
            keys.len() <= path.len() && keys == path[..keys.len()]
        })
    })
}

/// The first name of each key on a row's path.
fn names(field: &Field) -> impl Iterator<Item = &'static str> {
    field
        .path
        .iter()
        .map(|names| names.split('|').next().unwrap_or(names))
}

/// What the renderer writes in golden cases: an option is behind each; names of the operator's stand as `*`.
fn written() -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    let also = ALSO.iter().map(|(case, path, value)| {
        let mut spec = golden(case);
        set(&mut spec, path, serde_json::from_str(value).unwrap());
        input::parse(&spec.to_string()).unwrap()
    });
    let specs = golden_specs().into_iter().map(|(_, spec)| spec);
    for spec in specs.chain(also) {
        let document = artefacts::document(&plan(&spec), &Host).unwrap();
        blocks(&document.root, "", &mut paths);
    }
    paths
}

fn blocks(map: &Map, above: &str, paths: &mut BTreeSet<String>) {
    let named = above == "accounts." || above.ends_with(".mappings.");
    for (key, node) in map.iter() {
        let key = if named { "*" } else { key };
        let path = format!("{above}{key}");
        let below = format!("{path}.");
        match node {
            Node::Map(map) => blocks(map, &below, paths),
            Node::List(list) => {
                for node in list {
                    if let Node::Map(map) = node {
                        blocks(map, &below, paths);
                    }
                }
            }
            _ => {}
        }
        paths.insert(path);
    }
}

fn is_refused(keys: &[&str], role: Role) -> bool {
    let mut value = Value::Str("x".to_owned());
    for key in keys.iter().rev() {
        value = Value::Map(BTreeMap::from([((*key).to_owned(), value)]));
    }
    let Value::Map(settings) = value else {
        return false;
    };
    let mut problems = Problems::new();
    check(&settings, &OptionPath::new("x"), role, &mut problems);
    let owned = |problem: &cim_spec::Problem| problem.rule == cim_spec::Rule::SettingsOwned;
    problems.into_vec().iter().any(owned)
}
