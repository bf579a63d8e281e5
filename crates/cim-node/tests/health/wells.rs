//! The four questions of the health script in seed 002, healthy and broken. Its own words never worked: `.leafnodes[0]`
//! (a number), `grep -c "JetStream|enabled"` (no -E), `.in_msgs_rate` (no such field).

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::fault::well;
use crate::scene::{HUB, LEAF, Scene, finding, pair};

fn state(scene: &Scene, check: &str, of: &str, is: &str) -> Result<()> {
    scene
        .until(|report| {
            let found = finding(report, check, of)?;
            ensure!(found["state"] == is, "{found:#}");
            Ok(())
        })
        .map(drop)
}

#[tokio::test]
async fn the_four_questions_of_the_seed() -> Result<()> {
    let mut scene = pair().await?;
    // Service: Running.
    well(&scene)?;
    state(&scene, "server", "", "OK")?;
    // Leaf connection: Connected to hub, then not.
    state(&scene, "link", "hub", "OK")?;
    scene.fleet.kill(HUB)?;
    state(&scene, "link", "hub", "CRITICAL")?;
    scene.fleet.start(HUB)?;
    state(&scene, "link", "hub", "OK")?;
    // JetStream: Enabled; the streams that should be there, then not. (Off: see server.rs.)
    state(&scene, "jetstream", "", "OK")?;
    let assets = &scene
        .health
        .watch
        .jetstream
        .as_ref()
        .context("JetStream")?
        .assets;
    let streams = std::path::Path::new(assets).join("CIM-PROD/streams");
    std::fs::create_dir_all(&streams)?;
    let stream = json!({"name": "GRAPH", "subjects": ["domain.graph.>"]}).to_string();
    std::fs::write(streams.join("GRAPH.json"), &stream)?;
    state(&scene, "stream", "CIM-PROD/GRAPH", "CRITICAL")?;
    let client = scene.fleet.client(LEAF, "graph").await?;
    client
        .request("$JS.API.STREAM.CREATE.GRAPH", stream.into())
        .await?;
    state(&scene, "stream", "CIM-PROD/GRAPH", "OK")?;
    // Message rate: of this second, not since the start.
    let twice = scene.run(&["--json", "--over", "1"])?.report()?;
    let message = finding(&twice, "server", "")?["message"].to_string();
    ensure!(message.contains(" messages/s in, "), "{message}");
    // Not running.
    scene.fleet.kill(LEAF)?;
    let report: Value = scene.report()?;
    ensure!(report["exit"] == 3, "{report:#}");
    state(&scene, "server", "", "UNKNOWN")
}
