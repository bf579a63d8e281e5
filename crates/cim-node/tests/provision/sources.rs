//! What a change of sources does to what was copied already.

use anyhow::{Context, Result, ensure};
use cim_testkit::until;
use serde_json::{Value, json};

use crate::support::{Site, asset, one};

/// A stream with 10 messages on two subjects, and one that copies it so.
async fn copied(sources: Value, expected: u64) -> Result<Site> {
    let site = one()?;
    site.stream("O", json!({"subjects": ["o.>"]}))?;
    collect(&site, sources)?;
    site.applied()?;
    site.publish(&["o.a", "o.b"], 5).await?;
    holds(&site, expected).await?;
    Ok(site)
}

fn collect(site: &Site, sources: Value) -> Result<()> {
    site.stream("S", json!({"subjects": ["s"], "sources": sources}))
}

async fn holds(site: &Site, messages: u64) -> Result<()> {
    until(&format!("S holds {messages}"), async || {
        let held = site.messages("S").await?;
        ensure!(held == messages, "it holds {held}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn another_filter_copies_again_and_needs_consent() -> Result<()> {
    let site = copied(json!([{"name": "O", "filter_subject": "o.a"}]), 5).await?;
    collect(&site, json!([{"name": "O"}]))?;
    site.run("apply", &[])?.ended(
        2,
        &[
            "sources: ",
            "up to 5 messages of the stream S are copied from their source a second time",
        ],
    );
    let report = site.json("plan", &[])?;
    let id = asset(&report, "streams/S")?["planId"]
        .as_str()
        .context("no id")?;
    site.run("apply", &["--allow-data-loss", &format!("streams/S={id}")])?
        .ended(0, &[]);
    // 5 of before, and all 10 of the source: nats-server starts over.
    holds(&site, 15).await
}

#[tokio::test]
async fn another_transform_copies_again_too() -> Result<()> {
    let site = copied(json!([{"name": "O"}]), 10).await?;
    collect(
        &site,
        json!([{"name": "O", "subject_transforms": [{"src": "o.>", "dest": "x.>"}]}]),
    )?;
    site.run("apply", &[])?
        .ended(2, &["up to 10 messages of the stream S are copied"]);
    Ok(())
}

#[tokio::test]
async fn what_was_not_copied_yet_is_no_second_copy() -> Result<()> {
    let site = copied(json!([{"name": "O", "filter_subject": "o.a"}]), 5).await?;
    collect(
        &site,
        json!([{"name": "O", "filter_subject": "o.a"}, {"name": "O", "filter_subject": "o.b"}]),
    )?;
    site.run("apply", &[])?.ended(0, &["updated in place"]);
    holds(&site, 10).await
}

#[tokio::test]
async fn a_source_that_goes_and_comes_back_goes_on_where_it_was() -> Result<()> {
    let site = copied(json!([{"name": "O"}]), 10).await?;
    collect(&site, json!([]))?;
    site.applied()?;
    site.publish(&["o.a"], 3).await?;
    collect(&site, json!([{"name": "O", "opt_start_seq": 2}]))?;
    site.applied()?;
    holds(&site, 13).await
}
