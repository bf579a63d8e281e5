//! What a deployment waits for.

use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::assets::{declare, make};
use crate::scene::{HUB, LEAF, Said, level, pair};

/// How long two looks may take.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn it_waits_until_the_node_is_back() -> Result<()> {
    let mut scene = pair().await?;
    scene.fleet.kill(LEAF)?;
    let waiting = scene
        .command(&["gate", "--wait", "30"])?
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    scene.fleet.start(LEAF)?;
    let said = Said::of(waiting.wait_with_output()?)?;
    ensure!(
        said.code == 0 && said.out.contains("OK        link hub"),
        "{said:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_node_that_is_not_back_fails_it() -> Result<()> {
    let mut scene = pair().await?;
    scene.fleet.kill(HUB)?;
    let said = scene.run(&["gate", "--wait", "1"])?;
    ensure!(
        said.code == 2 && said.out.contains("CRITICAL  link hub: not linked"),
        "{said:?}"
    );
    scene.fleet.kill(LEAF)?;
    let said = scene.run(&["gate", "--wait", "0"])?;
    ensure!(
        said.code == 3 && said.out.contains("UNKNOWN   server: "),
        "{said:?}"
    );
    Ok(())
}

#[tokio::test]
async fn what_a_deployment_cannot_mend_does_not_stop_it() -> Result<()> {
    let mut scene = pair().await?;
    scene.health.watch.levels.disk = level(0, 0);
    scene.health.watch.levels.expiry = level(u64::MAX / 2, u64::MAX / 2);
    ensure!(scene.report()?["exit"] == 2);
    let said = scene.run(&["gate", "--wait", "0"])?;
    ensure!(said.code == 0, "{said:?}");
    Ok(())
}

#[tokio::test]
async fn it_sees_a_stream_that_comes_late_however_seldom_streams_are_looked_at() -> Result<()> {
    let mut scene = pair().await?;
    scene.health.watch.slow_interval = 3_600_000;
    let stream = json!({"name": "LATE", "subjects": ["domain.late"]});
    declare(&scene, "streams/LATE.json", &stream)?;
    let looked = || -> Result<u64> {
        let varz: Value = scene.fleet.server(LEAF)?.get("/varz")?;
        Ok(varz["http_req_stats"]["/jsz"].as_u64().unwrap_or(0))
    };
    let before = looked()?;
    let waiting = scene
        .command(&["gate", "--wait", "30"])?
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let until = Instant::now() + PATIENCE;
    while looked()? < before + 2 {
        ensure!(Instant::now() < until, "it does not look again");
        std::thread::park_timeout(Duration::from_millis(10));
    }
    make(&scene.fleet.client(LEAF, "graph").await?, &stream).await?;
    let said = Said::of(waiting.wait_with_output()?)?;
    ensure!(
        said.code == 0 && said.out.contains("OK        stream CIM-PROD/LATE"),
        "{said:?}"
    );
    Ok(())
}
