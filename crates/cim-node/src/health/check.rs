//! What a check is: a name that stays, what it looks at, what it waits for, and how it judges.

use cim_spec::artefact::{Health, Level};

use super::checks;
use super::finding::{Finding, State, Verdict};
use super::look::Look;
use crate::monitor::Varz;

/// One check.
pub struct Check {
    /// Its name; stable.
    pub name: &'static str,
    /// What its subjects are: `remote`, `account/stream`; empty: it has but one.
    pub of: &'static str,
    /// What it looks at.
    pub looks_at: &'static str,
    /// When it is OK, WARNING, CRITICAL or UNKNOWN.
    pub states: &'static str,
    /// The option below `health` with its levels; empty: it has none.
    pub option: &'static str,
    /// Checks that it waits for: while one is critical or unknown, it is unknown because of that.
    pub after: &'static [&'static str],
    /// Whether `gate` asks for it.
    pub gates: bool,
    /// Whether it judges only what is looked at more seldom, thousands of things perhaps: what it found holds until then,
    /// or until a check changes that it may wait for.
    pub is_slow: bool,
    /// What it means for the operator.
    pub meaning: &'static str,
    /// The three usual causes, each with the command to look.
    pub causes: [(&'static str, &'static str); 3],
    /// What it is about on this instance.
    pub subjects: fn(&Context) -> Subjects,
    /// Judges all subjects.
    pub judge: fn(&Context) -> Vec<(String, Verdict)>,
}

/// What a check is about on one instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subjects {
    /// These; one that is empty stands for the instance itself.
    These(Vec<String>),
    /// Nothing: the instance has no such thing.
    Nothing,
    /// It cannot be judged this time, and why.
    Later(&'static str),
}

impl Subjects {
    /// The instance itself, where a condition holds.
    pub fn instance(holds: bool) -> Self {
        match holds {
            true => Subjects::These(vec![String::new()]),
            false => Subjects::Nothing,
        }
    }

    /// These, or nothing.
    pub fn these(names: impl IntoIterator<Item = String>) -> Self {
        let names: Vec<_> = names.into_iter().collect();
        match names.is_empty() {
            true => Subjects::Nothing,
            false => Subjects::These(names),
        }
    }
}

/// What checks judge by.
pub struct Context<'a> {
    /// What the instance must be.
    pub health: &'a Health,
    /// What was seen.
    pub look: &'a Look,
    /// What was found of the checks before.
    pub found: &'a [Finding],
}

impl Context<'_> {
    /// The server; checks that ask for it wait for `server`, so that it is there.
    pub fn varz(&self) -> Result<&Varz, Verdict> {
        self.look
            .varz
            .as_ref()
            .map_err(|_| Verdict::because("server"))
    }

    /// A level of `health.json`.
    pub fn level(&self, of: fn(&cim_spec::artefact::Levels) -> Level) -> Level {
        of(&self.health.watch.levels)
    }

    /// The first finding of a check that keeps others from being judged.
    pub fn blocked_by(&self, check: &str) -> Option<&Finding> {
        self.found
            .iter()
            .find(|finding| finding.check == check && finding.verdict.state >= State::Unknown)
    }

    /// A finding by its name.
    pub fn finding(&self, check: &str, of: &str) -> Option<&Finding> {
        self.found
            .iter()
            .find(|finding| finding.check == check && finding.of == of)
    }
}

/// Every check; those that others wait for come first.
pub fn all() -> impl Iterator<Item = &'static Check> {
    checks::ALL.iter().flat_map(|checks| checks.iter())
}

/// A check that answers for the instance itself, where everything that it needs was seen.
pub fn one(verdict: Result<Verdict, Verdict>) -> Vec<(String, Verdict)> {
    vec![(String::new(), verdict.unwrap_or_else(|verdict| verdict))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_waited_for_comes_first_and_names_are_unique() {
        let mut names = Vec::new();
        for check in all() {
            assert!(!names.contains(&check.name), "{} twice", check.name);
            for after in check.after {
                assert!(names.contains(after), "{} before {after}", check.name);
            }
            names.push(check.name);
        }
        assert!(names.len() > 15, "{names:?}");
    }
}
