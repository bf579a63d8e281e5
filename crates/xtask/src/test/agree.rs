//! Nix and Rust agree on what restarts a server: modules/triggers.nix for the unit, cim-spec for `cim-render diff`.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, ensure};
use cim_render::diff::{Diff, Fate, Generation};
use cim_spec::field::Block;
use cim_spec::reload::Difference;
use cim_spec::settings::Role;
use cim_spec::version::Version;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::eval::{self, Eval};
use super::units;

/// A golden spec of each role; blocks that they lack are put in.
const BASES: [(&str, Role); 3] = [
    ("hub-fields", Role::Hub),
    ("hub-operator", Role::Hub),
    ("leaf-fields", Role::Leaf),
];

/// The oldest version that there are rows for, and one for which all of them hold.
const VERSIONS: [&str; 2] = ["2.12.0", "2.15.1"];

/// The specs of a host's instances, as JSON text, around a change.
#[derive(Debug, Deserialize)]
pub struct Specs {
    before: BTreeMap<String, String>,
    after: BTreeMap<String, String>,
}

/// Holds what `cim-render diff` says of every change in checks/eval against what its units do.
pub fn on_changes(specs: &BTreeMap<String, Specs>, answers: &Value) -> Result<()> {
    let mut problems = Vec::new();
    for (change, specs) in specs {
        for (name, before) in &specs.before {
            let after = &specs.after[name];
            if before == after {
                // What only the unit has is in no spec: memory, the firewall.
                continue;
            }
            let different = &answers[change][name];
            let has = |part: &str| {
                let parts = different.as_array().into_iter().flatten();
                parts.into_iter().any(|found| found == part)
            };
            let fate = match () {
                () if has("restart trigger") || has("unit") => Fate::Restart,
                () if has("reload trigger") => Fate::Reload,
                () => Fate::Nothing,
            };
            let said = said(before, after)?;
            if said != fate {
                problems.push(format!(
                    "{change}: {name}: cim-render diff says {}, its unit does {}",
                    said.word(),
                    fate.word()
                ));
            }
        }
    }
    units::none(problems)
}

fn said(before: &str, after: &str) -> Result<Fate> {
    let dir = tempfile::tempdir().context("making a scratch folder")?;
    let generation = |name: &str, spec: &str| {
        let file = dir.path().join(name);
        fs::write(&file, spec).context("writing a spec")?;
        Generation::read(&file)
    };
    let diff = Diff::between(&generation("before", before)?, &generation("after", after)?);
    let outcome = diff.instances.into_values().next();
    Ok(outcome.context("a generation of one spec has one")?.fate)
}

/// One spec for Nix to judge.
#[derive(Debug, Serialize)]
struct Case {
    role: &'static str,
    version: &'static str,
    spec: Value,
}

/// A golden spec with another value at one place.
#[derive(Debug)]
struct Mutated {
    base: usize,
    path: Vec<String>,
    body: Value,
}

/// Changes each place of some golden specs, sets each field, and asks both sides about it; gives how many they were
/// asked about.
pub fn on_every_place(eval: &Eval) -> Result<usize> {
    let bases: Vec<(Role, Value)> = BASES
        .into_iter()
        .map(|(name, role)| Ok((role, base(eval, name, role)?)))
        .collect::<Result<_>>()?;
    let mutated: Vec<Mutated> = (bases.iter().enumerate())
        .flat_map(|(index, (_, body))| {
            let mut places = Vec::new();
            mutants(&mut Vec::new(), body, &mut places);
            places.into_iter().map(move |(path, value)| Mutated {
                base: index,
                body: with(body, &path, value),
                path,
            })
        })
        .collect();
    let mut problems = Vec::new();
    for version in VERSIONS {
        let case = |role: Role, body: &Value| Case {
            role: role.name(),
            version,
            spec: json!({ role.name(): body }),
        };
        let unchanged = bases.iter().map(|(role, body)| case(*role, body));
        let changed = mutated.iter().map(|m| case(bases[m.base].0, &m.body));
        let digests = digests(eval, &unchanged.chain(changed).collect::<Vec<_>>())?;
        let (before, after) = digests.split_at(bases.len());
        let parsed = Version::parse(version).ok().context("a version of ours")?;
        for (mutated, digest) in mutated.iter().zip(after) {
            let (role, _) = bases[mutated.base];
            let path: Vec<&str> = mutated.path.iter().map(String::as_str).collect();
            let difference = Difference {
                path: &path,
                has_operator: mutated.body["fleet"]["operator"].is_object(),
            };
            let in_nix = *digest == before[mutated.base];
            if (difference.is_hot(role, parsed) || difference.is_silent(role)) != in_nix {
                problems.push(format!(
                    "{} {} on {version}: modules/triggers.nix has it {}, cim-spec does not",
                    role.name(),
                    path.join("."),
                    if in_nix { "hot" } else { "cold" },
                ));
            }
        }
    }
    units::none(problems)?;
    Ok(mutated.len() * VERSIONS.len())
}

fn base(eval: &Eval, name: &str, role: Role) -> Result<Value> {
    let file = eval.file(&format!("crates/cim-render/tests/golden/{name}/spec.json"));
    let text = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
    let mut spec: Value =
        serde_json::from_str(&text).with_context(|| format!("reading {}", file.display()))?;
    let mut body = spec[role.name()].take();
    put_tls(&mut body);
    Ok(body)
}

/// Gives every connection TLS: its fields are judged by connection.
fn put_tls(value: &mut Value) {
    for (name, value) in value.as_object_mut().into_iter().flatten() {
        if name == "tls" && value.is_null() {
            *value = json!({ "certFile": "/c", "keyFile": "/k", "caFile": null, "fields": {} });
        }
        put_tls(value);
    }
}

fn digests(eval: &Eval, cases: &[Case]) -> Result<Vec<String>> {
    let dir = tempfile::tempdir().context("making a scratch folder")?;
    let file = dir.path().join("cases.json");
    let text = serde_json::to_string(cases).context("writing specs")?;
    fs::write(&file, text).context("writing specs")?;
    let digests: Vec<String> = eval.json(&format!("restarts {}", eval::path(&file)))?;
    ensure!(digests.len() == cases.len(), "Nix judged not every spec");
    Ok(digests)
}

/// Every place with another value; in a block of fields, each field that is hot in any block, too.
fn mutants(path: &mut Vec<String>, value: &Value, found: &mut Vec<(Vec<String>, Value)>) {
    if let Value::Object(block) = value {
        for (name, value) in block {
            path.push(name.clone());
            found.push((path.clone(), other(value)));
            mutants(path, value, found);
            path.pop();
        }
        let new: Vec<&str> = match path.last().map(String::as_str) {
            Some("fields") => Block::TOP
                .into_iter()
                .flat_map(Block::fields)
                .filter(|field| field.hot.is_some())
                .map(|field| field.option)
                .collect(),
            _ => vec!["new"],
        };
        for name in new.into_iter().filter(|name| !block.contains_key(*name)) {
            let path = [path.as_slice(), &[name.to_owned()]].concat();
            found.push((path, json!("x")));
        }
    }
}

fn other(value: &Value) -> Value {
    match value {
        Value::Bool(value) => json!(!value),
        Value::Null => json!({ "x": null }),
        Value::Array(list) => json!([list.as_slice(), &[json!("x")]].concat()),
        _ => Value::Null,
    }
}

fn with(body: &Value, path: &[String], value: Value) -> Value {
    let mut body = body.clone();
    let mut at = &mut body;
    for name in path {
        at = &mut at[name];
    }
    *at = value;
    body
}
