//! `cargo xtask soak kills`: the tests that kill our tools and nats-server at random moments, at length.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::builder::PossibleValuesParser;
use serde_json::Value;

use super::machine::{date, load, machine};
use super::page::Page;
use crate::process;
use crate::progress::Progress;
use crate::tools::{Purpose, Tools};
use crate::workspace::Workspace;

/// Where the result stands.
const PAGE: Page = Page {
    path: "docs/kills.md",
    begin: "<!-- cargo xtask soak kills writes from here -->\n",
};

const HEAD: &str = "| killed | times | each time | s | when, load, nats-server, processor |\n|---|---:|---|---:|---|\n";

/// How often, and what.
#[derive(clap::Args)]
pub struct Args {
    /// Kills of each kind.
    #[arg(long, default_value_t = 100)]
    kills: u32,
    /// Only this kind, or these; the page keeps what it has of the others.
    #[arg(long, value_name = "KIND", value_parser = PossibleValuesParser::new(KINDS.iter().map(|kind| kind.name)))]
    only: Vec<String>,
}

/// One of the tests.
struct Kind {
    /// For `--only`.
    name: &'static str,
    /// Its binary.
    binary: &'static str,
    /// Its name there.
    test: &'static str,
    /// What it kills.
    what: &'static str,
    /// What it holds after each.
    held: &'static str,
}

const KINDS: [Kind; 7] = [
    Kind {
        name: "make",
        binary: "provision",
        test: "kill::while_it_makes_assets",
        what: "`cim-provision apply` that makes 50 assets",
        held: "nothing was made again; the next run ends as declared",
    },
    Kind {
        name: "update",
        binary: "provision",
        test: "kill::while_it_updates_assets_that_hold_messages",
        what: "`cim-provision apply` that updates 50 assets",
        held: "messages and positions stay; the next run ends as declared",
    },
    Kind {
        name: "cluster",
        binary: "provision",
        test: "kill::while_a_node_of_a_cluster_is_killed_too",
        what: "the same, and one of three nodes with it",
        held: "the same, once the node is back",
    },
    Kind {
        name: "migrate-stream",
        binary: "provision",
        test: "migrate_kill::killed_at_any_moment_it_goes_on_and_loses_nothing",
        what: "`cim-provision migrate` of a stream, while others publish",
        held: "what was acknowledged is there once and in order",
    },
    Kind {
        name: "migrate-consumer",
        binary: "provision",
        test: "migrate_kill::a_consumers_migration_goes_on_too",
        what: "`cim-provision migrate` of a consumer",
        held: "its place and its messages stay",
    },
    Kind {
        name: "backup",
        binary: "backup",
        test: "kill::while_it_takes_a_backup",
        what: "`cim-backup create` of 30,000 messages",
        held: "what it left is no backup, and says so; the next one is whole",
    },
    Kind {
        name: "restore",
        binary: "backup",
        test: "kill::while_it_restores",
        what: "`cim-backup restore` of them",
        held: "the next restore ends with all of it",
    },
];

/// Runs what is wanted; each kind that held is written down at once, so that a campaign that is cut can go on.
pub fn run(args: &Args, workspace: &Workspace, progress: &Progress) -> Result<()> {
    let tools = Tools::install(workspace, Purpose::Demo, progress)?;
    let binaries = binaries(workspace, progress)?;
    let wanted =
        |kind: &&Kind| args.only.is_empty() || args.only.iter().any(|one| one == kind.name);
    for kind in KINDS.iter().filter(wanted) {
        let binary = binaries.get(kind.binary);
        let mut test = Command::new(binary.with_context(|| format!("no {}", kind.binary))?);
        test.current_dir(workspace.root.join("crates/cim-node"))
            .args(["--exact", kind.test])
            .env("NATS_SERVER", &tools.nats_server.path)
            .env("CIM_KILLS", args.kills.to_string());
        let since = Instant::now();
        progress.doing(kind.what, || process::quiet(&mut test))?;
        let row = format!(
            "| {} | {} | {} | {} | {}, {}, {}, {} |",
            kind.what,
            args.kills,
            kind.held,
            since.elapsed().as_secs(),
            date()?,
            load(),
            tools.nats_server.version,
            machine(),
        );
        let rows = rows(&PAGE.part(workspace)?, kind, &row);
        PAGE.write(workspace, &format!("{HEAD}{rows}"))?;
    }
    progress.note(&format!("{} has the result", PAGE.path));
    Ok(())
}

/// All rows, with a new one of one kind; what was never run says so.
fn rows(before: &str, of: &Kind, new: &str) -> String {
    let row = |kind: &Kind| {
        let begin = format!("| {} |", kind.what);
        let held = before.lines().find(|line| line.starts_with(&begin));
        match held {
            _ if kind.name == of.name => new.to_owned(),
            Some(held) => held.to_owned(),
            None => format!("{begin} 0 | not run yet | | |"),
        }
    };
    let rows: Vec<_> = KINDS.iter().map(row).collect();
    rows.join("\n") + "\n"
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_other_kinds_stay() {
        let (first, last) = (&KINDS[0], &KINDS[6]);
        let old = format!("| {} | 1 | a | 2 | b |", first.what);
        let page = rows(&format!("{HEAD}{old}\n"), last, "| new |");
        let lines: Vec<_> = page.lines().collect();
        assert_eq!(lines.len(), KINDS.len());
        assert_eq!((lines[0], lines[6]), (old.as_str(), "| new |"));
        assert!(lines[1].contains("not run yet"), "{page}");
        let again = rows(&page, first, "| newer |");
        assert!(again.starts_with("| newer |\n"), "{again}");
    }

    #[test]
    fn every_kind_has_a_name_and_words_of_its_own() {
        let names: BTreeSet<_> = KINDS.iter().map(|kind| kind.name).collect();
        let words: BTreeSet<_> = KINDS.iter().map(|kind| kind.what).collect();
        assert_eq!((names.len(), words.len()), (KINDS.len(), KINDS.len()));
    }
}
