//! Hubs that a gateway joins: what is said at one is heard at the other.

use anyhow::{Context, Result};
use cim_testkit::{Fleet, Ports, golden, nats_server, plan};
use serde_json::{Value, json};

use crate::support::{crosses, hear};

#[tokio::test]
async fn a_message_crosses_from_hub_to_hub_and_back() -> Result<()> {
    let east = lone_hub("east", "east-1", "west", "west-1")?;
    let west = lone_hub("west", "west-1", "east", "east-1")?;
    let dir = tempfile::tempdir().context("creating a folder")?;
    let plans = vec![plan(&east)?, plan(&west)?];
    let mut fleet = Fleet::prepare(plans, dir.path(), &nats_server()?, Ports::Free)?;
    fleet.start_all()?;
    let here = fleet.client("east-1", "alchemist").await?;
    let there = fleet.client("west-1", "alchemist").await?;
    crosses(&here, "domain.x", &mut hear(&there, "domain.x").await?).await?;
    crosses(&there, "domain.y", &mut hear(&here, "domain.y").await?).await
}

/// The golden hub with one node, and another hub that it has a gateway to.
fn lone_hub(hub: &str, node: &str, other: &str, other_node: &str) -> Result<Value> {
    let mut spec = golden("hub-1")?;
    let entry = &spec["hub"]["fleet"]["hubs"]["hub"];
    let mut own = entry["nodes"]["hub-1"].clone();
    own["gatewayPort"] = json!(7222);
    let mut beyond = own.clone();
    own["address"] = json!(format!("{node}.example.com"));
    beyond["address"] = json!(format!("{other_node}.example.com"));
    let mut entry = entry.clone();
    entry["nodes"] = json!({ node: own });
    entry["domain"] = json!(hub);
    let fleet = &mut spec["hub"]["fleet"];
    fleet["hubs"] = json!({ hub: entry });
    fleet["leaves"] = json!({});
    fleet["gateways"] = json!({ other: { other_node: beyond } });
    spec["hub"]["node"] = json!(node);
    // nats-server wants a cluster of a hub that has both.
    spec["hub"]["hub"]["server"]["jetstream"]["enable"] = json!(false);
    Ok(spec)
}
