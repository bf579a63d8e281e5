//! A hub and the leaves that the fleet has dial it.

use anyhow::Result;

use crate::fault::Fault;
use crate::scene::{HUB, LEAF, finding, pair};

#[tokio::test]
async fn a_leaf_that_is_gone_is_missing_by_name() -> Result<()> {
    let mut scene = pair().await?;
    scene.watch(HUB)?;
    let gone = Fault {
        check: "leaf",
        of: LEAF,
        state: "CRITICAL",
        says: &["not linked: cim-prod-001"],
    };
    gone.seen(
        &mut scene,
        |scene| scene.fleet.kill(LEAF),
        |scene| scene.fleet.start(LEAF),
    )
}

#[tokio::test]
async fn one_of_two_servers_of_a_leaf_is_a_warning() -> Result<()> {
    let mut scene = pair().await?;
    scene.watch(HUB)?;
    let half = Fault {
        check: "leaf",
        of: LEAF,
        state: "WARNING",
        says: &["not linked: cim-prod-001-b"],
    };
    half.seen(
        &mut scene,
        |scene| {
            let servers = &mut scene.health.watch.leaves[0].servers;
            servers.push("cim-prod-001-b".to_owned());
            Ok(())
        },
        |scene| {
            scene.health.watch.leaves[0].servers.truncate(1);
            Ok(())
        },
    )
}

#[tokio::test]
async fn a_hub_of_several_nodes_does_not_judge_leaves_alone() -> Result<()> {
    let mut scene = pair().await?;
    scene.watch(HUB)?;
    scene.fleet.kill(LEAF)?;
    scene.health.watch.peers.push("hub-2".to_owned());
    let report = scene.report()?;
    assert!(finding(&report, "leaf", LEAF).is_err());
    let later = report["later"].to_string();
    assert!(
        later.contains("\"leaf\"") && later.contains("several nodes"),
        "{later}"
    );
    Ok(())
}
