//! What Nix counts of one host's evaluation.

use std::fs;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Bench;
use crate::process;

/// Fleet sizes that are compared.
const SMALL: u32 = 10;
const LARGE: u32 = 1000;

/// What Nix counts of one evaluation.
struct Cost {
    thunks: u64,
    bytes: u64,
}

impl Cost {
    fn beyond(&self, other: &Cost) -> Cost {
        Cost {
            thunks: self.thunks.saturating_sub(other.thunks),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }
}

fn row(what: &str, cost: &Cost) {
    println!("{what:<34} {:>13} {:>13}", cost.thunks, cost.bytes);
}

impl Bench<'_> {
    /// What we add to one host's evaluation, beside nixpkgs' own module; and what each further leaf adds.
    pub fn evaluation(&self) -> Result<()> {
        println!("evaluation of one host                    thunks         bytes");
        let bare = self.cost("bareHost", SMALL)?;
        row("without a nats-server", &bare);
        if self.nats_module.is_some() {
            let nats = self.cost("natsHost", SMALL)?.beyond(&bare);
            row("nixpkgs' services.nats adds", &nats);
        }
        for (host, what) in [("leafHost", "a leaf"), ("hubHost", "a hub node")] {
            let small = self.cost(host, SMALL)?;
            let large = self.cost(host, LARGE)?;
            for (leaves, cost) in [(SMALL, &small), (LARGE, &large)] {
                row(
                    &format!("{what} of a fleet of {leaves} adds"),
                    &cost.beyond(&bare),
                );
            }
            let (more, further) = (u64::from(LARGE - SMALL), large.beyond(&small));
            println!(
                "  each further leaf adds {} thunks, {} bytes",
                further.thunks / more,
                further.bytes / more
            );
        }
        Ok(())
    }

    fn cost(&self, attribute: &str, leaves: u32) -> Result<Cost> {
        let stats = self.folder.join("stats.json");
        let mut nix = self.eval(attribute, leaves)?;
        nix.env("NIX_SHOW_STATS", "1")
            .env("NIX_SHOW_STATS_PATH", &stats);
        process::output(&mut nix)?;
        let text = fs::read_to_string(&stats).context("reading Nix's statistics")?;
        let stats: Value = serde_json::from_str(&text).context("reading Nix's statistics")?;
        let number = |pointer: &str| {
            stats
                .pointer(pointer)
                .and_then(Value::as_u64)
                .with_context(|| format!("Nix's statistics have no {pointer}"))
        };
        Ok(Cost {
            thunks: number("/nrThunks")?,
            bytes: number("/gc/totalBytes")?,
        })
    }
}
