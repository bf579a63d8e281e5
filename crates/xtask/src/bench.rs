//! `cargo xtask bench`: what a fleet costs to evaluate, render and check, how that grows with its leaves, and what
//! its identity costs.

mod evaluation;
mod identity;
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
/// `only_identity`: nothing of evaluating and rendering.
pub fn run(
    workspace: &Workspace,
    nixpkgs: Option<&Path>,
    only_identity: bool,
    progress: &Progress,
) -> Result<()> {
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
    progress.doing("building cim-render and cim-admin for release", || {
        process::quiet(workspace.cargo().args([
            "build",
            "--release",
            "--package",
            "cim-render",
            "--package",
            "cim-admin",
        ]))
    })?;
    let cim_admin = workspace.target.join("release/cim-admin");
    if only_identity {
        return bench.identity(&cim_admin);
    }
    bench.evaluation()?;
    let made = progress.doing("evaluating the specs of a small fleet", || {
        bench.small_specs()
    })?;
    bench.rendering(&workspace.target.join("release/cim-render"), &made)?;
    bench.identity(&cim_admin)
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
