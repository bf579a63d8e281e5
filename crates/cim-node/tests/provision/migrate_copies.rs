//! Streams that copy a migrated one, and a migrated one that copies others: nothing comes twice unless somebody said so.

use anyhow::{Result, ensure};
use cim_testkit::until;
use serde_json::{Value, json};

use crate::migrate::{as_declared, content, done, id, migrate};
use crate::support::{Site, one};

/// `A` with five messages, `ALL` that has it as a source and `COPY` that mirrors it.
async fn copied() -> Result<Site> {
    let site = one()?;
    site.stream("A", json!({"subjects": ["a"]}))?;
    site.stream("ALL", json!({"sources": [{"name": "A"}]}))?;
    site.stream("COPY", json!({"mirror": {"name": "A"}}))?;
    site.applied()?;
    site.publish(&["a"], 5).await?;
    holds(&site, "ALL", 5).await?;
    holds(&site, "COPY", 5).await?;
    site.stream("A", json!({"subjects": ["a"], "storage": "memory"}))?;
    Ok(site)
}

async fn holds(site: &Site, stream: &str, messages: u64) -> Result<()> {
    until(&format!("{stream} holds {messages}"), async || {
        let held = site.messages(stream).await?;
        ensure!(held == messages, "it holds {held}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_stream_that_is_a_source_is_migrated_only_on_a_word() -> Result<()> {
    let site = copied().await?;
    let before = site.held("A").await?;
    let told = migrate(&site, "streams/A", &[])?;
    told.ended(1, &["its 5 messages come a second time to streams/ALL"]);
    let id = id(&site, "streams/A")?;
    let refused = migrate(&site, "streams/A", &["--confirm", &id])?;
    refused.ended(
        2,
        &["its 5 messages would come a second time to streams/ALL"],
    );
    assert_eq!(site.held("A").await?, before);
    let copies = content(&site, "COPY").await?;
    migrate(&site, "streams/A", &["--confirm", &id, "--copied-again"])?.ended(0, &["done: "]);
    holds(&site, "ALL", 10).await?;
    // The mirror goes on where it was.
    site.publish(&["a"], 1).await?;
    holds(&site, "ALL", 11).await?;
    holds(&site, "COPY", 6).await?;
    assert_eq!(content(&site, "COPY").await?[..5], copies);
    as_declared(&site).await
}

#[tokio::test]
async fn a_source_that_is_taken_away_meanwhile_gets_nothing_twice() -> Result<()> {
    let site = copied().await?;
    site.stream("ALL", json!({"subjects": ["all"]}))?;
    site.run("apply", &[])?.ended(2, &["streams/ALL updated"]);
    done(&site, "streams/A")?;
    site.publish(&["a"], 2).await?;
    let sources = json!([{"name": "A", "opt_start_seq": 6}]);
    site.stream("ALL", json!({"subjects": ["all"], "sources": sources}))?;
    site.applied()?;
    holds(&site, "ALL", 7).await?;
    // It has copied something new, and knows the new stream by now.
    site.stream(
        "ALL",
        json!({"subjects": ["all"], "sources": [{"name": "A"}]}),
    )?;
    site.applied()?;
    site.publish(&["a"], 1).await?;
    holds(&site, "ALL", 8).await?;
    as_declared(&site).await
}

#[tokio::test]
async fn a_migrated_stream_goes_on_with_its_own_sources() -> Result<()> {
    let site = one()?;
    site.stream("O", json!({"subjects": ["o"]}))?;
    site.stream(
        "ALL",
        json!({"subjects": ["all"], "sources": [{"name": "O"}]}),
    )?;
    site.applied()?;
    site.publish(&["o", "all"], 5).await?;
    holds(&site, "ALL", 10).await?;
    let before = content(&site, "ALL").await?;
    site.stream(
        "ALL",
        json!({"subjects": ["all"], "sources": [{"name": "O"}], "storage": "memory"}),
    )?;
    done(&site, "streams/ALL")?;
    site.publish(&["o"], 1).await?;
    holds(&site, "ALL", 11).await?;
    let after = content(&site, "ALL").await?;
    assert_eq!(after[..10], before);
    let last = after.last().map(|message| message["subject"].clone());
    assert_eq!(last, Some(Value::from("o")));
    as_declared(&site).await
}
