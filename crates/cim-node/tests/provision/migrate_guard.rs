//! `migrate` before a stream goes: what its copy lacks is noticed, and nothing is removed.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use anyhow::{Context, Result, anyhow, ensure};
use async_nats::Client;
use cim_testkit::until;
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::migrate::{as_declared, content, id, migrate};
use crate::migrate_kill::free;
use crate::support::{Said, Site, one};

/// A stream of ten messages that is declared otherwise, and the id of its migration. One message was delivered and is never
/// acknowledged: for that a run waits, once its consumer is paused.
async fn waiting(site: &Site) -> Result<(Client, String)> {
    site.stream("A", json!({"subjects": ["a.>"]}))?;
    let consumer = json!({"ack_policy": "explicit", "ack_wait": 6_000_000_000_u64});
    site.consumer("A", "w", consumer)?;
    site.applied()?;
    site.publish(&["a.before"], 10).await?;
    site.stream("A", json!({"subjects": ["a.>"], "storage": "memory"}))?;
    let id = id(site, "streams/A")?;
    // As late as can be: what the tests do while a run waits, they do before this message may come again.
    let client = site.client().await?;
    let mut inbox = client.subscribe("inbox.test").await?;
    let next = "$JS.API.CONSUMER.MSG.NEXT.A.w";
    client
        .publish_with_reply(next, "inbox.test", "1".into())
        .await?;
    inbox.next().await.context("a message")?;
    Ok((client, id))
}

async fn asked(site: &Site, subject: &str, body: &Value) -> Result<Value> {
    let answer = site.api().await?.ask(subject, body).await;
    answer.map_err(|failure| anyhow!("{subject}: {failure}"))
}

#[tokio::test]
async fn a_copy_that_lost_something_does_not_take_over() -> Result<()> {
    let site = one()?;
    let (_, id) = waiting(&site).await?;
    let before = (site.held("A").await?, content(&site, "A").await?);
    let mut command = site.command("migrate");
    command.args(["streams/A", "--confirm", &id]);
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn()?;
    until("all was compared, and the consumer is paused", async || {
        let worker = asked(&site, "CONSUMER.INFO.A.w", &Value::Null).await?;
        ensure!(worker["paused"] == true, "{worker}");
        Ok(())
    })
    .await?;
    let fifth = json!({"seq": 5});
    asked(&site, "STREAM.MSG.DELETE.cim-migrate-A", &fifth).await?;
    Said::of(child.wait_with_output()?)?.ended(
        3,
        &[
            "A is as it was before",
            "cim-migrate-A holds 9 messages, and A 10",
        ],
    );
    assert_eq!((site.held("A").await?, content(&site, "A").await?), before);
    let names = asked(&site, "STREAM.NAMES", &Value::Null).await?;
    assert_eq!(names["streams"], json!(["A"]));
    let worker = asked(&site, "CONSUMER.INFO.A.w", &Value::Null).await?;
    ensure!(worker["paused"] != true, "{worker}");
    site.publish(&["a.after"], 1).await?;
    crate::migrate::done(&site, "streams/A")?;
    as_declared(&site).await
}

/// What a closed stream took all the same, after it was copied: nats-server may have been about to give it that.
#[tokio::test]
async fn what_a_stream_took_after_it_was_copied_is_not_removed_with_it() -> Result<()> {
    let site = one()?;
    let (client, id) = waiting(&site).await?;
    let mut command = site.command("migrate");
    command.args(["streams/A", "--confirm", &id]);
    let mut child = command.stderr(Stdio::piped()).spawn()?;
    let told = BufReader::new(child.stderr.take().context("it tells")?).lines();
    for line in told {
        if line?.contains("takes the new ones") {
            break;
        }
    }
    child.kill()?;
    child.wait()?;
    let late = client.request("cim-migrate.old.A", "x".into()).await?;
    ensure!(
        serde_json::from_slice::<Value>(&late.payload)?["seq"] == 11,
        "{late:?}"
    );
    free(&site).await?;
    migrate(&site, "streams/A", &["--confirm", &id])?.ended(
        3,
        &[
            "A took messages up to sequence 11 after it was closed",
            "publish again what A has after 10",
        ],
    );
    assert_eq!(content(&site, "A").await?.len(), 11);
    site.publish(&["a.again"], 1).await?;
    let gone = site.api().await?;
    let gone = gone.ask("STREAM.MSG.DELETE.A", &json!({"seq": 11})).await;
    ensure!(gone.is_ok(), "{gone:?}");
    migrate(&site, "streams/A", &["--confirm", &id])?.ended(0, &["done: "]);
    let content = content(&site, "A").await?;
    assert_eq!(
        (content.len(), &content[10]["subject"]),
        (11, &json!("a.again"))
    );
    as_declared(&site).await
}
