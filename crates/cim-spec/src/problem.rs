//! What is wrong with a spec: every problem at once, each naming the option that holds it.

mod rules;

use std::fmt;

pub use rules::Rule;

use crate::path::OptionPath;
use crate::secret;

/// One mistake: where it stands, what is there, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The option that holds the mistake.
    pub at: OptionPath,
    /// What is there and why it is wrong; quotes the value unless that is a secret.
    pub what: String,
    /// What to write instead.
    pub help: String,
    /// The rule that it breaks.
    pub rule: Rule,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}\n  help: {}", self.at, self.what, self.help)
    }
}

/// All problems of a spec, collected before anything is said.
#[derive(Debug, Default)]
pub struct Problems {
    list: Vec<Problem>,
    ignored: Option<Rule>,
}

impl Problems {
    /// An empty collection; every rule counts.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty collection in which `rule` is switched off: how the tests prove that each
    /// rule earns its keep. Never used on an operator's spec.
    pub fn ignoring(rule: Rule) -> Self {
        Self {
            list: Vec::new(),
            ignored: Some(rule),
        }
    }

    /// Records one problem.
    pub fn add(
        &mut self,
        rule: Rule,
        at: &OptionPath,
        what: impl Into<String>,
        help: impl Into<String>,
    ) {
        if self.ignored == Some(rule) {
            return;
        }
        let problem = Problem {
            at: at.clone(),
            what: what.into(),
            help: help.into(),
            rule,
        };
        if !self.list.contains(&problem) {
            self.list.push(problem);
        }
    }

    /// Records a problem where a parser refused `value`; gives what it parsed otherwise.
    pub fn parsed<T>(
        &mut self,
        rule: Rule,
        at: &OptionPath,
        value: &str,
        result: Result<T, Refused>,
    ) -> Option<T> {
        match result {
            Ok(parsed) => Some(parsed),
            Err(refused) => {
                self.add(
                    rule,
                    at,
                    format!("{} {}", shown(value), refused.what),
                    refused.help,
                );
                None
            }
        }
    }

    /// The problems found, in the order of the options' names.
    pub fn into_vec(mut self) -> Vec<Problem> {
        self.list.sort();
        self.list
    }

    /// Takes over what another collection found.
    pub fn extend(&mut self, other: Problems) {
        for problem in other.list {
            if !self.list.contains(&problem) {
                self.list.push(problem);
            }
        }
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sorted: Vec<_> = self.list.iter().collect();
        sorted.sort();
        for (index, problem) in sorted.into_iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// A value as a message quotes it: as written, but never a secret.
pub fn shown(value: &str) -> String {
    if secret::is_in(value) {
        return "a secret (not shown; it now stands in the Nix store: make a new one)".to_owned();
    }
    format!("{value:?}")
}

/// Why a parser refused a value: "is not …" and what to write, without the value itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Follows the quoted value: `is not a duration`.
    pub what: String,
    /// What to write instead, with an example.
    pub help: String,
}

impl Refused {
    /// Builds the two halves of a message.
    pub fn new(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            help: help.into(),
        }
    }
}
