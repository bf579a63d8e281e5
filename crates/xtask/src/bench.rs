//! `cargo xtask bench`: what a fleet costs to evaluate, render, check, provision and watch, how that grows with its leaves,
//! and what its identity costs.

mod evaluation;
mod gone;
mod health;
mod identity;
mod promises;
mod provisioning;
mod rendering;
mod specs;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;

use anyhow::{Context, Result};

use crate::flake::Flake;
use crate::process;
use crate::progress::Progress;
use crate::tools::{Purpose, Tools};
use crate::workspace::Workspace;

/// Where nixpkgs has its own module for nats-server.
const NATS_MODULE: &str = "nixos/modules/services/networking/nats.nix";

/// A part of the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// Evaluating and rendering.
    Fleet,
    /// Making its identity, and pushing accounts.
    Identity,
    /// `cim-provision`.
    Provision,
    /// `cim-health`.
    Health,
}

/// Runs the benchmark, or one part of it, and prints its figures. `nixpkgs` is a real tree, from which the module to
/// compare with comes.
pub fn run(
    workspace: &Workspace,
    nixpkgs: Option<&Path>,
    only: Option<Part>,
    progress: &Progress,
) -> Result<()> {
    let runs = |part| only.is_none_or(|only| only == part);
    let tools = Rc::new(Tools::install(workspace, Purpose::Demo, progress)?);
    if runs(Part::Provision) {
        provisioning::run(workspace, &tools.nats_server.path, progress)?;
    }
    if runs(Part::Health) {
        watching(workspace, &tools.nats_server.path, progress)?;
    }
    if matches!(only, Some(Part::Provision | Part::Health)) {
        return Ok(());
    }
    let flake = Flake::assemble(workspace, Rc::clone(&tools), None, progress)?;
    let bench = Bench {
        tools: &tools,
        source: flake.source().to_owned(),
        nixpkgs: flake.standin("nixpkgs"),
        nats_module: nixpkgs.map(|tree| tree.join(NATS_MODULE)),
        folder: workspace.target.join("bench"),
    };
    fs::create_dir_all(&bench.folder)
        .with_context(|| format!("creating {}", bench.folder.display()))?;
    progress.doing("building cim-render and cim-admin for release", || {
        let packages = ["--package", "cim-render", "--package", "cim-admin"];
        process::quiet(
            workspace
                .cargo()
                .args(["build", "--release"])
                .args(packages),
        )
    })?;
    if runs(Part::Fleet) {
        bench.evaluation()?;
        let made = progress.doing("evaluating the specs of a small fleet", || {
            bench.small_specs()
        })?;
        bench.rendering(&workspace.target.join("release/cim-render"), &made)?;
    }
    if runs(Part::Identity) {
        bench.identity(&workspace.target.join("release/cim-admin"))?;
    }
    Ok(())
}

/// Watching an instance, by the program as it is released.
fn watching(workspace: &Workspace, nats_server: &Path, progress: &Progress) -> Result<()> {
    progress.doing("building cim-health for release", || {
        let program = ["--package", "cim-node", "--bin", "cim-health"];
        process::quiet(workspace.cargo().args(["build", "--release"]).args(program))
    })?;
    health::run(&workspace.target.join("release/cim-health"), nats_server)
}

/// Where everything stands.
struct Bench<'a> {
    tools: &'a Tools,
    source: PathBuf,
    nixpkgs: PathBuf,
    nats_module: Option<PathBuf>,
    folder: PathBuf,
}

impl Bench<'_> {
    /// An evaluation of checks/bench for a fleet of a size.
    fn eval(&self, attribute: &str, leaves: u32) -> Result<Command> {
        let module = match &self.nats_module {
            Some(path) => format!(" natsModule = {};", path.display()),
            None => String::new(),
        };
        let expression = format!(
            "(import {}/checks/bench {{ nixpkgs = {}; leaves = {leaves};{module} }}).{attribute}",
            self.source.display(),
            self.nixpkgs.display()
        );
        let mut nix = self.tools.command("nix")?;
        nix.args([
            "eval",
            "--impure",
            "--offline",
            "--json",
            "--expr",
            &expression,
        ]);
        Ok(nix)
    }
}
