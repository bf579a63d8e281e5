//! Durable flows as they are deployed, over a link that is cut: what is acknowledged at one end is at the other once, in order.

mod site;
mod twice;

use anyhow::{Result, ensure};
use cim_render::places::Listener;
use cim_testkit::{PASSWORD, PASSWORD_HASH, golden, mqtt};
use serde_json::{Value, json};

use self::site::{BEFORE, MEANWHILE, Plant, Site, durable, has, publish, specs};
use crate::deployed;
use crate::partition::held::{bodies, body};

#[tokio::test]
async fn in_operator_mode_a_cut_link_and_a_pushed_jwt_delay_and_lose_nothing() -> Result<()> {
    let plant = Plant {
        name: "plant-7",
        // A flow with another name at the hub: the links have an account of their own.
        exports: json!([
            {"subject": "metrics.>", "prefix": "plant-7", "to": null, "canary": null, "durable": null},
            durable("orders.>", Some("plant-7")),
        ]),
        imports: json!([durable("recipes.>", None)]),
    };
    let mut site = Site::start(specs(&["hub"], &[plant])?).await?;
    let (hub, leaf) = (site.hub("hub").await?, site.leaf("plant-7").await?);
    publish(&leaf, "orders.a", BEFORE).await?;
    publish(&hub, "recipes.a", BEFORE).await?;
    has(&hub, "ORDERS", &[("orders.a", 100)]).await?;
    has(&leaf, "RECIPES", &[("recipes.a", 100)]).await?;

    site.cut();
    publish(&leaf, "orders.a", MEANWHILE).await?;
    publish(&hub, "recipes.a", MEANWHILE).await?;
    // What copies need stays in the account although its JWT is another one.
    site.push(&json!("more.>")).await?;
    has(&hub, "ORDERS", &[("orders.a", 100)]).await?;
    has(&leaf, "RECIPES", &[("recipes.a", 100)]).await?;
    site.mend();
    has(&hub, "ORDERS", &[("orders.a", 200)]).await?;
    has(&leaf, "RECIPES", &[("recipes.a", 200)]).await?;

    // And over a link that stands.
    publish(&leaf, "orders.b", BEFORE).await?;
    site.push(&json!("most.>")).await?;
    publish(&leaf, "orders.b", MEANWHILE).await?;
    let both = [("orders.a", 200), ("orders.b", 200)];
    has(&hub, "ORDERS", &both).await?;
    for server in ["hub", "plant-7"] {
        deployed::is_declared(&site.fleet, site.dir.path(), server).await?;
    }
    Ok(())
}

