//! Every host under nixpkgs' own lib and all of NixOS's own modules, and the VM tests under NixOS's own test framework:
//! the same as under the stand-in.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::Value;

use super::Session;
use super::eval::{self, Eval};
use super::units;
use crate::tools::Tools;

/// What checks/standin/real.nix says of one host.
#[derive(Debug, Deserialize)]
struct Answer {
    agree: bool,
    different: Value,
    compared: Compared,
}

/// What was compared; more than this.
#[derive(Debug, Deserialize)]
struct Compared {
    units: BTreeMap<String, Unit>,
    /// By instance, the spec as it is written.
    extracted: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
struct Unit {
    text: String,
}

/// What checks/standin/real-vm.nix says of one VM test.
#[derive(Debug, Deserialize)]
struct VmTest {
    /// The derivation of the script, its machines, and what drives them.
    driver: String,
    nodes: Vec<String>,
    /// By node: what NixOS and the stand-in make of it, where that is not the same.
    different: BTreeMap<String, Value>,
}

/// The step.
pub fn run(session: &mut Session) -> Result<()> {
    let nixpkgs = session
        .nixpkgs
        .clone()
        .context("comparing with a real nixpkgs: name the tree with --nixpkgs PATH")?;
    for file in [
        "lib/default.nix",
        "nixos/lib/eval-config.nix",
        "nixos/lib/testing/default.nix",
    ] {
        ensure!(
            nixpkgs.join(file).is_file(),
            "--nixpkgs {}: there is no {file}",
            nixpkgs.display()
        );
    }
    let tools = session.tools()?;
    let flake = session.flake()?;
    let eval = Eval::new(&tools, flake.source(), flake.standins());
    // Built, so that the programs that units name are there.
    eval.build("toplevels")?;
    let mut problems = Vec::new();
    for name in units::hosts(&eval)?.keys() {
        let answer: Answer = eval.json(&format!(
            "real {{ nixpkgs = {}; name = {}; }}",
            eval::path(&nixpkgs),
            eval::string(name)
        ))?;
        if !answer.agree {
            problems.push(format!("{name}: {:#}", answer.different));
        }
        problems.extend(verified(&tools, &answer.compared)?);
        session.progress.note(&format!(
            "{name}: {} specs and {} units compared",
            answer.compared.extracted.len(),
            answer.compared.units.len()
        ));
    }
    let tests: BTreeMap<String, VmTest> =
        eval.json(&format!("realVm {{ nixpkgs = {}; }}", eval::path(&nixpkgs)))?;
    ensure!(!tests.is_empty(), "there are no VM tests in checks/vm");
    for (name, test) in &tests {
        problems.extend(test.problems(name));
        session.progress.note(&format!(
            "{name}: NixOS's test framework makes {} of {}",
            test.driver,
            test.nodes.join(", ")
        ));
    }
    if !problems.is_empty() {
        bail!(
            "hosts that NixOS makes something else of:\n{}",
            problems.join("\n")
        );
    }
    Ok(())
}

impl VmTest {
    /// What NixOS makes something else of.
    fn problems(&self, test: &str) -> Vec<String> {
        self.different
            .iter()
            .map(|(node, made)| format!("{test}, {node}: {made:#}"))
            .collect()
    }
}

/// What systemd says against the units, which are the same under both.
fn verified(tools: &Tools, compared: &Compared) -> Result<Vec<String>> {
    let folder = tempfile::tempdir().context("creating a folder for units")?;
    let mut problems = Vec::new();
    for (name, unit) in &compared.units {
        let file = folder.path().join(name);
        fs::write(&file, &unit.text).with_context(|| format!("writing {}", file.display()))?;
        problems.extend(units::verify(tools, &file)?);
    }
    Ok(problems)
}
