//! What an account holds, as its server tells it.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use async_nats::{Client, HeaderValue};
use cim_node::provision::api::Api;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{Site, asked};

/// What a domain has, asked across a leaf link.
pub async fn held_in(site: &Site, domain: &str) -> Result<BTreeMap<String, Value>> {
    let api = Api::new(site.client().await?, Some(domain), Duration::from_secs(1));
    held(&api, "STREAM.NAMES").await
}

/// All that must come back, as the server tells it: numbers, every message's digest, where consumers are.
pub async fn held(api: &Api, subject: &str) -> Result<BTreeMap<String, Value>> {
    let names = api.names(subject, "streams").await;
    let mut held = BTreeMap::new();
    for name in names.map_err(|failure| anyhow!("{failure}"))? {
        let info = asked(api, &format!("STREAM.INFO.{name}"), &Value::Null).await?;
        let digest = digest(api, &name, &info["state"]).await?;
        held.insert(name.clone(), all(api, &name, info, digest).await?);
    }
    Ok(held)
}

/// The same of one stream, the only one, that allows direct reads: they give many messages to one request.
pub async fn held_of(site: &Site, name: &str) -> Result<Value> {
    let api = site.api().await?;
    let names = api.names("STREAM.NAMES", "streams").await;
    let names = names.map_err(|failure| anyhow!("{failure}"))?;
    ensure!(names == [name], "{names:?}");
    let info = asked(&api, &format!("STREAM.INFO.{name}"), &Value::Null).await?;
    let digest = read_directly(&site.client().await?, name, &info["state"]).await?;
    all(&api, name, info, digest).await
}

async fn all(api: &Api, name: &str, info: Value, digest: String) -> Result<Value> {
    let state = &info["state"];
    let numbers = [
        "messages",
        "bytes",
        "first_seq",
        "last_seq",
        "num_deleted",
        "num_subjects",
    ];
    let numbers: Vec<_> = numbers.iter().map(|field| state[field].clone()).collect();
    let mut config = info["config"].clone();
    labels(&mut config);
    let positions = positions(api, name, state).await?;
    Ok(json!([config, numbers, digest, positions]))
}

/// Leaves out what the server writes there itself.
fn labels(config: &mut Value) {
    if let Some(labels) = config["metadata"].as_object_mut() {
        labels.retain(|name, _| !name.starts_with("_nats."));
        if labels.is_empty() {
            config["metadata"] = Value::Null;
        }
    }
}

/// What answers to direct reads say of themselves, not of a message.
const OF_THE_ANSWER: [&str; 3] = [
    "Nats-Num-Pending",
    "Nats-Last-Sequence",
    "Nats-UpTo-Sequence",
];

/// SHA-256 of every message, read a thousand at a time.
async fn read_directly(client: &Client, name: &str, state: &Value) -> Result<String> {
    let subject = format!("$JS.API.DIRECT.GET.{name}");
    let inbox = client.new_inbox();
    let mut answers = client.subscribe(inbox.clone()).await?;
    let (mut digest, mut read, mut next) = (Sha256::new(), 0_u64, 1_u64);
    let count = state["messages"].as_u64().unwrap_or_default();
    while read < count {
        let body = json!({ "seq": next, "batch": 1000 }).to_string();
        client
            .publish_with_reply(subject.clone(), inbox.clone(), body.into())
            .await?;
        let before = read;
        loop {
            let answer = answers.next().await.context("an answer")?;
            let Some(headers) = answer.headers.filter(|_| answer.status.is_none()) else {
                break; // the end of the batch
            };
            let mut all: BTreeMap<String, Vec<&str>> = BTreeMap::new();
            for (field, values) in headers.iter() {
                all.insert(
                    field.to_string(),
                    values.iter().map(HeaderValue::as_str).collect(),
                );
            }
            let seq = all.get("Nats-Sequence").and_then(|seq| seq.first());
            next = seq.context("a sequence")?.parse::<u64>()? + 1;
            all.retain(|field, _| !OF_THE_ANSWER.contains(&field.as_str()));
            digest.update(json!(all).to_string());
            digest.update(&answer.payload);
            read += 1;
        }
        ensure!(read > before, "{read} of {count} messages of {name}");
    }
    Ok(format!("{:x}", digest.finalize()))
}

/// SHA-256 of every message, read one by one.
async fn digest(api: &Api, name: &str, state: &Value) -> Result<String> {
    let number = |field: &str| state[field].as_u64().unwrap_or_default();
    let subject = format!("STREAM.MSG.GET.{name}");
    let get = |seq| {
        let (api, subject) = (api.clone(), subject.clone());
        async move { api.find(&subject, &json!({ "seq": seq })).await }
    };
    let range = number("first_seq")..=number("last_seq");
    let mut all = stream::iter(range.map(get)).buffered(256);
    let mut digest = Sha256::new();
    loop {
        match all.try_next().await {
            Ok(None) => return Ok(format!("{:x}", digest.finalize())),
            Ok(Some(message)) => digest.update(message.unwrap_or_default()["message"].to_string()),
            // A sequence that was deleted.
            Err(cim_node::provision::api::Failure::Refused(refusal)) if refusal.code == 10037 => {
                digest.update("none");
            }
            Err(failure) => bail!("{name}: {failure}"),
        }
    }
}

async fn positions(api: &Api, name: &str, state: &Value) -> Result<BTreeMap<String, Value>> {
    let list = asked(api, &format!("CONSUMER.LIST.{name}"), &Value::Null).await?;
    let list = list["consumers"].as_array().cloned().unwrap_or_default();
    // A consumer before the first message stands as well right before it.
    let first = state["first_seq"].as_u64().unwrap_or_default();
    let at = |seq: &Value| {
        seq.as_u64()
            .unwrap_or_default()
            .max(first.saturating_sub(1))
    };
    let numbers = |info: &Value| {
        let mut config = info["config"].clone();
        labels(&mut config);
        // Which messages were the last ones is not in a snapshot: once restored, all after the position count.
        let pending = match config["deliver_policy"] == "last_per_subject" {
            true => Value::Null,
            false => info["num_pending"].clone(),
        };
        json!([
            config,
            info["delivered"]["consumer_seq"],
            at(&info["delivered"]["stream_seq"]),
            info["ack_floor"]["consumer_seq"],
            at(&info["ack_floor"]["stream_seq"]),
            info["num_ack_pending"],
            info["num_redelivered"],
            pending,
        ])
    };
    let named = list
        .iter()
        .filter_map(|info| Some((info["name"].as_str()?.to_owned(), numbers(info))));
    Ok(named.collect())
}
