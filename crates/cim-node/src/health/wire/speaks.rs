//! The looks' end of it: begins to speak when it is known for whom, and says when links change.

use std::time::Duration;

use cim_spec::artefact::Health;

use super::ask::PATIENCE;
use super::{Heard, Logins, Wire};
use crate::health::look::{Seen, seen};
use crate::monitor::Leafz;

/// What logging in may take beside a round.
const LOGGING_IN: Duration = Duration::from_secs(1);

/// Speaks, where there are logins.
#[derive(Debug, Default)]
pub struct Speaks {
    logins: Option<Logins>,
    waits: bool,
    wire: Option<Seen<Wire>>,
    links: Vec<String>,
}

impl Speaks {
    /// Will speak with these logins; `waits`: until what is on its way has come.
    pub fn new(logins: Logins, waits: bool) -> Self {
        Self {
            logins: (!logins.is_empty()).then_some(logins),
            waits,
            ..Self::default()
        }
    }

    /// Begins, or begins anew where something else was deployed.
    pub fn begin(&mut self, health: &Health) {
        let Some(logins) = &self.logins else {
            return;
        };
        let fits = |wire: &Seen<Wire>| wire.as_ref().is_ok_and(|wire| wire.fits(health));
        if !self.wire.as_ref().is_some_and(fits) {
            self.wire = Some(seen(Wire::start(health, logins)));
            self.links.clear();
        }
    }

    /// What was heard until now.
    pub fn heard(&mut self, health: &Health, leafz: &Seen<Leafz>) -> Option<Heard> {
        let wire = match self.wire.as_ref()? {
            Ok(wire) => wire,
            Err(why) => return Some(silent(health, why)),
        };
        let links = standing(health, leafz);
        // Over the first links the first canaries are on their way already.
        let is_first = self.links.is_empty() && wire.heard().round.is_none();
        if links != self.links && !is_first {
            wire.ask_again();
        }
        if self.waits {
            wire.settle(!links.is_empty(), PATIENCE + LOGGING_IN);
        }
        self.links = links;
        Some(wire.heard())
    }

    /// Has a report sent.
    pub fn publish(&self, report: String) {
        if let Some(Ok(wire)) = &self.wire {
            wire.publish(report);
        }
    }
}

/// The links that stand, each with the node that it leads to.
fn standing(health: &Health, leafz: &Seen<Leafz>) -> Vec<String> {
    let links = health.watch.links.iter().filter_map(|link| {
        let mut leafs = leafz.iter().flat_map(|leafz| &leafz.leafs);
        let leaf = leafs.find(|leaf| leaf.is_link(link))?;
        Some(format!("{} {}", link.remote, leaf.name))
    });
    links.collect()
}

/// There is nobody to speak.
fn silent(health: &Health, why: &str) -> Heard {
    let accounts = health.watch.accounts.iter();
    Heard {
        logins: accounts
            .map(|account| (account.clone(), Err(why.to_owned())))
            .collect(),
        ..Heard::default()
    }
}
