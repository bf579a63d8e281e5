//! Hub nodes fail, and leaves go on through the others.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use cim_testkit::{Fleet, until};
use rustix::process::Signal;

use crate::support::{HUBS, crosses, hear, routed, running};

#[tokio::test]
async fn a_leaf_whose_hub_node_is_killed_goes_on_through_another_and_the_node_rejoins() -> Result<()>
{
    let mut hosts = running(&["cim-prod-001", "hub-1", "hub-2", "hub-3"], None).await?;
    let fleet = &mut hosts.fleet;
    let graph = fleet.client("cim-prod-001", "graph").await?;
    let killed = fleet.linked("cim-prod-001").await?;
    fleet.kill(&killed)?;

    let hub = moved(fleet, "cim-prod-001", &killed).await?;
    let survivor = fleet.client(&hub, "alchemist").await?;
    crosses(
        &graph,
        "domain.graph.x",
        &mut hear(&survivor, "domain.graph.>").await?,
    )
    .await?;

    fleet.start(&killed)?;
    for hub in HUBS {
        routed(fleet, hub, 2).await?;
    }
    let returned = fleet.client(&killed, "alchemist").await?;
    crosses(
        &graph,
        "domain.graph.x",
        &mut hear(&returned, "domain.graph.>").await?,
    )
    .await?;
    crosses(
        &returned,
        "commands.x",
        &mut hear(&graph, "commands.>").await?,
    )
    .await
}

#[tokio::test]
async fn a_leaf_notices_a_frozen_hub_node_by_its_pings_and_moves() -> Result<()> {
    let hosts = running(&["cim-prod-001", "hub-1", "hub-2", "hub-3"], Some("1s")).await?;
    let fleet = &hosts.fleet;
    let graph = fleet.client("cim-prod-001", "graph").await?;
    let frozen = fleet.linked("cim-prod-001").await?;
    fleet.server(&frozen)?.signal(Signal::STOP)?;
    let since = Instant::now();

    fleet.says("cim-prod-001", "Stale Connection").await?;
    // pingInterval 1s, pingMax 2: dead when the third ping would be due; 2 s for a busy machine.
    let noticed = since.elapsed();
    ensure!(
        noticed < Duration::from_secs(5),
        "it noticed after {noticed:?}"
    );

    let hub = moved(fleet, "cim-prod-001", &frozen).await?;
    let survivor = fleet.client(&hub, "alchemist").await?;
    crosses(
        &graph,
        "domain.graph.x",
        &mut hear(&survivor, "domain.graph.>").await?,
    )
    .await?;
    fleet.server(&frozen)?.signal(Signal::CONT)
}

/// Waits until a leaf hangs on another node.
async fn moved(fleet: &Fleet, leaf: &str, away_from: &str) -> Result<String> {
    until(&format!("{leaf} leaves {away_from}"), async || {
        let links = fleet.links(leaf)?;
        let hub = links
            .first()
            .map(|link| link.name.clone())
            .unwrap_or_default();
        ensure!(!hub.is_empty() && hub != away_from, "it hangs on {hub:?}");
        ensure!(
            fleet.links(&hub)?.iter().any(|l| l.name == leaf),
            "{hub} does not list it"
        );
        Ok(hub)
    })
    .await
}
