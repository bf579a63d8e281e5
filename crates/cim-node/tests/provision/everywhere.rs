//! What `cim-provision` does, step by step, on one server, on a cluster of three, and on a leaf from its hub.

use anyhow::{Context, Result, ensure};
use cim_testkit::until;
use serde_json::{Value, json};

use crate::migrate::{acknowledge, content, done, position};
use crate::support::{Site, asset, one};

/// Makes, leaves alone, updates, refuses a loss, takes it with consent, refuses the next, explains what no update does,
/// migrates, and imports; `replicas` of each stream.
async fn whole(site: &Site, replicas: u8) -> Result<()> {
    let stream = |more: Value| {
        let mut fields = json!({"subjects": ["s.>"], "num_replicas": replicas});
        crate::support::merge(&mut fields, more);
        site.stream("S", fields)
    };
    stream(json!({}))?;
    let worker = json!({"ack_policy": "explicit", "ack_wait": 1_000_000_000});
    site.consumer("S", "w", worker)?;
    let bucket = json!({"bucket": "b", "history": 3, "num_replicas": replicas});
    site.declare("kv/b", &bucket)?;
    site.run("plan", &[])?
        .ended(1, &["streams/S: to make", "3 to do"]);
    site.run("apply", &[])?.ended(0, &["3 done"]);
    site.agrees(&["3 as declared"]).await?;

    site.publish(&["s.x"], 21).await?;
    acknowledge(site, "S", "w", 8).await?;
    stream(json!({"description": "new"}))?;
    site.run("apply", &[])?.ended(0, &["streams/S updated"]);
    site.agrees(&["3 as declared"]).await?;
    assert_eq!(site.messages("S").await?, 21);

    lossy(site, &stream).await?;

    stream(json!({"max_msgs": 15, "storage": "memory"}))?;
    let help = [
        "storage: file → memory (impossible)",
        "migrate FOLDER streams/S",
        "1. a stream cim-migrate-S mirrors S",
    ];
    site.run("apply", &[])?.ended(2, &help);
    // A hole at the end, whose numbers are skipped by publishing.
    let api = site.api().await?;
    let gone = api.ask("STREAM.MSG.DELETE.S", &json!({"seq": 21})).await;
    ensure!(gone.is_ok(), "{gone:?}");
    let (before, place) = (content(site, "S").await?, position(site, "S", "w").await?);
    assert_eq!(before.len(), 14);
    done(site, "streams/S")?;
    site.agrees(&["3 as declared"]).await?;
    assert_eq!(content(site, "S").await?, before);
    until("the consumer is at its place", async || {
        let now = position(site, "S", "w").await?;
        ensure!(now == place, "{now:?}, not {place:?}");
        Ok(())
    })
    .await?;
    site.publish(&["s.x"], 1).await?;
    let after = content(site, "S").await?;
    assert_eq!(after.last().context("one")?["seq"], 22);

    std::fs::remove_dir_all(site.folder())?;
    site.run("import", &[])?
        .ended(0, &["streams/S", "consumers/S/w", "kv/b"]);
    site.agrees(&["3 as declared"]).await?;
    let report = site.json("plan", &[])?;
    assert_eq!(report["undeclared"], json!([]));
    Ok(())
}

/// 21 messages, of which 6 go, and not one more.
async fn lossy(site: &Site, stream: &impl Fn(Value) -> Result<()>) -> Result<()> {
    stream(json!({"max_msgs": 15}))?;
    site.run("apply", &[])?
        .ended(2, &["6 messages of the stream S"]);
    assert_eq!(site.messages("S").await?, 21);
    let report = site.json("plan", &[])?;
    let id = asset(&report, "streams/S")?["planId"].as_str();
    let consent = format!("streams/S={}", id.context("no id")?);
    let args = ["--allow-data-loss", consent.as_str()];
    let said = site.run("apply", &args)?;
    said.ended(0, &[]);
    // The number is told before it is done.
    let told = said.err.find(
        "6 messages of the stream S are removed at once, the oldest first, as was consented to",
    );
    let done = said.err.find("streams/S updated");
    ensure!(told.is_some() && told < done, "{said:?}");
    until("the oldest are gone", async || {
        let held = site.messages("S").await?;
        ensure!(held == 15, "{held}");
        Ok(())
    })
    .await?;
    stream(json!({"max_msgs": 10}))?;
    site.run("apply", &args)?
        .ended(2, &["5 messages of the stream S"]);
    assert_eq!(site.messages("S").await?, 15);
    Ok(())
}

#[tokio::test]
async fn on_one_server() -> Result<()> {
    whole(&one()?, 1).await
}

#[tokio::test]
async fn on_a_cluster_of_three() -> Result<()> {
    whole(&crate::cluster::cluster().await?, 3).await
}

#[tokio::test]
async fn on_a_leaf_from_its_hub() -> Result<()> {
    let mut site = crate::domain::leaf_and_hub().await?;
    site.home = 1;
    whole(&site, 1).await
}
