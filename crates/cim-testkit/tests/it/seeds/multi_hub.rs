//! Seed 002, several hubs: the leaf hangs on both, and goes on when a node of one fails.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use cim_testkit::{Fleet, until};

use super::running;
use crate::support::{crosses, hear, routed};

const LEAF: &str = "cim-prod-001";
const HUB: [&str; 3] = ["hub1", "hub2", "hub3"];

#[tokio::test]
async fn a_leaf_speaks_with_both_its_hubs_and_goes_on_when_a_node_dies() -> Result<()> {
    let mut example = running("multi-hub", &[LEAF, "hub1", "hub2", "hub3", "west1"])?;
    let fleet = &mut example.fleet;
    for node in HUB {
        routed(fleet, node, 2).await?;
    }
    let first = linked(fleet, None).await?;
    both_cross(fleet, "hub1").await?;

    fleet.kill(&first)?;
    let second = linked(fleet, Some(&first)).await?;
    both_cross(fleet, &second).await
}

#[tokio::test]
async fn only_the_link_that_is_to_goes_over_websocket() -> Result<()> {
    let example = running("multi-hub", &[LEAF, "hub1", "hub2", "hub3", "west1"])?;
    let fleet = &example.fleet;
    linked(fleet, None).await?;
    // nats-server's names for both kinds of link in its log.
    fleet.says("west1", "lid_ws:").await?;
    let node = linked(fleet, None).await?;
    fleet.says(&node, " lid:").await?;
    Ok(())
}

/// What crosses does so at both hubs.
async fn both_cross(fleet: &Fleet, node: &str) -> Result<()> {
    let graph = fleet.client(LEAF, "graph").await?;
    for hub in [node, "west1"] {
        let alchemist = fleet.client(hub, "alchemist").await?;
        let mut metrics = hear(&alchemist, "metrics.x").await?;
        crosses(&graph, "metrics.x", &mut metrics).await?;
        let mut commands = hear(&graph, "commands.x").await?;
        crosses(&alchemist, "commands.x", &mut commands).await?;
    }
    Ok(())
}

/// Waits until the leaf hangs on west1 and on a node of the other hub; gives that node.
async fn linked(fleet: &Fleet, away_from: Option<&str>) -> Result<String> {
    until("the leaf hangs on both hubs", async || {
        let links = fleet.links(LEAF)?.into_iter();
        let names: BTreeSet<String> = links.map(|link| link.name).collect();
        ensure!(names.len() == 2 && names.contains("west1"), "on {names:?}");
        let node = names
            .into_iter()
            .find(|name| name != "west1")
            .unwrap_or_default();
        ensure!(Some(node.as_str()) != away_from, "still on {node}");
        ensure!(
            fleet.links(&node)?.iter().any(|link| link.name == LEAF),
            "{node} does not list it"
        );
        Ok(node)
    })
    .await
}
