//! What is declared crosses, and nothing else does.

use anyhow::Result;
use async_nats::{Client, RequestErrorKind};
use cim_testkit::{Fleet, until};

use crate::support::{HOSTS, HUBS, crosses, hear, rounds, running};

const STREAM: &str = r#"{"name":"X","subjects":["x.>"],"storage":"memory"}"#;

#[tokio::test]
async fn the_graph_of_cim_prod_001_arrives_at_every_hub_node_and_at_cim_prod_002_alone()
-> Result<()> {
    let hosts = running(&HOSTS, None).await?;
    let fleet = &hosts.fleet;
    let graph = fleet.client("cim-prod-001", "graph").await?;
    let dev = fleet.client("cim-dev-001", "dev").await?;
    let mut at_dev = hear(&dev, ">").await?;

    for hub in HUBS {
        let alchemist = fleet.client(hub, "alchemist").await?;
        crosses(
            &graph,
            "domain.graph.x",
            &mut hear(&alchemist, "domain.graph.x").await?,
        )
        .await?;
    }
    let workflow = fleet.client("cim-prod-002", "workflow").await?;
    crosses(
        &graph,
        "domain.graph.x",
        &mut hear(&workflow, "domain.graph.x").await?,
    )
    .await?;

    // The same hub node sends the command after the graph, so dev would hear the graph first.
    let hub = fleet.linked("cim-dev-001").await?;
    let alchemist = fleet.client(&hub, "alchemist").await?;
    let mut at_hub = hear(&alchemist, "domain.graph.x").await?;
    crosses(&graph, "domain.graph.x", &mut at_hub).await?;
    let others = rounds(&alchemist, &["commands.dev.x"], &mut at_dev).await?;
    assert_eq!(others, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn what_is_not_declared_does_not_leave_a_leaf_nor_can_it_speak_as_another() -> Result<()> {
    let hosts = running(&HOSTS, None).await?;
    let fleet = &hosts.fleet;
    // May publish everything at home: only the link holds it back.
    let workflow = fleet.client("cim-prod-002", "workflow").await?;
    let undeclared = [
        "secret.x",
        "commands.x",
        "domain.graph.x", // cim-prod-001's to send
        "metricsx.y",
        "$KV.bucket.key",
        "$MQTT.msgs.x", // nats-server's own exception from allow lists
        "metrics.x",
    ];
    for hub in HUBS {
        let alchemist = fleet.client(hub, "alchemist").await?;
        let mut everything = hear(&alchemist, ">").await?;
        let heard = rounds(&workflow, &undeclared, &mut everything).await?;
        assert_eq!(heard, [""; 0], "at {hub}");
    }

    let alchemist = fleet.client("hub-1", "alchemist").await?;
    let mut named = Vec::new();
    for subject in &undeclared[..6] {
        named.push(hear(&alchemist, subject).await?);
    }
    let mut declared = hear(&alchemist, "metrics.x").await?;
    rounds(&workflow, &undeclared, &mut declared).await?;
    for (mut ears, subject) in named.into_iter().zip(undeclared) {
        ears.unsubscribe().await?;
        assert!(
            futures_util::StreamExt::next(&mut ears).await.is_none(),
            "{subject} crossed"
        );
    }
    no_service(&workflow, "$JS.hub.API.INFO").await?;
    no_service(&workflow, "$SYS.REQ.SERVER.PING").await
}

#[tokio::test]
async fn what_is_not_declared_does_not_reach_a_leaf() -> Result<()> {
    let hosts = running(&HOSTS, None).await?;
    let fleet = &hosts.fleet;
    let leaves = [
        ("cim-prod-001", "graph", "commands.x"),
        ("cim-prod-002", "workflow", "domain.graph.x"),
        ("cim-dev-001", "dev", "commands.dev.x"),
    ];
    for (leaf, user, declared) in leaves {
        let client = fleet.client(leaf, user).await?;
        let mut everything = hear(&client, ">").await?;
        for hub in HUBS {
            let alchemist = fleet.client(hub, "alchemist").await?;
            alchemist
                .publish(format!("$JS.{leaf}.API.STREAM.CREATE.X"), STREAM.into())
                .await?;
            let mut subjects = vec![
                "secret.x",
                "metrics.x",
                "domain.other.x",
                "$KV.bucket.key",
                "$MQTT.msgs.x",
            ];
            if leaf == "cim-dev-001" {
                subjects.extend(["commands.prod.x", "global.events.x"]);
            }
            if leaf != "cim-prod-002" {
                subjects.push("domain.graph.x");
            }
            subjects.push(declared);
            let heard = rounds(&alchemist, &subjects, &mut everything).await?;
            assert_eq!(heard, [""; 0], "from {hub} to {leaf}");
        }
        assert_eq!(streams(fleet, leaf)?, 0, "at {leaf}");
    }
    Ok(())
}

#[tokio::test]
async fn what_one_leaf_sends_to_the_hub_does_not_reach_another_that_did_not_ask() -> Result<()> {
    let hosts = running(&HOSTS, None).await?;
    let fleet = &hosts.fleet;
    let graph = fleet.client("cim-prod-001", "graph").await?;
    let workflow = fleet.client("cim-prod-002", "workflow").await?;
    let mut everything = hear(&workflow, ">").await?;
    // The hub itself wants metrics, so they are pulled up to it.
    let alchemist = fleet.client("hub-2", "alchemist").await?;
    let mut at_hub = hear(&alchemist, "metrics.>").await?;
    crosses(&graph, "metrics.x", &mut at_hub).await?;

    let heard = rounds(&graph, &["metrics.x", "domain.graph.x"], &mut everything).await?;
    assert_eq!(heard, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn a_leaf_makes_no_stream_on_the_hub() -> Result<()> {
    let hosts = running(&["cim-prod-002", "hub-1", "hub-2", "hub-3"], None).await?;
    let fleet = &hosts.fleet;
    let workflow = fleet.client("cim-prod-002", "workflow").await?;
    let alchemist = fleet.client("hub-1", "alchemist").await?;
    // The hub itself could: its JetStream has a leader and a free name.
    let mine = STREAM.replace('X', "MINE").replace("x.", "mine.");
    until("the hub has made a stream of its own", async || {
        let answer = alchemist
            .request("$JS.API.STREAM.CREATE.MINE", mine.clone().into())
            .await?;
        anyhow::ensure!(
            !answer.payload.windows(7).any(|w| w == b"\"error\""),
            "{answer:?}"
        );
        Ok(())
    })
    .await?;
    let mut at_hub = hear(&alchemist, "metrics.x").await?;
    for api in ["$JS.hub.API", "$JS.API"] {
        workflow
            .publish(format!("{api}.STREAM.CREATE.X"), STREAM.into())
            .await?;
        crosses(&workflow, "metrics.x", &mut at_hub).await?;
    }
    let names = alchemist.request("$JS.API.STREAM.NAMES", "".into()).await?;
    let names: serde_json::Value = serde_json::from_slice(&names.payload)?;
    assert_eq!(names["streams"], serde_json::json!(["MINE"]));
    // Nobody waited for its answer.
    until("the leaf has made a stream of its own", async || {
        anyhow::ensure!(streams(fleet, "cim-prod-002")? == 1, "not yet");
        Ok(())
    })
    .await
}

fn streams(fleet: &Fleet, server: &str) -> Result<u64> {
    let jsz: serde_json::Value = fleet.server(server)?.get("/jsz")?;
    Ok(jsz["streams"].as_u64().unwrap_or_default())
}

/// Nobody answers there: the subject is not led across the link.
async fn no_service(client: &Client, subject: &str) -> Result<()> {
    let error = client.request(subject.to_owned(), "".into()).await;
    let error = error.err().map(|error| error.kind());
    assert_eq!(
        error,
        Some(RequestErrorKind::NoResponders),
        "{subject} is answered"
    );
    Ok(())
}
