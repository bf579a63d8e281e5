//! `cargo xtask bench`: what a fleet costs to evaluate, render and check, how that grows with its leaves, and what it costs to
//! watch one.

mod evaluation;
mod health;
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

/// Runs the benchmark and prints its figures. `nixpkgs` is a real tree, from which the module to compare with comes.
pub fn run(workspace: &Workspace, nixpkgs: Option<&Path>, progress: &Progress) -> Result<()> {
    let tools = Rc::new(Tools::install(workspace, Purpose::Demo, progress)?);
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
    bench.evaluation()?;
    let made = progress.doing("evaluating the specs of a small fleet", || {
        bench.small_specs()
    })?;
    progress.doing("building cim-render for release", || {
        process::quiet(
            workspace
                .cargo()
                .args(["build", "--release", "--package", "cim-render"]),
        )
    })?;
    bench.rendering(&workspace.target.join("release/cim-render"), &made)?;
    watching(workspace, progress)
}

/// Runs the part of the benchmark that watches an instance.
pub fn watching(workspace: &Workspace, progress: &Progress) -> Result<()> {
    let tools = Tools::install(workspace, Purpose::Demo, progress)?;
    progress.doing("building cim-health for release", || {
        let package = ["build", "--release", "--package", "cim-node"];
        process::quiet(
            workspace
                .cargo()
                .args(package)
                .args(["--bin", "cim-health"]),
        )
    })?;
    let cim_health = workspace.target.join("release/cim-health");
    health::run(&cim_health, &tools.nats_server.path)
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
