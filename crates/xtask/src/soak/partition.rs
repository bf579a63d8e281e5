//! `cargo xtask soak partition`: outages of all lengths and kinds, and how long both ends take to catch up.

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
    path: "docs/partition.md",
    begin: "<!-- cargo xtask soak partition writes from here -->\n",
};

/// What `reference/nats.md` §3.4 measured with nats-server 2.15.1, for outages of so many seconds at most: a source on
/// the hub, and one on the leaf. There a leaf was killed once.
const REFERENCE: [(f64, &str); 4] = [
    (5.0, "at once, at once"),
    (15.0, "12 s: 1, 38"),
    (30.0, "20–30 s: 40, 40"),
    (60.0, "60 s: 50, 50"),
];

/// How long.
#[derive(clap::Args)]
pub struct Args {
    /// Lengths of outages.
    #[arg(long, default_value = "1,15,60", value_name = "SECONDS,…")]
    seconds: String,
}

/// One outage, as the test reports it. Of pairs the first is what the leaf publishes, the second what the hub does.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    cut: String,
    length: f64,
    lasted: f64,
    death: String,
    acknowledged: [u64; 2],
    while_cut: [u64; 2],
    resent: [u64; 2],
    duplicates: [u64; 2],
    leaf_noticed: Option<f64>,
    hub_noticed: Option<f64>,
    linked: f64,
    caught_up: [f64; 2],
}

/// Runs all, and writes the page if nothing was lost, doubled or moved.
pub fn run(args: &Args, workspace: &Workspace, progress: &Progress) -> Result<()> {
    let tools = Tools::install(workspace, Purpose::Demo, progress)?;
    let scratch = tempfile::tempdir().context("making a scratch folder")?;
    let report = scratch.path().join("rows.json");
    let mut cargo = workspace.cargo();
    cargo
        .args(["test", "--package", "cim-node", "--test", "provision", "--"])
        .args([
            "--exact",
            "partition::crossing::what_was_acknowledged_arrives_once_and_in_order",
        ])
        .env("NATS_SERVER", &tools.nats_server.path)
        .env("CIM_SOAK_REPORT", &report)
        .env("CIM_SOAK_PARTITION", &args.seconds);
    progress.doing("outages", || process::quiet(&mut cargo))?;
    let text = fs::read_to_string(&report).context("reading the report")?;
    let rows: Vec<Row> = serde_json::from_str(&text).context("reading the report")?;
    let version = cim_check::version(&tools.nats_server.path)?;
    let table = table(&rows);
    println!("{table}");
    let head = format!(
        "{}, {}, load {}, nats-server {version}, debug build of the publishers:\n\n",
        date()?,
        machine(),
        load()
    );
    PAGE.write(workspace, &format!("{head}{table}"))?;
    progress.note(&format!("{} has the result", PAGE.path));
    Ok(())
}

fn table(rows: &[Row]) -> String {
    let mut table = "| cut | s | leaf killed | acknowledged while cut: leaf, hub | in all | sent again, of these stored already \
                     | noticed by leaf, hub | linked | **hub has all, leaf has all** | reference |\n\
                     |---|---:|---|---:|---:|---:|---:|---:|---:|---|\n"
        .to_owned();
    for row in rows {
        let noticed = |when: Option<f64>| when.map_or("no".to_owned(), |when| format!("{when:.1}"));
        let reference = REFERENCE.iter().find(|(most, _)| row.length <= *most);
        let death = match row.death.as_str() {
            "none" => "no",
            "atTheEnd" => "once, starts when mended",
            "within" => "once",
            "often" => "3 times, and once more when linked",
            other => other,
        };
        table += &format!(
            "| {} | {:.1} | {death} | {}, {} | {}, {} | {}, {} | {}, {} | {:.1} | **{:.1}, {:.1}** | {} |\n",
            row.cut,
            row.lasted,
            row.while_cut[0],
            row.while_cut[1],
            row.acknowledged[0],
            row.acknowledged[1],
            row.resent.iter().sum::<u64>(),
            row.duplicates.iter().sum::<u64>(),
            noticed(row.leaf_noticed),
            noticed(row.hub_noticed),
            row.linked,
            row.caught_up[0],
            row.caught_up[1],
            reference.map_or("", |(_, figures)| figures),
        );
    }
    table
}
