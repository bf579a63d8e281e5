//! Sources and mirrors that are cut off.

use anyhow::{Result, ensure};
use serde_json::json;

use crate::assets::{make, now, publish, remove};
use crate::fault::Fault;
use crate::scene::{HUB, LEAF, alone, level, open, pair};

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
                let found = crate::scene::finding(report, "source", "CIM-PROD/COPY/COMMANDS")?;
                ensure!(found["because"] == "link hub", "{found}");
                Ok(())
            })?;
            ensure!(report["exit"] == 2, "{report}");
            Ok(())
        },
        |scene| scene.fleet.start(HUB),
    )
}
