//! Seed 002, subject mapping: what should arrive arrives under its name at that end, and nothing else does.

use anyhow::Result;

use super::running;
use crate::support::{hear, rounds};

#[tokio::test]
async fn what_the_hub_sends_arrives_at_the_leaf_under_its_new_name() -> Result<()> {
    let example = running("subject-mapping", &["cim-001", "hub"])?;
    let fleet = &example.fleet;
    fleet.linked("cim-001").await?;
    let alchemist = fleet.client("hub", "alchemist").await?;
    let graph = fleet.client("cim-001", "graph").await?;
    let mut everything = hear(&graph, ">").await?;
    // `rounds` waits for the name that was published, so the last one keeps its name.
    let subjects = [
        "secret.x",
        "domain.graph.x",
        "leaf.cim-001.domain.graph.x",
        "metrics.x",
        "global.other.x",
        "hub.commands.x",
        "commands.reboot",
        "global.events.x",
    ];
    let heard = rounds(&alchemist, &subjects, &mut everything).await?;
    assert!(!heard.is_empty());
    assert!(
        heard.iter().all(|subject| subject == "hub.commands.reboot"),
        "{heard:?}"
    );
    Ok(())
}

#[tokio::test]
async fn what_the_leaf_sends_arrives_at_the_hub_under_its_new_name() -> Result<()> {
    let example = running("subject-mapping", &["cim-001", "hub"])?;
    let fleet = &example.fleet;
    fleet.linked("cim-001").await?;
    let alchemist = fleet.client("hub", "alchemist").await?;
    let graph = fleet.client("cim-001", "graph").await?;
    let mut everything = hear(&alchemist, ">").await?;
    let subjects = [
        "secret.x",
        "commands.x",
        "hub.commands.x",
        "global.events.x",
        "leaf.cim-001.domain.graph.y",
        "leaf.cim-002.domain.graph.y",
        "domain.other.x",
        "$KV.bucket.key",
        "domain.graph.n1",
        "metrics.cpu",
    ];
    let heard = rounds(&graph, &subjects, &mut everything).await?;
    assert!(!heard.is_empty());
    assert!(
        heard
            .iter()
            .all(|subject| subject == "leaf.cim-001.domain.graph.n1"),
        "{heard:?}"
    );
    Ok(())
}

#[tokio::test]
async fn at_home_everything_keeps_its_name_and_is_heard_once() -> Result<()> {
    let example = running("subject-mapping", &["cim-001", "hub"])?;
    let fleet = &example.fleet;
    fleet.linked("cim-001").await?;
    for (server, user) in [("cim-001", "graph"), ("hub", "alchemist")] {
        let client = fleet.client(server, user).await?;
        let mut everything = hear(&client, ">").await?;
        let subjects = ["domain.graph.n1", "commands.x", "metrics.cpu"];
        let mut heard = rounds(&client, &subjects, &mut everything).await?;
        heard.sort();
        let twice = [
            "commands.x",
            "commands.x",
            "domain.graph.n1",
            "domain.graph.n1",
        ];
        assert_eq!(heard, twice, "at {server}");
    }
    Ok(())
}
