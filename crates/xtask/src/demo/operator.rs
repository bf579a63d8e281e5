//! The demo's second part: a fleet in operator mode whose identity one command makes, with TLS on every connection.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use async_nats::{Client, ConnectOptions};
use cim_render::places::Listener;
use cim_testkit::{Fleet, Ports, until};
use serde::Deserialize;
use serde_json::{Value, json};

use super::scene::{arrives, hub_of, linked, refused, start};
use super::table::Table;
use super::{Stage, plaintext};
use crate::estate::{self, Estate};
use crate::hosts::Hosts;
use crate::process;
use crate::progress::Progress;

/// Who speaks for the hub, and who uses a leaf.
const USER: &str = "app";

/// The leaf that publishes, and the one that hears it.
const FROM: &str = "plant-a";
const TO: &str = "plant-b";

/// How far after the first fleet's ports this one's are.
const AFTER: u16 = 100;

/// What the program says of what it did.
#[derive(Deserialize)]
struct Outcome {
    written: Vec<String>,
}

/// Makes the identity, starts the fleet with it, and tells the story. `dir` is for what a disk may see.
pub async fn play(stage: &Stage, dir: &Path, table: &mut Table, progress: &Progress) -> Result<()> {
    // As Nix made them of a fleet without an identity.
    let mut plan = read(&stage.specs.join("operator/plan.json"))?;
    let mut specs = instances(&stage.specs.join("operator/instances"))?;
    let (estate, hosts) = make(stage, &mut plan, dir, table, progress)?;
    let mut whole = plan["fleet"].take();
    estate.fill(&mut whole, &mut specs)?;
    let plans = estate::plans(&whole, &specs, &dir.join("specs"))?;
    progress.doing(
        &format!("checking {} configs with the real nats-server", plans.len()),
        || super::check(&plans, &stage.nats_server),
    )?;
    let ports = Ports::From(stage.port + AFTER);
    let servers = dir.join("servers");
    let mut fleet = estate
        .fleet(plans, &hosts, &servers, &stage.nats_server, ports)
        .context("choosing ports for the demo (--port)")?;
    story(&mut fleet, &estate, &hosts, table, progress).await
}

/// What there is to see of a fleet whose hosts have opened their secrets; none of its servers runs yet.
pub async fn story(
    fleet: &mut Fleet,
    estate: &Estate,
    hosts: &[String],
    table: &mut Table,
    progress: &Progress,
) -> Result<()> {
    opened(estate, hosts, table)?;
    start(
        "in operator mode, all servers start with what hosts opened",
        fleet,
        table,
        progress,
    )?;
    linked(fleet, table).await?;
    encrypted(fleet, table).await?;
    crosses(fleet, estate, table).await?;
    refused_upwards(fleet, estate, table).await?;
    refused_downwards(fleet, estate, table).await?;
    others(fleet, estate, table).await
}

/// One command, with an ssh key for each host.
fn make(
    stage: &Stage,
    plan: &mut Value,
    dir: &Path,
    table: &mut Table,
    progress: &Progress,
) -> Result<(Estate, Vec<String>)> {
    let hosts = Hosts::new(stage.path.clone())?;
    let entries = plan["hosts"].as_object_mut().context("a plan has hosts")?;
    for (name, host) in entries.iter_mut() {
        host["hostKey"] = json!(hosts.add(name)?);
    }
    let names: Vec<String> = entries.keys().cloned().collect();
    let folder = dir.join("fleet");
    fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    let file = dir.join("plan.json");
    fs::write(&file, plan.to_string()).with_context(|| format!("writing {}", file.display()))?;
    let keys = hosts.folder().join("operator.txt");
    let since = Instant::now();
    let said = progress.doing("making keys, JWTs and certificates: cim-admin", || {
        let mut command = Command::new(&stage.cim_admin);
        command.current_dir(&folder);
        command.args(["identity", "make", "--json", "--new-keys", "--plan"]);
        process::output(command.arg(&file).arg("--keys").arg(&keys))
    })?;
    let outcome: Outcome = serde_json::from_str(&said).context("reading what cim-admin says")?;
    let sealed = outcome.written.iter();
    let sealed = sealed.filter(|file| file.starts_with("secrets/")).count();
    table.held(
        "one command makes keys, JWTs, creds and certificates",
        format!("{} files, {sealed} of them sealed", outcome.written.len()),
        since.elapsed(),
    );
    let estate = Estate {
        hosts,
        folder,
        keys,
    };
    Ok((estate, names))
}

/// Each host opens its file, and no host the next one's.
fn opened(estate: &Estate, hosts: &[String], table: &mut Table) -> Result<()> {
    let since = Instant::now();
    let mut saw = Vec::new();
    for (host, other) in hosts.iter().zip(hosts.iter().cycle().skip(1)) {
        saw.push(format!("{host}: {}", estate.open(host)?.len()));
        estate.refuses(host, other)?;
    }
    table.held(
        "each host's ssh key opens its secrets and no other's",
        saw.join(", "),
        since.elapsed(),
    );
    Ok(())
}

/// No listener takes a word before TLS: for clients anywhere, for leaves and other nodes at the hub.
async fn encrypted(fleet: &Fleet, table: &mut Table) -> Result<()> {
    let since = Instant::now();
    let mut listeners = Vec::new();
    for name in fleet.names() {
        let member = fleet.member(&name)?;
        listeners.push((name.clone(), "clients", member.port(Listener::Client)));
        if member.plan().cluster.is_some() {
            listeners.push((name.clone(), "nodes", member.port(Listener::Cluster)));
            listeners.push((name, "leaves", member.port(Listener::Leafnodes)));
        }
    }
    for (name, whom, port) in &listeners {
        plaintext::refused(*port).with_context(|| format!("{name}, its port for {whom}"))?;
    }
    table.held(
        "TLS is asked of every client, leaf and hub node",
        format!("{} listeners refuse what is not encrypted", listeners.len()),
        since.elapsed(),
    );
    Ok(())
}