#[tokio::test]
async fn from_leaf_to_leaf_by_a_hub_of_three_nodes() -> Result<()> {
    let plants = [
        Plant {
            name: "plant-7",
            exports: json!([durable("orders.>", None)]),
            imports: json!([durable("recipes.>", None)]),
        },
        Plant {
            name: "plant-8",
            exports: json!([]),
            imports: json!([durable("orders.>", None)]),
        },
    ];
    let nodes = ["hub-1", "hub-2", "hub-3"];
    let mut site = Site::start(specs(&nodes, &plants)?).await?;
    let (from, to) = (site.leaf("plant-7").await?, site.leaf("plant-8").await?);
    let hub = site.hub("hub-1").await?;
    let info = hub.request("$JS.API.STREAM.INFO.ORDERS", "".into()).await?;
    let info: Value = serde_json::from_slice(&info.payload)?;
    ensure!(info["config"]["num_replicas"] == 3, "{info}");
    publish(&from, "orders.a", BEFORE).await?;
    publish(&hub, "recipes.a", BEFORE).await?;
    has(&to, "ORDERS", &[("orders.a", 100)]).await?;
    has(&from, "RECIPES", &[("recipes.a", 100)]).await?;

    site.cut();
    publish(&from, "orders.a", MEANWHILE).await?;
    publish(&hub, "recipes.a", MEANWHILE).await?;
    has(&hub, "ORDERS", &[("orders.a", 100)]).await?;
    site.mend();
    has(&hub, "ORDERS", &[("orders.a", 200)]).await?;
    has(&to, "ORDERS", &[("orders.a", 200)]).await?;
    has(&from, "RECIPES", &[("recipes.a", 200)]).await?;

    // The node that the first leaf hangs on goes, and what it led.
    let killed = site.fleet.linked("plant-7").await?;
    site.fleet.kill(&killed)?;
    publish(&from, "orders.b", BEFORE).await?;
    let both = [("orders.a", 200), ("orders.b", 100)];
    has(&to, "ORDERS", &both).await?;
    site.fleet.start(&killed)?;
    for node in nodes {
        has(&site.hub(node).await?, "ORDERS", &both).await?;
        deployed::is_declared(&site.fleet, site.dir.path(), node).await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_devices_say_by_mqtt_waits_for_the_link_too() -> Result<()> {
    let plant = Plant {
        name: "plant-7",
        exports: json!(["metrics.>", durable("orders.>", None)]),
        imports: json!([durable("recipes.>", None)]),
    };
    let mut specs = specs(&["hub"], &[plant])?;
    for spec in &mut specs {
        if let Some(leaf) = spec.pointer_mut("/leaf/leaf") {
            leaf["server"]["mqtt"]["port"] = json!(1883);
            let users = &mut leaf["accounts"]["CIM"]["users"];
            users["sensor"] = users["orders"].clone();
            users["sensor"]["nkey"] = Value::Null;
            users["sensor"]["passwordHash"] = json!(PASSWORD_HASH);
        }
    }
    let site = Site::start(specs).await?;
    let (hub, leaf) = (site.hub("hub").await?, site.leaf("plant-7").await?);
    let port = site.fleet.member("plant-7")?.port(Listener::Mqtt);
    let mut sensor = mqtt::connect(port, "sensor", PASSWORD).await?;
    publish(&leaf, "orders.a", BEFORE).await?;
    mqtt::publish(&mut sensor, "orders/sensor", &body("sensor", 0)).await?;
    publish(&hub, "recipes.a", BEFORE).await?;
    has(&hub, "ORDERS", &[("orders.a", 100), ("sensor", 1)]).await?;
    has(&leaf, "RECIPES", &[("recipes.a", 100)]).await?;

    site.cut();
    publish(&leaf, "orders.a", MEANWHILE).await?;
    mqtt::publish(&mut sensor, "orders/sensor", &body("sensor", 1)).await?;
    publish(&hub, "recipes.a", MEANWHILE).await?;
    let both = [("orders.a", 200), ("sensor", 2)];
    has(&leaf, "ORDERS", &both).await?;
    has(&hub, "ORDERS", &[("orders.a", 100), ("sensor", 1)]).await?;
    site.mend();
    has(&hub, "ORDERS", &both).await?;
    has(&leaf, "RECIPES", &[("recipes.a", 200)]).await
}

#[tokio::test]
async fn of_two_hubs_each_has_the_flows_that_name_it() -> Result<()> {
    let of_hub = |subject: &str, hub: &str| {
        let mut flow = durable(subject, None);
        flow["durable"]["hub"] = json!(hub);
        flow
    };
    let mut specs = Vec::new();
    for case in ["cim-prod-001", "hub1", "west1"] {
        let mut spec = golden(&format!("multi-hub-{case}"))?;
        for at in ["/leaf/fleet/hubs/hub/nodes", "/hub/fleet/hubs/hub/nodes"] {
            if let Some(nodes) = spec.pointer_mut(at).and_then(Value::as_object_mut) {
                nodes.retain(|name, _| name == "hub1");
            }
        }
        for at in ["/leaf/fleet/leaf", "/hub/fleet/leaves/cim-prod-001"] {
            if let Some(member) = spec.pointer_mut(at) {
                member["exports"] = json!(["metrics.>", of_hub("orders.>", "west")]);
                member["imports"] = json!([of_hub("recipes.>", "hub")]);
            }
            if let Some(remote) = spec.pointer_mut(&format!("{at}/remotes/west")) {
                remote["websocket"] = json!(false); // there is no wire for that
            }
        }
        specs.push(spec);
    }
    let site = Site::start(specs).await?;
    let leaf = site.fleet.client("cim-prod-001", "graph").await?;
    let (hub, west) = (site.hub("hub1").await?, site.hub("west1").await?);
    publish(&leaf, "orders.a", BEFORE).await?;
    publish(&hub, "recipes.a", BEFORE).await?;
    has(&west, "ORDERS", &[("orders.a", 100)]).await?;
    has(&leaf, "RECIPES", &[("recipes.a", 100)]).await?;
    for (client, stream) in [(&hub, "ORDERS"), (&west, "RECIPES")] {
        ensure!(bodies(client, stream).await.is_err(), "{stream} is there");
    }
    site.cut();
    publish(&leaf, "orders.a", MEANWHILE).await?;
    publish(&hub, "recipes.a", MEANWHILE).await?;
    site.mend();
    has(&west, "ORDERS", &[("orders.a", 200)]).await?;
    has(&leaf, "RECIPES", &[("recipes.a", 200)]).await
}
