//! The questions of the health script in seed 002, healthy and broken. Its own words never worked, which is held here too:
//! `.leafnodes[0]` (a number), `grep -c "JetStream|enabled"` (no -E), `.in_msgs_rate` (no such field).

use std::path::Path;

use anyhow::{Context, Result, ensure};
use cim_testkit::plan;
use serde_json::{Value, json};

use crate::assets::{make, now, publish, remove};
use crate::fault::{Fault, well};
use crate::scene::{HUB, LEAF, Scene, finding, open, pair};

/// A finding is in a state.
fn is(scene: &Scene, check: &str, of: &str, state: &str) -> Result<()> {
    let report = scene.report()?;
    let found = finding(&report, check, of)?;
    ensure!(found["state"] == state, "{found:#}");
    Ok(())
}

/// A leaf that is well.
async fn leaf() -> Result<Scene> {
    let scene = pair().await?;
    well(&scene)?;
    Ok(scene)
}

#[tokio::test]
async fn service() -> Result<()> {
    let mut scene = leaf().await?;
    is(&scene, "server", "", "OK")?;
    let stopped = Fault {
        check: "server",
        of: "",
        state: "UNKNOWN",
        says: &["the server does not answer", "refused"],
    };
    stopped.seen(
        &mut scene,
        |scene| scene.fleet.kill(LEAF),
        |scene| scene.fleet.start(LEAF),
    )
}

#[tokio::test]
async fn leaf_connection() -> Result<()> {
    let mut scene = leaf().await?;
    is(&scene, "link", "hub", "OK")?;
    let leafz: Value = scene.fleet.server(LEAF)?.get("/leafz")?;
    ensure!(leafz["leafnodes"] == 1, "the script indexes {leafz}");
    ensure!(leafz["leafs"][0]["state"].is_null(), "{leafz}");
    let cut = Fault {
        check: "link",
        of: "hub",
        state: "CRITICAL",
        says: &["not linked to hub in account CIM-PROD"],
    };
    cut.seen(
        &mut scene,
        |scene| scene.fleet.kill(HUB),
        |scene| scene.fleet.start(HUB),
    )
}

/// The leaf starts again with or without JetStream, and is told to have it.
fn restart(scene: &mut Scene, with: bool) -> Result<()> {
    let mut spec = open("security-cim-prod-001")?;
    spec["leaf"]["leaf"]["server"]["jetstream"]["enable"] = json!(with);
    let accounts = spec.pointer_mut("/leaf/leaf/accounts");
    let accounts = accounts.and_then(Value::as_object_mut);
    for account in accounts.context("accounts")?.values_mut() {
        account["jetstream"]["enable"] = json!(with);
    }
    scene.fleet.rewrite(LEAF, plan(&spec)?)?;
    let health = scene.fleet.health(LEAF)?;
    scene.health.config_digest = health.config_digest;
    // Programs that need JetStream have no keys without it.
    cim_node::secrets::write(&health.secrets.context("keys")?)?;
    scene.fleet.kill(LEAF)?;
    scene.fleet.start(LEAF)
}

#[tokio::test]
async fn jetstream() -> Result<()> {
    let mut scene = leaf().await?;
    is(&scene, "jetstream", "", "OK")?;
    let off = Fault {
        check: "jetstream",
        of: "",
        state: "CRITICAL",
        says: &["JetStream is off"],
    };
    let broken = |scene: &mut Scene| restart(scene, false);
    off.seen(&mut scene, broken, |scene| restart(scene, true))
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_and_rates() -> Result<()> {
    let mut scene = leaf().await?;
    let client = scene.fleet.client(LEAF, "graph").await?;
    let jetstream = scene.health.watch.jetstream.as_ref();
    let assets = &jetstream.context("JetStream")?.assets;
    let streams = Path::new(assets).join("CIM-PROD/streams");
    std::fs::create_dir_all(&streams)?;
    let stream = json!({"name": "GRAPH", "subjects": ["domain.graph.>"]});
    std::fs::write(streams.join("GRAPH.json"), stream.to_string())?;
    make(&client, &stream).await?;
    is(&scene, "stream", "CIM-PROD/GRAPH", "OK")?;
    let missing = Fault {
        check: "stream",
        of: "CIM-PROD/GRAPH",
        state: "CRITICAL",
        says: &["declared and not there"],
    };
    missing.seen(
        &mut scene,
        |_| now(remove(&client, "GRAPH")),
        |_| now(make(&client, &stream)),
    )?;
    // Rates are of these seconds: nothing comes, then something does; what was before the first look does not count.
    let varz: Value = scene.fleet.server(LEAF)?.get("/varz")?;
    ensure!(varz["in_msgs_rate"].is_null(), "the script asks for it");
    let twice = ["--json", "--over", "1"];
    let rate = |report: &Value| -> Result<f64> {
        let message = finding(report, "server", "")?["message"].to_string();
        let rate = message.split(" messages/s in, ").next();
        let rate = rate.and_then(|text| text.split(' ').next_back());
        Ok(rate.context("a rate")?.parse()?)
    };
    publish(&client, "domain.graph.x", 100).await?;
    let silent = rate(&scene.run(&twice)?.report()?)?;
    let busy = {
        let mut looking = scene.command(&twice)?;
        let looking = looking.stdout(std::process::Stdio::piped()).spawn()?;
        let mut looking = Some(looking);
        loop {
            publish(&client, "domain.graph.x", 20).await?;
            let child = looking.as_mut().context("a process")?;
            if child.try_wait()?.is_some() {
                let output = looking.take().context("a process")?.wait_with_output()?;
                break rate(&crate::scene::Said::of(output)?.report()?)?;
            }
        }
    };
    ensure!(silent < 50.0 && busy > silent, "{silent}/s, then {busy}/s");
    Ok(())
}
