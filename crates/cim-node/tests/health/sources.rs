//! Sources and mirrors that are cut off.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::assets::{ask, make, now, publish, remove, update};
use crate::fault::Fault;
use crate::scene::{HUB, LEAF, alone, finding, level, open, pair};
use crate::watching::Watching;

#[tokio::test(flavor = "multi_thread")]
async fn sources_that_are_silent() -> Result<()> {
    let mut scene = alone(&open("security-cim-prod-001")?)?;
    let client = scene.fleet.client(LEAF, "graph").await?;
    make(&client, &json!({"name": "FROM", "subjects": ["from"]})).await?;
    make(
        &client,
        &json!({"name": "TO", "sources": [{"name": "FROM"}]}),
    )
    .await?;
    publish(&client, "from", 1).await?;
    scene.health.watch.levels.sources = level(60_000, 300_000);
    let silent = Fault {
        check: "source",
        of: "CIM-PROD/BACKUP/NOWHERE",
        state: "CRITICAL",
        says: &["never heard of in "],
    };
    let copy = json!({"name": "BACKUP", "mirror": {"name": "NOWHERE"}});
    silent.seen(
        &mut scene,
        |scene| {
            scene.health.watch.levels.sources = level(1000, 1000);
            // One that is idle is heard of every few seconds only.
            now(remove(&client, "TO"))?;
            now(make(&client, &copy))
        },
        |scene| {
            scene.health.watch.levels.sources = level(60_000, 300_000);
            now(remove(&client, "BACKUP"))?;
            now(make(
                &client,
                &json!({"name": "TO", "sources": [{"name": "FROM"}]}),
            ))
        },
    )
}

/// One that was heard of, and then never again.
#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_falls_silent() -> Result<()> {
    let mut scene = alone(&open("security-cim-prod-001")?)?;
    let client = scene.fleet.client(LEAF, "graph").await?;
    let from = json!({"name": "FROM", "subjects": ["from"]});
    let copy = json!({"name": "TO", "sources": [{"name": "FROM"}]});
    make(&client, &from).await?;
    make(&client, &copy).await?;
    publish(&client, "from", 1).await?;
    // A source that is idle is heard of each second.
    scene.health.watch.levels.sources = level(3000, 5000);
    let silent = Fault {
        check: "source",
        of: "CIM-PROD/TO/FROM",
        state: "CRITICAL",
        says: &["heard of ", " s ago"],
    };
    silent.seen(
        &mut scene,
        |scene| {
            scene.until(|report| {
                let found = finding(report, "source", silent.of)?;
                let message = found["message"].as_str().unwrap_or_default();
                ensure!(message.starts_with("heard of "), "{found:#}");
                let seconds = &found["figures"][0]["value"];
                ensure!(seconds.as_f64() < Some(3.0), "{found:#}");
                Ok(())
            })?;
            now(remove(&client, "FROM"))?;
            scene.until(|report| {
                let found = finding(report, "source", silent.of)?;
                ensure!(found["state"] == "WARNING", "{found:#}");
                Ok(())
            })?;
            Ok(())
        },
        |_| {
            now(make(&client, &from))?;
            // By itself it would be asked for again after a while.
            now(remove(&client, "TO"))?;
            now(make(&client, &copy))
        },
    )
}

/// A durable flow's stream at the hub refuses what it has no room for, and is heard of all the while.
#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_refused() -> Result<()> {
    let mut scene = alone(&open("security-cim-prod-001")?)?;
    let client = scene.fleet.client(LEAF, "graph").await?;
    make(&client, &json!({"name": "FROM", "subjects": ["from"]})).await?;
    let copy = json!({"name": "TO", "sources": [{"name": "FROM"}]});
    make(&client, &copy).await?;
    publish(&client, "from", 2).await?;
    scene.health.watch.levels.sources = level(60_000, 300_000);
    scene.watching = Some(Watching::silent()?);
    let came = |report: &Value| {
        let found = finding(report, "source", "CIM-PROD/TO/FROM")?;
        ensure!(found["state"] == "OK", "{found:#}");
        Ok(())
    };
    scene.until(came)?;
    scene.health.watch.slow_interval = 0;
    let full = Fault {
        check: "source",
        of: "CIM-PROD/TO/FROM",
        state: "CRITICAL",
        says: &[
            " s ago, and has brought nothing for ",
            " messages and more wait",
        ],
    };
    full.seen(
        &mut scene,
        |scene| {
            let mut narrow = copy.clone();
            narrow["max_msgs"] = json!(2);
            narrow["discard"] = json!("new");
            now(update(&client, &narrow))?;
            now(publish(&client, "from", 9))?;
            // Each try is heard of, and they are 2 s apart: silence alone would be less than half of this.
            scene.health.watch.levels.sources = level(4000, 6000);
            scene.until(|report| {
                let found = finding(report, "source", full.of)?;
                ensure!(found["state"] == "WARNING", "{found:#}");
                Ok(())
            })?;
            Ok(())
        },
        |_| now(update(&client, &copy)),
    )?;
    cim_testkit::until("nothing of it was lost", async || {
        let info = ask(&client, "STREAM.INFO.TO", Value::Null).await?;
        ensure!(info["state"]["messages"] == 11, "{info}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_over_a_dead_link_waits_for_the_link() -> Result<()> {
    let mut scene = pair().await?;
    let hub = scene.fleet.client(HUB, "alchemist").await?;
    make(
        &hub,
        &json!({"name": "COMMANDS", "subjects": ["elsewhere"]}),
    )
    .await?;
    let leaf = scene.fleet.client(LEAF, "graph").await?;
    let source = json!({"name": "COMMANDS", "external": {"api": "$JS.hub.API"}});
    make(&leaf, &json!({"name": "COPY", "sources": [source]})).await?;
    // Whether it comes does not matter here: the leaf's user may not ask for it.
    scene.health.watch.levels.sources = level(3_600_000, 3_600_000);
    crate::fault::well(&scene)?;
    let down = Fault {
        check: "link",
        of: "hub",
        state: "CRITICAL",
        says: &["not linked"],
    };
    down.seen(
        &mut scene,
        |scene| {
            scene.fleet.kill(HUB)?;
            let report = scene.until(|report| {
                let found = finding(report, "source", "CIM-PROD/COPY/COMMANDS@hub")?;
                ensure!(found["because"] == "link hub", "{found}");
                Ok(())
            })?;
            ensure!(report["exit"] == 2, "{report}");
            Ok(())
        },
        |scene| scene.fleet.start(HUB),
    )
}
