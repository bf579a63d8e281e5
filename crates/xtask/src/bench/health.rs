//! One look of `cim-health` at a linked leaf, beside `curl | jq` asking the four questions of seed 002; and the daemon with many
//! streams. Each figure beside what was promised.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use cim_render::places::Listener;
use cim_spec::artefact::Health;
use cim_testkit::{Fleet, Ports, Wire, golden, plan};
use serde_json::{Value, json};

use super::gone;
use super::promises::Promises;
use super::rendering::measure;

/// How often each is run; the median counts.
const RUNS: usize = 21;

/// How many streams the daemon looks after.
const STREAMS: usize = 100;

/// How long the daemon is watched.
const WHILE: Duration = Duration::from_secs(20);

/// How long a message takes to the hub that is far away, and back again: its round trip is twice that.
const EACH_WAY: Duration = Duration::from_micros(12_500);

/// What was promised of one look at a leaf, and of the daemon: milliseconds, MiB, percent of a core.
const LOOK_MS: f64 = 20.0;
const LOOK_MIB: f64 = 10.0;
const DAEMON_MIB: f64 = 10.0;
const DAEMON_SHARE: f64 = 0.5;

/// What a pipe holds, and how long a command is left in front of a full one.
const FULL: usize = 64 * 1024;
const STUCK: Duration = Duration::from_secs(1);

/// The leaf that is watched.
pub const LEAF: &str = "cim-prod-001";

/// The leaf's hub.
pub const HUB: &str = "hub";

/// Starts a leaf and its hub, and prints what it costs to look at the leaf.
pub fn run(cim_health: &Path, nats_server: &Path) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("starting a runtime")?;
    let dir = tempfile::tempdir().context("creating a folder")?;
    let mut leaf = golden("security-cim-prod-001")?;
    // The client makes streams itself.
    leaf["leaf"]["leaf"]["accounts"]["CIM-PROD"]["users"]["graph"]["permissions"] = Value::Null;
    let hub = plan(&golden("security-hub")?)?;
    let listens = hub.leafnodes.as_ref().context("the hub takes leaves")?;
    let address = listens.advertise.clone();
    let plans = vec![plan(&leaf)?, hub];
    let mut fleet = Fleet::prepare(plans, dir.path(), nats_server, Ports::Free)?;
    let wire = Wire::to(fleet.member(HUB)?.port(Listener::Leafnodes))?;
    fleet.outside(Listener::Leafnodes, address, wire.port())?;
    fleet.start_all()?;
    runtime.block_on(fleet.linked(LEAF))?;
    let mut health = fleet.health(LEAF)?;
    // Throwaway certificates live for a day.
    health.watch.levels.expiry.warning = Some(0);
    health.watch.levels.expiry.critical = Some(0);
    // This machine's disk is no matter here.
    health.watch.levels.disk.warning = None;
    health.watch.levels.disk.critical = None;
    let file = dir.path().join("health.json");
    fs::write(&file, serde_json::to_vec(&health)?).context("writing health.json")?;
    let watcher = |file: &Path, name: &str| -> Result<Watcher> {
        Ok(Watcher {
            program: cim_health.to_owned(),
            file: file.to_owned(),
            nats_server: nats_server.to_owned(),
            logins: fleet.health_logins(name)?,
        })
    };
    let leaf_watcher = watcher(&file, LEAF)?;
    // Who answers canaries.
    let hub_file = dir.path().join("hub.json");
    fs::write(&hub_file, serde_json::to_vec(&fleet.health(HUB)?)?).context("writing hub.json")?;
    let hub_daemon = Daemon::start(watcher(&hub_file, HUB)?.daemon())?;

    println!("\none look at a linked leaf: whole process        ms   MiB of peak memory");
    let mut promises = Promises::default();
    let local = leaf_watcher.once(&["--local"]);
    let (ms, mib) = said("cim-health --local", &local)?;
    promises.at_most("one look, ms", ms, LOOK_MS);
    promises.at_most("one look, MiB of cim-health itself", mib, LOOK_MIB);
    let digest = by_server(nats_server, &health)?;
    println!("  of that nats-server -t, which it runs for the digest: {digest}");
    let whole = leaf_watcher.once(&[]);
    let (ms, mib) = said("cim-health, canaries too", &whole)?;
    promises.at_most("without the round trips of loopback, ms", ms, LOOK_MS);
    promises.at_most("MiB", mib, LOOK_MIB);
    wire.delay(EACH_WAY);
    let trip = 2.0 * EACH_WAY.as_secs_f64() * 1000.0;
    let (ms, _) = said(&format!("cim-health, a hub {trip:.0} ms away"), &whole)?;
    promises.at_most("with two round trips, ms", ms, LOOK_MS + 2.0 * trip);
    wire.delay(Duration::ZERO);
    let queries = queries(&health.monitor);
    let shell = vec![PathBuf::from("sh"), "-c".into(), queries.into()];
    said("curl | jq, the four queries of seed 002", &shell)?;

    runtime.block_on(streams(&fleet, Path::new(assets(&health)?)))?;
    said(
        &format!("cim-health --local, {STREAMS} streams declared"),
        &local,
    )?;
    let daemon = Daemon::start(leaf_watcher.daemon())?;
    let (kib, share) = daemon.cost()?;
    println!("the daemon with {STREAMS} streams");
    promises.at_most("MiB of the daemon", kib / 1024.0, DAEMON_MIB);
    promises.at_most("percent of a core", share, DAEMON_SHARE);
    drop((daemon, hub_daemon));
    gone::run(&mut fleet, &runtime, &leaf_watcher, &leaf, &mut promises)?;
    promises.held()
}

