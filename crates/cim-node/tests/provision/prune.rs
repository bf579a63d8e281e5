//! `prune`: what nobody declares goes by its name and id, and nothing else.

use std::fs;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::support::{Said, Site, one};

fn prune(site: &Site, args: &[&str]) -> Result<Said> {
    Said::of(site.command("prune").args(args).output()?)
}

fn id(site: &Site, asset: &str) -> Result<String> {
    let report = site.json("plan", &[])?;
    let left = report["left"].as_array().context("no list")?.iter();
    let mut left = left.filter(|left| left["asset"] == asset);
    let left = left.next().with_context(|| report.to_string())?;
    Ok(left["id"].as_str().context("no id")?.to_owned())
}

#[tokio::test]
async fn one_by_one_with_the_id_that_plan_prints() -> Result<()> {
    let site = one()?;
    site.stream("A", json!({"subjects": ["a"]}))?;
    site.stream("OLD", json!({"subjects": ["old"]}))?;
    site.consumer("A", "old", json!({"ack_policy": "explicit"}))?;
    site.consumer("OLD", "w", json!({"ack_policy": "explicit"}))?;
    site.declare("kv/old", &json!({"bucket": "old"}))?;
    site.applied()?;
    site.publish(&["a", "old", "$KV.old.k"], 3).await?;
    fs::remove_dir_all(site.folder().join("consumers"))?;
    fs::remove_dir_all(site.folder().join("kv"))?;
    fs::remove_file(site.folder().join("streams/OLD.json"))?;
    site.run("plan", &[])?.ended(
        0,
        &[
            "streams/OLD: 3 messages and 1 consumers (`cim-provision prune FOLDER streams/OLD --confirm ",
            "consumers/A/old: a consumer that 3 messages wait for",
        ],
    );
    // Looking is not removing.
    prune(&site, &["streams/OLD", "kv/old"])?.ended(
        1,
        &[
            "streams/OLD: 3 messages and 1 consumers",
            "run again with --confirm ",
        ],
    );
    let first = id(&site, "streams/OLD")?;
    site.publish(&["old"], 1).await?;
    prune(&site, &["streams/OLD", "--confirm", &first])?
        .ended(2, &["4 messages", "consents to another removal"]);
    for asset in ["streams/OLD", "kv/old", "consumers/A/old"] {
        let id = id(&site, asset)?;
        prune(&site, &[asset, "--confirm", &id])?.ended(0, &["removed ", asset]);
    }
    let report = site.json("plan", &[])?;
    assert_eq!(report["undeclared"], json!([]));
    assert_eq!(site.messages("A").await?, 3);
    prune(&site, &["streams/OLD"])?.ended(2, &["the server has none such"]);
    Ok(())
}

#[tokio::test]
async fn what_is_declared_or_needed_stays() -> Result<()> {
    let site = one()?;
    site.stream("A", json!({"subjects": ["a"]}))?;
    site.stream("COPY", json!({"mirror": {"name": "A"}}))?;
    site.stream("ALL", json!({"sources": [{"name": "A"}]}))?;
    site.consumer("A", "w", json!({"ack_policy": "explicit"}))?;
    site.declare("kv/x", &json!({"bucket": "x"}))?;
    site.applied()?;
    site.publish(&["a"], 2).await?;
    prune(&site, &["streams/A"])?.ended(2, &["is declared (streams/A.json), and its 2 messages"]);
    prune(&site, &["streams/KV_x"])?.ended(2, &["is declared (kv/x.json)"]);
    fs::remove_file(site.folder().join("streams/A.json"))?;
    let id = id(&site, "streams/A")?;
    prune(&site, &["streams/A", "--confirm", &id])?.ended(
        2,
        &["is needed by consumers/A/w, streams/ALL, streams/COPY, and its 2 messages"],
    );
    let api = site.api().await?;
    let refused = prune(&site, &["streams/A", "kv/x", "--json"])?;
    let told: Value = serde_json::from_str(&refused.out)?;
    assert_eq!(told["assets"][1]["state"], "refused");
    assert!(
        api.find("STREAM.INFO.A", &Value::Null)
            .await
            .is_ok_and(|found| found.is_some())
    );
    Ok(())
}
