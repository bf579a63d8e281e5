//! The fleet that the tests start from: the one of the golden hub in operator mode, and `fleet.patch.json`.

use std::collections::BTreeMap;

use cim_spec::spec::Fleet;
use cim_testkit::golden;
use serde_json::{Map, Value};

/// When everything is issued.
pub const ISSUED: i64 = 1_790_000_000;

/// The fleet as a tree to change, without any JWT.
pub fn tree() -> Value {
    let mut fleet = golden("hub-operator").unwrap()["hub"]["fleet"].take();
    let patch: BTreeMap<String, Value> =
        serde_json::from_str(include_str!("../fleet.patch.json")).unwrap();
    for (path, value) in patch {
        set(&mut fleet, &path, value);
    }
    fleet["operator"]["jwt"] = Value::Null;
    for account in fleet["accounts"].as_object_mut().unwrap().values_mut() {
        account["jwt"] = Value::Null;
        account["fields"].as_object_mut().unwrap().remove("nkey");
    }
    fleet
}

/// The fleet of a tree.
pub fn fleet(tree: &Value) -> Fleet {
    cim_render::input::parse(&tree.to_string()).unwrap()
}

/// Writes a value at a JSON pointer; its last block is made where it is not there.
pub fn set(tree: &mut Value, path: &str, value: Value) {
    let (parent, name) = path.rsplit_once('/').unwrap();
    let parent = tree
        .pointer_mut(parent)
        .unwrap_or_else(|| panic!("{path}: no such block"));
    let name = name.replace("~1", "/");
    match parent {
        Value::Array(list) => match name.parse::<usize>() {
            Ok(index) => list[index] = value,
            Err(_) => list.push(value),
        },
        Value::Object(map) => drop(map.insert(name, value)),
        _ => *parent = Map::from_iter([(name, value)]).into(),
    }
}
