//! What nats-server 2.15.1 does with copies of streams, and hardly anybody expects.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use async_nats::{Client, HeaderMap};
use cim_check::Server;
use cim_testkit::nats_server;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::held::bodies;
use super::outage::reaches;

/// A server whose store may be looked into. The folder goes after it.
struct Bare {
    server: Option<Server>,
    dir: TempDir,
}

impl Bare {
    fn start() -> Result<Self> {
        let dir = tempfile::tempdir().context("creating a folder")?;
        let home = dir.path().display();
        let config = format!(
            "listen: \"127.0.0.1:-1\"\nhttp: \"127.0.0.1:-1\"\nports_file_dir: \"{home}\"\n\
             jetstream {{ store_dir: \"{home}/js\", sync_interval: always }}\n"
        );
        fs::write(dir.path().join("nats.conf"), config)?;
        let mut bare = Self { server: None, dir };
        bare.again()?;
        Ok(bare)
    }

    fn again(&mut self) -> Result<()> {
        let mut server = Server::start(&nats_server()?, &self.dir.path().join("nats.conf"))?;
        server.healthy()?;
        self.server = Some(server);
        Ok(())
    }

    fn stop(&mut self) -> Result<()> {
        let server = self.server.take().context("it does not run")?;
        server.stop().map(drop)
    }

    async fn client(&self) -> Result<Client> {
        let server = self.server.as_ref().context("it does not run")?;
        Ok(async_nats::connect(server.url()).await?)
    }

    /// The folder of a stream.
    fn store(&self, stream: &str) -> PathBuf {
        self.dir.path().join("js/jetstream/$G/streams").join(stream)
    }
}

async fn make(client: &Client, config: Value) -> Result<()> {
    let subject = format!(
        "$JS.API.STREAM.CREATE.{}",
        config["name"].as_str().context("a name")?
    );
    let answer = client.request(subject, config.to_string().into()).await?;
    let answer: Value = serde_json::from_slice(&answer.payload)?;
    ensure!(answer["error"].is_null(), "{answer}");
    Ok(())
}

/// Publishes with a message id; gives whether the server took it for one that it has.
async fn publish(client: &Client, subject: &str, id: &str, body: &str) -> Result<bool> {
    let mut headers = HeaderMap::new();
    headers.insert("Nats-Msg-Id", id);
    let answer = client
        .request_with_headers(subject.to_owned(), headers, body.to_owned().into())
        .await?;
    let answer: Value = serde_json::from_slice(&answer.payload)?;
    ensure!(answer["error"].is_null(), "{answer}");
    Ok(answer["duplicate"] == true)
}

/// A stream with sources has no duplicate window unless it is given one. With one it drops what has an id that it knows,
/// whichever origin it is from and although each was acknowledged; without one it does not know its own publishers' ids.
#[tokio::test]
async fn a_duplicate_window_where_two_origins_are_collected_costs_messages() -> Result<()> {
    let bare = Bare::start()?;
    let client = bare.client().await?;
    for name in ["A", "B"] {
        make(&client, json!({"name": name, "subjects": [name]})).await?;
    }
    let sources = json!([{"name": "A"}, {"name": "B"}]);
    make(
        &client,
        json!({"name": "ALL", "subjects": ["own"], "sources": sources}),
    )
    .await?;
    let window = 120_000_000_000_u64; // what streams without sources have
    let fewer = json!({"name": "FEWER", "sources": sources, "duplicate_window": window});
    make(&client, fewer).await?;
    ensure!(!publish(&client, "A", "1", "of A").await?);
    for copy in ["ALL", "FEWER"] {
        reaches(&client, copy, 1).await?;
    }
    ensure!(!publish(&client, "B", "1", "of B").await?);
    ensure!(!publish(&client, "B", "2", "the last").await?);
    reaches(&client, "ALL", 3).await?;
    reaches(&client, "FEWER", 2).await?;
    assert_eq!(bodies(&client, "ALL").await?, ["of A", "of B", "the last"]);
    assert_eq!(bodies(&client, "FEWER").await?, ["of A", "the last"]);
    for _ in 0..2 {
        ensure!(!publish(&client, "own", "3", "twice").await?);
    }
    reaches(&client, "ALL", 5).await
}

/// A copy goes on behind the last sequence that it got. An origin whose store is set back, by a snapshot of its disk or
/// by a power cut without `sync_interval: always`, gives sequences out a second time: what is stored under them is
/// acknowledged, and never copied.
#[tokio::test]
async fn what_an_origin_stores_after_it_was_set_back_is_not_copied() -> Result<()> {
    let mut bare = Bare::start()?;
    let client = bare.client().await?;
    make(&client, json!({"name": "A", "subjects": ["A"]})).await?;
    make(&client, json!({"name": "ALL", "sources": [{"name": "A"}]})).await?;
    publish(&client, "A", "1", "1").await?;
    bare.stop()?;
    let before = bare.dir.path().join("before");
    copy(&bare.store("A"), &before)?;
    bare.again()?;
    let client = bare.client().await?;
    for number in ["2", "3"] {
        publish(&client, "A", number, number).await?;
    }
    reaches(&client, "ALL", 3).await?;
    bare.stop()?;
    fs::remove_dir_all(bare.store("A"))?;
    copy(&before, &bare.store("A"))?;
    bare.again()?;
    let client = bare.client().await?;
    for number in ["4", "5", "6"] {
        ensure!(!publish(&client, "A", number, number).await?);
    }
    reaches(&client, "ALL", 4).await?;
    assert_eq!(bodies(&client, "A").await?, ["1", "4", "5", "6"]);
    assert_eq!(bodies(&client, "ALL").await?, ["1", "2", "3", "6"]);
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let copied = Command::new("cp").arg("-a").args([from, to]).status()?;
    ensure!(copied.success(), "copying {}", from.display());
    Ok(())
}
