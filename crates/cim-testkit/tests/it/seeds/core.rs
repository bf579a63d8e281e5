//! Seed 001: the hub is a cluster of 3 that keeps streams, behind TLS that asks for certificates.

use anyhow::{Result, ensure};
use async_nats::ConnectOptions;
use async_nats::jetstream::stream::Config;

use super::{number, running, stored, stream};
use crate::support::{crosses, hear, routed};

const NODES: [&str; 3] = ["nats-0", "nats-1", "nats-2"];

#[tokio::test]
async fn the_hub_keeps_a_stream_on_three_nodes_and_loses_none_with_one() -> Result<()> {
    let mut example = running("core-hub", &["edge", "nats-0", "nats-1", "nats-2"])?;
    for node in NODES {
        routed(&example.fleet, node, 2).await?;
        let gib = 1 << 30;
        let config = |name| number(&example.fleet, node, "/jsz", name);
        assert_eq!(config("/config/max_memory")?, 4 * gib);
        assert_eq!(config("/config/max_storage")?, 100 * gib);
    }
    let linked = example.fleet.linked("edge").await?;
    let alchemist = example.fleet.client("nats-0", "alchemist").await?;
    let config = Config {
        name: "DEVICES".to_owned(),
        subjects: vec!["device.>".to_owned()],
        num_replicas: 3,
        ..Default::default()
    };
    stream(&alchemist, config).await?;
    assert_eq!(stored(&alchemist, "device.1").await?, "nats-core");

    let app = example.fleet.client("edge", "app").await?;
    crosses(&app, "device.2", &mut hear(&alchemist, "device.2").await?).await?;
    // Not the node that this test talks to, nor the one that the leaf does.
    let victim = NODES
        .iter()
        .rev()
        .find(|node| **node != linked && **node != "nats-0");
    example.fleet.kill(victim.copied().unwrap_or_default())?;
    stored(&alchemist, "device.3").await?;
    crosses(&app, "device.4", &mut hear(&alchemist, "device.4").await?).await
}

#[tokio::test]
async fn a_key_without_a_certificate_does_not_get_in() -> Result<()> {
    let example = running("core-hub", &["nats-0"])?;
    let seed = example.fleet.seed("nats-0", "alchemist")?.to_owned();
    let options = ConnectOptions::with_nkey(seed);
    let client = example.fleet.connect("nats-0", options).await;
    ensure!(client.is_err(), "it does");
    example.fleet.client("nats-0", "alchemist").await.map(drop)
}
