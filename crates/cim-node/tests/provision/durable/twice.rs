//! That the rule `stored-twice` is about something: what core flows carry is stored by a stream at each end, however many
//! flows are between them and whatever it is called on the way. The rule stands between hosts, so each is deployed alone here.

use anyhow::{Context, Result, ensure};
use cim_testkit::{golden, until};
use serde_json::{Value, json};

use super::site::{Plant, Site, durable, publish, specs};

/// A flow under another name: with a prefix, or `to`.
fn renamed(subject: &str, prefix: Option<&str>, to: Option<&str>) -> Value {
    json!({"subject": subject, "prefix": prefix, "to": to, "canary": null, "durable": null})
}

/// A stream of everything under `orders`.
fn kept() -> Result<Value> {
    let mut spec = golden("assets-cim-prod-001")?;
    let stream = spec.pointer_mut("/leaf/leaf/assets/CIM/streams/METRICS");
    let mut stream = stream.context("a stream")?.take();
    stream["fields"] = json!({"subjects": ["orders.>"], "maxBytes": "1MiB"});
    Ok(json!({"CIM": {"streams": {"KEPT": stream}, "kv": {}, "objectStores": {}}}))
}

/// What one leaf publishes and stores is stored by the other one too.
async fn both_store(export: Value, import: Value) -> Result<()> {
    let plants = [
        Plant {
            name: "plant-7",
            // Beside it something that the hub holds.
            exports: json!([export, durable("other.>", None)]),
            imports: json!([]),
        },
        Plant {
            name: "plant-8",
            exports: json!([]),
            imports: json!([import]),
        },
    ];
    let mut specs = specs(&["hub"], &plants)?;
    for spec in &mut specs {
        if let Some(leaf) = spec.pointer_mut("/leaf/leaf") {
            leaf["assets"] = kept()?;
        }
    }
    let site = Site::start(specs).await?;
    let (from, to) = (site.leaf("plant-7").await?, site.leaf("plant-8").await?);
    // Over a link interest is heard of a moment later.
    until("a message is there twice", async || {
        publish(&from, "orders.a", 0..1).await?;
        let info = to.request("$JS.API.STREAM.INFO.KEPT", "".into()).await?;
        let info: Value = serde_json::from_slice(&info.payload)?;
        let stored = info["state"]["messages"].as_u64();
        ensure!(stored.context("a count")? > 0, "{info}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_message_is_stored_at_both_ends_of_two_flows() -> Result<()> {
    both_store(json!("orders.>"), json!("orders.>")).await
}

#[tokio::test]
async fn and_where_it_has_another_name_between_them() -> Result<()> {
    both_store(
        renamed("orders.>", Some("plant-7"), None),
        renamed("plant-7.orders.>", None, Some("orders.>")),
    )
    .await
}
