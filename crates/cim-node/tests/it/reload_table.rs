//! The table of what is hot, `cim-spec/src/reload.json`: each row on a real server, there and back.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use cim_testkit::{golden, plan};
use serde::Deserialize;
use serde_json::Value;

use crate::support::{Hosts, hosts, reload, set};

const TABLE: &str = include_str!("../../../cim-spec/src/reload.json");
const TRANSITIONS: &str = include_str!("transitions.json");

/// Rows that hold of hubs in operator mode alone.
const IN_OPERATOR_MODE: &str = "hubInOperatorMode";

/// Files that the new values name, and what of the copy stands for each.
const FILES: [(&str, &str); 5] = [
    ("/run/secrets/renewed.pem", "cert.pem"),
    ("/run/secrets/renewed.key", "key.pem"),
    ("/run/secrets/renewed-ca.pem", "ca.pem"),
    ("/run/secrets/renewed.nk", "leaf.nk"),
    ("/run/secrets/renewed.creds", "leaf.creds"),
];

/// Values by the path where each is put.
type Sets = BTreeMap<String, Value>;

#[derive(Deserialize)]
struct Transitions {
    hot: Vec<Base>,
    cold: Vec<Cold>,
}

/// Changes that start from one golden spec.
#[derive(Deserialize)]
struct Base {
    role: String,
    case: String,
    /// What the golden spec lacks.
    tweaks: Sets,
    changes: Vec<Change>,
}

#[derive(Deserialize)]
struct Change {
    row: String,
    sets: Sets,
}

#[derive(Deserialize)]
struct Cold {
    role: String,
    case: String,
    #[serde(default)]
    tweaks: Sets,
    sets: Sets,
}

fn transitions() -> Result<Transitions> {
    serde_json::from_str(TRANSITIONS).context("reading transitions.json")
}

#[test]
fn every_row_has_a_transition() -> Result<()> {
    let transitions = transitions()?;
    for role in ["hub", IN_OPERATOR_MODE, "leaf"] {
        let rows: BTreeSet<String> = rows(role)?.into_iter().collect();
        let bases = transitions.hot.iter().filter(|base| base.role == role);
        let tried = bases
            .flat_map(|base| &base.changes)
            .map(|change| change.row.clone());
        assert_eq!(
            tried.collect::<BTreeSet<_>>(),
            rows,
            "rows of {role}: tried, and in the table"
        );
    }
    Ok(())
}

#[test]
fn every_transition_stays_inside_hot_rows() -> Result<()> {
    let transitions = transitions()?;
    for base in &transitions.hot {
        let rows = rows(&base.role)?;
        for change in &base.changes {
            for path in change.sets.keys() {
                assert!(
                    rows.iter().any(|row| inside(path, row)),
                    "{path} is not hot"
                );
            }
            assert!(
                change.sets.keys().any(|path| inside(path, &change.row)),
                "{}",
                change.row
            );
        }
    }
    for cold in &transitions.cold {
        let rows = rows(&cold.role)?;
        for path in cold.sets.keys() {
            assert!(!rows.iter().any(|row| inside(path, row)), "{path} is hot");
        }
    }
    Ok(())
}

#[test]
fn hub_nodes_take_every_hot_transition_over() -> Result<()> {
    all_taken_over("hub")
}

#[test]
fn hub_nodes_in_operator_mode_take_what_leaves_may_do_over() -> Result<()> {
    all_taken_over(IN_OPERATOR_MODE)
}

#[test]
fn leaves_take_every_hot_transition_over() -> Result<()> {
    all_taken_over("leaf")
}

