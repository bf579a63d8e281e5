//! What the lab deploys with deploy-rs: the profiles of modules/deploy.nix, and all that `activate` needs on a host.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use cim_lab::DeployRs;

use super::build::{folder, sources};
use super::generations::Recipe;
use crate::flake::Flake;
use crate::process;
use crate::progress::Progress;
use crate::tools;
use crate::workspace::Workspace;

/// The host that is deployed to.
const HOST: &str = "cim-prod-001";

/// Builds a host's profile in every generation and installs `activate`.
pub fn prepare(
    workspace: &Workspace,
    flake: &Flake,
    recipes: &[Recipe],
    progress: &Progress,
) -> Result<DeployRs> {
    let activate = tools::deploy_rs_activate(workspace, progress)?.path;
    progress.doing("building what deploy-rs deploys", || {
        let mut profiles = BTreeMap::new();
        for recipe in recipes {
            let flake = flake.at(sources(workspace, recipe));
            let path = format!(
                "{}#deploy.nodes.{HOST}.profiles.system.path",
                flake.reference()
            );
            let args = ["build", "--no-link", "--print-out-paths", &path];
            let built = process::output(&mut flake.nix(&args)?)?;
            profiles.insert(recipe.name.to_owned(), built.trim().into());
        }
        let registration = folder(workspace).join("registration");
        let text = registered(flake, profiles.values())?;
        fs::write(&registration, text)
            .with_context(|| format!("writing {}", registration.display()))?;
        Ok(DeployRs {
            host: HOST.to_owned(),
            activate,
            profiles,
            registration,
        })
    })
}

/// What Nix's database has of some paths and all they need, as `nix-store --load-db` reads it: `nix copy` would write
/// the same on a host.
fn registered<'a>(flake: &Flake, paths: impl Iterator<Item = &'a PathBuf>) -> Result<String> {
    let mut closure = flake.tool("nix-store")?;
    closure.args(["--query", "--requisites"]).args(paths);
    let closure = process::output(&mut closure)?;
    let mut dump = flake.tool("nix-store")?;
    process::output(dump.arg("--dump-db").args(closure.lines()))
}
