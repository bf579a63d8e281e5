//! Backups across a leaf link, of a cluster, and of streams that copy each other.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::held::{held, held_in};
use crate::support::{asked, cluster, leaf_and_hub, one, until};

/// From the hub, of a leaf's own domain, and back into it.
#[tokio::test]
async fn a_leafs_domain_from_the_hub() -> Result<()> {
    let (hub, leaf) = leaf_and_hub()?;
    leaf.stream("EVENTS", json!({})).await?;
    leaf.consumer("EVENTS", "c", json!({})).await?;
    leaf.publish("EVENTS", 20_000, 700).await?;
    leaf.consume("EVENTS", "c", 5, |place| place != 2).await?;
    let before = held(&leaf.api().await?, "STREAM.NAMES").await?;
    let domain = ["--domain", "edge"];
    until(async || {
        let there = held_in(&hub, "edge").await;
        Ok(there.ok())
    })
    .await?;
    hub.create(&domain)?
        .ended(0, &["1 streams, 1 consumers, 20000 messages"]);
    let backup = cim_node::backup::folder::backups(&hub.folder())?.remove(0);
    let api = leaf.api().await?;
    asked(&api, "STREAM.DELETE.EVENTS", &Value::Null).await?;
    hub.restore(&backup, &domain)?
        .ended(0, &["1 streams restored"]);
    assert_eq!(held(&api, "STREAM.NAMES").await?, before);
    hub.drill(&[])?.ended(0, &["1 of 1"]);
    Ok(())
}

/// What a hub collects of a leaf's stream comes to it again once that was restored, though the leaf itself knows of no
/// copy and `restore` cannot warn: the restored stream is another one. Nothing is lost, and what is new comes once.
#[tokio::test]
async fn a_restored_stream_of_a_leaf_comes_to_its_hub_again() -> Result<()> {
    let (hub, leaf) = leaf_and_hub()?;
    leaf.stream("EVENTS", json!({})).await?;
    leaf.publish("EVENTS", 500, 50).await?;
    let there = json!({"name": "EVENTS", "external": {"api": "$JS.edge.API"}});
    hub.stream("ALL", json!({"subjects": null, "sources": [there]}))
        .await?;
    let collected = async |last: u64| {
        let api = hub.api().await?;
        let reached = until(async || {
            let info = asked(&api, "STREAM.INFO.ALL", &Value::Null).await?;
            Ok((info["state"]["last_seq"] == last).then_some(()))
        });
        reached.await.with_context(|| format!("ALL at {last}"))
    };
    collected(500).await?;
    let backup = leaf.created()?;
    let api = leaf.api().await?;
    asked(&api, "STREAM.DELETE.EVENTS", &Value::Null).await?;
    leaf.restore(&backup, &[])?
        .ended(0, &["1 streams restored"]);
    collected(1000).await?;
    leaf.publish("EVENTS", 10, 50).await?;
    collected(1010).await
}

/// Three replicas come back on three servers, and on one.
#[tokio::test]
async fn a_cluster_and_back_into_it_or_into_one_server() -> Result<()> {
    let nodes = cluster().await?;
    let node = &nodes[0];
    let api = node.api().await?;
    node.stream("R3", json!({"num_replicas": 3})).await?;
    node.stream("R1", json!({})).await?;
    for name in ["R3", "R1"] {
        node.publish(name, 3000, 100).await?;
        node.consumer(name, "c", json!({})).await?;
        node.consume(name, "c", 8, |_| true).await?;
    }
    node.consumer(
        "R3",
        "three",
        json!({"num_replicas": 3, "filter_subject": "R3.1"}),
    )
    .await?;
    // Each consumer's node has heard of all messages, and of what was acknowledged.
    for (of, waiting) in [("R3.c", 2992), ("R1.c", 2992), ("R3.three", 300)] {
        until(async || {
            let info = asked(&api, &format!("CONSUMER.INFO.{of}"), &Value::Null).await?;
            let settled = info["num_pending"] == waiting && info["num_ack_pending"] == 0;
            Ok(settled.then_some(()))
        })
        .await?;
    }
    let before = held(&api, "STREAM.NAMES").await?;
    let backup = node.created()?;
    node.drill(&[])?.ended(0, &["2 of 2"]);
    for name in ["R3", "R1"] {
        asked(&api, &format!("STREAM.DELETE.{name}"), &Value::Null).await?;
    }
    until(async || {
        // A server that has not heard yet may still answer for a stream that is gone: then it is refused.
        let said = node.restore(&backup, &[])?;
        Ok((!said.err.contains("never replaces one")).then_some(said))
    })
    .await?
    .ended(0, &["2 streams restored"]);
    until(async || {
        // Each of its consumers has a leader of its own.
        let after = held(&api, "STREAM.NAMES").await?;
        Ok((after == before).then_some(()))
    })
    .await?;
    let single = one()?;
    single
        .restore(&backup, &[])?
        .ended(2, &["replicas > 1 not supported"]);
    single
        .restore(&backup, &["--replicas", "1", "--missing"])?
        .ended(0, &["1 streams restored"]);
    let after = held(&single.api().await?, "STREAM.NAMES").await?;
    for (name, stream) in &before {
        assert_eq!(after[name][1], stream[1], "{name}");
        assert_eq!(after[name][2], stream[2], "{name}");
    }
    assert_eq!(after["R3"][3]["three"][2], before["R3"][3]["three"][2]);
    Ok(())
}

/// A mirror goes on where it was. What has a restored stream as a source copies it again, which nats-server 2.15.1 does and
/// a restore says: a stream is known by the moment at which it was made, and that is not in a snapshot.
#[tokio::test]
async fn copies_go_on_after_their_origins() -> Result<()> {
    let source = one()?;
    source.stream("A", json!({})).await?;
    source
        .stream("SUM", json!({"subjects": null, "sources": [{"name": "A"}]}))
        .await?;
    source
        .stream("MIRROR", json!({"subjects": null, "mirror": {"name": "A"}}))
        .await?;
    source.stream("SHUT", json!({})).await?;
    source.publish("SHUT", 10, 10).await?;
    source.publish("A", 500, 50).await?;
    let api = source.api().await?;
    let sealed = json!({"name": "SHUT", "subjects": ["SHUT.>"], "sealed": true});
    asked(&api, "STREAM.UPDATE.SHUT", &sealed).await?;
    let reaches = async |api: &cim_node::provision::api::Api, name: &str, last: u64| {
        let reached = until(async || {
            let info = asked(api, &format!("STREAM.INFO.{name}"), &Value::Null).await?;
            Ok((info["state"]["last_seq"] == last).then_some(()))
        });
        reached.await.with_context(|| format!("{name} at {last}"))
    };
    for name in ["SUM", "MIRROR"] {
        reaches(&api, name, 500).await?;
    }
    let backup = source.created()?;
    source.drill(&[])?.ended(0, &["4 of 4"]);
    let target = one()?;
    target.restore(&backup, &[])?.ended(
        1,
        &[
            "4 streams restored",
            "streams/SUM: has the restored stream A as a source",
            "its 500 messages again",
        ],
    );
    let there = target.api().await?;
    assert_eq!(
        asked(&there, "STREAM.INFO.SHUT", &Value::Null).await?["config"]["sealed"],
        true
    );
    target.publish("A", 100, 50).await?;
    reaches(&there, "MIRROR", 600).await?;
    reaches(&there, "SUM", 1100).await
}
