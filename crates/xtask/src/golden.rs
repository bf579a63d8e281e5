//! `cargo xtask golden`: takes over what Nix and the renderer now write as what the tests expect.

use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context, Result};

use crate::flake::Flake;
use crate::process;
use crate::progress::Progress;
use crate::test::eval::Eval;
use crate::test::reference;
use crate::tools::{Purpose, Tools};
use crate::workspace::Workspace;

/// Writes the specs of hosts/ and its examples into the golden cases, and the reference of options; then has the tests
/// rewrite their answers.
pub fn run(workspace: &Workspace, progress: &Progress) -> Result<()> {
    let tools = Rc::new(Tools::install(workspace, Purpose::Demo, progress)?);
    let flake = Flake::assemble(workspace, Rc::clone(&tools), None, progress)?;
    let specs = specs(&flake, progress)?;
    take(workspace, &specs.join("instances"))?;
    take(workspace, &built(&flake, "specs.examples", progress)?)?;
    progress.doing("writing the reference of options", || {
        let eval = Eval::new(&tools, flake.source(), flake.standins());
        let page = workspace.root.join(reference::PAGE);
        fs::write(&page, reference::page(&eval)?)
            .with_context(|| format!("writing {}", page.display()))
    })?;
    progress.doing("rewriting the answers of golden and refusal cases", || {
        let mut cargo = workspace.cargo();
        cargo
            .args(["test", "--package", "cim-render", "--test", "it"])
            .env("UPDATE_GOLDEN", "1")
            .env("NATS_SERVER", &tools.nats_server.path);
        process::quiet(&mut cargo)
    })
}

/// Puts each spec of a folder into the golden case of its name.
fn take(workspace: &Workspace, specs: &Path) -> Result<()> {
    for entry in fs::read_dir(specs).context("reading the specs")? {
        let file = entry.context("reading the specs")?.path();
        let name = file.file_stem().unwrap_or_default();
        let case = workspace
            .root
            .join("crates/cim-render/tests/golden")
            .join(name);
        fs::create_dir_all(&case).with_context(|| format!("creating {}", case.display()))?;
        let golden = case.join("spec.json");
        let spec = fs::read(&file).with_context(|| format!("reading {}", file.display()))?;
        fs::write(&golden, spec).with_context(|| format!("writing {}", golden.display()))?;
    }
    Ok(())
}

/// The specs of all hosts and the fleet, made by Nix: a folder.
pub fn specs(flake: &Flake, progress: &Progress) -> Result<PathBuf> {
    built(flake, "specs", progress)
}

fn built(flake: &Flake, package: &str, progress: &Progress) -> Result<PathBuf> {
    progress.doing(&format!("evaluating hosts/ with Nix: {package}"), || {
        let wanted = format!("{}#{package}", flake.reference());
        let mut nix = flake.nix(&["build", "--no-link", "--print-out-paths", &wanted])?;
        Ok(PathBuf::from(process::output(&mut nix)?.trim()))
    })
}
