//! `settings` can collide with nothing that the renderer writes: each key is owned by an option.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cim_check::Copy;
use cim_render::conf::{Map, Node};
use cim_render::{Host, artefacts};
use cim_spec::settings::{Role, Value, check};
use cim_spec::{OptionPath, Problems};

use crate::support::{golden_specs, plan};

/// A key path; list positions stand as `[]`.
type Keys = Vec<String>;

#[test]
fn every_key_that_is_written_is_owned() {
    let mut seen = BTreeSet::new();
    for (case, spec) in golden_specs() {
        let mut plan = plan(&spec);
        plan.settings.clear();
        let role = match plan.link {
            Some(_) => Role::Leaf,
            None => Role::Hub,
        };
        let copy = Copy::alone(&plan, Path::new("/copy")).unwrap();
        let host = artefacts::document(&plan, &Host).unwrap();
        for document in [host, copy.document(&plan).unwrap()] {
            let mut paths = BTreeSet::new();
            blocks(&document.root, &Vec::new(), &mut paths);
            for keys in paths {
                let is_new = seen.insert((role == Role::Hub, keys.clone()));
                assert!(
                    !is_new || is_refused(&keys, role),
                    "{case}: the renderer writes {}, but settings may hold it too: add a row to \
                     crates/cim-spec/src/settings/owned.rs",
                    keys.join(".")
                );
            }
        }
    }
    assert!(seen.len() > 50, "only {} keys were looked at", seen.len());
}

/// All paths, those of blocks too: a text in the place of a block would collide as well.
fn blocks(map: &Map, above: &Keys, paths: &mut BTreeSet<Keys>) {
    for (key, node) in map.iter() {
        let mut keys = above.clone();
        keys.push(key.to_owned());
        if keys == ["accounts"] {
            // Names of users; one row owns them all.
            paths.insert(keys);
            continue;
        }
        match node {
            Node::Map(map) => blocks(map, &keys, paths),
            Node::List(list) => {
                for node in list {
                    if let Node::Map(map) = node {
                        let mut item = keys.clone();
                        item.push("[]".to_owned());
                        blocks(map, &item, paths);
                    }
                }
            }
            _ => {}
        }
        paths.insert(keys);
    }
}

fn is_refused(keys: &Keys, role: Role) -> bool {
    let mut value = Value::Str("x".to_owned());
    for key in keys.iter().rev() {
        value = match key.as_str() {
            "[]" => Value::List(vec![value]),
            key => Value::Map(BTreeMap::from([(key.to_owned(), value)])),
        };
    }
    let Value::Map(settings) = value else {
        return false;
    };
    let mut problems = Problems::new();
    check(&settings, &OptionPath::new("x"), role, &mut problems);
    problems
        .into_vec()
        .iter()
        .any(|problem| problem.rule == cim_spec::Rule::SettingsOwned)
}

#[test]
fn a_key_that_nothing_owns_is_free() {
    for role in [Role::Hub, Role::Leaf] {
        for keys in [vec!["trusted_keys"], vec!["resolver_tls", "ca_file"]] {
            let keys: Keys = keys.into_iter().map(str::to_owned).collect();
            assert!(!is_refused(&keys, role), "{}", keys.join("."));
        }
    }
}
