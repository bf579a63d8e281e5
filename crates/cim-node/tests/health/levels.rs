//! Every level that a stream or consumer may carry in its metadata: one that is reached, and the next that is not. Names and
//! directions are those of `nats server check` (jsm.go `monitor/stream.go`, `monitor/consumer.go`).

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use async_nats::{Client, Subscriber};
use serde_json::{Value, json};

use crate::assets::{ask, consume, fetch, make, publish, update};
use crate::cluster::three;
use crate::fault::well;
use crate::scene::{LEAF, Scene, alone, finding, open};

const PREFIX: &str = "io.nats.monitor.";

/// All that upstream knows.
const UPSTREAM: [&str; 18] = [
    "enabled",
    "lag-critical",
    "seen-critical",
    "min-sources",
    "max-sources",
    "peer-expect",
    "peer-lag-critical",
    "peer-seen-critical",
    "msgs-warn",
    "msgs-critical",
    "subjects-warn",
    "subjects-critical",
    "outstanding-ack-critical",
    "waiting-critical",
    "unprocessed-critical",
    "last-delivery-critical",
    "last-ack-critical",
    "redelivery-critical",
];

/// Levels that are reached: their names and values, the state then, what is said; and others that are not.
type Row<'a> = (
    &'a [(&'a str, &'a str)],
    &'a str,
    &'a str,
    &'a [(&'a str, &'a str)],
);

/// 4 messages on 2 subjects, of 2 sources.
const OF_STREAM: &[Row] = &[
    // Of messages there may be too few only.
    (
        &[("msgs-warn", "4")],
        "WARNING",
        "4 messages, io.nats.monitor.msgs-warn is 4",
        &[("msgs-warn", "3")],
    ),
    (
        &[("msgs-warn", "5"), ("msgs-critical", "4")],
        "CRITICAL",
        "4 messages, io.nats.monitor.msgs-critical is 4",
        &[("msgs-warn", "2"), ("msgs-critical", "3")],
    ),
    // Too many subjects, where the warning is the lower level.
    (
        &[("subjects-warn", "2"), ("subjects-critical", "3")],
        "WARNING",
        "2 subjects, io.nats.monitor.subjects-warn is 2",
        &[("subjects-warn", "3"), ("subjects-critical", "4")],
    ),
    (
        &[("subjects-warn", "1"), ("subjects-critical", "2")],
        "CRITICAL",
        "2 subjects, io.nats.monitor.subjects-critical is 2",
        &[("subjects-critical", "3")],
    ),
    // Too few, where it is the higher one.
    (
        &[("subjects-warn", "2"), ("subjects-critical", "1")],
        "WARNING",
        "2 subjects, io.nats.monitor.subjects-warn is 2",
        &[("subjects-warn", "1")],
    ),
    (
        &[("subjects-warn", "3"), ("subjects-critical", "2")],
        "CRITICAL",
        "2 subjects, io.nats.monitor.subjects-critical is 2",
        &[("subjects-warn", "1"), ("subjects-critical", "1")],
    ),
    (
        &[("min-sources", "3")],
        "CRITICAL",
        "2 sources, io.nats.monitor.min-sources is 3",
        &[("min-sources", "2")],
    ),
    (
        &[("max-sources", "1")],
        "CRITICAL",
        "2 sources, io.nats.monitor.max-sources is 1",
        &[("max-sources", "2")],
    ),
    (
        &[("peer-expect", "2")],
        "CRITICAL",
        "1 copies, io.nats.monitor.peer-expect is 2",
        &[("peer-expect", "1")],
    ),
    (
        &[("enabled", "yes")],
        "UNKNOWN",
        "metadata io.nats.monitor.enabled is \"yes\", which is no level",
        &[("enabled", "T")],
    ),
];

/// 3 messages to deliver, 1 to acknowledge that was delivered twice, 2 requests that wait.
const OF_CONSUMER: &[Row] = &[
    (
        &[("outstanding-ack-critical", "1")],
        "CRITICAL",
        "1 to acknowledge, io.nats.monitor.outstanding-ack-critical is 1",
        &[("outstanding-ack-critical", "2")],
    ),
    (
        &[("waiting-critical", "2")],
        "CRITICAL",
        "2 waiting requests, io.nats.monitor.waiting-critical is 2",
        &[("waiting-critical", "3")],
    ),
    (
        &[("unprocessed-critical", "3")],
        "CRITICAL",
        "3 to deliver, io.nats.monitor.unprocessed-critical is 3",
        &[("unprocessed-critical", "4")],
    ),
    (
        &[("redelivery-critical", "1")],
        "CRITICAL",
        "1 delivered again, io.nats.monitor.redelivery-critical is 1",
        &[("redelivery-critical", "2")],
    ),
    (
        &[("last-delivery-critical", "1ms")],
        "CRITICAL",
        "s ago, io.nats.monitor.last-delivery-critical is 0.001 s",
        &[("last-delivery-critical", "1d")],
    ),
    (
        &[("last-ack-critical", "1ms")],
        "CRITICAL",
        "s ago, io.nats.monitor.last-ack-critical is 0.001 s",
        &[("last-ack-critical", "1d")],
    ),
];

