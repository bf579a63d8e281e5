//! A hub of three nodes.

use anyhow::Result;
use cim_testkit::golden;

use crate::fault::{Fault, well};
use crate::scene::{Scene, finding, prepared};

pub async fn three() -> Result<Scene> {
    let mut scene = prepared(&[golden("hub-1")?, golden("hub-2")?, golden("hub-3")?])?;
    // healthz is good only once all are there.
    for name in ["hub-1", "hub-2", "hub-3"] {
        scene.fleet.start(name)?;
    }
    well(&scene)?;
    Ok(scene)
}

#[tokio::test]
async fn nodes_that_are_gone_and_a_majority_that_is() -> Result<()> {
    let mut scene = three().await?;
    let gone = Fault {
        check: "route",
        of: "hub-2",
        state: "WARNING",
        says: &["no route to hub-2; 2 of 3 nodes are left"],
    };
    gone.seen(
        &mut scene,
        |scene| scene.fleet.kill("hub-2"),
        |scene| scene.fleet.start("hub-2"),
    )?;
    // Two are no longer the business of one check: both routes, and what waits for them.
    scene.fleet.kill("hub-2")?;
    scene.fleet.kill("hub-3")?;
    let report = scene.until(|report| {
        for peer in ["hub-2", "hub-3"] {
            let found = finding(report, "route", peer)?;
            anyhow::ensure!(found["state"] == "CRITICAL", "{found:#}");
        }
        let meta = finding(report, "meta", "")?;
        anyhow::ensure!(meta["because"] == "route hub-2", "{meta:#}");
        let healthz = finding(report, "healthz", "")?;
        anyhow::ensure!(healthz["because"] == "route hub-2", "{healthz:#}");
        Ok(())
    })?;
    assert_eq!(report["exit"], 2);
    let message = finding(&report, "route", "hub-3")?["message"].to_string();
    assert!(
        message.contains("1 of 3 nodes are left, which is no majority"),
        "{message}"
    );
    scene.fleet.start("hub-2")?;
    scene.fleet.start("hub-3")?;
    well(&scene).map(drop)
}

#[tokio::test]
async fn a_meta_group_without_a_leader_although_routes_stand() -> Result<()> {
    let mut scene = three().await?;
    let lost = Fault {
        check: "meta",
        of: "",
        state: "CRITICAL",
        says: &["the meta group of 3 servers has no leader"],
    };
    lost.seen(
        &mut scene,
        |scene| {
            scene.freeze("hub-2")?;
            scene.freeze("hub-3")
        },
        Scene::thaw,
    )
}
