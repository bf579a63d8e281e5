//! Streams that are copied over a leaf link, with the rights that the fleet gives: the example's, made as it declares them.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use async_nats::Client;
use cim_render::Artefacts;
use cim_testkit::{Fleet, Ports, golden, nats_server, plan, until_within};
use serde_json::{Value, json};

/// More than the 3,500 after which a copy stalls that may not say how far it is.
const EVENTS: u64 = 6000;
const DIRECTIVES: u64 = 100;
/// How long a copy may stand still after a cut until nats-server asks for it anew (docs/partition.md).
pub const COPIED: Duration = Duration::from_secs(90);
/// Bytes that a test's stream may reserve.
const ROOM: u64 = 64 << 20;

#[tokio::test]
async fn streams_cross_both_ways_and_no_others_do() -> Result<()> {
    let plans = ["assets-hub", "assets-cim-prod-001"].map(|case| plan(&golden(case)?));
    let [hub, leaf] = plans;
    let (hub, leaf) = (hub?, leaf?);
    let (of_hub, of_leaf) = (Artefacts::render(&hub)?, Artefacts::render(&leaf)?);
    let dir = tempfile::tempdir().context("creating a folder")?;
    let mut fleet = Fleet::prepare(vec![hub, leaf], dir.path(), &nats_server()?, Ports::Free)?;
    fleet.start_all()?;
    fleet.linked("cim-prod-001").await?;
    let alchemist = fleet.client("hub", "alchemist").await?;
    let local = fleet.client("cim-prod-001", "cim-local").await?;
    make(&alchemist, &of_hub).await?;
    make(&local, &of_leaf).await?;
    // Nobody has said that this one may cross.
    let stolen = json!({ "name": "STOLEN", "sources": [{ "name": "METRICS", "external": { "api": "$JS.cim-prod-001.API" } }] });
    ask(&alchemist, "STREAM.CREATE.STOLEN", &stolen).await?;

    for number in 0..EVENTS {
        store(&local, &format!("domain.graph.events.{number}")).await?;
    }
    store(&local, "metrics.cpu").await?;
    for number in 0..DIRECTIVES {
        store(&alchemist, &format!("directives.{number}")).await?;
    }
    holds(&alchemist, "CIM_EVENTS", EVENTS).await?;
    holds(&local, "DIRECTIVES", DIRECTIVES).await?;
    holds(&local, "METRICS", 1).await?;
    holds(&alchemist, "STOLEN", 0).await?;
    let body = json!({ "seq": EVENTS });
    let last = ask(&alchemist, "STREAM.MSG.GET.CIM_EVENTS", &body).await?;
    let expected = format!("leaf.cim-prod-001.domain.graph.events.{}", EVENTS - 1);
    assert_eq!(last["message"]["subject"], json!(expected));
    Ok(())
}

/// Makes the streams that were rendered; those without sources first.
pub async fn make(client: &Client, artefacts: &Artefacts) -> Result<()> {
    let streams = artefacts.files.iter();
    let streams = streams.filter(|(file, _)| file.starts_with("jetstream/CIM/streams/"));
    for (_, content) in streams {
        let mut config: Value = serde_json::from_str(content)?;
        // The store of a machine that runs tests is small.
        if config["max_bytes"].as_u64() > Some(ROOM) {
            config["max_bytes"] = json!(ROOM);
        }
        let name = config["name"].as_str().context("a name")?;
        ask(client, &format!("STREAM.CREATE.{name}"), &config).await?;
    }
    Ok(())
}

pub async fn ask(client: &Client, subject: &str, body: &Value) -> Result<Value> {
    let answer = client
        .request(format!("$JS.API.{subject}"), body.to_string().into())
        .await?;
    let answer: Value = serde_json::from_slice(&answer.payload)?;
    ensure!(answer["error"].is_null(), "{subject}: {}", answer["error"]);
    Ok(answer)
}

/// Publishes one message, and waits until a stream has it.
pub async fn store(client: &Client, subject: &str) -> Result<()> {
    let answer = client.request(subject.to_owned(), "x".into()).await?;
    let answer: Value = serde_json::from_slice(&answer.payload)?;
    ensure!(answer["error"].is_null(), "{subject}: {answer}");
    Ok(())
}

pub async fn holds(client: &Client, stream: &str, messages: u64) -> Result<()> {
    let what = format!("{stream} holds {messages} messages");
    until_within(COPIED, &what, async || {
        let info = ask(client, &format!("STREAM.INFO.{stream}"), &json!({})).await?;
        let found = &info["state"]["messages"];
        ensure!(*found == json!(messages), "it holds {found}");
        Ok(())
    })
    .await
}
