//! cim-health beside a server, as its unit runs it.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use cim_testkit::{Held, nats_server};
use rustix::process::{Pid, Signal, kill_process};

use crate::daemon::listener;
use crate::scene::{Said, Scene, calm};

/// How long anything may take that a test waits for.
const PATIENCE: Duration = Duration::from_secs(30);

/// A daemon that is logged in; killed when it is dropped.
pub struct Beside {
    child: Child,
    pub address: String,
    _port: Held,
}

impl Beside {
    /// Starts it for a server; its report is what shows when it has begun.
    pub fn start(scene: &Scene, name: &str) -> Result<Self> {
        Self::with(scene, name, &scene.logins(name)?, |_| {})
    }

    /// The same with other logins, and another health.json.
    pub fn with(
        scene: &Scene,
        name: &str,
        logins: &[String],
        change: impl FnOnce(&mut cim_spec::artefact::Health),
    ) -> Result<Self> {
        let mut health = scene.fleet.health(name)?;
        calm(&mut health);
        health.watch.interval = 100;
        health.watch.slow_interval = 1000;
        change(&mut health);
        let file = scene.dir.path().join(format!("{name}.beside.json"));
        std::fs::write(&file, serde_json::to_string(&health)?)?;
        let (address, port) = listener()?;
        let log = File::create(scene.dir.path().join(format!("{name}.beside.log")))?;
        let child = Command::new(env!("CARGO_BIN_EXE_cim-health"))
            .args(["daemon", "--listen", &address])
            .arg(&file)
            .args(logins)
            .arg("--nats-server")
            .arg(nats_server()?)
            .stderr(Stdio::from(log))
            .spawn()
            .context("starting cim-health")?;
        Ok(Self {
            child,
            address,
            _port: port,
        })
    }

    /// Waits until its page says this.
    pub fn says(&self, part: &str) -> Result<String> {
        let until = Instant::now() + PATIENCE;
        loop {
            let page = self.page().unwrap_or_default();
            if page.contains(part) {
                return Ok(page);
            }
            ensure!(Instant::now() < until, "no {part:?} in {page}");
            std::thread::park_timeout(Duration::from_millis(50));
        }
    }

    fn page(&self) -> Result<String> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    /// The fleet as it knows it.
    pub fn fleet(&self, words: &[&str]) -> Result<Said> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cim-health"));
        command.args(["fleet", "--from", &self.address]).args(words);
        Said::of(command.output()?)
    }

    /// Stops it without ending it, or lets it go on.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let pid = Pid::from_raw(i32::try_from(self.child.id())?).context("a process has an id")?;
        kill_process(pid, signal).context("signalling cim-health")
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
