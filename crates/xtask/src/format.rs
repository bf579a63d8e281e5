//! `cargo xtask format`: the flake's own formatter on the checkout, where `nix fmt` cannot fetch its inputs.

use std::path::PathBuf;
use std::process::Command;
use std::rc::Rc;

use anyhow::Result;

use crate::flake::Flake;
use crate::process;
use crate::progress::Progress;
use crate::tools::{Purpose, Tools};
use crate::workspace::Workspace;

/// Formats every file of the checkout.
pub fn run(workspace: &Workspace, progress: &Progress) -> Result<()> {
    let tools = Rc::new(Tools::install(workspace, Purpose::Test, progress)?);
    let path = tools.path_env()?;
    let flake = Flake::assemble(workspace, tools, None, progress)?;
    let system = format!("{}-linux", std::env::consts::ARCH);
    let wanted = format!("{}#formatter.{system}", flake.reference());
    let built =
        process::output(&mut flake.nix(&["build", "--no-link", "--print-out-paths", &wanted])?)?;
    let mut treefmt = Command::new(PathBuf::from(built.trim()).join("bin/treefmt"));
    treefmt.current_dir(&workspace.root).env("PATH", path);
    process::passed_through(&mut treefmt)
}
