//! `cargo xtask soak backup`: the test that takes and restores a backup, with ten times as many messages.

use std::fs;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::machine::{date, load, machine};
use super::page::Page;
use crate::process;
use crate::progress::Progress;
use crate::tools::{Purpose, Tools};
use crate::workspace::Workspace;

/// Where the result stands.
const PAGE: Page = Page {
    path: "docs/backup.md",
    begin: "<!-- cargo xtask soak backup writes from here -->\n",
};

/// So many are published; 100,000 and more are left of them.
const MESSAGES: &str = "112000";

/// What the test reports: messages that are there at the end, and seconds.
#[derive(Deserialize)]
struct Took {
    messages: u64,
    create: f64,
    restore: f64,
    drill: f64,
}

/// Runs it, and writes the page if all came back equal.
pub fn run(workspace: &Workspace, progress: &Progress) -> Result<()> {
    let tools = Tools::install(workspace, Purpose::Demo, progress)?;
    let scratch = tempfile::tempdir().context("making a scratch folder")?;
    let report = scratch.path().join("took.json");
    let mut cargo = workspace.cargo();
    cargo
        .args(["test", "--package", "cim-node", "--test", "backup", "--"])
        .args([
            "--exact",
            "whole::twenty_streams_and_fifty_consumers_come_back_equal",
        ])
        .env("NATS_SERVER", &tools.nats_server.path)
        .env("CIM_SOAK_REPORT", &report)
        .env("CIM_SOAK_MESSAGES", MESSAGES);
    progress.doing("20 streams, 51 consumers, 100,000 messages", || {
        process::quiet(&mut cargo)
    })?;
    let text = fs::read_to_string(&report).context("reading the report")?;
    let took: Took = serde_json::from_str(&text).context("reading the report")?;
    let part = format!(
        "{}, {}, load {}, nats-server {}, debug build: 20 streams, 51 consumers, {} messages of 40 bytes: create {:.1} s, restore {:.1} s,\n\
         drill {:.1} s. Numbers, every message and every consumer's place were equal.\n",
        date()?,
        machine(),
        load(),
        tools.nats_server.version,
        took.messages,
        took.create,
        took.restore,
        took.drill,
    );
    PAGE.write(workspace, &part)?;
    progress.note(&format!("{} has the result", PAGE.path));
    Ok(())
}
