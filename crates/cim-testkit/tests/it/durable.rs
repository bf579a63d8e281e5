//! Durable flows: what is acknowledged at one end is at the other once, in order, however the link was cut meanwhile.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use async_nats::Client;
use cim_render::Artefacts;
use cim_testkit::{Cut, Fleet, Ports, Wire, golden, nats_server, plan, until, until_within};
use futures_util::{FutureExt, StreamExt};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::copies::{COPIED, ask, holds, make, store};
use crate::support::hear;

const LEAF: &str = "plant-7";
const RECIPES: &str = "RECIPES_PLANT_7";
/// More than the 3,500 after which a copy stalls that may not say how far it is.
const MANY: usize = 4000;
const SOME: usize = 100;

/// The hub and the leaf of the example with a wire between them, and the streams that it makes at both; the folder goes
/// after the servers.
struct Scene {
    fleet: Fleet,
    wire: Wire,
    _dir: TempDir,
}

/// `edit` changes what the fleet says of the leaf.
async fn scene(edit: impl Fn(&mut Value)) -> Result<Scene> {
    let (mut hub, mut leaf) = (golden("durable-hub")?, golden("durable-plant-7")?);
    edit(&mut hub["hub"]["fleet"]["leaves"][LEAF]);
    edit(&mut leaf["leaf"]["fleet"]["leaf"]);
    let (hub, leaf) = (plan(&hub)?, plan(&leaf)?);
    let (of_hub, of_leaf) = (Artefacts::render(&hub)?, Artefacts::render(&leaf)?);
    let dir = tempfile::tempdir().context("creating a folder")?;
    let mut fleet = Fleet::prepare(vec![hub, leaf], dir.path(), &nats_server()?, Ports::Free)?;
    let wire = fleet.wire("hub")?;
    fleet.start_all()?;
    fleet.linked(LEAF).await?;
    let scene = Scene {
        fleet,
        wire,
        _dir: dir,
    };
    make(&scene.hub().await?, &of_hub).await?;
    make(&scene.leaf().await?, &of_leaf).await?;
    Ok(scene)
}

impl Scene {
    async fn hub(&self) -> Result<Client> {
        self.fleet.client("hub", "alchemist").await
    }

    async fn leaf(&self) -> Result<Client> {
        self.fleet.client(LEAF, "orders").await
    }
}

/// What the example says without other names: the links are bound to the account of the leaf's clients.
fn unnamed(member: &mut Value) {
    member["exports"][0] = json!("metrics.>");
    member["exports"][1]["prefix"] = Value::Null;
}

#[tokio::test]
async fn a_cut_link_delays_and_loses_nothing() -> Result<()> {
    let scene = scene(unnamed).await?;
    // What of the hub's stream the flow does not name is nothing that the leaf could copy.
    let source = json!({ "name": RECIPES, "external": { "api": "$JS.hub.API", "deliver": "$CIM.toLeaf.plant-7" } });
    let stolen = json!({ "name": "STOLEN", "sources": [source] });
    let leaf = scene.leaf().await?;
    ask(&leaf, "STREAM.CREATE.STOLEN", &stolen).await?;
    survives(&scene, "").await?;
    holds(&leaf, "STOLEN", 0).await
}

#[tokio::test]
async fn flows_under_other_names_compose_with_durable_ones() -> Result<()> {
    let scene = scene(|_| {}).await?;
    survives(&scene, "plant-7.").await
}

#[test]
fn a_flow_to_another_hub_is_none_of_this_one_s() -> Result<()> {
    let mut hub = golden("durable-hub")?;
    let fleet = &mut hub["hub"]["fleet"];
    fleet["assets"]["hubs"] = json!(["east", "hub"]);
    fleet["leaves"][LEAF]["exports"][1]["durable"]["hub"] = json!("east");
    fleet["leaves"][LEAF]["imports"][0]["durable"]["hub"] = json!("hub");
    let plan = plan(&hub)?;
    let held = plan.assets.iter().flat_map(|held| &held.assets);
    let names: Vec<String> = held.map(|asset| asset.stream_name()).collect();
    assert_eq!(names, [RECIPES]);
    Ok(())
}

