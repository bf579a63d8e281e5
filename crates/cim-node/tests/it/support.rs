//! Servers to look after, and the programs that do it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use cim_spec::artefact::Health;
use cim_testkit::{Fleet, Ports, golden, like, nats_server, plan};
use serde_json::Value;
use tempfile::TempDir;

/// The folder goes after the servers.
pub struct Hosts {
    pub fleet: Fleet,
    pub dir: TempDir,
}

/// Servers with these specs; none runs yet.
pub fn hosts(specs: &[Value]) -> Result<Hosts> {
    let plans = specs.iter().map(plan).collect::<Result<Vec<_>>>()?;
    let dir = tempfile::tempdir().context("creating a folder")?;
    Ok(Hosts {
        fleet: Fleet::prepare(plans, dir.path(), &nats_server()?, Ports::Free)?,
        dir,
    })
}

/// The server of one golden case, running.
pub fn running(case: &str) -> Result<Hosts> {
    let mut hosts = hosts(&[golden(case)?])?;
    hosts.fleet.start_all()?;
    Ok(hosts)
}

/// What a program said and how it ended.
#[derive(Debug)]
pub struct Said {
    pub ok: bool,
    pub text: String,
}

impl Said {
    /// It failed, with exit code 1, and said all of `parts`.
    pub fn refused(&self, parts: &[&str]) {
        assert!(!self.ok, "it succeeded: {}", self.text);
        for part in parts {
            assert!(self.text.contains(part), "no {part:?} in: {}", self.text);
        }
    }

    /// It succeeded and said nothing.
    pub fn done(&self) {
        assert!(self.ok && self.text.is_empty(), "{self:?}");
    }
}

/// Runs one of the node's programs.
pub fn run(command: &mut Command) -> Result<Said> {
    said(
        &command
            .output()
            .with_context(|| format!("running {command:?}"))?,
    )
}

pub fn said(output: &Output) -> Result<Said> {
    let code = output.status.code().context("a program ends with a code")?;
    ensure!(code < 2, "exit code {code}: {output:?}");
    let all = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    Ok(Said {
        ok: code == 0,
        text: String::from_utf8(all)?,
    })
}

/// Writes a `health.json`.
pub fn put_health(health: &Health, dir: &Path) -> Result<PathBuf> {
    let path = dir.join("health.json");
    std::fs::write(&path, serde_json::to_string(health)?)?;
    Ok(path)
}

/// `cim-reload` on a server, as its unit runs it.
pub fn reload(fleet: &Fleet, name: &str) -> Result<Said> {
    reload_with(fleet, name, &fleet.health(name)?, fleet.server(name)?.pid())
}

/// `cim-reload` with another `health.json` or process.
pub fn reload_with(fleet: &Fleet, name: &str, health: &Health, pid: u32) -> Result<Said> {
    let file = put_health(health, fleet.member(name)?.dir())?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_cim-reload"));
    command.args(["--pid", &pid.to_string()]);
    command.arg("--nats-server").arg(nats_server()?);
    command.arg("--log-file").arg(fleet.server(name)?.log());
    run(command.arg(file))
}

/// Sets what stands at a path of names, joined by dots; `None` removes it.
pub fn set(spec: &mut Value, path: &str, to: Option<Value>) -> Result<()> {
    let to = to.map(|value| like(spec, value)).transpose()?;
    let (parents, name) = path.rsplit_once('.').unwrap_or(("", path));
    let mut at = spec;
    for parent in parents.split('.').filter(|parent| !parent.is_empty()) {
        at = at
            .get_mut(parent)
            .with_context(|| format!("no {parent} on the way to {path}"))?;
    }
    let map = at
        .as_object_mut()
        .with_context(|| format!("nothing can stand at {path}"))?;
    match to {
        Some(value) => map.insert(name.to_owned(), value),
        None => map.remove(name),
    };
    Ok(())
}

/// A golden spec with changes.
pub fn changed(case: &str, changes: &[(&str, Value)]) -> Result<Value> {
    let mut spec = golden(case)?;
    for (path, value) in changes {
        set(&mut spec, path, Some(value.clone()))?;
    }
    Ok(spec)
}
