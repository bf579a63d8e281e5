//! What a run of `identity make` came to, and what the operator does next.

use std::collections::BTreeSet;

use serde::Serialize;

/// What became of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Did {
    /// It was not there.
    Made,
    /// It said otherwise than the options.
    Changed,
    /// It would have ended soon.
    Renewed,
    /// It is as it was.
    Kept,
}

/// One thing that was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What became of it.
    pub did: Did,
    /// What it is.
    pub what: String,
    /// The files and entries that are its own.
    pub places: Vec<String>,
}

/// Something that nobody wants any more.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct LeftOver {
    /// Its file, and the entry in it.
    pub what: String,
    /// What removes it.
    pub command: String,
}

/// What a run came to.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// What was not kept, in the order of the work.
    pub done: Vec<Step>,
    /// How many things were kept.
    pub kept: usize,
    /// What nobody wants any more.
    pub left_over: Vec<LeftOver>,
    /// Files that were written.
    pub written: Vec<String>,
    /// Who loses something by it, once it is pushed or deployed: an old key's end takes from whoever still has it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub losses: Vec<String>,
    /// What comes next, in this order.
    pub next: Vec<String>,
    /// Accounts whose JWTs changed.
    #[serde(skip)]
    pub accounts: BTreeSet<String>,
    /// Hosts that something changed for.
    #[serde(skip)]
    pub hosts: BTreeSet<String>,
    /// Whether the operator is new: no hub runs yet.
    #[serde(skip)]
    pub new_operator: bool,
}

impl Outcome {
    /// Notes what became of something.
    pub fn note(&mut self, did: Did, what: impl Into<String>, places: Vec<String>) {
        if did == Did::Kept {
            self.kept += 1;
            return;
        }
        let what = what.into();
        self.done.push(Step { did, what, places });
    }

    /// Notes something that nobody wants.
    pub fn left(&mut self, what: impl Into<String>, command: impl Into<String>) {
        self.left_over.push(LeftOver {
            what: what.into(),
            command: command.into(),
        });
    }

    /// The report for people: what was done, the first few of each kind.
    pub fn lines(&self, dry_run: bool) -> Vec<String> {
        let mut lines = Vec::new();
        for (did, word, would) in [
            (Did::Made, "made", "would make"),
            (Did::Changed, "changed", "would change"),
            (Did::Renewed, "renewed", "would renew"),
        ] {
            let all = self.done.iter().filter(|step| step.did == did);
            let word = if dry_run { would } else { word };
            few(&mut lines, all.map(|step| format!("{word} {}", step.what)));
        }
        lines.push(format!("kept {}", self.kept));
        let left = self.left_over.iter();
        few(
            &mut lines,
            left.map(|left| format!("left over: {}: {}", left.what, left.command)),
        );
        let losses = self.losses.iter();
        few(
            &mut lines,
            losses.map(|loss| format!("once pushed or deployed, {loss}")),
        );
        let next = self.next.iter().enumerate();
        few(
            &mut lines,
            next.map(|(index, what)| format!("next {}: {what}", index + 1)),
        );
        lines
    }
}

/// Nobody reads ten thousand lines; the JSON has them.
const MOST: usize = 40;

/// Adds the first of them, and how many more.
pub fn few(lines: &mut Vec<String>, all: impl Iterator<Item = String>) {
    let mut all: Vec<String> = all.collect();
    let more = all.len().saturating_sub(MOST);
    if more > 0 {
        all.truncate(MOST);
        all.push(format!("  and {more} more: --json lists them"));
    }
    lines.append(&mut all);
}
