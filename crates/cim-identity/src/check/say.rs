//! Differences as problems: the option, what the file says, and the command that repairs it.

use cim_spec::{OptionPath, Problems, Rule};
use serde::Serialize;

/// Repairs what only the committed folder has.
const MAKE: &str = "run `cim-admin identity make`, and commit identity/ and secrets/";

/// Repairs what hubs keep too.
const MAKE_AND_PUSH: &str =
    "run `cim-admin identity make`, commit identity/, then run `cim-admin accounts push`";

/// Repairs what no command of ours made.
const ELSEWHERE: &str = "have its CA issue it again, and commit it in its place with the CA's certificates below the root after it";

/// Repairs a root of trust, or the lack of one.
const AUTHORITY: &str =
    "restore it from git; where another CA issues, commit that CA's root as identity/ca.pem";

/// Collects differences.
pub(super) struct Say<'p> {
    problems: &'p mut Problems,
}

impl<'p> Say<'p> {
    pub(super) fn new(problems: &'p mut Problems) -> Self {
        Self { problems }
    }

    /// A difference in what a hub keeps.
    pub(super) fn of_account(&mut self, at: &OptionPath, what: impl Into<String>) {
        self.problems.add(Rule::Jwt, at, what, MAKE_AND_PUSH);
    }

    /// A difference in what only the folder has.
    pub(super) fn of_folder(&mut self, at: &OptionPath, what: impl Into<String>) {
        self.problems.add(Rule::Jwt, at, what, MAKE);
    }

    /// A certificate that is not what it must be; `ours`: `cim-admin identity make` made it.
    pub(super) fn of_certificate(&mut self, at: &OptionPath, what: impl Into<String>, ours: bool) {
        let help = if ours { MAKE } else { ELSEWHERE };
        self.problems.add(Rule::Jwt, at, what, help);
    }

    /// A certificate's file that was damaged; `ours`: as above.
    pub(super) fn unreadable(&mut self, at: &OptionPath, what: impl Into<String>, ours: bool) {
        let help = if ours {
            "restore it from git, or remove it and run `cim-admin identity make`"
        } else {
            "restore it from git"
        };
        self.problems.add(Rule::Jwt, at, what, help);
    }

    /// What certificates must come from is not there, or is something else.
    pub(super) fn no_authority(&mut self, at: &OptionPath, what: impl Into<String>) {
        self.problems.add(Rule::Jwt, at, what, AUTHORITY);
    }

    /// A file that belongs to nothing.
    pub(super) fn stranger(&mut self, file: &str, at: &OptionPath) {
        self.problems.add(
            Rule::Jwt,
            at,
            format!("{file} belongs to nothing that the options declare"),
            "declare what it is for, or delete it; whose JWT it was is let in until it is revoked: `cim-admin decommission`",
        );
    }

    /// A size that a hub would not take.
    pub(super) fn too_large(&mut self, at: &OptionPath, what: impl Into<String>, help: String) {
        self.problems.add(Rule::Jwt, at, what, help);
    }

    /// A value of a file that is another than the options'.
    pub(super) fn value<T: PartialEq + Serialize>(
        &mut self,
        at: &OptionPath,
        what: &str,
        found: &T,
        wanted: &T,
    ) {
        if found != wanted {
            let (found, wanted) = (shown(found), shown(wanted));
            self.of_account(
                at,
                format!("{what} is {found}, where the options say {wanted}"),
            );
        }
    }

    /// A list of a file that is another than the options', whatever its order.
    pub(super) fn list(
        &mut self,
        at: &OptionPath,
        what: &str,
        found: &[String],
        wanted: &[String],
    ) {
        let without = |one: &[String], other: &[String]| {
            let rest = one.iter().filter(|item| !other.contains(item));
            rest.map(|item| format!("{item:?}")).collect::<Vec<_>>()
        };
        let (lacks, more) = (without(wanted, found), without(found, wanted));
        if !lacks.is_empty() {
            self.of_account(at, format!("{what} lacks {}", lacks.join(", ")));
        }
        if !more.is_empty() {
            let more = more.join(", ");
            self.of_account(
                at,
                format!("{what} has {more}, which the options do not say"),
            );
        }
    }
}

/// As it stands in a JWT.
fn shown<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "something that is no JSON".to_owned())
}
