//! A running nats-server of ours: started, waited for by what it says, stopped and reaped.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;

/// How long a server may take to listen, to become healthy, or to stop.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// A nats-server process; killed when dropped.
pub struct Server {
    child: Child,
    log: PathBuf,
    ports: Ports,
}

/// What nats-server writes into its ports file: URLs of its listeners.
#[derive(Debug, Default, Deserialize)]
struct Ports {
    #[serde(default)]
    nats: Vec<String>,
    #[serde(default)]
    monitoring: Vec<String>,
}

/// The fields of `/varz` that say which config is running.
#[derive(Debug, Deserialize)]
pub struct Varz {
    /// Server name.
    pub server_name: String,
    /// Digest of the running config.
    pub config_digest: String,
    /// When it was loaded.
    pub config_load_time: String,
}

/// The version that a nats-server binary reports.
///
/// # Errors
/// A binary that cannot be run or is no nats-server.
pub fn version(binary: &Path) -> Result<String> {
    let output = Command::new(binary)
        .arg("--version")
        .output()
        .with_context(|| format!("running {} --version", binary.display()))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = text.trim().strip_prefix("nats-server: v");
    version.map(str::to_owned).with_context(|| {
        format!(
            "{} is no nats-server: it says {:?}",
            binary.display(),
            text.trim()
        )
    })
}

impl Server {
    /// Starts nats-server on a config whose `ports_file_dir` is the config's folder, and waits
    /// until it listens.
    ///
    /// # Errors
    /// A server that exits or does not listen in time, with what it said.
    pub fn start(binary: &Path, config: &Path) -> Result<Self> {
        let dir = config.parent().unwrap_or(Path::new("."));
        let log = dir.join("server.log");
        let out = File::create(&log).with_context(|| format!("creating {}", log.display()))?;
        let child = Command::new(binary)
            .arg("-c")
            .arg(config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(out)
            // A Ctrl-C is for whoever started it, who then ends it.
            .process_group(0)
            .spawn()
            .with_context(|| format!("starting {}", binary.display()))?;
        let ports = dir.join(format!("nats-server_{}.ports", child.id()));
        let mut server = Self {
            child,
            log,
            ports: Ports::default(),
        };
        server.ports = server.until("listen", || {
            let text = fs::read_to_string(&ports).ok()?;
            serde_json::from_str(&text).ok()
        })?;
        Ok(server)
    }

    /// URL for clients.
    pub fn url(&self) -> &str {
        self.ports.nats.first().map_or("", String::as_str)
    }

    /// URL of the monitoring listener.
    pub fn monitor(&self) -> &str {
        self.ports.monitoring.first().map_or("", String::as_str)
    }

    /// Process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where the server logs.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Waits until the server itself is ready; its cluster may still be incomplete.
    ///
    /// # Errors
    /// A server that exits or does not become healthy in time.
    pub fn healthy(&mut self) -> Result<()> {
        let url = format!("{}/healthz?js-server-only=true", self.monitor());
        self.until("become healthy", || ureq::get(&url).call().ok())
            .map(drop)
    }

    /// What is running.
    ///
    /// # Errors
    /// A monitoring listener that does not answer.
    pub fn varz(&self) -> Result<Varz> {
        self.get("/varz")
    }

    /// Any monitoring endpoint, such as `/leafz`.
    ///
    /// # Errors
    /// A monitoring listener that does not answer, or not with `T`.
    pub fn get<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T> {
        let url = format!("{}{path}", self.monitor());
        let text = ureq::get(&url)
            .call()
            .and_then(|mut response| response.body_mut().read_to_string())
            .with_context(|| format!("asking {url}"))?;
        serde_json::from_str(&text).with_context(|| format!("reading the answer of {url}"))
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// A process that is gone.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.context("a process has an id")?, signal).context("signalling nats-server")
    }

    /// Stops the server and waits for its end.
    ///
    /// # Errors
    /// A server that does not end in time.
    pub fn stop(mut self) -> Result<ExitStatus> {
        self.signal(Signal::TERM)?;
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().context("waiting for nats-server")? {
                return Ok(status);
            }
            ensure!(Instant::now() < until, "nats-server did not stop");
            std::thread::park_timeout(LOOK);
        }
    }

    /// Kills the server at once, as a power cut would.
    ///
    /// # Errors
    /// A process that cannot be killed.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill().context("killing nats-server")?;
        self.child.wait().context("waiting for nats-server")?;
        Ok(())
    }

    fn until<T>(&mut self, what: &str, mut look: impl FnMut() -> Option<T>) -> Result<T> {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look() {
                return Ok(found);
            }
            if let Some(status) = self.child.try_wait().context("waiting for nats-server")? {
                bail!("nats-server exited ({status}):\n{}", reason(&self.log));
            }
            ensure!(
                Instant::now() < until,
                "nats-server did not {what} in {} s:\n{}",
                PATIENCE.as_secs(),
                reason(&self.log)
            );
            std::thread::park_timeout(LOOK);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already reaped, or about to be: there is nobody left to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lines of a log that say why: fatal ones and errors, else the last ones.
fn reason(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let telling: Vec<&str> = text
        .lines()
        .filter(|line| {
            line.contains("[FTL]") || line.contains("[ERR]") || line.starts_with("nats-server:")
        })
        .collect();
    let all: Vec<&str> = text.lines().collect();
    let lines = if telling.is_empty() { &all } else { &telling };
    lines[lines.len().saturating_sub(8)..].join("\n")
}
