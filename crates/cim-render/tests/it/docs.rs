//! `docs/rules.md` names rules, warnings and cases that exist, and every one of our warnings.

use cim_spec::Rule;
use cim_spec::lint::{ADVISORIES, IDS};

use crate::support::folder;

const RULES: &str = include_str!("../../../../docs/rules.md");

/// What the last column of each table says in code, with its line.
fn named() -> Vec<(&'static str, &'static str)> {
    let rows = RULES.lines().filter(|line| line.starts_with("| "));
    let last = rows.filter_map(|line| {
        let line = line.strip_suffix('|')?;
        line.rsplit_once('|')
    });
    last.flat_map(|(line, last)| {
        last.split('`')
            .skip(1)
            .step_by(2)
            .map(move |name| (name, line))
    })
    .collect()
}

#[test]
fn what_the_table_names_exists() {
    let mut missing = Vec::new();
    let names = named();
    for (name, line) in &names {
        let exists = match name.contains('/') {
            true => {
                folder(name).join("spec.patch.json").exists()
                    || folder(name).join("spec.json").exists()
            }
            false => {
                Rule::ALL.iter().any(|rule| rule.id() == *name)
                    || IDS.contains(name)
                    || ADVISORIES.iter().any(|advisory| advisory.id == *name)
            }
        };
        if !exists {
            missing.push(format!("{name}: {line}"));
        }
    }
    assert!(names.len() > 100, "the tables were not read");
    assert!(missing.is_empty(), "there is no\n{}", missing.join("\n"));
}

#[test]
fn every_warning_is_told() {
    for id in IDS {
        assert!(
            RULES.contains(&format!("\n| `{id}` |")),
            "no row tells of {id}"
        );
    }
}
