//! Mutants of modules/ and checks/vm/: each mistake in the table must be noticed by the checks, and what is no mistake must pass.

mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context, Result, anyhow, bail, ensure};

use self::table::{MUTANTS, Mutant};
use super::Session;
use super::eval::Eval;
use super::{triggers, units};
use crate::mirror::Mirror;
use crate::progress::Progress;
use crate::tools::Tools;

/// Trials at a time; each has a copy of the project's files.
const WORKERS: usize = 2;

/// Of how many mutants the step tries one; `cargo xtask soak modules` tries them all.
const ONE_IN: usize = 4;

/// Something that notices mistakes.
struct Check {
    name: &'static str,
    passes: fn(&Eval) -> Result<()>,
}

/// The checks in the order of what they cost: the first that fails has caught the mutant.
const CHECKS: [Check; 5] = [
    Check {
        name: "evaluation or units",
        passes: |eval| units::as_committed(eval, &units::hosts(eval)?),
    },
    Check {
        name: "knot",
        passes: |eval| eval.build("knot").map(|_| ()),
    },
    Check {
        name: "changes and messages",
        passes: triggers::as_committed,
    },
    Check {
        name: "refusals",
        passes: |eval| triggers::refusals(eval).map(|_| ()),
    },
    Check {
        name: "flake check",
        passes: |eval| eval.build("checks").map(|_| ()),
    },
];

/// The step: every so many of the table.
pub fn run(session: &mut Session) -> Result<()> {
    let some: Vec<&Mutant> = MUTANTS.iter().step_by(ONE_IN).collect();
    attempt(session, &some)
}

/// All of the table, or those with one of `names` in theirs.
pub fn all(session: &mut Session, names: &[String]) -> Result<()> {
    let named =
        |mutant: &&Mutant| names.is_empty() || names.iter().any(|name| mutant.name.contains(name));
    let chosen: Vec<&Mutant> = MUTANTS.iter().filter(named).collect();
    ensure!(!chosen.is_empty(), "no mutant has that in its name");
    attempt(session, &chosen)
}

fn attempt(session: &mut Session, mutants: &[&'static Mutant]) -> Result<()> {
    let tools = session.tools()?;
    let flake = session.flake()?;
    let folders: Vec<PathBuf> = (0..WORKERS)
        .map(|worker| {
            session
                .workspace
                .target
                .join(format!("nix/mutants-{worker}"))
        })
        .collect();
    let trials: Vec<Trial> = folders
        .iter()
        .map(|folder| Trial::prepare(&tools, flake.source(), flake.standins(), folder))
        .collect::<Result<_>>()?;
    let [control, ..] = trials.as_slice() else {
        bail!("there are no mutants without a worker");
    };
    if let Some(caught) = control.caught_by()? {
        bail!("the control, with nothing changed, fails: {}", caught.say);
    }
    let next = AtomicUsize::new(0);
    let outcomes = thread::scope(|scope| {
        let workers: Vec<_> = trials
            .iter()
            .map(|trial| scope.spawn(|| trial.work(mutants, &next, &session.progress)))
            .collect();
        let joined = workers.into_iter().map(|worker| worker.join());
        joined
            .map(|outcomes| outcomes.map_err(|_| anyhow!("trying mutants: a thread stopped")))
            .collect::<Result<Vec<_>>>()
    })?;
    let outcomes: Vec<_> = outcomes.into_iter().flatten().collect();
    ensure!(
        outcomes.len() == mutants.len(),
        "not every mutant was tried"
    );
    report(session, &outcomes)
}

/// Says what caught how many, and fails with those that nothing caught.
fn report(session: &Session, outcomes: &[(&Mutant, Result<Option<Caught>>)]) -> Result<()> {
    let mut problems = Vec::new();
    let mut counts = CHECKS.map(|check| (check.name, 0));
    for (mutant, outcome) in outcomes {
        match outcome {
            Ok(Some(caught)) => {
                let count = counts.iter_mut().find(|(check, _)| *check == caught.check);
                count.context("looking for a check")?.1 += 1;
            }
            Ok(None) => problems.push(format!("{}: nothing notices it", mutant.name)),
            Err(error) => problems.push(format!("{}: {error:#}", mutant.name)),
        }
    }
    let counts = counts.map(|(check, count)| format!("{count} by {check}"));
    session.progress.note(&format!(
        "{} of {} mutants and a control; caught: {}",
        outcomes.len(),
        MUTANTS.len(),
        counts.join(", ")
    ));
    if !problems.is_empty() {
        bail!("mutants:\n{}", problems.join("\n"));
    }
    Ok(())
}

/// What noticed a mutant.
struct Caught {
    check: &'static str,
    say: String,
}

/// A copy of the project's files in which one file at a time is changed.
struct Trial<'a> {
    eval: Eval<'a>,
}

impl<'a> Trial<'a> {
    fn prepare(tools: &'a Tools, source: &Path, standins: &Path, folder: &Path) -> Result<Self> {
        let mut copy = Mirror::at(folder);
        copy.copy_folder(source)?;
        copy.finish()?;
        Ok(Self {
            eval: Eval::new(tools, folder, standins),
        })
    }

    /// Tries mutants until there is none left that nobody took.
    fn work(
        &self,
        mutants: &[&'static Mutant],
        next: &AtomicUsize,
        progress: &Progress,
    ) -> Vec<(&'static Mutant, Result<Option<Caught>>)> {
        let take = || mutants.get(next.fetch_add(1, Ordering::Relaxed));
        std::iter::from_fn(take)
            .map(|mutant| {
                let outcome = self.attempt(mutant);
                let by = match &outcome {
                    Ok(Some(caught)) => caught.check,
                    _ => "nothing",
                };
                progress.note(&format!("{}: caught by {by}", mutant.name));
                (*mutant, outcome)
            })
            .collect()
    }

    /// Changes the file, asks the checks, and puts the file back.
    fn attempt(&self, mutant: &Mutant) -> Result<Option<Caught>> {
        let file = self.eval.file(mutant.file);
        let text =
            fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        let found = text.matches(mutant.old).count();
        ensure!(
            found == 1,
            "its old text is {found} times in {}: it must be there once",
            mutant.file
        );
        let write = |text: &str| {
            fs::write(&file, text).with_context(|| format!("writing {}", file.display()))
        };
        write(&text.replace(mutant.old, mutant.new))?;
        let caught = self.caught_by();
        write(&text)?;
        caught
    }

    /// The first check that fails on the files as they are.
    fn caught_by(&self) -> Result<Option<Caught>> {
        for check in &CHECKS {
            if let Err(error) = (check.passes)(&self.eval) {
                return Ok(Some(Caught {
                    check: check.name,
                    say: format!("{error:#}"),
                }));
            }
        }
        Ok(None)
    }
}
