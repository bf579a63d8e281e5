//! What was prepared for a lab: the root, and every generation of every host.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::command::read;

/// What `cargo xtask` prepares.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// A Debian tree that boots systemd; never written to.
    pub root: PathBuf,
    /// Seeds of the throwaway keys, by their public halves.
    pub seeds: BTreeMap<String, String>,
    /// By name.
    pub generations: BTreeMap<String, Generation>,
    /// There where deploy-rs is tested.
    pub deploy: Option<DeployRs>,
}

/// What deploy-rs puts on a host, and its program that does it there.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeployRs {
    /// The host that is deployed to.
    pub host: String,
    /// deploy-rs's own `activate`.
    pub activate: PathBuf,
    /// `deploy.nodes.<host>.profiles.system.path` by generation.
    pub profiles: BTreeMap<String, PathBuf>,
    /// What Nix's database says of the profiles and all they need.
    pub registration: PathBuf,
}

/// One state of the flake, built.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generation {
    /// `system.build.toplevel` of each host, or of each that differs from the first generation's.
    pub hosts: BTreeMap<String, PathBuf>,
    /// The fleet's spec and those of all instances; in the first generation.
    pub specs: Option<PathBuf>,
}

impl Stage {
    /// The stage that `$CIM_LAB` names.
    ///
    /// # Errors
    /// There is none; the message says what to do.
    pub fn from_environment() -> Result<Self> {
        let file = env::var_os("CIM_LAB").context(
            "no hosts are prepared: run `cargo xtask test --only lab`, which sets CIM_LAB",
        )?;
        Self::read(Path::new(&file))
    }

    /// A stage from its file.
    ///
    /// # Errors
    /// A file that is missing or was written by another version.
    pub fn read(file: &Path) -> Result<Self> {
        serde_json::from_str(&read(file)?).with_context(|| format!("reading {}", file.display()))
    }

    /// A generation by its name.
    ///
    /// # Errors
    /// A name that none has.
    pub fn generation(&self, name: &str) -> Result<&Generation> {
        self.generations
            .get(name)
            .with_context(|| format!("no generation {name}"))
    }
}
