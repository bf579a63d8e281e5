//! `cargo xtask test`: everything that decides whether a change is good.

mod agree;
mod compare;
mod contract;
pub mod eval;
mod golden;
mod identity;
mod imported;
mod monitoring;
mod mutants;
mod real;
pub mod reference;
mod session;
mod triggers;
mod unit_text;
mod units;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};

use self::session::Session;
use crate::progress::Progress;
use crate::steps::{self, Step};
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
        name: "identity",
        needs: &["tools"],
        run: identity::run,
    },
    Step {
        name: "contract",
        needs: &["tools"],
        run: contract::run,
    },
    Step {
        name: "import",
        needs: &["tools"],
        run: imported::run,
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
        name: "monitoring",
        needs: &["tools"],
        run: monitoring::run,
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

/// Trees of projects that the stand-ins stand for; `None`: there is none at hand.
#[derive(Debug, Clone, Default)]
pub struct Trees {
    /// Of nixpkgs, with `lib/` and `nixos/`.
    pub nixpkgs: Option<PathBuf>,
    /// Of sops-nix.
    pub sops_nix: Option<PathBuf>,
}

/// The names that `--only` takes.
pub fn step_names() -> Vec<&'static str> {
    STEPS.iter().map(|step| step.name).collect()
}

/// Runs the steps and closes with the line that counts them.
pub fn run(
    workspace: Workspace,
    progress: Progress,
    trees: Trees,
    mut only: Vec<String>,
    no_lab: bool,
) -> Result<ExitCode> {
    // What is left out is said, and does not count as passed.
    if only.is_empty() {
        only.extend(step_names().into_iter().map(str::to_owned));
        if trees.nixpkgs.is_none() {
            progress.note("leaving out real: it needs a nixpkgs tree, --nixpkgs PATH");
            only.retain(|name| name != REAL);
        }
        if no_lab {
            progress.note("leaving out lab, which boots the hosts under systemd: --no-lab");
            only.retain(|name| name != LAB);
        }
    }
    let found = |option: &str, path: Option<PathBuf>| {
        path.map(|path| {
            path.canonicalize()
                .with_context(|| format!("finding {option} {}", path.display()))
        })
        .transpose()
    };
    let trees = Trees {
        nixpkgs: found("--nixpkgs", trees.nixpkgs)?,
        sops_nix: found("--sops-nix", trees.sops_nix)?,
    };
    let mut session = Session {
        workspace,
        progress: progress.clone(),
        trees,
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

/// Tries mutants of the modules: all, or those with one of `names` in theirs.
///
/// # Errors
/// Those that nothing notices.
pub fn mutants(names: &[String], workspace: &Workspace, progress: &Progress) -> Result<()> {
    let mut session = Session {
        workspace: workspace.clone(),
        progress: progress.clone(),
        trees: Trees::default(),
        tools: None,
        flake: None,
    };
    session.install_tools()?;
    mutants::all(&mut session, names)
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
}
