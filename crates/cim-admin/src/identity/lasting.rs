//! How long what the desk issues lasts, as the fleet's options say it.

use anyhow::{Context, Result, ensure};
use cim_spec::Problems;
use time::Duration;

use super::plan::{Bearer, Plan};

/// How long things last.
#[derive(Debug, Clone, Copy)]
pub struct Lasting {
    /// A server's certificate.
    pub server: Duration,
    /// A leaf's.
    pub leaf: Duration,
    /// A device's.
    pub device: Duration,
    /// What ends within this is renewed.
    pub horizon: Duration,
}

impl Lasting {
    /// What a plan's fleet says.
    ///
    /// # Errors
    /// Lifetimes that break a rule, and a fleet without: a slice of one.
    pub fn of_plan(plan: &Plan) -> Result<Self> {
        let mut problems = Problems::new();
        let said = cim_spec::fleet::lifetimes(&plan.fleet, &mut problems);
        ensure!(problems.is_empty(), "{problems}");
        let said = said
            .context("the plan's fleet has no lifetimes: evaluate the plan with `lib.identity`")?;
        let time = |duration: cim_spec::duration::Duration| {
            let seconds = i64::try_from(duration.as_millis() / 1000);
            Duration::seconds(seconds.unwrap_or(i64::MAX))
        };
        Ok(Self {
            server: time(said.server),
            leaf: time(said.leaf.unwrap_or(said.server)),
            device: time(said.device),
            horizon: time(said.horizon),
        })
    }

    /// How long a host's certificate lasts.
    pub fn of(self, bearer: Bearer) -> Duration {
        match bearer {
            Bearer::Server => self.server,
            Bearer::Leaf => self.leaf,
        }
    }
}
