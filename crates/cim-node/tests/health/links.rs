//! A leaf's link to its hub.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use cim_testkit::golden;
use serde_json::{Value, json};

use crate::fault::{Fault, well};
use crate::scene::{HUB, LEAF, finding, level, pair, prepared};

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
        let window = Duration::from_secs(2);
        println!(
            "a frozen hub is seen after {} ms, of a ping window of {} ms",
            took.as_millis(),
            window.as_millis()
        );
        Ok(())
        ensure!(took <= window + Duration::from_secs(2), "{took:?}");
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

#[tokio::test]
async fn a_long_way_to_the_hub_is_seen() -> Result<()> {
    let mut scene = pair().await?;
    for (state, warning, critical) in [("WARNING", 0, 60_000), ("CRITICAL", 0, 0)] {
        let slow = Fault {
            check: "link",
            of: "hub",
            state,
            says: &["linked to hub (127.0.0.1:", "round trip "],
        };
        let levels = scene.health.watch.levels.rtt;
        slow.seen(
            &mut scene,
            |scene| {
                scene.health.watch.levels.rtt = level(warning, critical);
                Ok(())
            },
            |scene| {
                scene.health.watch.levels.rtt = levels;
                Ok(())
            },
        )?;
    }
    Ok(())
}

#[tokio::test]
async fn a_link_in_another_account_is_not_the_link() -> Result<()> {
    let mut scene = pair().await?;
    let wanted = scene.health.watch.links.clone();
    let other = Fault {
        says: &["not linked to hub in account OTHER"],
        ..DOWN
    };
    other.seen(
        &mut scene,
        |scene| {
            scene.health.watch.links[0].account = "OTHER".to_owned();
            Ok(())
        },
        |scene| {
            scene.health.watch.links.clone_from(&wanted);
            Ok(())
        },
    )
}