/// A configuration that carries these.
fn carrying(config: &Value, levels: &[(&str, &str)]) -> Value {
    let mut config = config.clone();
    let metadata = &mut config["metadata"];
    metadata[format!("{PREFIX}enabled")] = json!("true");
    for (name, level) in levels {
        metadata[format!("{PREFIX}{name}")] = json!(level);
    }
    config
}

/// A finding says this.
fn says(report: &Value, (check, of): (&str, &str), state: &str, part: &str) -> Result<()> {
    let found = finding(report, check, of)?;
    let message = found["message"].as_str().unwrap_or_default();
    ensure!(
        found["state"] == state && message.contains(part),
        "not {state} {part:?}: {found:#}"
    );
    Ok(())
}

/// Puts each row's levels on it, those that are not reached first; gives the names.
async fn held(
    scene: &Scene,
    name: (&str, &str),
    rows: &[Row<'_>],
    put: impl AsyncFn(&[(&str, &str)]) -> Result<()>,
) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for (reached, state, part, quiet) in rows {
        let doing = || format!("{reached:?}, and then {quiet:?}");
        put(quiet).await.with_context(doing)?;
        scene
            .until(|report| says(report, name, "OK", ""))
            .with_context(doing)?;
        put(reached).await.with_context(doing)?;
        scene
            .until(|report| says(report, name, state, part))
            .with_context(doing)?;
        names.extend(reached.iter().map(|(name, _)| (*name).to_owned()));
    }
    Ok(names)
}

/// What the consumer's rows say; requests wait for as long as somebody listens.
async fn lagging(client: &Client) -> Result<Subscriber> {
    let first = fetch(client, 1).await?;
    let reply = first.into_iter().next().and_then(|message| message.reply);
    let reply = reply.context("a message to acknowledge")?;
    client.publish(reply, "-NAK".into()).await?;
    // It comes again, and is held.
    fetch(client, 1).await?;
    let inbox = client.new_inbox();
    let listening = client.subscribe(inbox.clone()).await?;
    for _ in 0..2 {
        let next = "$JS.API.CONSUMER.MSG.NEXT.GRAPH.reader".to_owned();
        client
            .publish_with_reply(next, inbox.clone(), "{\"batch\": 1}".into())
            .await?;
    }
    client.flush().await?;
    Ok(listening)
}

/// A source that is heard of and behind: what it copies into is full, and takes nothing more.
async fn sources(scene: &Scene, client: &Client) -> Result<Vec<&'static str>> {
    let name = ("source", "CIM-PROD/TO/FROM");
    make(client, &json!({"name": "FROM", "subjects": ["from"]})).await?;
    publish(client, "from", 4).await?;
    let to = json!({"name": "TO", "sources": [{"name": "FROM"}], "max_msgs": 1, "discard": "new"});
    make(client, &to).await?;
    let mut lag = 0;
    scene.until(|report| {
        let figures = finding(report, name.0, name.1)?["figures"].as_array();
        let mut figures = figures.context("figures")?.iter();
        let found = figures.find(|figure| figure["name"] == "lag");
        lag = found.and_then(|lag| lag["value"].as_f64()).unwrap_or(0.0) as u64;
        ensure!(lag > 0, "it is not behind: {report:#}");
        Ok(())
    })?;
    let behind = format!("messages behind, {PREFIX}lag-critical is 1");
    for (level, value, state, part) in [
        ("lag-critical", "1000000", "OK", ""),
        ("lag-critical", "1", "CRITICAL", behind.as_str()),
        ("seen-critical", "1w", "OK", ""),
        (
            "seen-critical",
            "1ms",
            "CRITICAL",
            "s ago, io.nats.monitor.seen-critical is 0.001 s",
        ),
    ] {
        update(client, &carrying(&to, &[(level, value)])).await?;
        scene.until(|report| says(report, name, state, part))?;
    }
    Ok(vec!["lag-critical", "seen-critical"])
}

