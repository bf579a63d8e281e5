//! Where two JSON trees differ. A list is one value, for its elements have no names; but how much of a durable flow is
//! stored is a place of its own.

use cim_spec::reload::{self, Consequence};
use cim_spec::settings::Role;
use cim_spec::version::Version;
use serde_json::Value;

/// One place with another value.
#[derive(Debug)]
pub struct Difference {
    /// The names on the way to it.
    pub path: Vec<String>,
    /// What stood there; `None`: nothing.
    pub old: Option<Value>,
    /// What stands there.
    pub new: Option<Value>,
}

impl Difference {
    /// What it needs before it holds.
    pub fn consequence(&self, role: Role, version: Version, has_operator: bool) -> Consequence {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        reload::Difference {
            path: &path,
            has_operator,
        }
        .consequence(role, version)
    }
}

/// Every place where two trees differ, as deep as both have blocks.
pub fn differences(old: &Value, new: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(&mut Vec::new(), Some(old), Some(new), &mut found);
    found
}

fn compare(
    path: &mut Vec<String>,
    old: Option<&Value>,
    new: Option<&Value>,
    found: &mut Vec<Difference>,
) {
    match (old, new) {
        (Some(Value::Object(before)), Some(Value::Object(after))) => {
            let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
            names.sort();
            names.dedup();
            for name in names {
                path.push(name.clone());
                compare(path, before.get(name), after.get(name), found);
                path.pop();
            }
        }
        _ if old == new => {}
        (Some(Value::Array(before)), Some(Value::Array(after)))
            if unsized_flows(before) == unsized_flows(after) =>
        {
            for (index, (before, after)) in before.iter().zip(after).enumerate() {
                path.push(index.to_string());
                compare(path, Some(before), Some(after), found);
                path.pop();
            }
        }
        _ => found.push(Difference {
            path: path.clone(),
            old: old.cloned(),
            new: new.cloned(),
        }),
    }
}

/// The elements without what says how much of a durable flow is stored.
fn unsized_flows(list: &[Value]) -> Vec<Value> {
    let mut list = list.to_vec();
    for durable in list.iter_mut().filter_map(|flow| flow.get_mut("durable")) {
        for size in reload::SIZES_OF_FLOWS {
            if let Some(durable) = durable.as_object_mut() {
                durable.remove(*size);
            }
        }
    }
    list
}
