//! Programs of ours that log in: each does its work, and nothing else.

use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use async_nats::ConnectOptions;
use futures_util::StreamExt;
use serde_json::{Value, json};

use super::{HUB, LEAF, Login, Running, crosses};

#[tokio::test]
async fn services_do_their_work_and_nothing_else() -> Result<()> {
    let running = Running::start(|_| ())?;
    let provision = running.login("services/hub-1/CIM/provision.jwt").await?;
    let stream = json!({"name": "T", "subjects": ["t.>"], "storage": "file", "num_replicas": 1});
    let made = provision.ask("$JS.API.STREAM.CREATE.T", stream).await?;
    ensure!(made["error"].is_null(), "{made}");
    let consumer =
        json!({"stream_name": "T", "config": {"durable_name": "c", "ack_policy": "explicit"}});
    let made = provision
        .ask("$JS.API.CONSUMER.CREATE.T.c", consumer)
        .await?;
    ensure!(made["error"].is_null(), "{made}");
    provision
        .may_not_publish(&["$JS.API.STREAM.DELETE.T", "$JS.API.STREAM.PURGE.T", "t.x"])
        .await?;
    provision.may_not_subscribe(&["t.>"]).await?;

    let backup = running.login("services/hub-1/CIM/backup.jwt").await?;
    let taken = snapshot(&backup, "T").await?;
    ensure!(taken > 0, "a snapshot without bytes");
    let config = json!({"config": {"name": "U", "subjects": ["u.>"], "storage": "file"}, "state": {"messages": 0}});
    let restore = backup.ask("$JS.API.STREAM.RESTORE.U", config).await?;
    let to = restore["deliver_subject"].as_str();
    let to = to.with_context(|| format!("nowhere to restore to: {restore}"))?;
    ensure!(to.starts_with("$JS.SNAPSHOT.RESTORE."), "{to}");
    let piece = backup.ask(to, Value::Null).await;
    ensure!(
        piece.is_ok() || backup.refused.load(Ordering::SeqCst) == 0,
        "{to} is refused"
    );
    backup
        .may_not_publish(&["$JS.API.STREAM.CREATE.V", "$JS.API.STREAM.DELETE.T", "t.x"])
        .await?;
    Ok(())
}

#[tokio::test]
async fn cim_health_hears_canaries_of_leaves_and_nothing_else() -> Result<()> {
    let running = Running::start(|_| ())?;
    assert_eq!(running.servers.linked(LEAF).await?, HUB);
    let health = running.login("services/hub-1/CIM/health.jwt").await?;
    let mut asks = health.hear("cim.canary.*.*").await?;
    let mut reports = health.hear("cim.health.*").await?;
    // Its counterpart beside the leaf has a key that the host made.
    let seed = running.servers.member(LEAF)?.dir().join("CIM.health.nk");
    let seed = std::fs::read_to_string(seed)?.trim().to_owned();
    let leaf = running
        .servers
        .connect(LEAF, ConnectOptions::with_nkey(seed));
    let leaf = leaf.await?;
    for asked in ["plain", "export:domain:graph:#"] {
        let subject = format!("cim.canary.{LEAF}.{asked}");
        crosses(&leaf, &subject, &subject, &mut asks).await?;
    }
    let report = format!("cim.health.{LEAF}");
    crosses(&leaf, &report, &report, &mut reports).await?;
    for answered in ["plain", "import:commands:#"] {
        let subject = format!("cim.canary.{LEAF}.back.{answered}");
        let mut back = leaf.subscribe(subject.clone()).await?;
        leaf.flush().await?;
        crosses(&health.client, &subject, &subject, &mut back).await?;
    }
    health
        .may_not_publish(&[
            "cim.canary.cim-prod-001.plain",
            "commands.x",
            "$JS.API.INFO",
        ])
        .await?;
    health.may_not_subscribe(&[">", "cim.>", "domain.>"]).await
}

/// Takes a stream out, piece by piece, each acknowledged; gives the bytes.
async fn snapshot(backup: &Login, stream: &str) -> Result<usize> {
    let inbox = backup.client.new_inbox();
    let mut pieces = backup.hear(&inbox).await?;
    let asked = json!({"deliver_subject": inbox, "chunk_size": 1024});
    let begun = backup
        .ask(&format!("$JS.API.STREAM.SNAPSHOT.{stream}"), asked)
        .await?;
    ensure!(begun["error"].is_null(), "{begun}");
    let mut bytes = 0;
    loop {
        let piece = tokio::time::timeout(Duration::from_secs(10), pieces.next()).await?;
        let piece = piece.context("the snapshot ended early")?;
        if piece.payload.is_empty() {
            return Ok(bytes);
        }
        bytes += piece.payload.len();
        if let Some(reply) = piece.reply {
            backup.client.publish(reply, "".into()).await?;
        }
    }
}
