//! `cim-admin identity …`: a fleet's identity from its plan.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use clap::Subcommand;
use serde_json::json;

use super::store::{Store, inside};
use super::{Desk, Report};
use crate::files::{self, Batch, Mode};
use crate::identity::{self, Did, Plan, Request, Step};
use crate::sops::Identities;

#[derive(Debug, Subcommand)]
pub enum Identity {
    /// Makes what is missing of a fleet's keys, JWTs, creds and certificates, and touches nothing else
    Make(Make),
}

#[derive(Debug, clap::Args)]
pub struct Make {
    /// What the fleet needs, as `lib.identity` evaluates it; - for what is piped in
    #[arg(long, value_name = "FILE")]
    plan: PathBuf,
    /// The folder of public files
    #[arg(long, value_name = "DIR", default_value = "identity")]
    identity: PathBuf,
    #[command(flatten)]
    store: Store,
    /// Makes your age key file where --keys names it, 0600, if there is none
    #[arg(long, requires = "keys")]
    new_keys: bool,
    /// Says what would be written, and writes nothing
    #[arg(long)]
    dry_run: bool,
}

impl Identity {
    pub fn run(&self, desk: &Desk) -> Result<Report> {
        match self {
            Identity::Make(make) => make.run(desk),
        }
    }
}

impl Make {
    fn run(&self, desk: &Desk) -> Result<Report> {
        let plan = Plan::open(&self.plan)?;
        if !self.dry_run {
            self.store.resume(&self.identity, desk)?;
        }
        let (keys, new) = self.keys(desk)?;
        let progress = desk.progress();
        let made = identity::make(
            Request {
                plan: &plan,
                identity: &self.identity,
                secrets: self.store.path(),
                keys: &keys,
                now: desk.now,
            },
            &progress,
        )?;
        let (mut batch, mut outcome) = (Batch::default(), made.outcome);
        if let Some(place) = new {
            // First, so that nothing is ever sealed for a key that is nowhere.
            batch.put(place, keys.text().as_bytes(), Mode::Secret)?;
            let step = Step {
                did: Did::Made,
                what: format!("your key, {}", place.display()),
                places: vec![place.display().to_string()],
            };
            outcome.done.insert(0, step);
            outcome.written.insert(0, place.display().to_string());
            outcome.next.insert(
                0,
                format!(
                    "copy {} to a safe place, never into git: nothing opens without it",
                    place.display()
                ),
            );
        }
        batch.extend(made.batch)?;
        if !self.dry_run {
            progress.doing("writing files", outcome.written.len());
            batch.commit()?;
        }
        let mut json = json!(outcome);
        json["dryRun"] = self.dry_run.into();
        Ok(Report::new(outcome.lines(self.dry_run), json))
    }

    /// The operator's keys, and where they are to be written if they are new.
    fn keys(&self, desk: &Desk) -> Result<(Identities, Option<&Path>)> {
        let missing = match self.store.key_file() {
            Some(place) if !files::exists(place)? => Some(place),
            _ => None,
        };
        let Some(place) = missing else {
            return Ok((self.store.identities(desk)?, None));
        };
        ensure!(
            self.new_keys,
            "{} is missing: bring your key file from where it is kept; --new-keys makes one for a new fleet",
            place.display()
        );
        self.store.must_be_outside(place)?;
        ensure!(
            !inside(place, &self.identity),
            "{} is in {}, which is public: name a file elsewhere",
            place.display(),
            self.identity.display()
        );
        let sealed = self.store.path().join(crate::sops::SETTINGS);
        ensure!(
            !files::exists(&sealed)?,
            "{} is missing, and {} says that others open this folder: bring the key file from where it is kept",
            place.display(),
            sealed.display()
        );
        Ok((Identities::generate(), Some(place)))
    }
}
