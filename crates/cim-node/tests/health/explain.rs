//! `cim-health explain`, and docs/health.md, which has what it says.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use cim_node::health::check;

use crate::scene::{Said, prepared};

const BEGIN: &str = "<!-- cim-health explain -->\n";
const END: &str = "<!-- end -->\n";

fn explain(words: &[&str]) -> Result<Said> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cim-health"));
    Said::of(command.arg("explain").args(words).output()?)
}

#[test]
fn every_check_is_explained() -> Result<()> {
    for check in check::all() {
        let said = explain(&[check.name])?;
        ensure!(said.code == 0, "{said:?}");
        for part in [
            check.meaning,
            check.looks_at,
            check.states,
            "Usual causes:\n1. ",
            "\n3. ",
        ] {
            ensure!(said.out.contains(part), "no {part:?} in {}", said.out);
        }
        ensure!(
            !said.out.contains(['{', '}']) || said.out.contains("jq '"),
            "{}",
            said.out
        );
        ensure!(check.states.contains("UNKNOWN") || check.states.contains("CRITICAL"));
    }
    Ok(())
}

#[test]
fn commands_name_the_instance_where_it_is_given() -> Result<()> {
    let scene = prepared(&[cim_testkit::golden("security-cim-prod-001")?])?;
    let file = scene.file()?;
    let said = explain(&["link", "--health", &file.to_string_lossy()])?;
    ensure!(
        said.out.contains("journalctl -u cim-prod-001 -g"),
        "{}",
        said.out
    );
    ensure!(said.out.contains(&*file.to_string_lossy()), "{}", said.out);
    Ok(())
}

#[test]
fn the_page_says_the_same() -> Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/health.md");
    let text = std::fs::read_to_string(&path).context("reading docs/health.md")?;
    let (before, rest) = text.split_once(BEGIN).context("no beginning")?;
    let (_, after) = rest.split_once(END).context("no end")?;
    let page = format!("{before}{BEGIN}\n{}\n{END}{after}", explain(&[])?.out);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, page)?;
        return Ok(());
    }
    ensure!(
        text == page,
        "docs/health.md says something else than the checks; run with UPDATE_GOLDEN=1"
    );
    Ok(())
}

/// Each level is an option, and each option a level of some check.
#[test]
fn every_level_is_that_of_a_check() -> Result<()> {
    let scene = prepared(&[cim_testkit::golden("security-cim-prod-001")?])?;
    let levels = serde_json::to_value(&scene.health.watch.levels)?;
    let mut levels: Vec<_> = levels
        .as_object()
        .context("levels")?
        .keys()
        .cloned()
        .collect();
    levels.sort();
    let mut of_checks: Vec<_> = check::all()
        .flat_map(|check| check.option.split(", "))
        .filter(|option| !option.is_empty())
        .map(str::to_owned)
        .collect();
    of_checks.sort();
    of_checks.dedup();
    ensure!(levels == of_checks, "{levels:?}, {of_checks:?}");
    Ok(())
}