/// Milliseconds and peak MiB of `nats-server -t` by itself: it has ended when `cim-health` prints.
fn by_server(nats_server: &Path, health: &Health) -> Result<String> {
    ensure!(health.config_digest.is_none(), "the config holds no secret");
    let command = [
        nats_server.into(),
        "-t".into(),
        "-c".into(),
        PathBuf::from(&health.config),
    ];
    let (seconds, kib) = measure(&command)?;
    Ok(format!(
        "{:.1} ms, {:.1} MiB",
        seconds * 1000.0,
        kib / 1024.0
    ))
}

/// `cim-health` with what its unit gives it.
pub struct Watcher {
    program: PathBuf,
    file: PathBuf,
    nats_server: PathBuf,
    logins: Vec<String>,
}

impl Watcher {
    /// One look.
    fn once(&self, flags: &[&str]) -> Vec<PathBuf> {
        let words = [&self.program, &self.file].map(Clone::clone).into_iter();
        let flags = flags.iter().map(PathBuf::from);
        words.chain(flags).chain(self.more()).collect()
    }

    /// The daemon.
    pub fn daemon(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("daemon").arg(&self.file).args(self.more());
        command
    }

    fn more(&self) -> impl Iterator<Item = PathBuf> {
        let server = ["--nats-server".into(), self.nats_server.clone()];
        server
            .into_iter()
            .chain(self.logins.iter().map(PathBuf::from))
    }
}

fn assets(health: &Health) -> Result<&str> {
    let jetstream = health.watch.jetstream.as_ref();
    Ok(&jetstream.context("the leaf has JetStream")?.assets)
}

/// The questions of the seed's script, in words that nats-server answers.
fn queries(monitor: &str) -> String {
    let ask = |page: &str, filter: &str| format!("curl -fsS '{monitor}{page}' | jq -e '{filter}'");
    [
        ask("/healthz", ".status == \"ok\""),
        ask("/leafz", "[.leafs[] | select(.is_spoke)] | length >= 1"),
        ask(
            "/jsz",
            ".disabled != true and .storage < .config.max_storage * 0.9",
        ),
        ask("/varz", ".in_msgs"),
    ]
    .join(" && ")
}

/// Median milliseconds of a command that must succeed, and MiB of memory that it has once it prints.
fn said(what: &str, command: &[PathBuf]) -> Result<(f64, f64)> {
    let mut runs = Vec::new();
    for _ in 0..RUNS {
        runs.push(
            measure(command)
                .with_context(|| format!("running {what}"))?
                .0,
        );
    }
    runs.sort_by(f64::total_cmp);
    let mib = peak(command).with_context(|| format!("running {what}"))? / 1024.0;
    let ms = runs[RUNS / 2] * 1000.0;
    println!("{what:<44} {ms:>6.1} {mib:>20.1}");
    Ok((ms, mib))
}

