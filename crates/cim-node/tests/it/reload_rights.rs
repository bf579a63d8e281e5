//! What a reload means for connections that stand: new rights hold for clients at once, and for
//! leaves only when they link again. The second is nats-server's (2.15.1, `reloadAuthorization`
//! passes over `s.leafs`); when this test fails, it has learned better.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use async_nats::{Client, Subscriber};
use cim_testkit::{Fleet, golden, plan, until};
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::support::{changed, hosts, reload, running};

const ISOLATE: &str = "hub.fleet.hubs.hub.leafnodes.isolateInterest";
const EXPORTS: &str = "hub.fleet.leaves.cim-prod-001.exports";

fn rewritten(fleet: &mut Fleet, spec: &Value) -> Result<()> {
    fleet.rewrite("hub-1", plan(spec)?)?;
    reload(fleet, "hub-1")?.done();
    Ok(())
}

#[tokio::test]
async fn a_client_s_new_rights_hold_at_once_and_a_removed_user_is_put_out() -> Result<()> {
    let mut hosts = running("hub-1")?;
    let fleet = &mut hosts.fleet;
    let alchemist = fleet.client("hub-1", "alchemist").await?;
    let mut ears = alchemist.subscribe(">").await?;
    heard(&alchemist, "secret.x", &mut ears).await?;

    let permissions = "hub.fleet.accounts.CIM.users.alchemist.permissions";
    let narrow = json!({"publish": {"allow": ["open.>"], "deny": []}, "subscribe": {"allow": [">"], "deny": []},
        "allowResponses": null});
    rewritten(fleet, &changed("hub-1", &[(permissions, narrow)])?)?;
    assert_eq!(
        before(&alchemist, "secret.x", "open.x", &mut ears).await?,
        0
    );

    let users = "hub.fleet.accounts.CIM.users";
    rewritten(fleet, &changed("hub-1", &[(users, json!({}))])?)?;
    until("alchemist is put out", async || {
        let connz: Value = fleet.server("hub-1")?.get("/connz")?;
        ensure!(connz["num_connections"] == 0, "{connz}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_standing_leaf_link_keeps_its_old_rights_until_it_links_again() -> Result<()> {
    let mut hosts = hosts(&[golden("cim-prod-001")?, golden("hub-1")?])?;
    let fleet = &mut hosts.fleet;
    fleet.start_all()?;
    fleet.linked("cim-prod-001").await?;
    let graph = fleet.client("cim-prod-001", "graph").await?;
    let alchemist = fleet.client("hub-1", "alchemist").await?;
    let mut ears = alchemist.subscribe(">").await?;
    heard(&graph, "domain.graph.x", &mut ears).await?;

    // Without the flow to another leaf, isolation would be derived, which needs a restart.
    let narrow = changed(
        "hub-1",
        &[(EXPORTS, json!(["metrics.>"])), (ISOLATE, json!(false))],
    )?;
    rewritten(fleet, &narrow)?;
    let crossed = before(&graph, "domain.graph.x", "metrics.x", &mut ears).await?;
    assert!(crossed > 0, "nats-server now narrows standing leaf links");

    let mut without = narrow;
    let leaves = without
        .pointer_mut("/hub/fleet/leaves")
        .and_then(Value::as_object_mut);
    leaves.context("a fleet has leaves")?.remove("cim-prod-001");
    rewritten(fleet, &without)?;
    heard(&graph, "metrics.x", &mut ears)
        .await
        .context("nats-server now puts removed leaves out")?;
    assert_eq!(fleet.links("hub-1")?.len(), 1);

    fleet.kill("cim-prod-001")?;
    fleet.start("cim-prod-001")?;
    fleet.says("hub-1", "authentication error").await?;
    until("it is not linked", async || {
        ensure!(fleet.links("hub-1")?.is_empty(), "it is");
        Ok(())
    })
    .await
}

/// Publishes until it is heard.
async fn heard(publisher: &Client, subject: &str, ears: &mut Subscriber) -> Result<()> {
    before(publisher, "", subject, ears).await.map(drop)
}

/// How often `first` is heard before `then`, which is published after it until it is heard.
async fn before(
    publisher: &Client,
    first: &str,
    then: &str,
    ears: &mut Subscriber,
) -> Result<usize> {
    let mut count = 0;
    until(&format!("{then} is heard"), async || {
        for subject in [first, then]
            .into_iter()
            .filter(|subject| !subject.is_empty())
        {
            publisher.publish(subject.to_owned(), "".into()).await?;
        }
        publisher.flush().await?;
        let moment = Duration::from_millis(50);
        while let Ok(Some(message)) = tokio::time::timeout(moment, ears.next()).await {
            if message.subject.as_str() == then {
                return Ok(());
            }
            count += usize::from(message.subject.as_str() == first);
        }
        anyhow::bail!("it is not")
    })
    .await?;
    Ok(count)
}
