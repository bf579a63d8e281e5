//! The daemon: what it tells systemd, what its pages say, and that it outlives everything.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use cim_render::places::Listener;
use cim_testkit::{Held, Ports};

use crate::beside::Beside;
use crate::scene::{HUB, LEAF, Scene, pair};

/// How long anything may take that a test waits for.
const PATIENCE: Duration = Duration::from_secs(20);

/// The daemon of a scene, and what it tells systemd.
pub struct Daemon {
    child: Child,
    address: String,
    _port: Held,
    systemd: UnixDatagram,
}

/// Where pages may be, and what keeps others from there: a port that the system gives out may be somebody's connection
/// by the time that a daemon listens.
pub fn listener() -> Result<(String, Held)> {
    let (ports, held) = Ports::Free.choose(1)?;
    let port = ports[0].get(&Listener::Monitor).context("a port")?;
    Ok((format!("127.0.0.1:{port}"), held))
}

impl Daemon {
    pub fn start(scene: &Scene) -> Result<Self> {
        Self::watched(scene, None)
    }

    /// With the time in which systemd wants a sign of life.
    pub fn watched(scene: &Scene, watchdog: Option<Duration>) -> Result<Self> {
        let (address, port) = listener()?;
        let socket = scene.dir.path().join("notify");
        // That of a daemon before this one.
        let _ = std::fs::remove_file(&socket);
        let systemd = UnixDatagram::bind(&socket)?;
        systemd.set_read_timeout(Some(PATIENCE))?;
        let mut command = scene.command(&["daemon", "--listen", &address])?;
        if let Some(watchdog) = watchdog {
            command.env("WATCHDOG_USEC", watchdog.as_micros().to_string());
        }
        let child = command
            .env("NOTIFY_SOCKET", &socket)
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self {
            child,
            address,
            _port: port,
            systemd,
        })
    }

    /// The next thing that it tells systemd.
    pub fn told(&self) -> Result<String> {
        let mut bytes = [0; 4096];
        let length = loop {
            match self.systemd.recv(&mut bytes) {
                // Some other test's child has ended.
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                told => break told.context("it tells systemd nothing")?,
            }
        };
        Ok(String::from_utf8_lossy(&bytes[..length]).into_owned())
    }

    /// Waits until it tells systemd this.
    pub fn tells(&self, part: &str) -> Result<String> {
        let until = Instant::now() + PATIENCE;
        loop {
            let told = self.told()?;
            if told.contains(part) {
                return Ok(told);
            }
            ensure!(Instant::now() < until, "no {part:?} in {told:?}");
        }
    }

    /// Forgets what it has told so far; whether this was among it.
    fn told_already(&self, part: &str) -> Result<bool> {
        let (mut bytes, mut found) = ([0; 4096], false);
        self.systemd.set_nonblocking(true)?;
        while let Ok(length) = self.systemd.recv(&mut bytes) {
            found |= String::from_utf8_lossy(&bytes[..length]).contains(part);
        }
        self.systemd.set_nonblocking(false)?;
        Ok(found)
    }

    /// How many looks it takes from now on until it tells systemd this: each look tells something.
    pub fn looks_until(&self, part: &str) -> Result<u64> {
        if self.told_already(part)? {
            return Ok(0);
        }
        for looks in 1..100 {
            if self.told()?.contains(part) {
                return Ok(looks);
            }
        }
        anyhow::bail!("{part:?} was not told in 100 looks")
    }

    fn get(&self, path: &str) -> Result<String> {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"))
    }

    /// A figure that there is one of.
    fn figure(&self, name: &str) -> Result<f64> {
        let page = self.get("/metrics")?;
        let mut lines = page
            .lines()
            .filter(|line| line.starts_with(&format!("{name}{{")));
        let line = lines
            .next()
            .with_context(|| format!("no {name} in {page}"))?;
        let value = line.rsplit(' ').next().context("a value")?;
        Ok(value.parse()?)
    }

    fn ask(&self, request: &str) -> Result<String> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    /// Kilobytes of memory, and hundredths of seconds on a processor.
    fn cost(&self) -> Result<(u64, u64)> {
        let of = |file: &str| std::fs::read_to_string(format!("/proc/{}/{file}", self.child.id()));
        let status = of("status")?;
        let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let rss = rss
            .and_then(|rss| rss.split_whitespace().next())
            .context("VmRSS")?;
        let stat = of("stat")?;
        let after = stat.rsplit_once(") ").context("stat")?.1;
        let fields: Vec<_> = after.split_whitespace().collect();
        let ticks = |index: usize| fields[index].parse::<u64>();
        Ok((rss.parse()?, ticks(11)? + ticks(12)?))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn it_tells_systemd_and_whoever_asks_and_outlives_the_servers() -> Result<()> {
    let mut scene = pair().await?;
    scene.health.watch.interval = 100;
    scene.health.watch.slow_interval = 1000;
    let daemon = Daemon::start(&scene)?;
    let first = daemon.told()?;
    ensure!(
        first.starts_with("READY=1\nWATCHDOG=1\nSTATUS=OK: "),
        "{first:?}"
    );
    ensure!(first.lines().count() == 3, "{first:?}");
    let healthz = daemon.get("/healthz")?;
    ensure!(healthz.starts_with("HTTP/1.1 200 OK\r\n"), "{healthz}");
    ensure!(
        healthz.contains("OK        link hub: linked to hub"),
        "{healthz}"
    );
    let metrics = daemon.get("/metrics")?;
    ensure!(
        metrics.contains("Content-Type: application/openmetrics-text; version=1.0.0"),
        "{metrics}"
    );
    ensure!(
        metrics.contains("cim_health_state{server=\"cim-prod-001\"} 0\n"),
        "{metrics}"
    );
    // What is only counted is judged here.
    daemon.tells("WATCHDOG=1")?;
    ensure!(daemon.get("/metrics")?.contains("check=\"slow-consumers\""));

    let healthz = daemon.get("/healthz")?;
    ensure!(healthz.contains(") since 20"), "{healthz}");

    let stood = daemon.figure("cim_link_since_seconds")?;
    scene.fleet.kill(HUB)?;
    let killed = Instant::now();
    daemon.tells("STATUS=CRITICAL link hub: not linked to hub")?;
    ensure!(!daemon.get("/metrics")?.contains("cim_link_since_seconds"));
    println!(
        "the daemon tells systemd of a killed hub after {} ms",
        killed.elapsed().as_millis()
    );
    let healthz = daemon.get("/healthz")?;
    ensure!(healthz.starts_with("HTTP/1.1 503 "), "{healthz}");
    ensure!(healthz.contains("(since 20"), "{healthz}");
    let nats: serde_json::Value = scene.fleet.server(LEAF)?.get("/healthz")?;
    ensure!(nats["status"] == "ok", "{nats}");
    scene.fleet.start(HUB)?;
    daemon.tells("STATUS=OK: ")?;
    // It is another link.
    let again = daemon.figure("cim_link_since_seconds")?;
    let since = killed.elapsed().as_secs_f64();
    ensure!(
        stood > 0.0 && again < since,
        "{stood}, then {again} of {since}"
    );

    // The server goes, and comes back; the daemon is the same.
    scene.fleet.kill(LEAF)?;
    daemon.tells("STATUS=UNKNOWN server: the server does not answer")?;
    scene.fleet.start(LEAF)?;
    daemon.tells("STATUS=OK: ")?;

    // Its file goes, and comes back.
    let file = scene.file()?;
    std::fs::write(&file, "{")?;
    daemon.tells("STATUS=UNKNOWN server: reading ")?;
    scene.file()?;
    daemon.tells("STATUS=OK: ")?;
    Ok(())
}

#[tokio::test]
async fn a_frozen_server_does_not_stop_the_watchdog() -> Result<()> {
    let mut scene = pair().await?;
    scene.health.watch.interval = 100;
    let daemon = Daemon::start(&scene)?;
    daemon.tells("STATUS=OK: ")?;
    scene.freeze(LEAF)?;
    for _ in 0..3 {
        let told = daemon.tells("STATUS=UNKNOWN server: ")?;
        ensure!(told.contains("WATCHDOG=1"), "{told}");
    }
    scene.thaw()?;
    daemon.tells("STATUS=OK: ").map(drop)
}

#[tokio::test]
async fn its_pages_take_no_nonsense_and_no_time() -> Result<()> {
    let mut scene = pair().await?;
    scene.health.watch.interval = 100;
    let daemon = Daemon::start(&scene)?;
    daemon.told()?;
    for (request, status) in [
        ("GET / HTTP/1.1\r\n\r\n", "404"),
        ("POST /healthz HTTP/1.1\r\n\r\n", "405"),
        ("\r\n\r\n", "405"),
        ("GET /healthz?verbose HTTP/1.1\r\n\r\n", "200"),
    ] {
        let answer = daemon.ask(request)?;
        ensure!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{request:?}: {answer}"
        );
    }
    // One that asks for nothing holds nobody up for long, and the looks go on.
    let silent = TcpStream::connect(&daemon.address)?;
    daemon.tells("WATCHDOG=1")?;
    ensure!(daemon.get("/healthz")?.starts_with("HTTP/1.1 200"));
    drop(silent);
    let long = format!("GET /healthz HTTP/1.1\r\n{}", "x".repeat(100_000));
    let _ = daemon.ask(&long);
    ensure!(daemon.get("/healthz")?.starts_with("HTTP/1.1 200"));
    let outside = scene.run(&["daemon", "--listen", "0.0.0.0:0"])?;
    ensure!(
        outside.code == 3 && outside.err.contains("is not on loopback"),
        "{outside:?}"
    );
    Ok(())
}

