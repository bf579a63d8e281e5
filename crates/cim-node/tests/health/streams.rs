//! Streams and buckets, beside what is declared.

use std::fs;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::assets::{ask, consume, declare, declared, make, now, publish, remove, update};
use crate::fault::Fault;
use crate::scene::{LEAF, alone, open};

const STREAM: Fault = Fault {
    check: "stream",
    of: "CIM-PROD/GRAPH",
    state: "CRITICAL",
    says: &[],
};

#[tokio::test(flavor = "multi_thread")]
async fn streams_that_are_missing_or_differ() -> Result<()> {
    let (mut scene, client) = declared().await?;
    let missing = Fault {
        of: "CIM-PROD/OTHER",
        says: &["it is declared and not there"],
        ..STREAM
    };
    let other = json!({"name": "OTHER", "subjects": ["other"]});
    // Once it is there it is judged like the others; so its file goes again for the next case.
    let path = declare(&scene, "streams/OTHER.json", &other)?;
    make(&client, &other).await?;
    missing.seen(
        &mut scene,
        |_| now(remove(&client, "OTHER")),
        |_| now(make(&client, &other)),
    )?;
    fs::remove_file(path)?;
    let differs = Fault {
        says: &["differs from its declaration: max_msgs is 7, declared is null"],
        ..STREAM
    };
    let stream = json!({"name": "GRAPH", "subjects": ["domain.graph.>"]});
    let mut changed = stream.clone();
    changed["max_msgs"] = json!(7);
    differs.seen(
        &mut scene,
        |_| now(update(&client, &changed)),
        |_| now(update(&client, &stream)),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn buckets_are_streams_too() -> Result<()> {
    let (mut scene, client) = declared().await?;
    let bucket = json!({"bucket": "SETTINGS", "history": 5});
    let path = declare(&scene, "kv/SETTINGS.json", &bucket)?;
    let said = scene.report()?;
    let found = crate::scene::finding(&said, "stream", "CIM-PROD/KV_SETTINGS")?;
    ensure!(found["state"] == "CRITICAL", "{found}");
    let declared: cim_spec::asset::KeyValue = serde_json::from_value(bucket.clone())?;
    make(&client, &serde_json::to_value(declared.stream())?).await?;
    crate::fault::well(&scene)?;
    let unreadable = Fault {
        check: "assets",
        of: "",
        state: "UNKNOWN",
        says: &["kv/SETTINGS.json: ", "histry is not a field"],
    };
    unreadable.seen(
        &mut scene,
        |_| Ok(fs::write(&path, r#"{"bucket": "SETTINGS", "histry": 5}"#)?),
        |_| Ok(fs::write(&path, bucket.to_string())?),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn levels_that_assets_carry_themselves() -> Result<()> {
    let mut scene = alone(&open("security-cim-prod-001")?)?;
    let client = scene.fleet.client(LEAF, "graph").await?;
    // Nobody declared these; their metadata asks for it.
    let carried = |name: &str, levels: Value| {
        let mut metadata = json!({"io.nats.monitor.enabled": "true"});
        for (key, value) in levels.as_object().into_iter().flatten() {
            metadata[format!("io.nats.monitor.{key}")] = value.clone();
        }
        json!({"name": name, "subjects": ["domain.graph.>"], "metadata": metadata})
    };
    make(
        &client,
        &carried("GRAPH", json!({"msgs-warn": "4", "msgs-critical": "2"})),
    )
    .await?;
    let mut consumer = json!({"durable_name": "reader", "ack_policy": "explicit"});
    consumer["metadata"] =
        json!({"io.nats.monitor.enabled": "true", "io.nats.monitor.waiting-critical": "1"});
    consume(&client, "GRAPH", &consumer, "").await?;
    publish(&client, "domain.graph.x", 5).await?;
    for (count, state, says) in [
        (4, "WARNING", "4 messages, io.nats.monitor.msgs-warn is 4"),
        (
            2,
            "CRITICAL",
            "2 messages, io.nats.monitor.msgs-critical is 2",
        ),
    ] {
        let few = Fault {
            state,
            says: &[says],
            ..STREAM
        };
        few.seen(
            &mut scene,
            |_| now(ask(&client, "STREAM.PURGE.GRAPH", json!({"keep": count}))).map(drop),
            |_| now(publish(&client, "domain.graph.x", 5 - count)),
        )?;
    }
    let right = carried("GRAPH", json!({"msgs-warn": "2"}));
    let wrong = carried("GRAPH", json!({"msgs-warn": "many"}));
    let unreadable = Fault {
        state: "UNKNOWN",
        says: &["metadata io.nats.monitor.msgs-warn is \"many\", which is no level"],
        ..STREAM
    };
    unreadable.seen(
        &mut scene,
        |_| now(update(&client, &wrong)),
        |_| now(update(&client, &right)),
    )?;
    let alone = carried("GRAPH", json!({"min-sources": "1"}));
    let few = Fault {
        says: &["0 sources, io.nats.monitor.min-sources is 1"],
        ..STREAM
    };
    few.seen(
        &mut scene,
        |_| now(update(&client, &alone)),
        |_| now(update(&client, &right)),
    )
}
