//! Where the project's files and cargo's output are.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

/// The checkout that xtask works on.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// The folder that holds the workspace's Cargo.toml.
    pub root: PathBuf,
    /// Cargo's target folder: everything xtask makes is in there.
    pub target: PathBuf,
}

impl Workspace {
    /// Finds the workspace of the xtask that runs (`cargo run` says where its package is), else of the current folder.
    pub fn find() -> Result<Self> {
        let start = match env::var_os("CARGO_MANIFEST_DIR") {
            Some(package) => PathBuf::from(package),
            None => env::current_dir().context("finding the current folder")?,
        };
        let root = start
            .ancestors()
            .find(|folder| folder.join("crates/xtask/Cargo.toml").is_file())
            .with_context(|| format!("finding the workspace around {}", start.display()))?
            .to_path_buf();
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(target) => std::path::absolute(&target).context("resolving CARGO_TARGET_DIR")?,
            None => root.join("target"),
        };
        Ok(Self { root, target })
    }

    /// Cargo, run in the workspace with the same target folder.
    pub fn cargo(&self) -> Command {
        let mut cargo = Command::new(cargo_program());
        cargo
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", &self.target);
        // What `cargo run` says about xtask is not said to other crates' build scripts: ring's would run again.
        for (name, _) in env::vars_os() {
            let name_text = name.to_string_lossy();
            if name_text.starts_with("CARGO_MANIFEST_") || name_text.starts_with("CARGO_PKG_") {
                cargo.env_remove(&name);
            }
        }
        cargo
    }

    /// A program of the workspace as `cargo build` leaves it.
    pub fn built(&self, program: &str) -> PathBuf {
        self.target.join("debug").join(program)
    }
}

/// The cargo that runs xtask.
pub fn cargo_program() -> PathBuf {
    env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}
