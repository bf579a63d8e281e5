//! `cargo xtask soak kills`: the tests that kill our tools and nats-server at random moments, at length.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::Value;

use super::machine::{date, load, machine};
use crate::process;
use crate::progress::Progress;
use crate::tools::{Purpose, Tools};
use crate::workspace::Workspace;

/// Where the result stands.
const PAGE: &str = "docs/kills.md";

/// How often.
#[derive(clap::Args)]
pub struct Args {
    /// Kills of each kind; a third of them where one takes long.
    #[arg(long, default_value_t = 100)]
    kills: u32,
}

/// One of the tests.
struct Kind {
    /// Its binary.
    binary: &'static str,
    /// Its name there.
    test: &'static str,
    /// What it kills.
    what: &'static str,
    /// The test takes so many of the kills that are asked for as one: its rounds are long.
    rate: u32,
    /// What it holds after each.
    held: &'static str,
}

const KINDS: [Kind; 7] = [
    Kind {
        binary: "provision",
        test: "kill::while_it_makes_assets",
        what: "`cim-provision apply` that makes 50 assets",
        rate: 1,
        held: "nothing was made again; the next run ends as declared",
    },
    Kind {
        binary: "provision",
        test: "kill::while_it_updates_assets_that_hold_messages",
        what: "`cim-provision apply` that updates 50 assets",
        rate: 1,
        held: "messages and positions stay; the next run ends as declared",
    },
    Kind {
        binary: "provision",
        test: "kill::while_a_node_of_a_cluster_is_killed_too",
        what: "the same, and one of three nodes with it",
        rate: 3,
        held: "the same, once the node is back",
    },
    Kind {
        binary: "provision",
        test: "migrate_kill::killed_at_any_moment_it_goes_on_and_loses_nothing",
        what: "`cim-provision migrate` of a stream, while others publish",
        rate: 1,
        held: "what was acknowledged is there once and in order",
    },
    Kind {
        binary: "provision",
        test: "migrate_kill::a_consumers_migration_goes_on_too",
        what: "`cim-provision migrate` of a consumer",
        rate: 1,
        held: "its place and its messages stay",
    },
    Kind {
        binary: "backup",
        test: "kill::while_it_takes_a_backup",
        what: "`cim-backup create` of 30,000 messages",
        rate: 1,
        held: "what it left is no backup, and says so; the next one is whole",
    },
    Kind {
        binary: "backup",
        test: "kill::while_it_restores",
        what: "`cim-backup restore` of them",
        rate: 3,
        held: "the next restore ends with all of it",
    },
];

/// Runs all, and writes the page if all held.
pub fn run(args: &Args, workspace: &Workspace, progress: &Progress) -> Result<()> {
    let tools = Tools::install(workspace, Purpose::Demo, progress)?;
    let mut rows = String::new();
    let binaries = binaries(workspace, progress)?;
    for kind in &KINDS {
        let binary = binaries.get(kind.binary);
        let mut test = Command::new(binary.with_context(|| format!("no {}", kind.binary))?);
        test.current_dir(workspace.root.join("crates/cim-node"))
            .args(["--exact", kind.test])
            .env("NATS_SERVER", &tools.nats_server.path)
            .env("CIM_KILLS", args.kills.to_string());
        let since = Instant::now();
        progress.doing(kind.what, || process::quiet(&mut test))?;
        rows.push_str(&format!(
            "| {} | {} | {} | {} |\n",
            kind.what,
            args.kills.div_ceil(kind.rate),
            kind.held,
            since.elapsed().as_secs()
        ));
    }
    let version = &tools.nats_server.version;
    let text = format!(
        "# Killed at any moment\n\n\
         `cargo xtask soak kills` writes this page; the same tests run with fewer kills in `cargo xtask test`. Each kill is `-9`, after a \
         random number of steps that the program told of and a random part of the next one.\n\n\
         {}, {}, load {}, nats-server {version}, debug build:\n\n\
         | killed | times | each time | s |\n|---|---:|---|---:|\n{rows}",
        date()?,
        machine(),
        load(),
    );
    let page = workspace.root.join(PAGE);
    fs::write(&page, text).with_context(|| format!("writing {}", page.display()))?;
    progress.note(&format!("{PAGE} has the result"));
    Ok(())
}

/// The test binaries, by name: built before anything is timed.
fn binaries(workspace: &Workspace, progress: &Progress) -> Result<BTreeMap<String, PathBuf>> {
    let mut cargo = workspace.cargo();
    cargo.args(["test", "--no-run", "--message-format", "json"]);
    cargo.args(["--package", "cim-node"]);
    let names: BTreeSet<&str> = KINDS.iter().map(|kind| kind.binary).collect();
    for name in names {
        cargo.args(["--test", name]);
    }
    let said = progress.doing("building the tests", || process::output(&mut cargo))?;
    let built = said.lines().filter_map(|line| {
        let line: Value = serde_json::from_str(line).ok()?;
        let executable = line["executable"].as_str()?;
        let name = line["target"]["name"].as_str()?;
        let is_test = line["profile"]["test"] == true;
        is_test.then(|| (name.to_owned(), PathBuf::from(executable)))
    });
    Ok(built.collect())
}