/// Peak KiB of a command and all that it starts. What the kernel tells of a child that is over counts its parent's memory
/// from before the exec; so it is looked at while it cannot print, into a pipe that is full.
fn peak(command: &[PathBuf]) -> Result<f64> {
    let (program, args) = command.split_first().context("a command")?;
    let (mut reader, mut writer) = std::io::pipe().context("making a pipe")?;
    writer.write_all(&[b' '; FULL]).context("filling a pipe")?;
    let child = Command::new(program).args(args).stdout(writer).spawn();
    let mut child = child.context("starting the command")?;
    std::thread::sleep(STUCK);
    let kib = peak_of(child.id())?;
    let mut all = Vec::new();
    reader.read_to_end(&mut all).context("emptying the pipe")?;
    ensure!(child.wait()?.success(), "it failed");
    Ok(kib)
}

/// Peak KiB of a process that runs, and of the largest of its children.
fn peak_of(pid: u32) -> Result<f64> {
    let of = |file: &str| {
        let path = format!("/proc/{pid}/{file}");
        fs::read_to_string(&path).with_context(|| format!("reading {path}"))
    };
    let status = of("status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|peak| peak.split_whitespace().next());
    let mut peak: f64 = peak.context("VmHWM")?.parse().context("VmHWM")?;
    for child in of(&format!("task/{pid}/children"))?.split_whitespace() {
        peak = peak.max(peak_of(child.parse().context("a process id")?)?);
    }
    Ok(peak)
}

/// Declares streams and makes them.
async fn streams(fleet: &Fleet, folder: &Path) -> Result<()> {
    let client = fleet.client(LEAF, "graph").await?;
    let folder = folder.join("CIM-PROD/streams");
    fs::create_dir_all(&folder).context("creating a folder")?;
    for number in 0..STREAMS {
        let name = format!("S{number}");
        let stream = json!({"name": name, "subjects": [format!("s.{number}.>")]}).to_string();
        fs::write(folder.join(format!("{name}.json")), &stream).context("declaring a stream")?;
        let subject = format!("$JS.API.STREAM.CREATE.{name}");
        let answer = client.request(subject, stream.into()).await?;
        let answer: Value = serde_json::from_slice(&answer.payload)?;
        ensure!(answer["error"].is_null(), "making {name}: {answer}");
    }
    Ok(())
}

/// A daemon that is ended when dropped.
pub struct Daemon(pub Child);

impl Daemon {
    /// Starts it.
    pub fn start(mut command: Command) -> Result<Self> {
        command.stderr(Stdio::null());
        command.spawn().map(Self).context("starting the daemon")
    }

    /// KiB of memory, and percent of a core, once it has settled.
    fn cost(&self) -> Result<(f64, f64)> {
        let begin = Instant::now();
        let (_, before) = self.now()?;
        std::thread::sleep(WHILE);
        let (kib, after) = self.now()?;
        let seconds = (after - before) / 100.0; // Linux tells hundredths
        Ok((kib, seconds / begin.elapsed().as_secs_f64() * 100.0))
    }

    fn now(&self) -> Result<(f64, f64)> {
        let of = |file: &str| {
            let path = format!("/proc/{}/{file}", self.0.id());
            fs::read_to_string(&path).with_context(|| format!("reading {path}"))
        };
        let status = of("status")?;
        let rss = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let rss = rss
            .and_then(|rss| rss.split_whitespace().next())
            .context("VmHWM")?;
        let stat = of("stat")?;
        let fields: Vec<_> = stat
            .rsplit_once(") ")
            .context("stat")?
            .1
            .split(' ')
            .collect();
        let ticks = |index: usize| {
            fields
                .get(index)
                .and_then(|ticks| ticks.parse::<f64>().ok())
        };
        let (user, system) = (ticks(11).context("utime")?, ticks(12).context("stime")?);
        Ok((rss.parse()?, user + system))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended by itself; then the figures have said so.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