/// Looks that are further apart than systemd waits for a sign of life.
#[tokio::test]
async fn seldom_looks_are_no_hang() -> Result<()> {
    let mut scene = pair().await?;
    scene.health.watch.interval = 60_000;
    let watchdog = Duration::from_secs(6);
    let daemon = Daemon::watched(&scene, Some(watchdog))?;
    daemon.tells("READY=1")?;
    for _ in 0..2 {
        let since = Instant::now();
        let told = daemon.told()?;
        ensure!(told == "WATCHDOG=1", "it looked again: {told:?}");
        ensure!(since.elapsed() < watchdog, "{:?}", since.elapsed());
    }
    Ok(())
}

/// What is looked at every hour only still waits for a link that was cut just now.
#[tokio::test]
async fn a_cut_link_is_the_reason_before_the_next_slow_look() -> Result<()> {
    let mut scene = pair().await?;
    scene.health.watch.interval = 100;
    scene.health.watch.slow_interval = 3_600_000;
    let client = scene.fleet.client(LEAF, "graph").await?;
    let source = r#"{"name": "FROM", "external": {"api": "$JS.hub.API"}}"#;
    let stream = format!(r#"{{"name": "COPY", "sources": [{source}]}}"#);
    let made = client.request("$JS.API.STREAM.CREATE.COPY", stream.into());
    let made: serde_json::Value = serde_json::from_slice(&made.await?.payload)?;
    ensure!(made["error"].is_null(), "{made}");
    let daemon = Daemon::start(&scene)?;
    daemon.tells("STATUS=OK: ")?;
    scene.fleet.kill(HUB)?;
    daemon.tells("STATUS=CRITICAL link hub")?;
    let healthz = daemon.get("/healthz")?;
    let waits = "UNKNOWN   source CIM-PROD/COPY/FROM@hub: because link hub";
    ensure!(healthz.contains(waits), "{healthz}");
    scene.fleet.start(HUB)?;
    daemon.tells("STATUS=OK: ").map(drop)
}

#[tokio::test]
async fn it_costs_little() -> Result<()> {
    let mut scene = pair().await?;
    let _hub = Beside::start(&scene, HUB)?;
    for (what, logins) in [
        ("", Vec::new()),
        (" that asks canaries", scene.logins(LEAF)?),
    ] {
        scene.args = logins;
        let daemon = Daemon::start(&scene)?;
        daemon.told()?;
        let (_, before) = daemon.cost()?;
        for _ in 0..4 {
            daemon.told()?;
        }
        let (kib, ticks) = daemon.cost()?;
        // A debug build; the benchmark has the release's figures.
        println!(
            "the daemon{what} has {kib} KiB and took {} ticks in 4 looks",
            ticks - before
        );
        ensure!(kib < 20 * 1024, "{kib} KiB{what}");
    }
    Ok(())
}
