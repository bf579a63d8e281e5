//! A leaf with a JetStream domain of its own, provisioned from its hub.

use anyhow::{Result, ensure};
use cim_testkit::until;
use serde_json::{Value, json};

use crate::support::{Site, site};

/// The hub's domain is `d0`; the leaf's is `d1`, and what every command is about.
pub async fn leaf_and_hub() -> Result<Site> {
    let mut site = site(2, "alone:js:, domain: d%")?;
    site.link(1, 0)?;
    site.monitor = 1;
    site.args = vec!["--domain".to_owned(), "d1".to_owned()];
    until("the leaf's API answers at the hub", async || {
        let said = site.run("plan", &["--wait", "0"])?;
        ensure!(said.code == 0, "{said:?}");
        Ok(())
    })
    .await?;
    Ok(site)
}

#[tokio::test]
async fn the_leafs_assets_are_made_in_the_leafs_domain() -> Result<()> {
    let mut site = leaf_and_hub().await?;
    site.stream("A", json!({"subjects": ["a"]}))?;
    site.consumer("A", "w", json!({"ack_policy": "explicit"}))?;
    site.monitor = 0;
    site.run("apply", &["--wait", "3"])?.ended(
        2,
        &["is a server of the JetStream domain \"d0\", not of \"d1\""],
    );
    // The hub itself has none of what the leaf has.
    site.monitor = 1;
    site.applied()?;
    let domain = std::mem::take(&mut site.args);
    site.monitor = 0;
    site.run("plan", &[])?.ended(1, &["streams/A: to make"]);
    let leaf: Value = site.servers[1]
        .as_ref()
        .map(|leaf| leaf.get("/jsz"))
        .transpose()?
        .unwrap_or_default();
    assert_eq!(leaf["streams"], 1);

    // A leaf that is cut off is unknown, not empty.
    site.kill(1)?;
    site.args = domain;
    site.run("apply", &["--wait", "1"])?
        .ended(3, &["nobody answers $JS.d1.API"]);
    Ok(())
}