#[tokio::test(flavor = "multi_thread")]
async fn each_level_is_reached_as_nats_server_check_reaches_it() -> Result<()> {
    let scene = alone(&open("security-cim-prod-001")?)?;
    let client = scene.fleet.client(LEAF, "graph").await?;
    for source in ["ONE", "TWO"] {
        make(&client, &json!({"name": source, "subjects": [source]})).await?;
    }
    let stream = json!({
        "name": "GRAPH",
        "subjects": ["domain.graph.>"],
        "sources": [{"name": "ONE"}, {"name": "TWO"}],
    });
    make(&client, &stream).await?;
    publish(&client, "domain.graph.x", 3).await?;
    publish(&client, "domain.graph.y", 1).await?;
    let mut names = held(
        &scene,
        ("stream", "CIM-PROD/GRAPH"),
        OF_STREAM,
        async |levels| update(&client, &carrying(&stream, levels)).await,
    )
    .await?;
    let hour = 3_600_000_000_000_u64;
    let consumer = json!({
        "durable_name": "reader",
        "ack_policy": "explicit",
        "ack_wait": hour,
        "max_ack_pending": 1,
    });
    consume(&client, "GRAPH", &consumer, "").await?;
    let _listening = lagging(&client).await?;
    let of = ("consumer", "CIM-PROD/GRAPH/reader");
    let of_consumer = held(&scene, of, OF_CONSUMER, async |levels| {
        consume(&client, "GRAPH", &carrying(&consumer, levels), "update").await
    });
    names.extend(of_consumer.await?);
    let of_sources = sources(&scene, &client).await?;
    names.extend(of_sources.into_iter().map(str::to_owned));
    // In a cluster, below.
    names.extend(["peer-lag-critical", "peer-seen-critical"].map(str::to_owned));
    ensure!(
        names == BTreeSet::from(UPSTREAM.map(str::to_owned)),
        "{names:?}"
    );
    let page = include_str!("../../../../docs/health.md");
    for name in UPSTREAM {
        let said = [format!("`{name}`"), format!("`{PREFIX}{name}`")];
        ensure!(
            said.iter().any(|name| page.contains(name)),
            "{name} is not in docs/health.md"
        );
    }
    Ok(())
}

/// Copies that the leader hears of, and one that it does not.
#[tokio::test(flavor = "multi_thread")]
async fn levels_of_copies_are_reached_where_a_node_is_silent() -> Result<()> {
    let mut scene = three().await?;
    let client = scene.fleet.client("hub-1", "alchemist").await?;
    let stream = json!({"name": "GRAPH", "subjects": ["graph"], "num_replicas": 3});
    let quiet = [
        ("peer-expect", "3"),
        ("peer-lag-critical", "1000"),
        ("peer-seen-critical", "1h"),
    ];
    let watched = carrying(&stream, &quiet);
    cim_testkit::until("streams can be made", async || {
        make(&client, &watched).await
    })
    .await?;
    let about = ask(&client, "STREAM.INFO.GRAPH", Value::Null).await?;
    let leader = about["cluster"]["leader"].as_str().context("a leader")?;
    scene.watch(leader)?;
    let name = ("stream", "CIM/GRAPH");
    scene.until(|report| says(report, name, "OK", "led by"))?;
    well(&scene)?;
    // Neither that one nor the one by which streams are changed.
    let jsz: Value = scene.fleet.server(leader)?.get("/jsz")?;
    let mut others = ["hub-1", "hub-2", "hub-3"].into_iter();
    let silent = others
        .find(|node| *node != leader && jsz["meta_cluster"]["leader"] != *node)
        .context("a third node")?;
    // Where the client is, it can still say so.
    let client = scene.fleet.client(leader, "alchemist").await?;
    scene.freeze(silent)?;
    publish(&client, "graph", 3).await?;
    let behind =
        format!("operations that {silent} is behind, io.nats.monitor.peer-lag-critical is 1");
    let heard = format!("{silent} was heard of ");
    for (level, value, part) in [
        ("peer-lag-critical", "1", behind.as_str()),
        ("peer-seen-critical", "1s", heard.as_str()),
        (
            "peer-expect",
            "2",
            "3 copies, io.nats.monitor.peer-expect is 2",
        ),
    ] {
        let levels = carrying(&carrying(&stream, &quiet), &[(level, value)]);
        update(&client, &levels).await?;
        scene.until(|report| says(report, name, "CRITICAL", part))?;
    }
    scene.thaw()?;
    update(&client, &carrying(&stream, &quiet)).await?;
    scene
        .until(|report| says(report, name, "OK", "led by"))
        .map(drop)
}