#[test]
fn what_is_not_in_the_table_is_refused() -> Result<()> {
    let mut running: BTreeMap<String, Hosts> = BTreeMap::new();
    let mut taken_over = Vec::new();
    for cold in transitions()?.cold {
        let Cold { role, sets, .. } = &cold;
        let spec = with(&golden(&cold.case)?, role, &cold.tweaks)?;
        let mut hosts = match running.remove(&spec.to_string()) {
            Some(hosts) => hosts,
            None => one(&spec)?,
        };
        let name = hosts.fleet.names().pop().context("a server")?;
        let changed = with(&spec, role, sets)?;
        ensure!(changed != spec, "nothing changes with {sets:?}");
        hosts.fleet.rewrite(&name, plan(&changed)?)?;
        let said = reload(&hosts.fleet, &name)?;
        if said.ok {
            taken_over.push(format!("it can be reloaded: {sets:?}"));
            continue;
        }
        said.refused(&["keeps its old config", "not supported for"]);
        running.insert(spec.to_string(), hosts);
    }
    assert!(taken_over.is_empty(), "{}", taken_over.join("\n"));
    Ok(())
}

/// Tries all changes of a role; fails with the list of those that were refused.
fn all_taken_over(role: &str) -> Result<()> {
    let mut refused = Vec::new();
    for base in transitions()?.hot.iter().filter(|base| base.role == role) {
        let spec = with(&golden(&base.case)?, role, &base.tweaks)?;
        let mut hosts = one(&spec)?;
        for change in &base.changes {
            if let Err(error) = there_and_back(&mut hosts, base, &spec, change) {
                refused.push(format!("{}: {}: {error:#}", base.case, change.row));
                hosts = one(&spec)?;
            }
        }
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
    Ok(())
}

fn there_and_back(hosts: &mut Hosts, base: &Base, spec: &Value, change: &Change) -> Result<()> {
    let name = hosts.fleet.names().pop().context("a server")?;
    let pid = hosts.fleet.server(&name)?.pid();
    let changed = with(spec, &base.role, &change.sets)?;
    ensure!(changed != *spec, "nothing changes");
    for (spec, way) in [(&changed, "there"), (spec, "back")] {
        let doing = || format!("{way} with {:?}", change.sets);
        hosts
            .fleet
            .rewrite(&name, plan(spec).with_context(doing)?)?;
        let said = reload(&hosts.fleet, &name)?;
        ensure!(said.ok, "{}: {}", doing(), said.text);
        ensure!(hosts.fleet.server(&name)?.pid() == pid, "another process");
    }
    Ok(())
}

/// One server, running, with a file for each that a change may name.
fn one(spec: &Value) -> Result<Hosts> {
    let mut hosts = hosts(std::slice::from_ref(spec))?;
    let name = hosts.fleet.names().pop().context("a server")?;
    let dir = hosts.fleet.member(&name)?.dir().to_owned();
    for (path, original) in FILES {
        let file = dir.join(path.rsplit('/').next().unwrap_or(path));
        match std::fs::read(dir.join(original)) {
            Ok(bytes) => std::fs::write(&file, bytes)?,
            Err(_) => std::fs::write(&file, "")?, // no hub is there: it is never opened
        }
        hosts.fleet.stand_in(&name, path, file)?;
    }
    hosts.fleet.start(&name)?;
    Ok(hosts)
}

/// A spec with values set; `-` removes.
fn with(spec: &Value, role: &str, sets: &Sets) -> Result<Value> {
    let mut spec = spec.clone();
    for (path, value) in sets {
        let value = (value != "-").then(|| value.clone());
        set(&mut spec, &format!("{}.{path}", word(role)), value)?;
    }
    Ok(spec)
}

/// What stands first in the spec of a role.
fn word(role: &str) -> &str {
    if role == IN_OPERATOR_MODE {
        "hub"
    } else {
        role
    }
}

fn rows(role: &str) -> Result<Vec<String>> {
    let table: Value = serde_json::from_str(TABLE)?;
    let rows = table[role].as_array().context("no rows")?;
    rows.iter()
        .map(|row| {
            row["path"]
                .as_str()
                .map(str::to_owned)
                .context("a row has a path")
        })
        .collect()
}

/// Whether a path is that of a row, or below it.
fn inside(path: &str, row: &str) -> bool {
    let mut names = path.split('.');
    row.split('.').all(|wanted| {
        names
            .next()
            .is_some_and(|name| wanted == "*" || wanted == name)
    })
}
