//! Named steps, run in order: each with its time, each even if another failed, and a closing line that counts them.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Instant;

use anyhow::Result;

use crate::progress::Progress;

/// One thing that passes or fails; `S` is what steps share.
#[derive(Debug)]
pub struct Step<S> {
    /// What `--only` calls it.
    pub name: &'static str,
    /// The earlier steps without which it cannot run.
    pub needs: &'static [&'static str],
    /// Does it; the error holds all there is to see of a failure.
    pub run: fn(&mut S) -> Result<()>,
}

/// How many steps passed, and which failed.
#[derive(Debug, Default)]
pub struct Tally {
    passed: usize,
    failed: Vec<&'static str>,
}

impl Tally {
    /// Whether nothing failed.
    pub fn is_good(&self) -> bool {
        self.failed.is_empty()
    }

    /// The names of the steps that failed, in order.
    pub fn failed(&self) -> &[&'static str] {
        &self.failed
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed.len())
    }
}

/// Runs the steps, or those named in `only` and what they need. A step that needs one that failed fails unrun.
pub fn run<S>(steps: &[Step<S>], only: &[String], shared: &mut S, progress: &Progress) -> Tally {
    let chosen = chosen(steps, only);
    let mut tally = Tally::default();
    for step in steps.iter().filter(|step| chosen.contains(step.name)) {
        let since = Instant::now();
        if let Some(need) = step.needs.iter().find(|need| tally.failed.contains(need)) {
            progress.failed(
                &format!("{}: not run, for it needs {need}", step.name),
                since,
            );
            tally.failed.push(step.name);
            continue;
        }
        progress.begin(step.name);
        match (step.run)(shared) {
            Ok(()) => {
                progress.done(step.name, since);
                tally.passed += 1;
            }
            Err(err) => {
                eprintln!("error: {err:#}");
                progress.failed(step.name, since);
                tally.failed.push(step.name);
            }
        }
    }
    tally
}

fn chosen<S>(steps: &[Step<S>], only: &[String]) -> BTreeSet<&'static str> {
    let named = |step: &Step<S>| only.is_empty() || only.iter().any(|name| name == step.name);
    let mut chosen: BTreeSet<_> = steps
        .iter()
        .filter(|step| named(step))
        .map(|step| step.name)
        .collect();
    // What a step needs comes before it: one pass from the end finds what is needed by what is needed, too.
    for step in steps.iter().rev() {
        if chosen.contains(step.name) {
            chosen.extend(step.needs);
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    const STEPS: &[Step<Vec<&'static str>>] = &[
        Step {
            name: "a",
            needs: &[],
            run: |seen| note(seen, "a"),
        },
        Step {
            name: "b",
            needs: &["a"],
            run: |_| bail!("b is broken"),
        },
        Step {
            name: "c",
            needs: &["b"],
            run: |seen| note(seen, "c"),
        },
        Step {
            name: "d",
            needs: &["a"],
            run: |seen| note(seen, "d"),
        },
    ];

    fn note(seen: &mut Vec<&'static str>, name: &'static str) -> Result<()> {
        seen.push(name);
        Ok(())
    }

    #[test]
    fn goes_on_after_a_failure_but_not_with_what_needs_it() {
        let mut seen = Vec::new();
        let tally = run(STEPS, &[], &mut seen, &Progress::new());
        assert_eq!(seen, ["a", "d"]);
        assert_eq!(tally.failed(), ["b", "c"]);
        assert_eq!(tally.to_string(), "2 passed, 2 failed");
        assert!(!tally.is_good());
    }

    #[test]
    fn only_brings_what_it_needs() {
        let mut seen = Vec::new();
        let tally = run(STEPS, &["d".to_owned()], &mut seen, &Progress::new());
        assert_eq!(seen, ["a", "d"]);
        assert_eq!(tally.to_string(), "2 passed, 0 failed");
        assert!(tally.is_good());
        assert_eq!(chosen(STEPS, &["c".to_owned()]).len(), 3);
    }
}
