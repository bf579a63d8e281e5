//! `migrate` of a leaf's stream that its hub has as a source: it would copy all of it again, over the link.

use std::time::Duration;

use anyhow::{Result, anyhow, ensure};
use cim_testkit::until_within;
use serde_json::{Value, json};

use crate::domain::leaf_and_hub;
use crate::migrate::{as_declared, id, migrate};
use crate::support::{Site, put};

/// How long a copy over a link may stand still until nats-server asks for it anew (docs/partition.md).
const COPIED: Duration = Duration::from_secs(90);

/// Where the hub, and where the leaf is among the servers.
const HUB: usize = 0;
const LEAF: usize = 1;

/// Changes a stream of the hub.
async fn on_hub(site: &mut Site, how: &str, sources: Value) -> Result<()> {
    site.home = HUB;
    let config = json!({ "name": "ALL", "subjects": ["all"], "sources": sources });
    let api = site.api().await?;
    let answer = api.ask(&format!("STREAM.{how}.ALL"), &config).await;
    answer.map(drop).map_err(|failure| anyhow!("{failure}"))
}

/// What the hub copies.
fn source(more: Value) -> Value {
    let mut source = json!({ "name": "A", "external": { "api": "$JS.d1.API", "deliver": "" } });
    crate::support::merge(&mut source, more);
    json!([source])
}

/// The bodies of what the hub has, in its order.
async fn held(site: &mut Site, count: usize) -> Result<Vec<Value>> {
    site.home = HUB;
    let site = &*site;
    until_within(COPIED, &format!("the hub holds {count}"), async || {
        let all = crate::migrate::content(site, "ALL").await?;
        ensure!(all.len() == count, "{} messages", all.len());
        Ok(all
            .into_iter()
            .map(|message| message["data"].clone())
            .collect())
    })
    .await
}

/// A leaf's stream of five messages that is declared otherwise, and that the hub has copied.
async fn copied() -> Result<Site> {
    let mut site = leaf_and_hub().await?;
    site.stream("A", json!({"subjects": ["a"]}))?;
    put(
        &site.folder().join("provision.json"),
        &json!({ "crosses": { "streams/A": ["hub"] } }).to_string(),
    )?;
    site.applied()?;
    on_hub(&mut site, "CREATE", source(json!({}))).await?;
    publish(&mut site, 5).await?;
    held(&mut site, 5).await?;
    site.stream("A", json!({"subjects": ["a"], "storage": "memory"}))?;
    Ok(site)
}

/// Publishes at the leaf; each is acknowledged there.
async fn publish(site: &mut Site, count: usize) -> Result<()> {
    site.home = LEAF;
    site.publish(&["a"], count).await
}

#[tokio::test]
async fn what_the_hub_copies_comes_again_only_on_a_word() -> Result<()> {
    let mut site = copied().await?;
    let id = id(&site, "streams/A")?;
    let refused = migrate(&site, "streams/A", &["--confirm", &id])?;
    refused.ended(
        2,
        &["its 5 messages would come a second time to whatever has it as a source on hub"],
    );
    assert_eq!(held(&mut site, 5).await?.len(), 5);
    migrate(&site, "streams/A", &["--confirm", &id, "--copied-again"])?.ended(0, &["done: "]);
    // As it was said: all five again, and nothing else.
    let all = held(&mut site, 10).await?;
    assert_eq!(all[..5], all[5..]);
    publish(&mut site, 1).await?;
    held(&mut site, 11).await?;
    as_declared(&site).await
}

/// The steps that the refusal prints, by hand: while the leaf goes on taking messages, nothing is lost, nor comes twice.
#[tokio::test]
async fn what_the_refusal_advises_loses_nothing_over_the_link() -> Result<()> {
    let mut site = copied().await?;
    on_hub(&mut site, "UPDATE", json!([])).await?;
    publish(&mut site, 2).await?;
    // Nobody copies it now; what is declared says still that somebody may.
    let id = id(&site, "streams/A")?;
    migrate(&site, "streams/A", &["--confirm", &id, "--copied-again"])?.ended(0, &["done: "]);
    publish(&mut site, 1).await?;
    on_hub(&mut site, "UPDATE", source(json!({ "opt_start_seq": 6 }))).await?;
    held(&mut site, 8).await?;
    on_hub(&mut site, "UPDATE", source(json!({}))).await?;
    publish(&mut site, 1).await?;
    held(&mut site, 9).await?;
    as_declared(&site).await
}
