//! The contract of the stand-in: its lib makes of every case what nixpkgs' own lib made of it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{Session, compare, eval};
use crate::process;
use crate::tools::Tools;

/// The step.
pub fn run(session: &mut Session) -> Result<()> {
    let tools = session.tools()?;
    let standin = session.workspace.root.join("checks/standin");
    let file = standin.join("cases/expected.json");
    let text = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
    let expected: Value =
        serde_json::from_str(&text).with_context(|| format!("reading {}", file.display()))?;
    let ours = standin.join("nixpkgs/lib");
    let cases = answers(&tools, &standin, &ours)?;
    compare::equal("cases of the stand-in's lib", &expected, &cases)?;
    session.progress.note(&format!(
        "the stand-in's lib agrees in {} cases",
        count(&expected)
    ));
    let Some(nixpkgs) = &session.trees.nixpkgs else {
        return Ok(());
    };
    let theirs = nixpkgs.join("lib");
    let cases = answers(&tools, &standin, &theirs)?;
    compare::equal("cases of nixpkgs' own lib", &expected, &cases)?;
    nothing_of_its_own(&tools, &standin, &ours, &theirs)?;
    session
        .progress
        .note(&format!("so does {}", theirs.display()));
    Ok(())
}

/// What a lib makes of the cases.
fn answers(tools: &Tools, standin: &Path, lib: &Path) -> Result<Value> {
    let cases = eval::path(&standin.join("cases"));
    evaluated(
        tools,
        &format!("import {cases} {{ lib = import {}; }}", eval::path(lib)),
    )
}

/// What only the stand-in has would work here and fail for users.
fn nothing_of_its_own(tools: &Tools, standin: &Path, ours: &Path, theirs: &Path) -> Result<()> {
    let expression = format!(
        "import {} {{ standin = import {}; nixpkgs = import {}; }}",
        eval::path(&standin.join("cases/surface.nix")),
        eval::path(ours),
        eval::path(theirs)
    );
    let names = evaluated(tools, &expression)?;
    ensure!(
        names.as_array().is_some_and(Vec::is_empty),
        "the stand-in's lib has what nixpkgs' has not: {names}"
    );
    Ok(())
}

fn evaluated(tools: &Tools, expression: &str) -> Result<Value> {
    let mut nix = tools.command("nix")?;
    nix.args(["eval", "--impure", "--offline", "--json", "--expr"]);
    let said = process::output(nix.arg(expression))?;
    serde_json::from_str(&said).context("reading what `nix eval --json` prints")
}

/// How many cases there are in all sections.
fn count(expected: &Value) -> usize {
    let sections = expected
        .as_object()
        .into_iter()
        .flat_map(|all| all.values());
    sections
        .filter_map(Value::as_object)
        .map(serde_json::Map::len)
        .sum()
}
