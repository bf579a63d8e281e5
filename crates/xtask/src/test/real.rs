//! Every host under nixpkgs' own lib and all of NixOS's own modules, and the VM tests under NixOS's own test framework:
//! the same as under the stand-in.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

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
    extracted: Host,
}

/// What our modules make beside units.
#[derive(Debug, Deserialize)]
struct Host {
    /// By instance, as it is written.
    specs: BTreeMap<String, String>,
    /// What services.cim.monitoring sets of NixOS's own modules.
    monitoring: BTreeMap<String, Value>,
}

#[derive(Debug, Deserialize)]
struct Unit {
    text: String,
}

/// What checks/standin/real.nix says of one host with an identity.
#[derive(Debug, Deserialize)]
struct Sealed {
    agree: bool,
    different: Value,
    compared: SealedCompared,
}

#[derive(Debug, Deserialize)]
struct SealedCompared {
    extracted: Extracted,
}

/// More than this.
#[derive(Debug, Deserialize)]
struct Extracted {
    /// What sops-install-secrets reads on the host.
    manifest: Vec<Value>,
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
    let trees = session.trees.clone();
    let nixpkgs = trees
        .nixpkgs
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
            "{name}: {} specs, {} units and {} settings of monitoring compared",
            answer.compared.extracted.specs.len(),
            answer.compared.units.len(),
            answer.compared.extracted.monitoring.len()
        ));
    }
    match &trees.sops_nix {
        Some(sops_nix) => problems.extend(with_sops_nix(session, &eval, &nixpkgs, sops_nix)?),
        None => session
            .progress
            .note("leaving out sops-nix: it needs its tree, --sops-nix PATH"),
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

/// Hosts with an identity: sops-nix's own module takes our secrets, and makes of them what the stand-in makes.
fn with_sops_nix(
    session: &Session,
    eval: &Eval,
    nixpkgs: &Path,
    sops_nix: &Path,
) -> Result<Vec<String>> {
    ensure!(
        sops_nix.join("modules/sops/default.nix").is_file(),
        "--sops-nix {}: there is no modules/sops/default.nix",
        sops_nix.display()
    );
    let answers: BTreeMap<String, Sealed> = eval.json(&format!(
        "realSops {{ nixpkgs = {}; sopsNix = {}; }}",
        eval::path(nixpkgs),
        eval::path(sops_nix)
    ))?;
    let secrets: usize = (answers.values())
        .map(|answer| answer.compared.extracted.manifest.len())
        .sum();
    ensure!(
        secrets > 0,
        "no host in checks/eval/identities has a secret"
    );
    session.progress.note(&format!(
        "sops-nix installs {secrets} secrets on {} hosts",
        answers.len()
    ));
    let differing = answers.iter().filter(|(_, answer)| !answer.agree);
    Ok(differing
        .map(|(name, answer)| format!("identities/{name}: {:#}", answer.different))
        .collect())
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
    // All of them before the first is looked at: systemd finds those that a unit names beside it.
    let mut files = Vec::new();
    for (name, unit) in &compared.units {
        let file = folder.path().join(name);
        fs::write(&file, &unit.text).with_context(|| format!("writing {}", file.display()))?;
        files.push(file);
    }
    let mut problems = Vec::new();
    for file in files {
        problems.extend(units::verify(tools, &file)?);
    }
    Ok(problems)
}
