//! What a change touches, what an operator is told, what does not build, and whether Rust says the same.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, ensure};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::eval::{self, Eval};
use super::units::{self, Units};
use super::{Session, agree, golden};

/// What is expected of checks/eval/changes and checks/eval/messages.
const EXPECTED: &str = "checks/eval/expected.json";

/// What checks/eval makes of its cases.
#[derive(Debug, Deserialize)]
struct Cases {
    /// As in the expected file.
    answers: Value,
    /// The specs around every change.
    specs: BTreeMap<String, agree::Specs>,
    /// The units after every change.
    units: BTreeMap<String, Units>,
}

/// The step.
pub fn run(session: &mut Session) -> Result<()> {
    let tools = session.tools()?;
    let flake = session.flake()?;
    let eval = Eval::new(&tools, flake.source(), flake.standins());
    let file = session.workspace.root.join(EXPECTED);
    let cases: Cases = eval.json("cases")?;
    golden::update_json(&file, &cases.answers)?;
    cases.hold(&file)?;
    agree::on_changes(&cases.specs, &cases.answers["changes"])?;
    let places = agree::on_every_place(&eval)?;
    let refused = refusals(&eval)?;
    let count = |name: &str| cases.answers[name].as_object().map_or(0, Map::len);
    session.progress.note(&format!(
        "{} changes, {places} places that Rust judges as Nix does, {} hosts with messages, {refused} refusals",
        count("changes"),
        count("messages")
    ));
    Ok(())
}

/// Holds the cases against the file of the copy that was evaluated.
pub fn as_committed(eval: &Eval) -> Result<()> {
    eval.json::<Cases>("cases")?.hold(&eval.file(EXPECTED))
}

impl Cases {
    /// The answers are those in the file, and the text of units follows the options that were changed.
    fn hold(&self, file: &Path) -> Result<()> {
        golden::json(file, &self.answers)?;
        units::none(units::text_problems(&self.units)?)
    }
}

/// What the error of a host that must not build says.
#[derive(Debug, Deserialize)]
struct Refused {
    says: Vec<String>,
    /// What must never be shown.
    hides: Vec<String>,
}

/// Each host that must not build does not, and the error says what it must; gives how many there are.
pub fn refusals(eval: &Eval) -> Result<usize> {
    let refused: BTreeMap<String, Refused> = eval.json("refused")?;
    let mut problems = Vec::new();
    for (name, Refused { says, hides }) in &refused {
        match eval.build(&format!("refusals.{}", eval::string(name))) {
            Ok(_) => problems.push(format!("{name}: it builds")),
            Err(error) => {
                let said = format!("{error:#}");
                let missing = says.iter().filter(|words| !said.contains(words.as_str()));
                let missing: Vec<_> = missing.map(|words| format!("{words:?}")).collect();
                if !missing.is_empty() {
                    let missing = missing.join(" and ");
                    problems.push(format!("{name}: nothing says {missing}\n{said}"));
                }
                let shown = hides.iter().filter(|words| said.contains(words.as_str()));
                problems.extend(shown.map(|words| format!("{name}: it shows {words:?}")));
            }
        }
    }
    ensure!(!refused.is_empty(), "checks/eval/refusals holds nothing");
    units::none(problems)?;
    Ok(refused.len())
}
