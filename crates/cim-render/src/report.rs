//! Warnings of one instance, or of a whole fleet, as people and programs read them.

use std::collections::BTreeSet;
use std::fmt;

use anyhow::{Context, Result};
use cim_spec::Plan;
use cim_spec::lint::{self, Lint};
use cim_spec::spec::Fleet;
use serde::Serialize;

/// Every warning, acknowledged ones too: none is lost.
#[derive(Debug)]
pub struct Report(Vec<Entry>);

/// A warning and the server it is about; options of hubs do not say which node they are on.
#[derive(Debug, Serialize)]
struct Entry {
    server: Option<String>,
    #[serde(flatten)]
    lint: Lint,
}

impl Report {
    /// What one build has to say.
    pub fn of_instance(plan: &Plan) -> Self {
        let own = plan.lints.iter().map(|lint| Entry::of(Some(plan), lint));
        Self(own.collect())
    }

    /// What the fleet has to say, and each of its instances; what several say of the fleet, once.
    pub fn of_fleet(fleet: &Fleet, plans: &[Plan]) -> Self {
        let shared: BTreeSet<Lint> = lint::of_fleet(fleet).into_iter().collect();
        let own = plans.iter().flat_map(|plan| {
            let own = plan.lints.iter().filter(|lint| !shared.contains(lint));
            own.map(move |lint| Entry::of(Some(plan), lint))
        });
        let own: Vec<Entry> = own.collect();
        let shared = shared.iter().map(|lint| Entry::of(None, lint));
        Self(shared.chain(own).collect())
    }

    /// How many nobody acknowledged.
    pub fn open(&self) -> usize {
        let open = |entry: &&Entry| entry.lint.acknowledged.is_none();
        self.0.iter().filter(open).count()
    }

    /// As a list of objects.
    ///
    /// # Errors
    /// None that could happen.
    pub fn json(&self) -> Result<String> {
        let mut text = serde_json::to_string_pretty(&self.0).context("writing JSON")?;
        text.push('\n');
        Ok(text)
    }
}

impl Entry {
    fn of(plan: Option<&Plan>, lint: &Lint) -> Self {
        Self {
            server: plan.map(|plan| plan.server_name.clone()),
            lint: lint.clone(),
        }
    }
}

impl fmt::Display for Report {
    /// Those that nobody acknowledged, in full; of the others, how many there are.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = |entry: &&Entry| entry.lint.acknowledged.is_none();
        for Entry { server, lint } in self.0.iter().filter(open) {
            match server {
                Some(server) => writeln!(f, "warning: {server}: {lint}")?,
                None => writeln!(f, "warning: {lint}")?,
            }
        }
        match self.0.len() - self.open() {
            0 => Ok(()),
            kept => writeln!(f, "acknowledged warnings: {kept} (--json shows them)"),
        }
    }
}
