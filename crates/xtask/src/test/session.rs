//! What the steps of `cargo xtask test` share, and those of them that are one command.

use std::process::ExitCode;
use std::rc::Rc;
use std::thread;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::Trees;
use crate::flake::Flake;
use crate::progress::Progress;
use crate::tools::{Purpose, Tools};
use crate::workspace::Workspace;
use crate::{demo, lab, process};

/// What `nix flake show` must list: attribute paths, with dots between.
const OUTPUTS: &[&str] = &[
    "lib",
    "nixosModules.default",
    "nixosModules.hub",
    "nixosModules.leaf",
    "nixosConfigurations.hub-1",
    "nixosConfigurations.hub-2",
    "nixosConfigurations.hub-3",
    "nixosConfigurations.cim-prod-001",
    "nixosConfigurations.cim-prod-002",
    "nixosConfigurations.cim-dev-001",
    "deploy",
    "templates.default",
    "overlays.default",
    "packages.x86_64-linux.default",
    "packages.x86_64-linux.cim-build",
    "packages.x86_64-linux.cim-node",
    "packages.x86_64-linux.cim-admin",
    "packages.aarch64-linux.default",
    "apps.x86_64-linux.demo",
    "devShells.x86_64-linux.default",
    "formatter.x86_64-linux",
    "checks.x86_64-linux.fleet",
    "checks.x86_64-linux.spec",
    "checks.x86_64-linux.formatting",
    "checks.x86_64-linux.host-hub-1",
    "checks.x86_64-linux.vm-message",
    "checks.x86_64-linux.deploy-order",
];

/// What the steps share: each finds here what earlier ones made.
pub struct Session {
    pub workspace: Workspace,
    pub progress: Progress,
    pub trees: Trees,
    pub tools: Option<Rc<Tools>>,
    pub flake: Option<Rc<Flake>>,
}

impl Session {
    pub fn install_tools(&mut self) -> Result<()> {
        self.tools = Some(Rc::new(Tools::install(
            &self.workspace,
            Purpose::Test,
            &self.progress,
        )?));
        Ok(())
    }

    pub fn clippy(&mut self) -> Result<()> {
        let mut cargo = self.workspace.cargo();
        process::quiet(cargo.args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--features",
            "cim-lab/lab",
            "--",
            "-D",
            "warnings",
        ]))
    }

    pub fn cargo_test(&mut self) -> Result<()> {
        let tools = self.tools()?;
        let mut cargo = self.workspace.cargo();
        cargo.args(["test", "--workspace", "--no-fail-fast"]);
        cargo
            .env("NATS_SERVER", &tools.nats_server.path)
            .env("PATH", tools.path_env()?);
        // Most of them wait for servers, so two share a processor.
        let processors = thread::available_parallelism().map_or(1, usize::from);
        cargo.env("RUST_TEST_THREADS", (2 * processors).to_string());
        process::passed_through(&mut cargo)
    }

    pub fn flake_check(&mut self) -> Result<()> {
        let flake = self.flake()?;
        process::quiet(&mut flake.nix(&[
            "flake",
            "check",
            "--print-build-logs",
            &flake.reference(),
        ])?)
    }

    pub fn flake_show(&mut self) -> Result<()> {
        let flake = self.flake()?;
        let shown =
            process::output(&mut flake.nix(&["flake", "show", "--json", &flake.reference()])?)?;
        let shown: Value =
            serde_json::from_str(&shown).context("reading what `nix flake show --json` prints")?;
        let missing: Vec<_> = OUTPUTS
            .iter()
            .filter(|path| !lists(&shown, path))
            .copied()
            .collect();
        if !missing.is_empty() {
            bail!(
                "looking for outputs of the flake: there is no {}",
                missing.join(", no ")
            );
        }
        Ok(())
    }

    pub fn lab(&mut self) -> Result<()> {
        let flake = self.flake()?;
        lab::test(&self.workspace, &flake, &self.progress)
    }

    /// The README's other command, on ports of its own.
    pub fn demo(&mut self) -> Result<()> {
        let tools = self.tools()?;
        let stage = demo::Stage {
            specs: crate::golden::specs(&*self.flake()?, &self.progress)?,
            nats_server: tools.nats_server.path.clone(),
            cim_admin: self.workspace.built("cim-admin"),
            path: tools.path_env()?,
            port: 24220,
            keep: false,
        };
        if demo::on(&stage, &self.progress)? != ExitCode::SUCCESS {
            bail!("running the demo: something did not hold");
        }
        Ok(())
    }

    pub fn tools(&self) -> Result<Rc<Tools>> {
        self.tools
            .clone()
            .context("looking for the tools: the step that installs them has not run")
    }

    /// The flake as Nix gets to see it, assembled once.
    pub fn flake(&mut self) -> Result<Rc<Flake>> {
        if let Some(flake) = &self.flake {
            return Ok(Rc::clone(flake));
        }
        let tools = self.tools()?;
        let flake = Flake::assemble(
            &self.workspace,
            tools,
            self.trees.nixpkgs.as_deref(),
            &self.progress,
        )?;
        Ok(Rc::clone(self.flake.insert(Rc::new(flake))))
    }
}

/// Whether the tree that `nix flake show --json` prints has something at `path`.
fn lists(shown: &Value, path: &str) -> bool {
    path.split('.')
        .try_fold(shown, |value, name| value.get(name))
        .is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_outputs_by_their_path() {
        let shown = serde_json::json!({ "packages": { "x86_64-linux": { "default": { "type": "derivation" } } } });
        assert!(lists(&shown, "packages.x86_64-linux.default"));
        assert!(!lists(&shown, "packages.aarch64-linux.default"));
    }
}
