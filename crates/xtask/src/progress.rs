//! Progress lines on stderr: what is being done, what came of it and how long it took.

use std::env;
use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use anyhow::Result;

/// Writes progress lines, in colour where a person watches and does not object.
#[derive(Clone, Debug)]
pub struct Progress {
    colour: bool,
}

impl Progress {
    /// Colour is used on a terminal unless NO_COLOR is set.
    pub fn new() -> Self {
        let objected = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            colour: stderr().is_terminal() && !objected,
        }
    }

    /// Says that `what` begins.
    pub fn begin(&self, what: &str) {
        self.line("..", "2", what, None);
    }

    /// Says something that is neither begin nor end of a thing.
    pub fn note(&self, what: &str) {
        self.line("note", "33", what, None);
    }

    /// Says that `what` was done in the time since `since`.
    pub fn done(&self, what: &str, since: Instant) {
        self.line("ok", "32", what, Some(since.elapsed()));
    }

    /// Says that `what` went wrong in the time since `since`.
    pub fn failed(&self, what: &str, since: Instant) {
        self.line("FAIL", "31", what, Some(since.elapsed()));
    }

    /// Does `work` between a line that says `what` and one that says what came of it.
    pub fn doing<T>(&self, what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.begin(what);
        let since = Instant::now();
        let result = work();
        match result {
            Ok(_) => self.done(what, since),
            Err(_) => self.failed(what, since),
        }
        result
    }

    fn line(&self, mark: &str, colour: &str, what: &str, took: Option<Duration>) {
        let took = took
            .map(|took| format!(" ({:.1} s)", took.as_secs_f64()))
            .unwrap_or_default();
        if self.colour {
            eprintln!("\x1b[{colour}m{mark:>4}\x1b[0m  {what}\x1b[2m{took}\x1b[0m");
        } else {
            eprintln!("{mark:>4}  {what}{took}");
        }
    }
}
