//! `cargo xtask test`: everything that decides whether a change is good.

mod agree;
mod compare;
mod contract;
pub mod eval;
mod golden;
mod mutants;
mod real;
pub mod reference;
mod triggers;
mod unit_text;
mod units;

use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::demo;
use crate::flake::Flake;
use crate::lab;
use crate::process;
use crate::progress::Progress;
use crate::steps::{self, Step};
use crate::tools::{Purpose, Tools};
use crate::workspace::Workspace;

/// The step that compares with a real nixpkgs.
const REAL: &str = "real";

/// The steps in their order.
const STEPS: &[Step<Session>] = &[
    Step {
        name: "tools",
        needs: &[],
        run: Session::install_tools,
    },
    Step {
        name: "clippy",
        needs: &[],
        run: Session::clippy,
    },
    Step {
        name: "test",
        needs: &["tools"],
        run: Session::cargo_test,
    },
    Step {
        name: "flake",
        needs: &["tools"],
        run: Session::flake_check,
    },
    Step {
        name: "show",
        needs: &["tools"],
        run: Session::flake_show,
    },
    Step {
        name: "demo",
        needs: &["tools"],
        run: Session::demo,
    },
    Step {
        name: "contract",
        needs: &["tools"],
        run: contract::run,
    },
    Step {
        name: "units",
        needs: &["tools"],
        run: units::run,
    },
    Step {
        name: "triggers",
        needs: &["tools"],
        run: triggers::run,
    },
    Step {
        name: "reference",
        needs: &["tools"],
        run: reference::run,
    },
    Step {
        name: "mutants",
        needs: &["tools"],
        run: mutants::run,
    },
    Step {
        name: REAL,
        needs: &["tools"],
        run: real::run,
    },
    Step {
        name: LAB,
        needs: &["tools"],
        run: Session::lab,
    },
];

/// The step that needs root.
const LAB: &str = "lab";

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
    "packages.aarch64-linux.default",
    "apps.x86_64-linux.demo",
    "devShells.x86_64-linux.default",
    "formatter.x86_64-linux",
    "checks.x86_64-linux.fleet",
    "checks.x86_64-linux.spec",
    "checks.x86_64-linux.formatting",
    "checks.x86_64-linux.host-hub-1",
];

/// The names that `--only` takes.
pub fn step_names() -> Vec<&'static str> {
    STEPS.iter().map(|step| step.name).collect()
}

/// Runs the steps and closes with the line that counts them.
pub fn run(
    workspace: Workspace,
    progress: Progress,
    nixpkgs: Option<PathBuf>,
    mut only: Vec<String>,
) -> Result<ExitCode> {
    // What is left out is said, and does not count as passed.
    if only.is_empty() {
        only.extend(step_names().into_iter().map(str::to_owned));
        if nixpkgs.is_none() {
            progress.note("leaving out real: it needs a nixpkgs tree, --nixpkgs PATH");
            only.retain(|name| name != REAL);
        }
        progress.note("leaving out lab, which boots the hosts under systemd: --only lab");
        only.retain(|name| name != LAB);
    }
    let found = |path: PathBuf| {
        path.canonicalize()
            .with_context(|| format!("finding --nixpkgs {}", path.display()))
    };
    let nixpkgs = nixpkgs.map(found).transpose()?;
    let mut session = Session {
        workspace,
        progress: progress.clone(),
        nixpkgs,
        tools: None,
        flake: None,
    };
    let tally = steps::run(STEPS, &only, &mut session, &progress);
    if !tally.is_good() {
        progress.note(&format!("failed: {}", tally.failed().join(", ")));
    }
    println!("{tally}");
    Ok(if tally.is_good() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What the steps share: each finds here what earlier ones made.
struct Session {
    workspace: Workspace,
    progress: Progress,
    nixpkgs: Option<PathBuf>,
    tools: Option<Rc<Tools>>,
    flake: Option<Rc<Flake>>,
}

impl Session {
    fn install_tools(&mut self) -> Result<()> {
        self.tools = Some(Rc::new(Tools::install(
            &self.workspace,
            Purpose::Test,
            &self.progress,
        )?));
        Ok(())
    }

    fn clippy(&mut self) -> Result<()> {
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

    fn cargo_test(&mut self) -> Result<()> {
        let tools = self.tools()?;
        let mut cargo = self.workspace.cargo();
        cargo.args(["test", "--workspace"]);
        cargo
            .env("NATS_SERVER", &tools.nats_server.path)
            .env("PATH", tools.path_env()?);
        process::passed_through(&mut cargo)
    }

    fn flake_check(&mut self) -> Result<()> {
        let flake = self.flake()?;
        process::quiet(&mut flake.nix(&[
            "flake",
            "check",
            "--print-build-logs",
            &flake.reference(),
        ])?)
    }

    fn flake_show(&mut self) -> Result<()> {
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

    fn lab(&mut self) -> Result<()> {
        let flake = self.flake()?;
        lab::test(&self.workspace, &flake, &self.progress)
    }

    /// The README's other command, on ports of its own.
    fn demo(&mut self) -> Result<()> {
        let stage = demo::Stage {
            specs: crate::golden::specs(&*self.flake()?, &self.progress)?,
            nats_server: self.tools()?.nats_server.path.clone(),
            port: 24220,
            keep: false,
        };
        if demo::on(&stage, &self.progress)? != ExitCode::SUCCESS {
            bail!("running the demo: something did not hold");
        }
        Ok(())
    }

    fn tools(&self) -> Result<Rc<Tools>> {
        self.tools
            .clone()
            .context("looking for the tools: the step that installs them has not run")
    }

    /// The flake as Nix gets to see it, assembled once.
    fn flake(&mut self) -> Result<Rc<Flake>> {
        if let Some(flake) = &self.flake {
            return Ok(Rc::clone(flake));
        }
        let tools = self.tools()?;
        let flake = Flake::assemble(
            &self.workspace,
            tools,
            self.nixpkgs.as_deref(),
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
    fn steps_need_only_earlier_ones() {
        for (index, step) in STEPS.iter().enumerate() {
            for need in step.needs {
                assert!(
                    STEPS[..index].iter().any(|earlier| earlier.name == *need),
                    "{} needs {need}",
                    step.name
                );
            }
        }
    }

    #[test]
    fn finds_outputs_by_their_path() {
        let shown = serde_json::json!({ "packages": { "x86_64-linux": { "default": { "type": "derivation" } } } });
        assert!(lists(&shown, "packages.x86_64-linux.default"));
        assert!(!lists(&shown, "packages.aarch64-linux.default"));
    }
}
