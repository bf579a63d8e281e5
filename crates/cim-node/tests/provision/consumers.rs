//! Consumers keep their place, and their stream's limits are theirs.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::support::one;

#[tokio::test]
async fn an_update_keeps_a_consumers_place() -> Result<()> {
    let site = one()?;
    site.stream("A", json!({"subjects": ["a"]}))?;
    site.consumer("A", "w", json!({"ack_policy": "explicit"}))?;
    site.applied()?;
    site.publish(&["a"], 5).await?;
    let client = site.client().await?;
    let mut sub = client.subscribe("inbox.w").await?;
    client
        .publish_with_reply("$JS.API.CONSUMER.MSG.NEXT.A.w", "inbox.w", "2".into())
        .await?;
    for _ in 0..2 {
        let message = futures_util::StreamExt::next(&mut sub)
            .await
            .context("a message")?;
        client
            .request(message.reply.context("a reply")?, "+ACK".into())
            .await?;
    }
    site.consumer(
        "A",
        "w",
        json!({"ack_policy": "explicit", "max_deliver": 7, "filter_subject": "a"}),
    )?;
    site.run("apply", &[])?.ended(0, &["consumers/A/w updated"]);
    let info = site
        .api()
        .await?
        .ask("CONSUMER.INFO.A.w", &Value::Null)
        .await;
    let info = info.map_err(|failure| anyhow::anyhow!("{failure}"))?;
    assert_eq!(info["ack_floor"]["stream_seq"], 2);
    assert_eq!(info["num_pending"], 3);
    Ok(())
}

#[tokio::test]
async fn a_streams_limits_are_its_consumers_defaults() -> Result<()> {
    let site = one()?;
    site.stream("A", json!({"consumer_limits": {"max_ack_pending": 7, "inactive_threshold": 3_600_000_000_000_i64}}))?;
    site.consumer("A", "w", json!({"ack_policy": "explicit"}))?;
    site.applied()?;
    site.run("plan", &[])?.ended(0, &["2 as declared"]);
    Ok(())
}

#[tokio::test]
async fn a_consumer_of_a_stream_that_somebody_else_declares() -> Result<()> {
    let site = one()?;
    site.stream("A", json!({}))?;
    site.applied()?;
    std::fs::remove_file(site.folder().join("streams/A.json"))?;
    site.consumer("A", "w", json!({"ack_policy": "explicit"}))?;
    site.run("apply", &[])?
        .ended(0, &["consumers/A/w made", "left alone: streams/A"]);
    site.run("plan", &[])?.ended(0, &["1 as declared"]);
    Ok(())
}

#[tokio::test]
async fn an_operators_pause_stays_and_a_declared_one_is_made_true() -> Result<()> {
    let site = one()?;
    site.stream("A", json!({}))?;
    site.consumer("A", "w", json!({"ack_policy": "explicit"}))?;
    site.applied()?;
    let pause = json!({"pause_until": "2099-01-01T00:00:00Z"});
    let paused = site.api().await?.once("CONSUMER.PAUSE.A.w", &pause).await;
    assert!(paused.is_ok(), "{paused:?}");
    site.run("plan", &[])?.ended(0, &["2 as declared"]);
    site.consumer(
        "A",
        "w",
        json!({"ack_policy": "explicit", "description": "new"}),
    )?;
    site.applied()?;
    let until = async |until: &str| -> Result<()> {
        let info = site
            .api()
            .await?
            .ask("CONSUMER.INFO.A.w", &Value::Null)
            .await;
        let info = info.map_err(|failure| anyhow::anyhow!("{failure}"))?;
        assert_eq!(info["config"]["pause_until"], until);
        Ok(())
    };
    until("2099-01-01T00:00:00Z").await?;
    site.consumer(
        "A",
        "w",
        json!({"ack_policy": "explicit", "pause_until": "2098-01-01T00:00:00Z"}),
    )?;
    site.run("apply", &[])?.ended(0, &["consumers/A/w updated"]);
    until("2098-01-01T00:00:00Z").await?;
    site.run("plan", &[])?.ended(0, &["2 as declared"]);
    Ok(())
}
