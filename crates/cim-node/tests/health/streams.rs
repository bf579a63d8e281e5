//! Streams, consumers and sources, beside what is declared.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use async_nats::Client;
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::scene::{HUB, LEAF, Scene, alone, level, open, pair};

/// The account with streams on both servers.
const ACCOUNT: &str = "CIM-PROD";

fn declare(scene: &Scene, file: &str, content: &Value) -> Result<PathBuf> {
    let jetstream = scene.health.watch.jetstream.as_ref();
    let folder = &jetstream.context("JetStream")?.assets;
    let path = PathBuf::from(folder).join(ACCOUNT).join(file);
    fs::create_dir_all(path.parent().context("a folder")?)?;
    fs::write(&path, content.to_string())?;
    Ok(path)
}

async fn ask(client: &Client, subject: &str, body: Value) -> Result<Value> {
    let body = match body {
        Value::Null => String::new(),
        body => body.to_string(),
    };
    let answer = client
        .request(format!("$JS.API.{subject}"), body.into())
        .await?;
    let answer: Value = serde_json::from_slice(&answer.payload)?;
    ensure!(answer["error"].is_null(), "{subject}: {answer}");
    Ok(answer)
}

/// A stream on the server.
async fn make(client: &Client, stream: &Value) -> Result<()> {
    let name = stream["name"].as_str().context("a name")?;
    ask(client, &format!("STREAM.CREATE.{name}"), stream.clone())
        .await
        .map(drop)
}

async fn update(client: &Client, stream: &Value) -> Result<()> {
    let name = stream["name"].as_str().context("a name")?;
    ask(client, &format!("STREAM.UPDATE.{name}"), stream.clone())
        .await
        .map(drop)
}

async fn remove(client: &Client, stream: &str) -> Result<()> {
    ask(client, &format!("STREAM.DELETE.{stream}"), Value::Null)
        .await
        .map(drop)
}

async fn consume(client: &Client, of: &str, consumer: &Value, action: &str) -> Result<()> {
    let name = consumer["durable_name"].as_str().context("a name")?;
    let body = json!({"stream_name": of, "config": consumer, "action": action});
    ask(client, &format!("CONSUMER.CREATE.{of}.{name}"), body)
        .await
        .map(drop)
}

async fn publish(client: &Client, subject: &str, count: usize) -> Result<()> {
    for number in 0..count {
        let ack = client
            .request(subject.to_owned(), number.to_string().into())
            .await?;
        let ack: Value = serde_json::from_slice(&ack.payload)?;
        ensure!(ack["error"].is_null(), "{ack}");
    }
    Ok(())
}

/// Messages of the consumer.
async fn fetch(client: &Client, count: usize) -> Result<Vec<async_nats::Message>> {
    let inbox = client.new_inbox();
    let messages = client.subscribe(inbox.clone()).await?;
    let next = "$JS.API.CONSUMER.MSG.NEXT.GRAPH.reader".to_owned();
    let body = json!({"batch": count}).to_string();
    client.publish_with_reply(next, inbox, body.into()).await?;
    client.flush().await?;
    Ok(messages.take(count).collect().await)
}

/// Runs what takes a while from a function that may not wait.
fn now<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(work))
}

/// A stream with a consumer, declared and there, on a leaf alone.
async fn declared() -> Result<(Scene, Client)> {
    let scene = alone(&open("security-cim-prod-001")?)?;
    let client = scene.fleet.client(LEAF, "graph").await?;
    let stream = json!({"name": "GRAPH", "subjects": ["domain.graph.>"]});
    declare(&scene, "streams/GRAPH.json", &stream)?;
    make(&client, &stream).await?;
    let consumer = json!({"durable_name": "reader", "ack_policy": "explicit"});
    declare(&scene, "consumers/GRAPH/reader.json", &consumer)?;
    consume(&client, "GRAPH", &consumer, "").await?;
    Ok((scene, client))
}

const STREAM: Fault = Fault {
    check: "stream",
    of: "CIM-PROD/GRAPH",
    state: "CRITICAL",
    says: &[],
};

