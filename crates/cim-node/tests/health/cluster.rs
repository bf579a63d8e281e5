//! A hub of three nodes.

use anyhow::{Context, Result, ensure};
use async_nats::Client;
use serde_json::{Value, json};

use crate::assets::{ask, consume, make, now, publish, update};
use crate::fault::{Fault, well};
use crate::scene::{LEAF, Scene, finding, level, open, prepared};

/// A node of the hub, whose fleet has one leaf.
pub fn node(name: &str) -> Result<Value> {
    let mut hub = open(name)?;
    let leaves = hub.pointer_mut("/hub/fleet/leaves");
    let leaves = leaves.and_then(Value::as_object_mut).context("leaves")?;
    leaves.retain(|leaf, _| leaf == LEAF);
    Ok(hub)
}

pub async fn three() -> Result<Scene> {
    let mut scene = prepared(&[node("hub-1")?, node("hub-2")?, node("hub-3")?])?;
    // healthz is good only once all are there.
    for name in ["hub-1", "hub-2", "hub-3"] {
        scene.fleet.start(name)?;
    }
    well(&scene)?;
    Ok(scene)
}

#[tokio::test]
async fn nodes_that_are_gone_and_a_majority_that_is() -> Result<()> {
    let mut scene = three().await?;
    let gone = Fault {
        check: "route",
        of: "hub-2",
        state: "WARNING",
        says: &["no route to hub-2; 2 of 3 nodes are left"],
    };
    gone.seen(
        &mut scene,
        |scene| scene.fleet.kill("hub-2"),
        |scene| scene.fleet.start("hub-2"),
    )?;
    // Two are no longer the business of one check: both routes, and what waits for them.
    scene.fleet.kill("hub-2")?;
    scene.fleet.kill("hub-3")?;
    let report = scene.until(|report| {
        for peer in ["hub-2", "hub-3"] {
            let found = finding(report, "route", peer)?;
            anyhow::ensure!(found["state"] == "CRITICAL", "{found:#}");
        }
        let meta = finding(report, "meta", "")?;
        anyhow::ensure!(meta["because"] == "route hub-2", "{meta:#}");
        let healthz = finding(report, "healthz", "")?;
        anyhow::ensure!(healthz["because"] == "route hub-2", "{healthz:#}");
        Ok(())
    })?;
    assert_eq!(report["exit"], 2);
    let message = finding(&report, "route", "hub-3")?["message"].to_string();
    assert!(
        message.contains("1 of 3 nodes are left, which is no majority"),
        "{message}"
    );
    scene.fleet.start("hub-2")?;
    scene.fleet.start("hub-3")?;
    well(&scene).map(drop)
}

#[tokio::test]
async fn a_meta_group_without_a_leader_although_routes_stand() -> Result<()> {
    let mut scene = three().await?;
    let lost = Fault {
        check: "meta",
        of: "",
        state: "CRITICAL",
        says: &["the meta group of 3 servers has no leader"],
    };
    lost.seen(
        &mut scene,
        |scene| {
            scene.freeze("hub-2")?;
            scene.freeze("hub-3")
        },
        Scene::thaw,
    )
}

/// Has hub-1 lead.
pub async fn led(client: &Client, stepdown: &str, info: &str) -> Result<()> {
    cim_testkit::until("hub-1 leads", async || {
        let found = ask(client, info, Value::Null).await?;
        if found["cluster"]["leader"] == "hub-1" {
            return Ok(());
        }
        let to = json!({"placement": {"preferred": "hub-1"}});
        ask(client, stepdown, to).await?;
        anyhow::bail!("{found}")
    })
    .await
}

/// A stream with a consumer, three copies of each, led by hub-1.
async fn copied(scene: &Scene, stream: &Value) -> Result<Client> {
    let client = scene.fleet.client("hub-1", "alchemist").await?;
    cim_testkit::until("streams can be made", async || make(&client, stream).await).await?;
    let consumer = json!({"durable_name": "reader", "ack_policy": "explicit",
        "metadata": {"io.nats.monitor.enabled": "true"}});
    consume(&client, "EVENTS", &consumer, "").await?;
    led(
        &client,
        "STREAM.LEADER.STEPDOWN.EVENTS",
        "STREAM.INFO.EVENTS",
    )
    .await?;
    let (stepdown, info) = (
        "CONSUMER.LEADER.STEPDOWN.EVENTS.reader",
        "CONSUMER.INFO.EVENTS.reader",
    );
    led(&client, stepdown, info).await?;
    Ok(client)
}

/// Each node has a copy and looks at it; what only the leader knows, only the leader says.
#[tokio::test(flavor = "multi_thread")]
async fn copies_of_a_stream_are_judged_by_their_leader() -> Result<()> {
    let mut scene = three().await?;
    let mut stream = json!({"name": "EVENTS", "subjects": ["events"], "num_replicas": 3,
        "metadata": {"io.nats.monitor.enabled": "true"}});
    let client = copied(&scene, &stream).await?;
    publish(&client, "events", 3).await?;
    stream["metadata"]["io.nats.monitor.msgs-critical"] = json!("3");
    update(&client, &stream).await?;
    for name in ["hub-1", "hub-2", "hub-3"] {
        scene.watch(name)?;
        scene.health.watch.levels.pending = level(1, 3);
        let (state, says) = match name {
            "hub-1" => (
                "CRITICAL",
                ["3 messages, io.nats.monitor.msgs-critical", "3 to deliver"],
            ),
            _ => (
                "OK",
                [
                    "3 messages, led by hub-1",
                    "there; its leader is another server",
                ],
            ),
        };
        scene.until(|report| {
            let found = [
                finding(report, "stream", "CIM/EVENTS")?,
                finding(report, "consumer", "CIM/EVENTS/reader")?,
            ];
            for (found, says) in found.iter().zip(says) {
                let message = found["message"].as_str().unwrap_or_default();
                ensure!(
                    found["state"] == state && message.starts_with(says),
                    "{found:#}"
                );
            }
            Ok(())
        })?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_that_are_behind_or_gone() -> Result<()> {
    let mut scene = three().await?;
    let stream = json!({"name": "EVENTS", "subjects": ["events"], "num_replicas": 3,
        "metadata": {"io.nats.monitor.enabled": "true"}});
    let client = copied(&scene, &stream).await?;
    let behind = Fault {
        check: "stream",
        of: "CIM/EVENTS",
        state: "WARNING",
        says: &["its copy on hub-3 is behind"],
    };
    behind.seen(
        &mut scene,
        |scene| {
            scene.freeze("hub-3")?;
            // The other two are a majority.
            now(publish(&client, "events", 3))
        },
        Scene::thaw,
    )?;
    // Two things are wrong then: the node, which says goodbye, and what it had. Of one that is killed it takes a minute.
    scene.stop("hub-3")?;
    scene.until(|report| {
        let route = finding(report, "route", "hub-3")?;
        ensure!(route["state"] == "WARNING", "{route:#}");
        let copy = finding(report, "stream", "CIM/EVENTS")?;
        ensure!(copy["message"] == "its copy on hub-3 is gone", "{copy:#}");
        ensure!(report["exit"] == 1, "{report:#}");
        Ok(())
    })?;
    scene.fleet.kill("hub-3")?;
    scene.fleet.start("hub-3")?;
    well(&scene).map(drop)
}
