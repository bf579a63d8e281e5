//! How soon the daemon sees that the hub is gone, in looks: how long they take is the machine's, and the benchmark's.

use std::time::Instant;

use anyhow::{Result, ensure};
use cim_testkit::golden;
use serde_json::json;

use crate::daemon::Daemon;
use crate::scene::{HUB, LEAF, pair, prepared};

/// Looks are a second apart, so the second one after the loss comes within 2 s.
#[tokio::test]
async fn a_dead_hub_is_seen_at_the_second_look_at_the_latest() -> Result<()> {
    let mut scene = pair().await?;
    ensure!(scene.health.watch.interval == 1000, "not the default");
    let daemon = Daemon::start(&scene)?;
    daemon.tells("STATUS=OK: ")?;
    let killed = Instant::now();
    scene.fleet.kill(HUB)?;
    let looks = daemon.looks_until("STATUS=CRITICAL link hub: not linked to hub")?;
    println!(
        "killed: seen at look {looks}, after {} ms",
        killed.elapsed().as_millis()
    );
    ensure!(looks <= 2, "{looks} looks");
    Ok(())
}

/// A hub that is silent is dead to nats-server once as many pings as `pingMax` are not answered: `pingInterval` before the
/// first, and again after each.
#[tokio::test]
async fn a_silent_hub_is_seen_within_the_ping_window_and_two_looks() -> Result<()> {
    let (interval, most) = (2, 1);
    let mut leaf = golden("security-cim-prod-001")?;
    let limits = &mut leaf["leaf"]["leaf"]["server"]["limits"];
    limits["pingInterval"] = json!(format!("{interval}s"));
    limits["pingMax"] = json!(most);
    let mut scene = prepared(&[leaf, golden("security-hub")?])?;
    scene.fleet.start_all()?;
    scene.fleet.linked(LEAF).await?;
    let daemon = Daemon::start(&scene)?;
    daemon.tells("STATUS=OK: ")?;
    let frozen = Instant::now();
    scene.freeze(HUB)?;
    let looks = daemon.looks_until("STATUS=CRITICAL link hub: not linked to hub")?;
    let window = interval * (most + 1);
    println!(
        "silent: seen at look {looks}, after {} ms of a window of {window} s",
        frozen.elapsed().as_millis()
    );
    ensure!(looks <= window + 2, "{looks} looks");
    Ok(())
}