/// leaf → hub → another leaf; the hub's user logs in with creds.
async fn crosses(fleet: &Fleet, estate: &Estate, table: &mut Table) -> Result<()> {
    let publisher = at_leaf(fleet, estate, FROM).await?;
    let hub = hub_of(fleet, TO, None).await?;
    let watcher = at_hub(fleet, estate, &hub).await?;
    let follower = at_leaf(fleet, estate, TO).await?;
    let mut hears = watcher.subscribe("metrics.>").await?;
    let mut follows = follower.subscribe("metrics.>").await?;
    let since = Instant::now();
    let subject = "metrics.line.7";
    arrives(&publisher, subject, &mut hears).await?;
    arrives(&publisher, subject, &mut follows).await?;
    table.held(
        "what flows declare crosses, by JWTs",
        format!("{subject}: {FROM} → {hub} → {TO}"),
        since.elapsed(),
    );
    Ok(())
}

async fn refused_upwards(fleet: &Fleet, estate: &Estate, table: &mut Table) -> Result<()> {
    let publisher = at_leaf(fleet, estate, FROM).await?;
    let hub = hub_of(fleet, FROM, None).await?;
    let watcher = at_hub(fleet, estate, &hub).await?;
    let mut everything = watcher.subscribe(">").await?;
    refused(
        table,
        "what no flow declares stays on the leaf, by JWTs",
        (&publisher, "recipe.secret", "metrics.line.8"),
        &mut everything,
    )
    .await
}

async fn refused_downwards(fleet: &Fleet, estate: &Estate, table: &mut Table) -> Result<()> {
    let hub = hub_of(fleet, TO, None).await?;
    let watcher = at_hub(fleet, estate, &hub).await?;
    let follower = at_leaf(fleet, estate, TO).await?;
    let mut everything = follower.subscribe(">").await?;
    refused(
        table,
        "what a leaf does not import stays on the hub, by JWTs",
        (&watcher, "commands.stop", "metrics.line.9"),
        &mut everything,
    )
    .await
}

/// A leaf with a user's creds is kept out, and so is a client with a leaf's; with its own the leaf is back.
async fn others(fleet: &mut Fleet, estate: &Estate, table: &mut Table) -> Result<()> {
    let since = Instant::now();
    let creds = estate.creds(&format!("users/CIM/{USER}.creds"))?;
    kept_out(fleet, estate, &creds).await?;
    let hub = hub_of(fleet, FROM, None).await?;
    let own = fs::read_to_string(&estate.open(FROM)?[&format!("cim-{FROM}.creds")])
        .context("reading the leaf's creds")?;
    ensure!(
        fleet.connect(&hub, login(estate, &own)?).await.is_err(),
        "a client got in with the creds of {FROM}"
    );
    table.held(
        "another's creds are refused",
        format!("{FROM} as user {USER}, a client as {FROM}; with its own it is back"),
        since.elapsed(),
    );
    Ok(())
}

/// Starts the leaf with these creds, which the hub refuses; then puts its own back, with which it links without a restart.
pub async fn kept_out(fleet: &mut Fleet, estate: &Estate, creds: &str) -> Result<()> {
    let place = &estate.open(FROM)?[&format!("cim-{FROM}.creds")];
    crate::private::write(place, creds)?;
    fleet.kill(FROM)?;
    fleet.start(FROM)?;
    fleet.says(FROM, "Authorization Violation").await?;
    // Each time that it dials, it takes itself for linked until the hub says no.
    until("nobody is linked with another's creds", async || {
        ensure!(fleet.links(FROM)?.is_empty(), "{FROM} is");
        Ok(())
    })
    .await?;
    estate.open(FROM)?;
    hub_of(fleet, FROM, None).await.map(drop)
}

/// The hub's user, with creds that only the operator could open.
async fn at_hub(fleet: &Fleet, estate: &Estate, hub: &str) -> Result<Client> {
    let creds = estate.creds(&format!("users/CIM/{USER}.creds"))?;
    fleet.connect(hub, login(estate, &creds)?).await
}

/// A leaf's local user.
async fn at_leaf(fleet: &Fleet, estate: &Estate, leaf: &str) -> Result<Client> {
    let seed = fleet.seed(leaf, USER)?.to_owned();
    let options = ConnectOptions::with_nkey(seed).add_root_certificates(estate.ca());
    fleet.connect(leaf, options).await
}

fn login(estate: &Estate, creds: &str) -> Result<ConnectOptions> {
    let options = ConnectOptions::with_credentials(creds).context("reading creds")?;
    Ok(options.add_root_certificates(estate.ca()))
}

/// A JSON file.
pub fn read(file: &Path) -> Result<Value> {
    let text = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("reading {}", file.display()))
}

/// The specs in a folder, by instance.
pub fn instances(folder: &Path) -> Result<BTreeMap<String, Value>> {
    let reading = || format!("reading {}", folder.display());
    let mut specs = BTreeMap::new();
    for entry in fs::read_dir(folder).with_context(reading)? {
        let path = entry.with_context(reading)?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        specs.insert(name.into_owned(), read(&path)?);
    }
    Ok(specs)
}
