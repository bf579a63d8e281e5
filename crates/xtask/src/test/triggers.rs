//! What a change touches, what an operator is told, and what does not build.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::eval::{self, Eval};
use super::{Session, golden};

/// What is expected of checks/eval/changes and checks/eval/messages.
const EXPECTED: &str = "checks/eval/expected.json";

/// The step.
pub fn run(session: &mut Session) -> Result<()> {
    let tools = session.tools()?;
    let flake = session.flake()?;
    let eval = Eval::new(&tools, flake.source(), flake.standins());
    let file = session.workspace.root.join(EXPECTED);
    let answers = answers(&eval)?;
    golden::update_json(&file, &answers)?;
    golden::json(&file, &answers)?;
    let refused = refusals(&eval)?;
    let count = |name: &str| answers[name].as_object().map_or(0, serde_json::Map::len);
    session.progress.note(&format!(
        "{} changes, {} hosts with messages, {refused} refusals",
        count("changes"),
        count("messages")
    ));
    Ok(())
}

/// Holds changes and messages against the file of the copy that was evaluated.
pub fn as_committed(eval: &Eval) -> Result<()> {
    golden::json(&eval.file(EXPECTED), &answers(eval)?)
}

fn answers(eval: &Eval) -> Result<Value> {
    let changes: Value = eval.json("changes")?;
    let messages: Value = eval.json("messages")?;
    Ok(json!({ "changes": changes, "messages": messages }))
}

/// Each host that must not build does not, and the error says what it must; gives how many there are.
pub fn refusals(eval: &Eval) -> Result<usize> {
    let refused: BTreeMap<String, Vec<String>> = eval.json("refused")?;
    let mut problems = Vec::new();
    for (name, says) in &refused {
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
            }
        }
    }
    if !problems.is_empty() {
        bail!("checks/eval/refusals: {}", problems.join("\n"));
    }
    (!refused.is_empty())
        .then_some(refused.len())
        .context("checks/eval/refusals holds nothing")
}
