//! The command line of `cim-provision`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

use super::Run;
use super::asset::Asset;
use crate::login::Server;

/// What clients of ours are called in `/connz`.
const NAME: &str = "cim-provision";

/// How many requests are open at a time where nobody says it.
const AT_ONCE: usize = 16;

/// Makes an account's JetStream hold what is declared. Exit code 0: it does; 1: something to tidy up, or of a plan,
/// to do; 2: something was refused or failed; 3: nobody knows.
#[derive(Parser)]
#[command(name = "cim-provision", version, about)]
pub struct Args {
    #[command(subcommand)]
    /// What to do
    pub command: Command,
}

/// What to do.
#[derive(Subcommand)]
pub enum Command {
    /// Says what apply would do, and changes nothing
    Plan(Declaring),
    /// Makes and updates what may be; says why the rest may not
    Apply(Declaring),
    /// Makes again what no update changes, without losing a message; says each step first
    Migrate {
        /// What is declared, and the server
        #[command(flatten)]
        declaring: Declaring,
        /// Which: streams/EVENTS, consumers/EVENTS/worker, kv/settings, object-stores/bundles
        #[arg(value_parser = asset)]
        asset: Asset,
        /// Do it: the id that a run without it prints
        #[arg(long, value_name = "ID")]
        confirm: Option<String>,
        /// Streams that have it as a source may get its messages a second time
        #[arg(long)]
        copied_again: bool,
    },
    /// Removes what is not declared, one by one, by its name and the id that plan prints
    Prune {
        /// What is declared, and the server
        #[command(flatten)]
        declaring: Declaring,
        /// Which: streams/EVENTS, consumers/EVENTS/worker, kv/settings, object-stores/bundles
        #[arg(value_parser = asset, required = true)]
        assets: Vec<Asset>,
        /// Remove it: the id that plan prints for it, one for each asset and in their order; without it, a terminal asks
        #[arg(long, value_name = "ID")]
        confirm: Vec<String>,
    },
    /// Writes what the server has as files that declare it, or as Nix options
    Import {
        /// Where to write; with --nix a file, without it standard output
        #[arg(required_unless_present = "nix")]
        folder: Option<PathBuf>,
        /// Write the attribute set of options that declares it
        #[arg(long)]
        nix: bool,
        /// Print one JSON document instead of text
        #[arg(long)]
        json: bool,
        /// The server
        #[command(flatten)]
        server: Server,
    },
    /// Prints a shell's completions
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Writes shell completions and man pages into a folder
    #[command(hide = true)]
    Docs {
        /// A folder that is there
        folder: PathBuf,
    },
}

/// What is declared, and the server.
#[derive(clap::Args)]
pub struct Declaring {
    /// The folder with streams/, kv/, object-stores/, consumers/ and provision.json
    pub folder: PathBuf,
    /// The server
    #[command(flatten)]
    pub server: Server,
    /// Its health
    #[command(flatten)]
    pub health: Health,
    /// Consent to one difference that loses messages, by the id that plan prints
    #[arg(long, value_name = "ASSET=ID", value_parser = consent)]
    pub allow_data_loss: Vec<(String, String)>,
    /// Print one JSON document instead of text
    #[arg(long)]
    pub json: bool,
    /// Requests that are open at a time
    #[arg(long, default_value_t = AT_ONCE, value_name = "N")]
    pub at_once: usize,
}

/// How to know that the server is well: nothing is made while it is not.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
pub struct Health {
    /// The instance's health.json, in /etc/cim/<name>
    #[arg(long, value_name = "FILE")]
    pub health: Option<PathBuf>,
    /// URL of the server's monitoring listener
    #[arg(long, value_name = "URL")]
    pub monitor: Option<String>,
    /// Do not ask: whoever runs this has looked
    #[arg(long)]
    pub without_health: bool,
}

fn consent(text: &str) -> Result<(String, String), String> {
    let (asset, id) = text
        .rsplit_once('=')
        .ok_or("write it as streams/EVENTS=0123456789ab")?;
    Ok((asset.to_owned(), id.to_owned()))
}

fn asset(text: &str) -> Result<Asset, String> {
    Asset::parse(text).ok_or_else(|| {
        "write it as streams/EVENTS, consumers/EVENTS/worker, kv/settings or object-stores/bundles".to_owned()
    })
}

impl Declaring {
    /// What a run needs.
    ///
    /// # Errors
    /// A health.json that cannot be read.
    pub fn run(&self) -> Result<Run> {
        let monitor = match (&self.health.health, &self.health.monitor) {
            (Some(file), _) => {
                let health = crate::read_health(file)?;
                Some((health.monitor, Some(health.server_name)))
            }
            (None, Some(url)) => Some((url.clone(), None)),
            (None, None) => None,
        };
        let consent = self.allow_data_loss.iter().cloned().collect();
        Ok(Run {
            monitor,
            consent,
            at_once: self.at_once,
            ..Run::at(&self.server)
        })
    }
}

impl Run {
    /// A run at a server that is not asked how it is.
    pub fn at(server: &Server) -> Self {
        Self {
            login: server.login(NAME),
            domain: server.domain.clone(),
            monitor: None,
            consent: BTreeMap::new(),
            patience: server.patience(),
            at_once: AT_ONCE,
        }
    }
}
