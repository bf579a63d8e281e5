//! The story that the demo tells, each line of it seen through a NATS client.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use async_nats::{Client, Subscriber};
use cim_testkit::Fleet;
use futures_util::StreamExt;
use serde::Deserialize;

use super::table::Table;
use crate::progress::Progress;

/// How long a message, a link or a fail-over may take before it counts as broken.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often a message that may have found nobody yet is sent again.
const AGAIN: Duration = Duration::from_millis(25);

/// The leaf that publishes, and the one that follows it.
const FROM: (&str, &str) = ("cim-prod-001", "graph");
const TO: (&str, &str) = ("cim-prod-002", "workflow");

/// Who watches on the hub.
const WATCHER: &str = "alchemist";

#[derive(Deserialize)]
struct Leafz {
    leafs: Vec<Leaf>,
}

#[derive(Deserialize)]
struct Leaf {
    name: String,
}

/// Plays every scene; a scene that fails is a row, an error only what stops the story.
pub async fn play(fleet: &mut Fleet, table: &mut Table, progress: &Progress) -> Result<()> {
    start(
        "all servers start with their real configs",
        fleet,
        table,
        progress,
    )?;
    linked(fleet, table).await?;
    crosses(fleet, table).await?;
    refused_upwards(fleet, table).await?;
    refused_downwards(fleet, table).await?;
    fails_over(fleet, table, progress).await
}

/// Starts every server, hubs first.
pub fn start(claim: &str, fleet: &mut Fleet, table: &mut Table, progress: &Progress) -> Result<()> {
    let since = Instant::now();
    let mut names = fleet.names();
    names.sort_by_key(|name| !name.starts_with("hub"));
    for name in &names {
        progress.doing(&format!("starting {name}"), || fleet.start(name))?;
    }
    table.held(claim, names.join(", "), since.elapsed());
    Ok(())
}

/// Every leaf has a link, by nkey or by certificate.
pub async fn linked(fleet: &Fleet, table: &mut Table) -> Result<()> {
    let since = Instant::now();
    let leaves: Vec<String> = fleet
        .names()
        .into_iter()
        .filter(|name| fleet.member(name).is_ok_and(|m| m.plan().link.is_some()))
        .collect();
    let mut saw = Vec::new();
    for leaf in &leaves {
        let hub = hub_of(fleet, leaf, None).await?;
        saw.push(format!("{leaf} → {hub}"));
    }
    table.held(
        "every leaf is linked, with TLS",
        saw.join(", "),
        since.elapsed(),
    );
    Ok(())
}

/// leaf → hub → another leaf, by declared flows.
async fn crosses(fleet: &Fleet, table: &mut Table) -> Result<()> {
    let claim = "what flows declare crosses: leaf → hub → leaf";
    let publisher = fleet.client(FROM.0, FROM.1).await?;
    let hub = any_hub(fleet, None)?;
    let watcher = fleet.client(&hub, WATCHER).await?;
    let follower = fleet.client(TO.0, TO.1).await?;
    let mut at_hub = watcher.subscribe("domain.graph.>").await?;
    let mut at_leaf = follower.subscribe("domain.graph.>").await?;
    let since = Instant::now();
    let subject = "domain.graph.node.7";
    arrives(&publisher, subject, &mut at_hub).await?;
    arrives(&publisher, subject, &mut at_leaf).await?;
    table.held(
        claim,
        format!("{subject}: {} → {hub} → {}", FROM.0, TO.0),
        since.elapsed(),
    );
    Ok(())
}

/// A subject that no flow declares does not reach the hub, although the hub asks for everything.
async fn refused_upwards(fleet: &Fleet, table: &mut Table) -> Result<()> {
    let publisher = fleet.client(FROM.0, FROM.1).await?;
    let watcher = fleet.client(&any_hub(fleet, None)?, WATCHER).await?;
    let mut everything = watcher.subscribe("domain.>").await?;
    refused(
        table,
        "what no flow declares stays on the leaf",
        (&publisher, "domain.secret.plan", "domain.graph.node.8"),
        &mut everything,
    )
    .await
}

