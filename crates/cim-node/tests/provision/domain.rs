//! A leaf with a JetStream domain of its own, provisioned from its hub.

use anyhow::{Result, ensure};
use cim_testkit::until;
use serde_json::{Value, json};

use crate::support::site;

#[tokio::test]
async fn the_leafs_assets_are_made_in_the_leafs_domain() -> Result<()> {
    let mut site = site(2, "alone:js:, domain: d%")?;
    site.link(1, 0)?;
    site.stream("A", json!({"subjects": ["a"]}))?;
    site.consumer("A", "w", json!({"ack_policy": "explicit"}))?;
    site.run("apply", &["--domain", "d1", "--wait", "3"])?
        .ended(
            2,
            &["is a server of the JetStream domain \"d0\", not of \"d1\""],
        );
    site.monitor = 1;
    until("the leaf's API answers at the hub", async || {
        let said = site.run("plan", &["--domain", "d1", "--wait", "0"])?;
        ensure!(said.code == 1, "{said:?}");
        Ok(())
    })
    .await?;
    site.run("apply", &["--domain", "d1"])?
        .ended(0, &["2 done"]);
    site.run("plan", &["--domain", "d1"])?
        .ended(0, &["2 as declared"]);
    site.monitor = 0;
    // The hub itself has none of it.
    site.run("plan", &[])?.ended(1, &["streams/A: to make"]);
    let leaf: Value = site.servers[1]
        .as_ref()
        .map(|leaf| leaf.get("/jsz"))
        .transpose()?
        .unwrap_or_default();
    assert_eq!(leaf["streams"], 1);

    // A leaf that is cut off is unknown, not empty.
    site.kill(1)?;
    site.run("apply", &["--domain", "d1", "--wait", "1"])?
        .ended(3, &["nobody answers $JS.d1.API"]);
    Ok(())
}
