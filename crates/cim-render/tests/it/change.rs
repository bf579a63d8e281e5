//! `refusals/<case>/spec.patch.json`: a golden spec with a mistake put in.
//!
//! Paths are JSON pointers (RFC 6901). Unlike a merge patch this can write `null`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::support::{folder, text};

/// A change of a golden spec, or of the fleet that a golden hub sees.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Case {
    /// The golden case that it starts from.
    base: String,
    /// What is written, by its path; what stands in no block yet is added.
    #[serde(default)]
    set: BTreeMap<String, Value>,
    /// Paths of what is taken away.
    #[serde(default)]
    remove: Vec<String>,
    /// What the message must not hold.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// Makes it a check of the whole fleet, with hosts that declare these golden specs; paths
    /// then start at the fleet, which is the one that the hub `base` sees.
    pub hosts: Option<Vec<String>>,
    /// What is written into the golden specs of hosts, by host and path.
    #[serde(default)]
    on_hosts: BTreeMap<String, BTreeMap<String, Value>>,
}

impl Case {
    /// Reads a case's file.
    pub fn read(case: &Path) -> Self {
        serde_json::from_str(&text(case, "spec.patch.json"))
            .unwrap_or_else(|error| panic!("{}: {error}", case.display()))
    }

    /// The JSON text with the mistake in it.
    pub fn apply(&self) -> String {
        let mut spec = golden(&self.base);
        if self.hosts.is_some() {
            spec = spec.pointer("/hub/fleet").unwrap().clone();
        }
        for path in &self.remove {
            remove(&mut spec, path);
        }
        for (path, value) in &self.set {
            set(&mut spec, path, value.clone());
        }
        spec.to_string()
    }
}

impl Case {
    /// The golden spec that a host declares, with what the case writes into it.
    pub fn on(&self, host: &str) -> String {
        let mut spec = golden(host);
        for (path, value) in self.on_hosts.get(host).into_iter().flatten() {
            set(&mut spec, path, value.clone());
        }
        spec.to_string()
    }
}

/// A golden spec as JSON.
pub fn golden(case: &str) -> Value {
    serde_json::from_str(&text(&folder("golden").join(case), "spec.json")).unwrap()
}

/// Writes `value` at `path`, whose parent must be there.
pub fn set(spec: &mut Value, path: &str, value: Value) {
    let (parent, key) = parent(spec, path);
    match parent {
        Value::Object(map) => {
            map.insert(key, value);
        }
        Value::Array(list) if key == "-" => list.push(value),
        Value::Array(list) => list[key.parse::<usize>().unwrap()] = value,
        _ => panic!("{path}: its parent is no block"),
    }
}

/// Takes away what stands at `path`.
pub fn remove(spec: &mut Value, path: &str) {
    let (parent, key) = parent(spec, path);
    let found = match parent {
        Value::Object(map) => map.remove(&key).is_some(),
        _ => panic!("{path}: its parent is no block"),
    };
    assert!(found, "{path}: nothing stands there");
}

fn parent<'a>(spec: &'a mut Value, path: &str) -> (&'a mut Value, String) {
    let (parent, key) = path
        .rsplit_once('/')
        .unwrap_or_else(|| panic!("{path}: no JSON pointer"));
    let parent = spec
        .pointer_mut(parent)
        .unwrap_or_else(|| panic!("{path}: its parent is not there"));
    (parent, key.replace("~1", "/").replace("~0", "~"))
}
