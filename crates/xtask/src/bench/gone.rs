//! How soon the daemon of `cim-health` tells of a hub that was killed, and of one that is silent, with the options' defaults.

use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use cim_testkit::Fleet;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::health::{Daemon, HUB, LEAF, Watcher};
use super::promises::Promises;

/// What was promised: this long, after the ping window where it is silent.
const NOTICED: Duration = Duration::from_secs(2);

/// How long the daemon may say nothing, and how long a state may take to come.
const SILENT: Duration = Duration::from_secs(20);
const PATIENCE: Duration = Duration::from_secs(120);

/// How long nats-server takes by its options until a silent hub is gone.
fn ping_window(leaf: &Value) -> Result<Duration> {
    let limits = &leaf["leaf"]["leaf"]["server"]["limits"];
    let every = limits["pingInterval"]
        .as_str()
        .and_then(|text| text.strip_suffix('s'));
    let every: u32 = every.context("pingInterval in seconds")?.parse()?;
    let most = limits["pingMax"].as_u64().context("pingMax")?;
    Ok(Duration::from_secs(every.into()) * (u32::try_from(most)? + 1))
}

/// Kills the hub, then stops it, and prints how soon the daemon tells systemd. `leaf` is the leaf's spec.
pub fn run(
    fleet: &mut Fleet,
    runtime: &tokio::runtime::Runtime,
    watcher: &Watcher,
    leaf: &Value,
    promises: &mut Promises,
) -> Result<()> {
    let ping = ping_window(leaf)?;
    let mut daemon = Told::start(watcher)?;
    daemon.until("STATUS=OK")?;
    fleet.kill(HUB)?;
    let took = daemon.until("STATUS=CRITICAL link hub")?;
    println!("the daemon tells of a hub that is gone");
    promises.at_most("killed, s", took.as_secs_f64(), NOTICED.as_secs_f64());
    fleet.start(HUB)?;
    runtime.block_on(fleet.linked(LEAF))?;
    daemon.until("STATUS=OK")?;
    let hub = Pid::from_raw(i32::try_from(fleet.server(HUB)?.pid())?).context("a process id")?;
    kill_process(hub, Signal::STOP).context("stopping the hub")?;
    let took = daemon.until("STATUS=CRITICAL link hub");
    kill_process(hub, Signal::CONT).context("letting the hub go on")?;
    let limit = (ping + NOTICED).as_secs_f64();
    promises.at_most("silent, s", took?.as_secs_f64(), limit);
    Ok(())
}

/// A daemon, and what it tells systemd.
struct Told {
    daemon: Daemon,
    systemd: UnixDatagram,
    _dir: tempfile::TempDir,
}

impl Told {
    fn start(watcher: &Watcher) -> Result<Self> {
        let dir = tempfile::tempdir().context("creating a folder")?;
        let socket = dir.path().join("notify");
        let systemd = UnixDatagram::bind(&socket).context("listening as systemd does")?;
        systemd.set_read_timeout(Some(SILENT))?;
        let mut command = watcher.daemon();
        command.env("NOTIFY_SOCKET", &socket);
        Ok(Self {
            daemon: Daemon::start(command)?,
            systemd,
            _dir: dir,
        })
    }

    /// How long it takes until it says this.
    fn until(&mut self, part: &str) -> Result<Duration> {
        let begin = Instant::now();
        let mut bytes = [0; 4096];
        loop {
            let length = self.systemd.recv(&mut bytes).context("it tells nothing")?;
            let told = String::from_utf8_lossy(bytes.get(..length).unwrap_or_default());
            if told.contains(part) {
                return Ok(begin.elapsed());
            }
            ensure!(begin.elapsed() < PATIENCE, "no {part:?} in {told:?}");
            ensure!(self.daemon.0.try_wait()?.is_none(), "the daemon ended");
        }
    }
}