const CONSUMER: Fault = Fault {
    check: "consumer",
    of: "CIM-PROD/GRAPH/reader",
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
async fn consumers_that_are_missing_differ_or_fall_behind() -> Result<()> {
    let (mut scene, client) = declared().await?;
    let consumer = json!({"durable_name": "reader", "ack_policy": "explicit"});
    let missing = Fault {
        says: &["it is declared and not there"],
        ..CONSUMER
    };
    let gone = ask(&client, "CONSUMER.DELETE.GRAPH.reader", Value::Null);
    missing.seen(
        &mut scene,
        |_| now(gone).map(drop),
        |_| now(consume(&client, "GRAPH", &consumer, "create")),
    )?;
    let differs = Fault {
        says: &["differs from its declaration: max_deliver is 3, declared is null"],
        ..CONSUMER
    };
    let mut changed = consumer.clone();
    changed["max_deliver"] = json!(3);
    differs.seen(
        &mut scene,
        |_| now(consume(&client, "GRAPH", &changed, "update")),
        |_| now(consume(&client, "GRAPH", &consumer, "update")),
    )?;
    scene.health.watch.levels.pending = level(5, 10);
    for (count, state) in [(5, "WARNING"), (10, "CRITICAL")] {
        let message = format!("{count} to deliver, 0 to acknowledge");
        let behind = Fault {
            state,
            says: &[&message],
            ..CONSUMER
        };
        behind.seen(
            &mut scene,
            |_| now(publish(&client, "domain.graph.x", count)),
            |_| now(ask(&client, "STREAM.PURGE.GRAPH", Value::Null)).map(drop),
        )?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_come_again_are_seen() -> Result<()> {
    let (mut scene, client) = declared().await?;
    scene.health.watch.levels.redeliveries = level(2, 10);
    let again = Fault {
        state: "WARNING",
        says: &["3 to acknowledge, 3 of them delivered again"],
        ..CONSUMER
    };
    again.seen(
        &mut scene,
        |_| {
            now(async {
                publish(&client, "domain.graph.x", 3).await?;
                for round in 0..3 {
                    for message in fetch(&client, 3).await? {
                        let reply = message.reply.context("a message to acknowledge")?;
                        // The last ones are held.
                        if round < 2 {
                            client.publish(reply, "-NAK".into()).await?;
                        }
                    }
                }
                Ok(())
            })
        },
        |_| now(ask(&client, "STREAM.PURGE.GRAPH", Value::Null)).map(drop),
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
        &carried("GRAPH", json!({"msgs-warn": "2", "msgs-critical": "4"})),
    )
    .await?;
    let mut consumer = json!({"durable_name": "reader", "ack_policy": "explicit"});
    consumer["metadata"] =
        json!({"io.nats.monitor.enabled": "true", "io.nats.monitor.waiting-critical": "1"});
    consume(&client, "GRAPH", &consumer, "").await?;
    for (count, state, says) in [
        (2, "WARNING", "2 messages, io.nats.monitor.msgs-warn is 2"),
        (
            4,
            "CRITICAL",
            "4 messages, io.nats.monitor.msgs-critical is 4",
        ),
    ] {
        let many = Fault {
            state,
            says: &[says],
            ..STREAM
        };
        many.seen(
            &mut scene,
            |_| now(publish(&client, "domain.graph.x", count)),
            |_| now(ask(&client, "STREAM.PURGE.GRAPH", Value::Null)).map(drop),
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

#[tokio::test(flavor = "multi_thread")]
async fn sources_that_are_silent() -> Result<()> {
    let mut scene = alone(&open("security-cim-prod-001")?)?;
    let client = scene.fleet.client(LEAF, "graph").await?;
    make(&client, &json!({"name": "FROM", "subjects": ["from"]})).await?;
    make(
        &client,
        &json!({"name": "TO", "sources": [{"name": "FROM"}]}),
    )
    .await?;
    publish(&client, "from", 1).await?;
    scene.health.watch.levels.sources = level(60_000, 300_000);
    let silent = Fault {
        check: "source",
        of: "CIM-PROD/BACKUP/NOWHERE",
        state: "CRITICAL",
        says: &["never heard of in "],
    };
    let copy = json!({"name": "BACKUP", "mirror": {"name": "NOWHERE"}});
    silent.seen(
        &mut scene,
        |scene| {
            scene.health.watch.levels.sources = level(1000, 1000);
            // One that is idle is heard of every few seconds only.
            now(remove(&client, "TO"))?;
            now(make(&client, &copy))
        },
        |scene| {
            scene.health.watch.levels.sources = level(60_000, 300_000);
            now(remove(&client, "BACKUP"))?;
            now(make(
                &client,
                &json!({"name": "TO", "sources": [{"name": "FROM"}]}),
            ))
        },
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_over_a_dead_link_waits_for_the_link() -> Result<()> {
    let mut scene = pair().await?;
    let hub = scene.fleet.client(HUB, "alchemist").await?;
    make(
        &hub,
        &json!({"name": "COMMANDS", "subjects": ["elsewhere"]}),
    )
    .await?;
    let leaf = scene.fleet.client(LEAF, "graph").await?;
    let source = json!({"name": "COMMANDS", "external": {"api": "$JS.hub.API"}});
    make(&leaf, &json!({"name": "COPY", "sources": [source]})).await?;
    // Whether it comes does not matter here: the leaf's user may not ask for it.
    scene.health.watch.levels.sources = level(3_600_000, 3_600_000);
    crate::fault::well(&scene)?;
    let down = Fault {
        check: "link",
        of: "hub",
        state: "CRITICAL",
        says: &["not linked"],
    };
    down.seen(
        &mut scene,
        |scene| {
            scene.fleet.kill(HUB)?;
            let report = scene.until(|report| {
                let found = crate::scene::finding(report, "source", "CIM-PROD/COPY/COMMANDS")?;
                ensure!(found["because"] == "link hub", "{found}");
                Ok(())
            })?;
            ensure!(report["exit"] == 2, "{report}");
            Ok(())
        },
        |scene| scene.fleet.start(HUB),
    )
}
