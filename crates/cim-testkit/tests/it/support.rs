//! The fleet of `hosts/`, and messages through it.

use std::time::Duration;

use anyhow::{Context, Result};
use async_nats::{Client, Subscriber};
use cim_testkit::{Fleet, Ports, golden, nats_server, plan, until};
use futures_util::StreamExt;
use tempfile::TempDir;

pub const HUBS: [&str; 3] = ["hub-1", "hub-2", "hub-3"];
pub const HOSTS: [&str; 6] = [
    "cim-dev-001",
    "cim-prod-001",
    "cim-prod-002",
    "hub-1",
    "hub-2",
    "hub-3",
];

/// The folder goes after the servers.
pub struct Hosts {
    pub fleet: Fleet,
    _dir: TempDir,
}

/// The servers of some hosts; none runs yet. `leaf_pings` overrides the leaves' pingInterval.
pub fn hosts(names: &[&str], leaf_pings: Option<&str>) -> Result<Hosts> {
    let plans = names.iter().map(|name| {
        let mut spec = golden(name)?;
        if let (Some(interval), Some(limits)) = (
            leaf_pings,
            spec.pointer_mut("/leaf/leaf/server/limits/pingInterval"),
        ) {
            *limits = interval.into();
        }
        plan(&spec)
    });
    let plans = plans.collect::<Result<Vec<_>>>()?;
    let dir = tempfile::tempdir().context("creating a folder")?;
    Ok(Hosts {
        fleet: Fleet::prepare(plans, dir.path(), &nats_server()?, Ports::Free)?,
        _dir: dir,
    })
}

/// The same, all running, all leaves linked and all hub nodes routed to each other.
pub async fn running(names: &[&str], leaf_pings: Option<&str>) -> Result<Hosts> {
    let mut hosts = hosts(names, leaf_pings)?;
    hosts.fleet.start_all()?;
    for name in names {
        if HUBS.contains(name) {
            let others = names.iter().filter(|other| HUBS.contains(other)).count() - 1;
            routed(&hosts.fleet, name, others).await?;
        } else {
            hosts.fleet.linked(name).await?;
        }
    }
    Ok(hosts)
}

/// Waits until a hub node has routes to `others` other nodes.
pub async fn routed(fleet: &Fleet, hub: &str, others: usize) -> Result<()> {
    until(&format!("{hub} has routes to {others} nodes"), async || {
        let routez: serde_json::Value = fleet.server(hub)?.get("/routez")?;
        let names: std::collections::BTreeSet<String> = routez["routes"]
            .as_array()
            .context("no routes")?
            .iter()
            .map(|route| route["remote_name"].to_string())
            .collect();
        anyhow::ensure!(names.len() == others, "it has {names:?}");
        Ok(())
    })
    .await
}

/// Subscribes; the server knows a moment later.
pub async fn hear(client: &Client, subject: &str) -> Result<Subscriber> {
    let subscriber = client.subscribe(subject.to_owned()).await?;
    client.flush().await?;
    Ok(subscriber)
}

/// Publishes rounds of messages, one for each subject in this order, until the last subject of a
/// round is heard; gives what else was heard, in order.
///
/// Interest spreads after a subscription, so the first rounds may find nobody. Another whole round
/// follows the first that is heard: by then whatever may cross does.
pub async fn rounds(
    publisher: &Client,
    subjects: &[&str],
    ears: &mut Subscriber,
) -> Result<Vec<String>> {
    let last = *subjects.last().context("no subject")?;
    let mut heard = Vec::new();
    for round in ["first", "second"] {
        until(
            &format!("{last} is heard in the {round} round"),
            async || {
                for subject in subjects {
                    publisher
                        .publish((*subject).to_owned(), round.into())
                        .await?;
                }
                publisher.flush().await?;
                while let Ok(message) =
                    tokio::time::timeout(Duration::from_millis(50), ears.next()).await
                {
                    let message = message.context("the subscription ended")?;
                    let subject = message.subject.to_string();
                    if subject == last && message.payload == round {
                        return Ok(());
                    }
                    heard.push(subject);
                }
                anyhow::bail!("heard only {heard:?}")
            },
        )
        .await?;
    }
    heard.retain(|subject| subject != last);
    Ok(heard)
}

/// Publishes one subject until it is heard.
pub async fn crosses(publisher: &Client, subject: &str, ears: &mut Subscriber) -> Result<()> {
    rounds(publisher, &[subject], ears).await.map(drop)
}
