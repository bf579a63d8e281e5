//! Servers, what their health.json says, and `cim-health` on them.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use cim_spec::artefact::{Health, Level};
use cim_testkit::{Fleet, Ports, golden, nats_server, plan};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::watching::Watching;

/// The leaf of the pair.
pub const LEAF: &str = "cim-prod-001";
/// The hub of the pair.
pub const HUB: &str = "hub";

/// How long anything may take that a test waits for.
const PATIENCE: Duration = Duration::from_secs(40);

/// Servers, one of which is watched. The folder goes after the servers.
pub struct Scene {
    pub fleet: Fleet,
    /// Which server is watched.
    pub name: String,
    /// What its health.json says.
    pub health: Health,
    /// Further words of the command line.
    pub args: Vec<String>,
    /// Who looks instead of a process for each look.
    pub watching: Option<Watching>,
    frozen: Vec<u32>,
    pub dir: TempDir,
}

/// What `cim-health` said and how it ended.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Said {
    pub fn of(output: Output) -> Result<Self> {
        Ok(Self {
            code: output.status.code().context("it ended by a signal")?,
            out: String::from_utf8(output.stdout)?,
            err: String::from_utf8(output.stderr)?,
        })
    }

    /// The report, which says how it ended.
    pub fn report(&self) -> Result<Value> {
        let report: Value = serde_json::from_str(&self.out).with_context(|| format!("{self:?}"))?;
        ensure!(report["exit"] == self.code, "{self:?}");
        Ok(report)
    }
}

/// Golden specs with changes, as servers; none runs yet. The first is watched.
pub fn prepared(specs: &[Value]) -> Result<Scene> {
    let plans = specs.iter().map(plan).collect::<Result<Vec<_>>>()?;
    let name = plans.first().context("a server")?.server_name.clone();
    let dir = tempfile::tempdir().context("creating a folder")?;
    let fleet = Fleet::prepare(plans, dir.path(), &nats_server()?, Ports::Free)?;
    let mut scene = Scene {
        health: fleet.health(&name)?,
        fleet,
        name,
        args: Vec::new(),
        watching: None,
        frozen: Vec::new(),
        dir,
    };
    scene.watch(&scene.name.clone())?;
    Ok(scene)
}

/// A leaf and its hub of one node, linked; the leaf is watched.
pub async fn pair() -> Result<Scene> {
    let mut scene = prepared(&[open("security-cim-prod-001")?, open("security-hub")?])?;
    scene.fleet.start_all()?;
    scene.fleet.linked(LEAF).await?;
    Ok(scene)
}

/// A golden spec whose users may do everything.
pub fn open(case: &str) -> Result<Value> {
    let mut spec = golden(case)?;
    for path in ["/leaf/leaf/accounts", "/hub/fleet/accounts"] {
        let accounts = spec.pointer_mut(path).and_then(Value::as_object_mut);
        for account in accounts
            .into_iter()
            .flat_map(|accounts| accounts.values_mut())
        {
            let users = account["users"].as_object_mut().context("users")?;
            for user in users.values_mut() {
                user["permissions"] = Value::Null;
            }
        }
    }
    Ok(spec)
}

/// A leaf whose hub is nowhere, and is not watched: for what has nothing to do with links.
pub fn alone(spec: &Value) -> Result<Scene> {
    let mut scene = prepared(std::slice::from_ref(spec))?;
    scene.fleet.start_all()?;
    scene.health.watch.links.clear();
    Ok(scene)
}

impl Scene {
    /// Watches a server.
    pub fn watch(&mut self, name: &str) -> Result<()> {
        self.name = name.to_owned();
        self.health = self.fleet.health(name)?;
        calm(&mut self.health);
        Ok(())
    }

    /// Where the watched server's health.json is, as it is to be now.
    pub fn file(&self) -> Result<PathBuf> {
        let path = self.dir.path().join(format!("{}.health.json", self.name));
        // Somebody may be reading it.
        let beside = path.with_extension("new");
        std::fs::write(&beside, serde_json::to_string(&self.health)?)?;
        std::fs::rename(beside, &path)?;
        Ok(path)
    }

    /// The words with which cim-health logs in to a server.
    pub fn logins(&self, name: &str) -> Result<Vec<String>> {
        self.fleet.health_logins(name)
    }

    /// `cim-health` on it.
    pub fn command(&self, args: &[&str]) -> Result<Command> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cim-health"));
        command.args(args).arg(self.file()?).args(&self.args);
        if !self.args.iter().any(|arg| arg == "--nats-server") {
            command.arg("--nats-server").arg(nats_server()?);
        }
        Ok(command)
    }

    pub fn run(&self, args: &[&str]) -> Result<Said> {
        match &self.watching {
            Some(watching) => watching.look(self, args),
            None => Said::of(self.command(args)?.output()?),
        }
    }

    /// One look.
    pub fn report(&self) -> Result<Value> {
        self.run(&["--json"])?.report()
    }

    /// Looks until the report is as it should be.
    pub fn until(&self, mut is: impl FnMut(&Value) -> Result<()>) -> Result<Value> {
        let until = Instant::now() + PATIENCE;
        loop {
            let report = self.report()?;
            let seen = is(&report);
            if seen.is_ok() || Instant::now() >= until {
                return seen.map(|()| report);
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    /// Stops a server's process without ending it.
    pub fn freeze(&mut self, name: &str) -> Result<()> {
        let pid = self.fleet.server(name)?.pid();
        signal(pid, Signal::STOP)?;
        self.frozen.push(pid);
        Ok(())
    }

    /// Lets all go on.
    pub fn thaw(&mut self) -> Result<()> {
        self.frozen
            .drain(..)
            .try_for_each(|pid| signal(pid, Signal::CONT))
    }

    /// Tells a server to end, in its own time.
    pub fn stop(&self, name: &str) -> Result<()> {
        signal(self.fleet.server(name)?.pid(), Signal::TERM)
    }

    /// Tells a server to read its files again.
    pub fn reload(&self, name: &str) -> Result<()> {
        signal(self.fleet.server(name)?.pid(), Signal::HUP)
    }
}

impl Drop for Scene {
    /// A server that is stopped cannot be told to end.
    fn drop(&mut self) {
        let _ = self.thaw();
    }
}

fn signal(pid: u32, signal: Signal) -> Result<()> {
    let pid = Pid::from_raw(i32::try_from(pid)?).context("a process has an id")?;
    kill_process(pid, signal).context("signalling a server")
}

/// Levels for throwaway servers.
pub fn calm(health: &mut Health) {
    // Throwaway certificates live for a day.
    health.watch.levels.expiry = level(2 * 3_600_000, 3_600_000);
    // A disk that others fill is no business of a test.
    health.watch.levels.disk = level(101, 101);
}

/// A level.
pub fn level(warning: u64, critical: u64) -> Level {
    Level {
        warning: Some(warning),
        critical: Some(critical),
    }
}

/// The finding of a check.
pub fn finding<'a>(report: &'a Value, check: &str, of: &str) -> Result<&'a Value> {
    let mut findings = report["checks"].as_array().context("no checks")?.iter();
    findings
        .find(|finding| finding["check"] == check && finding["of"] == of)
        .with_context(|| format!("no {check} {of} in {report:#}"))
}
