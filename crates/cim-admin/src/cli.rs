//! `cim-admin`'s commands: each gives a report, and has changed nothing where it fails.

mod accounts;
mod consent;
mod contexts;
mod decommission;
mod docs;
mod expiry;
mod identity;
mod import;
mod pki;
mod reach;
mod rotate;
mod secrets;
mod store;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};
use serde_json::Value;
use time::OffsetDateTime;

use crate::progress::Progress;

/// Issues certificates and seals secrets, at an operator's desk.
#[derive(Debug, Parser)]
#[command(name = "cim-admin", version, disable_help_subcommand = true)]
pub struct Cli {
    /// Prints the report as JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes a fleet's keys, JWTs, creds and certificates from its plan
    #[command(subcommand)]
    Identity(identity::Identity),
    /// Says what ends soon, and fails if anything does
    Expiry(expiry::Expiry),
    /// Makes CAs and certificates, signs devices' requests, checks certificates made elsewhere
    #[command(subcommand)]
    Pki(pki::Pki),
    /// Seals, opens and checks the files in secrets/
    #[command(subcommand)]
    Secrets(secrets::Secrets),
    /// Compares the committed accounts with a running hub's, and brings them there
    #[command(subcommand)]
    Accounts(accounts::Accounts),
    /// Writes contexts of the NATS CLI for declared users and the desk
    Contexts(contexts::Contexts),
    /// Replaces a key: a new one beside the old, then the end of the old one
    #[command(subcommand)]
    Rotate(rotate::Rotate),
    /// Takes a leaf or a user out: refused at once, and what still names it
    Decommission(decommission::Decommission),
    /// Takes over what other tools made
    #[command(subcommand)]
    Import(import::Import),
    /// Writes shell completions and man pages into a folder
    #[command(hide = true)]
    Docs {
        /// The folder
        folder: PathBuf,
    },
}

/// What a command is run with, beside its arguments.
#[derive(Debug)]
pub struct Desk {
    /// The time.
    pub now: OffsetDateTime,
    /// Where the operator's age keys are, unless an argument says otherwise.
    pub keys: Option<PathBuf>,
    /// Who hears of work that takes more than two seconds; nobody, where it is `None`.
    pub say: Option<fn(&str)>,
}

impl Desk {
    fn progress(&self) -> Progress {
        self.say.map_or_else(Progress::silent, Progress::told)
    }
}

/// What a command did or found.
#[derive(Debug)]
pub struct Report {
    /// For people.
    pub lines: Vec<String>,
    /// For programs.
    pub json: Value,
    /// Whether what was checked is well.
    pub good: bool,
}

impl Report {
    fn new(lines: Vec<String>, json: Value) -> Self {
        Self {
            lines,
            json,
            good: true,
        }
    }
}

impl Cli {
    /// Runs the command.
    ///
    /// # Errors
    /// One that says what was being done and what to do.
    pub fn run(&self, desk: &Desk) -> Result<Report> {
        match &self.command {
            Command::Identity(command) => command.run(desk),
            Command::Expiry(command) => command.run(desk),
            Command::Pki(command) => command.run(desk),
            Command::Secrets(command) => command.run(desk),
            Command::Accounts(command) => command.run(desk),
            Command::Contexts(command) => command.run(desk),
            Command::Rotate(command) => command.run(desk),
            Command::Decommission(command) => command.run(desk),
            Command::Import(command) => command.run(desk),
            Command::Docs { folder } => docs::write(folder),
        }
    }

    /// Whether the report is wanted as JSON.
    pub fn json(&self) -> bool {
        self.json
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn the_arguments_hold_together() {
        Cli::command().debug_assert();
    }
}