/// Both ways, over a cut. `prefix`: what stands before the names of exports at the hub.
async fn survives(scene: &Scene, prefix: &str) -> Result<()> {
    let (hub, leaf) = (scene.hub().await?, scene.leaf().await?);
    let orders = format!("{prefix}orders");
    publish(&leaf, "orders", 0..MANY).await?;
    publish(&hub, "recipes.plant_7", 0..MANY).await?;
    has(&hub, "ORDERS", &orders, MANY).await?;
    has(&leaf, RECIPES, "recipes.plant_7", MANY).await?;
    only_by_its_stream(&hub, &leaf, prefix).await?;

    scene.wire.cut(Cut::Reset);
    publish(&leaf, "orders", MANY + 1..MANY + SOME).await?;
    publish(&hub, "recipes.plant_7", MANY..MANY + SOME).await?;
    holds(&leaf, RECIPES, MANY as u64).await?;
    holds(&hub, "ORDERS", MANY as u64 + 1).await?;

    scene.wire.mend();
    has(&hub, "ORDERS", &orders, MANY + SOME).await?;
    has(&leaf, RECIPES, "recipes.plant_7", MANY + SOME).await
}

/// Subscribers at the hub hear the other flow, by its name there, and nothing of the one that is stored.
async fn only_by_its_stream(hub: &Client, leaf: &Client, prefix: &str) -> Result<()> {
    let mut orders = hear(hub, &format!("{prefix}orders.>")).await?;
    let mut metrics = hear(hub, &format!("{prefix}metrics.>")).await?;
    store(leaf, &format!("orders.{MANY}")).await?;
    // Published later over the same link, so what was to come has come by then.
    until("the other flow crosses", async || {
        leaf.publish("metrics.cpu", "".into()).await?;
        leaf.flush().await?;
        let next = tokio::time::timeout(Duration::from_millis(100), metrics.next());
        next.await?.context("the subscription ended").map(drop)
    })
    .await?;
    let stray = orders.next().now_or_never().flatten();
    ensure!(stray.is_none(), "the hub's subscribers heard {stray:?}");
    Ok(())
}

#[tokio::test]
async fn what_has_no_room_is_refused_and_what_is_accepted_waits_for_room() -> Result<()> {
    let small = |member: &mut Value| {
        unnamed(member);
        member["exports"][1]["durable"]["maxBytes"] = json!("8KiB");
    };
    let scene = scene(small).await?;
    let leaf = scene.leaf().await?;
    let hub = scene.hub().await?;
    store(&leaf, "orders.0").await?;
    // A copy that finds the link cut when it is made is tried again half a minute later.
    holds(&hub, "ORDERS", 1).await?;
    scene.wire.cut(Cut::Reset);
    let mut accepted = 1;
    let refused = loop {
        let answer = leaf
            .request(format!("orders.{accepted}"), "x".into())
            .await?;
        let answer: Value = serde_json::from_slice(&answer.payload)?;
        if !answer["error"].is_null() {
            break answer["error"]["description"].clone();
        }
        accepted += 1;
        ensure!(accepted < 1000, "8 KiB hold {accepted} messages");
    };
    assert_eq!(refused, json!("maximum bytes exceeded"));

    // With what the server notes of each message's origin, the same number takes more room at the hub.
    scene.wire.mend();
    let info = async || ask(&hub, "STREAM.INFO.ORDERS", &json!({})).await;
    until_within(COPIED, "the hub's stream is full", async || {
        let state = info().await?["state"].clone();
        let bytes = state["bytes"].as_u64().context("bytes")?;
        ensure!(bytes > 8192 - 200, "it holds {bytes} bytes");
        Ok(())
    })
    .await?;
    let first = info().await?["state"]["last_seq"]
        .as_u64()
        .context("a sequence")?;
    ensure!(
        first < accepted,
        "all {accepted} messages have room: nothing had to wait"
    );
    until_within(COPIED, "the rest has come", async || {
        ask(&hub, "STREAM.PURGE.ORDERS", &json!({})).await?;
        let last = info().await?["state"]["last_seq"].clone();
        ensure!(last == json!(accepted), "{last} of {accepted} have come");
        Ok(())
    })
    .await
}

/// Publishes numbered messages, each of which a stream acknowledges.
async fn publish(client: &Client, subject: &str, numbers: std::ops::Range<usize>) -> Result<()> {
    for number in numbers {
        store(client, &format!("{subject}.{number}")).await?;
    }
    Ok(())
}

/// A stream has these messages, each once and in order.
async fn has(client: &Client, stream: &str, subject: &str, count: usize) -> Result<()> {
    holds(client, stream, count as u64).await?;
    for number in [0, 1, count / 2, count - 2, count - 1] {
        let body = json!({ "seq": number + 1 });
        let found = ask(client, &format!("STREAM.MSG.GET.{stream}"), &body).await?;
        assert_eq!(
            found["message"]["subject"],
            json!(format!("{subject}.{number}"))
        );
    }
    Ok(())
}
