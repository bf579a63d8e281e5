//! `cim-provision`: makes an account's JetStream hold what is declared, and never loses data without consent.
//!
//! Read in this order: [`declared`] (the files), [`found`] (the server), [`defaults`] (what the server fills in),
//! [`judge`] and [`loss`] (what a difference means), [`plan`] and [`planner`], [`consent`], [`apply`], [`report`].

pub mod api;
pub mod apply;
pub mod asset;
pub mod changes;
pub mod cli;
pub mod connect;
pub mod consent;
pub mod copies;
pub mod declared;
pub mod defaults;
pub mod difference;
pub mod file;
pub mod found;
pub mod import;
pub mod import_nix;
pub mod judge;
pub mod looked;
pub mod loss;
pub mod migrate;
pub mod plan;
pub mod planner;
pub mod prune;
pub mod report;
pub mod subject;
pub mod tree;
pub mod words;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, anyhow, ensure};

use crate::monitor::Monitor;
use api::{Api, Pauses};
use apply::Outcome;
use asset::Asset;
use connect::Login;
use declared::Declared;
use migrate::told::Told;
use plan::{Action, Plan, Settings, Step};
use report::Report;

/// What a run needs beside the files.
#[derive(Debug, Clone)]
pub struct Run {
    /// Where the server is.
    pub login: Login,
    /// The JetStream domain; `None`: the server's own.
    pub domain: Option<String>,
    /// URL of the monitoring listener, and the name that the server must have, where it is known; `None`: the server
    /// is not asked how it is.
    pub monitor: Option<(String, Option<String>)>,
    /// Consent on the command line, by asset; counts more than the files'.
    pub consent: BTreeMap<String, String>,
    /// How long what fails for now is tried again.
    pub patience: Duration,
    /// How many requests are open at a time.
    pub at_once: usize,
}

impl Run {
    /// Plans, and changes nothing.
    ///
    /// # Errors
    /// A server that cannot be reached or does not tell what it has.
    pub async fn plan(&self, declared: &Declared, tell: &dyn Fn(&str)) -> Result<Report> {
        let api = self.connect().await?;
        let plan = self.planned(&api, declared, tell).await?;
        let left = prune::look_at(&api, &plan.undeclared, self.at_once).await?;
        Ok(Report {
            plan,
            outcomes: None,
            left,
            server: api.server(),
        })
    }

    /// Plans, and does what may be done.
    ///
    /// # Errors
    /// As [`Run::plan`]; what fails of a single asset is in the report.
    pub async fn apply(&self, declared: &Declared, tell: &dyn Fn(&str)) -> Result<Report> {
        let api = self.connect().await?;
        let plan = self.planned(&api, declared, tell).await?;
        let due =
            |step: &&Step| matches!(step.action, Action::Create | Action::Update | Action::Lose);
        let all = plan.steps.iter().filter(due).count();
        for loss in plan.steps.iter().flat_map(words::losses) {
            tell(&loss);
        }
        let over = Cell::new(0);
        let progress = |step: &Step, outcome: &Outcome| {
            over.set(over.get() + 1);
            let how = match (outcome, &step.action) {
                (Outcome::Failed(_), _) => "failed",
                (Outcome::Later(_), _) => "waits for servers",
                (Outcome::Done, Action::Create) => "made",
                (Outcome::Done, _) => "updated",
            };
            tell(&format!("[{}/{all}] {} {how}", over.get(), step.asset));
        };
        let outcomes = apply::apply(&api, &plan, self.at_once, &progress).await;
        Ok(Report {
            plan,
            outcomes: Some(outcomes),
            left: Vec::new(),
            server: api.server(),
        })
    }

    /// Says what a migration of an asset does, or does it where `confirm` has its id; `copied_again`: streams that have
    /// it as a source may get its messages again.
    ///
    /// # Errors
    /// As [`Run::plan`], and what the server refused on the way.
    pub async fn migrate(
        &self,
        declared: &Declared,
        asset: &Asset,
        confirm: Option<&str>,
        copied_again: bool,
        tell: &dyn Fn(&str),
    ) -> Result<Told> {
        let api = self.connect().await?;
        let plan = self.planned(&api, declared, tell).await?;
        let order = migrate::Order {
            declared,
            plan: &plan,
            asset,
            confirm,
            copied_again,
            at_once: self.at_once.max(1),
            tell,
        };
        migrate::migrate(&api, &order).await
    }

    /// Connects to the account's JetStream.
    ///
    /// # Errors
    /// A server that cannot be reached, or files that cannot be read.
    pub async fn connect(&self) -> Result<Api> {
        let client = connect::connect(&self.login, self.patience).await?;
        Ok(Api::new(client, self.domain.as_deref(), self.patience))
    }

    async fn planned(&self, api: &Api, declared: &Declared, tell: &dyn Fn(&str)) -> Result<Plan> {
        let mut consent = declared.provision.allow_data_loss.clone();
        consent.extend(self.consent.clone());
        let settings = Settings {
            consent,
            at_once: self.at_once.max(1),
            // Before the server is asked what it has: while it is starting, it has less.
            no_creates: self.well().await.err().map(|error| format!("{error:#}")),
        };
        let plan = planner::make(api, declared, &settings, tell).await;
        plan.map_err(|failure| anyhow!("asking what the server has: {failure}"))
    }

    /// Waits until the server is well.
    async fn well(&self) -> Result<()> {
        let Some((url, name)) = &self.monitor else {
            return Ok(());
        };
        let monitor = Monitor::new(url);
        let look = || {
            monitor.healthy()?;
            let varz = monitor.varz()?;
            if let Some(name) = name {
                let found = &varz.server_name;
                ensure!(
                    found == name,
                    "{url} is answered by {found:?}, another server than {name:?}"
                );
            }
            // The health of one server says nothing of the streams of another.
            let found = varz.domain();
            ensure!(
                self.domain.is_none() || self.domain.as_deref() == found,
                "{url} is a server of the JetStream domain {:?}, not of {:?}: name the monitoring listener of one that is",
                found.unwrap_or_default(),
                self.domain.as_deref().unwrap_or_default()
            );
            Ok(())
        };
        let mut pauses = Pauses::new(self.patience);
        loop {
            match look() {
                Err(_) if pauses.next().await => {}
                seen => return seen,
            }
        }
    }
}
