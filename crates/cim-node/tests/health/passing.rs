//! What nats-server says against itself and is over soon: nobody waits for it longer than it lasts, although its own word is
//! asked for seldom.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::assets::ACCOUNT;
use crate::daemon::Daemon;
use crate::scene::{Scene, alone, open};

/// A folder in the store for a stream that the server does not know: `/healthz` says so for as long as it is there.
struct Complaint(PathBuf);

impl Complaint {
    fn of(scene: &Scene) -> Result<Self> {
        let jetstream = scene.health.watch.jetstream.as_ref();
        let store = Path::new(&jetstream.context("JetStream")?.store_dir).join("jetstream");
        let folder = store.join(ACCOUNT).join("streams/LOST");
        fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }

    fn over(self) -> Result<()> {
        Ok(fs::remove_dir(self.0)?)
    }
}

#[tokio::test]
async fn the_daemon_tells_at_its_next_look_that_it_is_over() -> Result<()> {
    let mut scene = alone(&open("security-cim-prod-001")?)?;
    scene.health.watch.interval = 100;
    scene.health.watch.slow_interval = 3_600_000;
    let complaint = Complaint::of(&scene)?;
    let daemon = Daemon::start(&scene)?;
    daemon.tells("STATUS=CRITICAL healthz: nats-server says: ")?;
    complaint.over()?;
    let looks = daemon.looks_until("STATUS=OK: ")?;
    // One may have been on its way.
    ensure!(looks <= 2, "it took {looks} looks");
    Ok(())
}
