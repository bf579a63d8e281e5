//! A hub and the leaves that the fleet has dial it.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::assets::make;
use crate::beside::Beside;
use crate::cluster::{led, node};
use crate::fault::Fault;
use crate::scene::{HUB, LEAF, finding, level, open, pair, prepared};
use crate::watching::Watching;

#[tokio::test]
async fn a_leaf_that_is_gone_is_missing_by_name() -> Result<()> {
    let mut scene = pair().await?;
    scene.watch(HUB)?;
    let gone = Fault {
        check: "leaf",
        of: LEAF,
        state: "CRITICAL",
        says: &["not linked: cim-prod-001"],
    };
    gone.seen(
        &mut scene,
        |scene| scene.fleet.kill(LEAF),
        |scene| scene.fleet.start(LEAF),
    )
}

#[tokio::test]
async fn one_of_two_servers_of_a_leaf_is_a_warning() -> Result<()> {
    let mut scene = pair().await?;
    scene.watch(HUB)?;
    let half = Fault {
        check: "leaf",
        of: LEAF,
        state: "WARNING",
        says: &["not linked: cim-prod-001-b"],
    };
    half.seen(
        &mut scene,
        |scene| {
            let servers = &mut scene.health.watch.leaves[0].servers;
            servers.push("cim-prod-001-b".to_owned());
            Ok(())
        },
        |scene| {
            scene.health.watch.leaves[0].servers.truncate(1);
            Ok(())
        },
    )
}

#[tokio::test]
async fn a_hub_of_several_nodes_does_not_judge_leaves_alone() -> Result<()> {
    let mut scene = pair().await?;
    scene.watch(HUB)?;
    scene.fleet.kill(LEAF)?;
    scene.health.watch.peers.push("hub-2".to_owned());
    let report = scene.report()?;
    assert!(finding(&report, "leaf", LEAF).is_err());
    let later = report["later"].to_string();
    assert!(
        later.contains("\"leaf\"") && later.contains("several nodes"),
        "{later}"
    );
    Ok(())
}

/// A leaf that hangs on another node than the one that is watched: the nodes tell each other.
#[tokio::test(flavor = "multi_thread")]
async fn a_leaf_of_another_node_is_known_and_missing_by_name() -> Result<()> {
    let mut scene = prepared(&[node("hub-1")?, node("hub-2")?, node("hub-3")?, open(LEAF)?])?;
    // It finds hub-1 nowhere.
    for name in ["hub-2", "hub-3", LEAF] {
        scene.fleet.start(name)?;
    }
    scene.fleet.linked(LEAF).await?;
    scene.fleet.start("hub-1")?;
    // A flow of the leaf that is gathered here; whether it comes does not matter.
    let gather = json!({"name": "GATHER", "num_replicas": 3, "sources":
        [{"name": "EVENTS", "external": {"api": "$JS.cim-prod-001.API"}}]});
    let client = scene.fleet.client("hub-1", "alchemist").await?;
    cim_testkit::until("streams can be made", async || make(&client, &gather).await).await?;
    led(
        &client,
        "STREAM.LEADER.STEPDOWN.GATHER",
        "STREAM.INFO.GATHER",
    )
    .await?;
    let of = "CIM/GATHER/EVENTS@cim-prod-001";

    // Nobody tells anything: what comes from the leaf is not hub-1's to judge.
    scene.health.watch.levels.sources = level(1, 1);
    let report = scene.until(|report| {
        let found = finding(report, "source", of)?;
        ensure!(found["because"] == "leaf cim-prod-001", "{found:#}");
        Ok(())
    })?;
    let message = &finding(&report, "source", of)?["message"];
    ensure!(
        message == "because leaf cim-prod-001 (not known here)",
        "{message}"
    );
    scene.health.watch.levels.sources = level(3_600_000, 3_600_000);
    // Nor is anything heard by one who cannot log in.
    let mut logins = scene.logins("hub-1")?;
    logins[0] = logins[0].replace("CIM=", "OTHER=");
    scene.watching = Some(Watching::with(&logins)?);
    scene.until(|report| {
        let found = finding(report, "leaf", LEAF)?;
        ensure!(found["because"] == "login CIM", "{found:#}");
        Ok(())
    })?;

    let told = [
        Beside::start(&scene, "hub-2")?,
        Beside::start(&scene, "hub-3")?,
    ];
    scene.watching = Some(Watching::with(&scene.logins("hub-1")?)?);
    scene.health.watch.slow_interval = 1000;
    let elsewhere = |report: &Value| {
        let found = finding(report, "leaf", LEAF)?;
        let message = found["message"].as_str().unwrap_or_default();
        ensure!(message.starts_with("linked to hub-"), "{found:#}");
        Ok(())
    };
    scene.until(elsewhere)?;
    for node in &told {
        // Whose table it is, the leaf is where it hangs, although it says nothing itself.
        crate::fleet::until(node, |fleet| {
            let mut rows = fleet["servers"].as_array().into_iter().flatten();
            let row = rows.find(|row| row["server"] == LEAF).context("no leaf")?;
            let hubs = row["hubs"].as_array().context("no hubs")?;
            ensure!(row["state"] == "SILENT" && hubs.len() == 1, "{row}");
            Ok(())
        })?;
    }

    // The other nodes fall silent; then the leaf tells itself where it is.
    let unheard = Fault {
        check: "leaf",
        of: LEAF,
        state: "UNKNOWN",
        says: &["nothing is heard of the leaves of hub-2, hub-3: cim-prod-001"],
    };
    let (mut told, mut own) = (Some(told), None);
    unheard.seen(
        &mut scene,
        |_| {
            told.take();
            Ok(())
        },
        |scene| {
            own = Some(Beside::start(scene, LEAF)?);
            scene.until(elsewhere).map(drop)
        },
    )?;
    drop(own);
    // From here on they say only what is new.
    let seldom = |name: &str| {
        let logins = scene.logins(name)?;
        Beside::with(&scene, name, &logins, |health| {
            health.watch.slow_interval = 60_000;
        })
    };
    let _told = [seldom("hub-2")?, seldom("hub-3")?];
    scene.until(elsewhere)?;
    let gone = Fault {
        check: "leaf",
        of: LEAF,
        state: "CRITICAL",
        says: &["not linked to any node: cim-prod-001"],
    };
    gone.seen(
        &mut scene,
        |scene| scene.fleet.kill(LEAF),
        |scene| scene.fleet.start(LEAF),
    )
}
