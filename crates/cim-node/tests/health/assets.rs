//! Streams and consumers, declared and on the server.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use async_nats::Client;
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::scene::{LEAF, Scene, alone, open};

/// The account with streams on both servers.
pub const ACCOUNT: &str = "CIM-PROD";

pub fn declare(scene: &Scene, file: &str, content: &Value) -> Result<PathBuf> {
    let jetstream = scene.health.watch.jetstream.as_ref();
    let folder = &jetstream.context("JetStream")?.assets;
    let path = PathBuf::from(folder).join(ACCOUNT).join(file);
    fs::create_dir_all(path.parent().context("a folder")?)?;
    fs::write(&path, content.to_string())?;
    Ok(path)
}

pub async fn ask(client: &Client, subject: &str, body: Value) -> Result<Value> {
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
pub async fn make(client: &Client, stream: &Value) -> Result<()> {
    let name = stream["name"].as_str().context("a name")?;
    ask(client, &format!("STREAM.CREATE.{name}"), stream.clone())
        .await
        .map(drop)
}

pub async fn update(client: &Client, stream: &Value) -> Result<()> {
    let name = stream["name"].as_str().context("a name")?;
    ask(client, &format!("STREAM.UPDATE.{name}"), stream.clone())
        .await
        .map(drop)
}

pub async fn remove(client: &Client, stream: &str) -> Result<()> {
    ask(client, &format!("STREAM.DELETE.{stream}"), Value::Null)
        .await
        .map(drop)
}

pub async fn consume(client: &Client, of: &str, consumer: &Value, action: &str) -> Result<()> {
    let name = consumer["durable_name"].as_str().context("a name")?;
    let body = json!({"stream_name": of, "config": consumer, "action": action});
    ask(client, &format!("CONSUMER.CREATE.{of}.{name}"), body)
        .await
        .map(drop)
}

pub async fn publish(client: &Client, subject: &str, count: usize) -> Result<()> {
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
pub async fn fetch(client: &Client, count: usize) -> Result<Vec<async_nats::Message>> {
    let inbox = client.new_inbox();
    let messages = client.subscribe(inbox.clone()).await?;
    let next = "$JS.API.CONSUMER.MSG.NEXT.GRAPH.reader".to_owned();
    let body = json!({"batch": count}).to_string();
    client.publish_with_reply(next, inbox, body.into()).await?;
    client.flush().await?;
    Ok(messages.take(count).collect().await)
}

/// Runs what takes a while from a function that may not wait.
pub fn now<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(work))
}

/// A stream with a consumer, declared and there, on a leaf alone.
pub async fn declared() -> Result<(Scene, Client)> {
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
