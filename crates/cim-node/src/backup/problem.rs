//! What is wrong, where, and what to do about it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::provision::report::Exit;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A file, a folder, a stream or an option.
    pub place: String,
    /// What is wrong with it.
    pub what: String,
    /// What to do.
    pub help: String,
    /// How bad it is.
    pub level: Level,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Something to tidy up.
    Warning,
    /// Nobody knows.
    Unknown,
    /// It was not done, or is not so.
    Critical,
}

impl Problem {
    /// A critical one.
    pub fn new(place: impl Into<String>, what: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            what: what.into(),
            help: help.into(),
            level: Level::Critical,
        }
    }

    /// The same, less or more bad.
    #[must_use]
    pub fn level(self, level: Level) -> Self {
        Self { level, ..self }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.level {
            Level::Warning => "warning",
            Level::Critical | Level::Unknown => "error",
        };
        let Self {
            place, what, help, ..
        } = self;
        write!(f, "{word}: {place}: {what}\n  help: {help}")
    }
}

/// The exit code that problems earn.
pub fn exit(problems: &[Problem]) -> Exit {
    match problems.iter().map(|problem| problem.level).max() {
        None => Exit::Ok,
        Some(Level::Warning) => Exit::Warning,
        Some(Level::Critical) => Exit::Critical,
        Some(Level::Unknown) => Exit::Unknown,
    }
}
