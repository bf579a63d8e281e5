//! A leaf's link to its hub.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use cim_render::places::Listener;
use cim_testkit::{Wire, golden};
use serde_json::{Value, json};

use crate::fault::{Fault, well};
use crate::scene::{HUB, LEAF, finding, level, open, pair, prepared};

const DOWN: Fault = Fault {
    check: "link",
    of: "hub",
    state: "CRITICAL",
    says: &["not linked to hub in account CIM-PROD"],
};

#[tokio::test]
async fn a_dead_hub_is_seen_while_nats_server_says_that_all_is_well() -> Result<()> {
    let mut scene = pair().await?;
    let kill = |scene: &mut crate::scene::Scene| {
        scene.fleet.kill(HUB)?;
        let killed = Instant::now();
        scene.until(|report| {
            ensure!(
                finding(report, "link", "hub")?["state"] == "CRITICAL",
                "{report:#}"
            );
            Ok(())
        })?;
        let took = killed.elapsed();
        println!("a killed hub is seen after {} ms", took.as_millis());
        // Half a second and less here; a ping window, on a machine that is busy, would be 20 s.
        ensure!(took < Duration::from_secs(10), "{took:?}");
        let text = scene.run(&[])?.out;
        for line in text.lines().skip(1).take(2) {
            let readme = include_str!("../../../../README.md");
            ensure!(readme.contains(line), "the README lacks: {line}");
        }
        // What nats-server says of itself meanwhile: 200.
        let healthz: Value = scene.fleet.server(LEAF)?.get("/healthz")?;
        ensure!(healthz["status"] == "ok", "{healthz}");
        Ok(())
    };
    DOWN.seen(&mut scene, kill, |scene| scene.fleet.start(HUB))
}

#[tokio::test]
async fn a_frozen_hub_is_seen_within_the_ping_window() -> Result<()> {
    let mut leaf = golden("security-cim-prod-001")?;
    leaf["leaf"]["leaf"]["server"]["limits"]["pingInterval"] = json!("1s");
    leaf["leaf"]["leaf"]["server"]["limits"]["pingMax"] = json!(1);
    let mut scene = prepared(&[leaf, golden("security-hub")?])?;
    scene.fleet.start_all()?;
    scene.fleet.linked(LEAF).await?;
    well(&scene)?;
    let freeze = |scene: &mut crate::scene::Scene| {
        let frozen = Instant::now();
        scene.freeze(HUB)?;
        scene.until(|report| {
            ensure!(
                finding(report, "link", "hub")?["state"] == "CRITICAL",
                "{report:#}"
            );
            Ok(())
        })?;
        let (took, window) = (frozen.elapsed(), Duration::from_secs(2));
        println!(
            "a frozen hub is seen after {} ms, of a ping window of {} ms",
            took.as_millis(),
            window.as_millis()
        );
        ensure!(took <= window + Duration::from_secs(2), "{took:?}");
        Ok(())
    };
    DOWN.seen(&mut scene, freeze, |scene| scene.thaw())
}

#[tokio::test]
async fn a_hub_that_does_not_know_the_leaf_is_no_hub() -> Result<()> {
    let mut scene = pair().await?;
    let mut without = golden("security-hub")?;
    // It knows another: without any it would have no login for cim-health, whose key the secrets file holds.
    let leaves = without.pointer_mut("/hub/fleet/leaves");
    let leaves = leaves.context("leaves")?;
    *leaves = serde_json::from_str(&leaves.to_string().replace(LEAF, "cim-other-001"))?;
    DOWN.seen(
        &mut scene,
        |scene| {
            scene.fleet.rewrite(HUB, cim_testkit::plan(&without)?)?;
            scene.fleet.kill(HUB)?;
            scene.fleet.start(HUB)
        },
        |scene| {
            let whole = cim_testkit::plan(&golden("security-hub")?)?;
            scene.fleet.rewrite(HUB, whole)?;
            scene.fleet.kill(HUB)?;
            scene.fleet.start(HUB)
        },
    )
}

/// The way to the hub takes longer; nats-server measures it with each ping.
#[tokio::test]
async fn a_long_way_to_the_hub_is_seen() -> Result<()> {
    let (mut leaf, hub) = (golden("security-cim-prod-001")?, golden("security-hub")?);
    leaf["leaf"]["leaf"]["server"]["limits"]["pingInterval"] = json!("1s");
    let address = cim_testkit::plan(&hub)?.leafnodes;
    let address = address.context("the hub takes leaves")?.advertise;
    let mut scene = prepared(&[leaf, hub])?;
    let wire = Wire::to(scene.fleet.member(HUB)?.port(Listener::Leafnodes))?;
    scene
        .fleet
        .outside(Listener::Leafnodes, address, wire.port())?;
    // What the leaf dials is another port now.
    scene.watch(LEAF)?;
    scene.fleet.start_all()?;
    scene.fleet.linked(LEAF).await?;
    scene.health.watch.levels.rtt = level(250, 600);
    for (state, each_way) in [("WARNING", 150), ("CRITICAL", 350)] {
        let slow = Fault {
            check: "link",
            of: "hub",
            state,
            says: &["linked to hub (127.0.0.1:", "round trip "],
        };
        slow.seen(
            &mut scene,
            |_| {
                wire.delay(Duration::from_millis(each_way));
                Ok(())
            },
            |_| {
                wire.delay(Duration::ZERO);
                Ok(())
            },
        )?;
    }
    Ok(())
}

/// The leaf's config binds its remote to another account than the one that was deployed: to nats-server it is a link.
#[tokio::test]
async fn a_link_in_another_account_is_not_the_link() -> Result<()> {
    let spec = open("security-cim-prod-001")?;
    let mut other = spec.clone();
    other["leaf"]["fleet"]["leaf"]["localAccount"] = json!("OTHER");
    let accounts = &mut other["leaf"]["leaf"]["accounts"];
    accounts["OTHER"] = accounts["CIM-PROD"].clone();
    accounts["OTHER"]["users"] = json!({});
    accounts["OTHER"]["jetstream"]["enable"] = json!(false);
    let mut scene = pair().await?;
    let start = |scene: &mut crate::scene::Scene, spec: &Value| {
        scene.fleet.rewrite(LEAF, cim_testkit::plan(spec)?)?;
        // Only the link is to be wrong: other programs have the keys that the config knows.
        let keys = scene.fleet.health(LEAF)?.secrets.context("keys")?;
        cim_node::secrets::write(&keys)?;
        scene.fleet.kill(LEAF)?;
        scene.fleet.start(LEAF)
    };
    DOWN.seen(
        &mut scene,
        |scene| {
            start(scene, &other)?;
            scene.until(|_| {
                let leafz: Value = scene.fleet.server(LEAF)?.get("/leafz")?;
                ensure!(leafz["leafs"][0]["account"] == "OTHER", "{leafz:#}");
                Ok(())
            })?;
            Ok(())
        },
        |scene| start(scene, &spec),
    )
}