/// What the hub publishes reaches a leaf only where the leaf imports it.
async fn refused_downwards(fleet: &Fleet, table: &mut Table) -> Result<()> {
    let watcher = fleet.client(&any_hub(fleet, None)?, WATCHER).await?;
    let follower = fleet.client("cim-dev-001", "dev").await?;
    let mut everything = follower.subscribe("commands.>").await?;
    refused(
        table,
        "what a leaf does not import stays on the hub",
        (&watcher, "commands.prod.restart", "commands.dev.restart"),
        &mut everything,
    )
    .await
}

/// Sends an undeclared message before each declared one: when the declared one is there, the
/// other would have been there first.
pub async fn refused(
    table: &mut Table,
    claim: &str,
    (client, undeclared, declared): (&Client, &'static str, &'static str),
    everything: &mut Subscriber,
) -> Result<()> {
    let since = Instant::now();
    loop {
        client.publish(undeclared, "no".into()).await?;
        client.publish(declared, "yes".into()).await?;
        client.flush().await?;
        match tokio::time::timeout(AGAIN, everything.next()).await {
            Ok(Some(message)) if message.subject.as_str() == undeclared => {
                table.broken(claim, format!("{undeclared} crossed"));
                return Ok(());
            }
            Ok(Some(message)) => {
                let saw = format!("{} crossed, {undeclared} did not", message.subject);
                table.held(claim, saw, since.elapsed());
                return Ok(());
            }
            Ok(None) => anyhow::bail!("the connection was closed while waiting for {declared}"),
            Err(_) => ensure!(since.elapsed() < PATIENCE, "{declared} did not arrive"),
        }
    }
}

/// The hub node that a leaf hangs on dies; the leaf returns through another, and messages flow.
async fn fails_over(fleet: &mut Fleet, table: &mut Table, progress: &Progress) -> Result<()> {
    let lost = hub_of(fleet, FROM.0, None).await?;
    let since = Instant::now();
    progress.note(&format!("killing {lost}, on which {} hangs", FROM.0));
    fleet.kill(&lost)?;
    let found = hub_of(fleet, FROM.0, Some(&lost)).await?;
    table.held(
        "a leaf returns through another hub node",
        format!("{} → {found}, {lost} is dead", FROM.0),
        since.elapsed(),
    );
    let publisher = fleet.client(FROM.0, FROM.1).await?;
    let watcher = fleet.client(&any_hub(fleet, Some(&lost))?, WATCHER).await?;
    let mut at_hub = watcher.subscribe("domain.graph.>").await?;
    arrives(&publisher, "domain.graph.node.9", &mut at_hub).await?;
    table.held(
        "messages flow again after the loss",
        format!("domain.graph.node.9: {} → {found}", FROM.0),
        since.elapsed(),
    );
    let since = Instant::now();
    fleet.start(&lost)?;
    table.held(
        "the lost node comes back",
        format!("{lost} is ready"),
        since.elapsed(),
    );
    Ok(())
}

/// Publishes until the message arrives: interest takes a moment to spread.
pub async fn arrives(client: &Client, subject: &'static str, at: &mut Subscriber) -> Result<()> {
    let since = Instant::now();
    loop {
        client.publish(subject, "7".into()).await?;
        client.flush().await?;
        match tokio::time::timeout(AGAIN, at.next()).await {
            Ok(Some(message)) if message.subject.as_str() == subject => return Ok(()),
            Ok(Some(_)) => {}
            Ok(None) => anyhow::bail!("the connection was closed while waiting for {subject}"),
            Err(_) => ensure!(since.elapsed() < PATIENCE, "{subject} did not arrive"),
        }
    }
}

/// The hub node that a leaf is linked to, other than `lost`.
pub async fn hub_of(fleet: &Fleet, leaf: &str, lost: Option<&str>) -> Result<String> {
    let since = Instant::now();
    loop {
        let links: Leafz = fleet.server(leaf)?.get("/leafz")?;
        let hub = links
            .leafs
            .into_iter()
            .find(|hub| Some(hub.name.as_str()) != lost);
        if let Some(hub) = hub {
            return Ok(hub.name);
        }
        ensure!(since.elapsed() < PATIENCE, "{leaf} found no hub");
        tokio::time::sleep(AGAIN).await;
    }
}

fn any_hub(fleet: &Fleet, lost: Option<&str>) -> Result<String> {
    fleet
        .names()
        .into_iter()
        .find(|name| name.starts_with("hub") && Some(name.as_str()) != lost)
        .context("no hub runs")
}
