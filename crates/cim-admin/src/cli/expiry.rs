//! `cim-admin expiry`: what of the public folder ends within the fleet's horizon, by this machine's clock.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use serde_json::json;

use super::{Desk, Report};
use crate::identity::{Plan, check};

#[derive(Debug, clap::Args)]
pub struct Expiry {
    /// What the fleet needs, as `lib.identity` evaluates it; - for what is piped in
    #[arg(long, value_name = "FILE")]
    plan: PathBuf,
    /// The folder of public files
    #[arg(long, value_name = "DIR", default_value = "identity")]
    identity: PathBuf,
}

impl Expiry {
    pub fn run(&self, desk: &Desk) -> Result<Report> {
        let plan = Plan::open(&self.plan)?;
        // Of nothing, nothing ends.
        ensure!(
            self.identity.is_dir(),
            "there is no folder {}: run this in the folder that it lies in, or give --identity",
            self.identity.display()
        );
        let ends = check::ends(&plan, &self.identity, desk.now)?;
        let total = ends.len();
        let soon: Vec<_> = ends.iter().filter(|end| end.soon).collect();
        let mut lines: Vec<String> = soon.iter().map(|end| end.line(desk.now)).collect();
        let first = ends
            .first()
            .map(|end| format!("; first: {}", end.line(desk.now)));
        if soon.is_empty() {
            lines.push(format!(
                "nothing of {total} ends within the horizon{}",
                first.unwrap_or_default()
            ));
        }
        Ok(Report {
            lines,
            good: soon.is_empty(),
            json: json!({ "good": soon.is_empty(), "ends": ends }),
        })
    }
}
