//! Commands on a host, and what its systemd says of units.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::{Host, command};

impl Host {
    /// Runs a command on the host, words separated by spaces; gives its stdout.
    ///
    /// # Errors
    /// All it said, where it failed.
    pub fn run(&self, line: &str) -> Result<String> {
        self.command(&line.split_whitespace().collect::<Vec<_>>())
    }

    /// Runs a shell script on the host; gives its stdout.
    ///
    /// # Errors
    /// All it said, where it failed.
    pub fn script(&self, script: &str) -> Result<String> {
        self.command(&["sh", "-c", script])
    }

    fn command(&self, words: &[&str]) -> Result<String> {
        command::output(&mut self.entering(words)?).with_context(|| format!("on {}", self.name))
    }

    /// A command that will run on the host.
    pub(crate) fn entering(&self, words: &[&str]) -> Result<Command> {
        let mut nsenter = Command::new("nsenter");
        nsenter
            .args(["--target", &self.leader()?.to_string(), "--all", "--"])
            .args(words)
            .env_clear()
            .env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin");
        Ok(nsenter)
    }

    /// The process that is the host's systemd, as this machine knows it.
    ///
    /// # Errors
    /// A host that does not run.
    pub fn leader(&self) -> Result<i32> {
        let machine = self.machine();
        let Some(child) = machine.as_ref() else {
            bail!("{} does not run", self.name);
        };
        let id = child.id();
        let children = command::read(Path::new(&format!("/proc/{id}/task/{id}/children")))?;
        let first_inside = |pid: &i32| {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            let ids = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
            ids.is_some_and(|ids| ids.split_whitespace().next_back() == Some("1"))
        };
        children
            .split_whitespace()
            .filter_map(|pid| pid.parse().ok())
            .find(first_inside)
            .with_context(|| format!("{} has no systemd yet", self.name))
    }

    /// Our units.
    pub fn units(&self) -> Vec<String> {
        self.plans
            .iter()
            .map(|plan| format!("{}.service", plan.unit))
            .collect()
    }

    /// A property of a unit.
    ///
    /// # Errors
    /// A host that does not run.
    pub fn show(&self, unit: &str, property: &str) -> Result<String> {
        let said = self.run(&format!(
            "systemctl show --value --property={property} {unit}"
        ))?;
        Ok(said.trim().to_owned())
    }

    /// The main process of a unit, by its number on the host.
    ///
    /// # Errors
    /// A unit that does not run.
    pub fn main_pid(&self, unit: &str) -> Result<i32> {
        let pid: i32 = self.show(unit, "MainPID")?.parse().context("a MainPID")?;
        ensure!(pid > 0, "{unit} does not run");
        Ok(pid)
    }

    /// The end of a unit's journal.
    ///
    /// # Errors
    /// A host that does not run.
    pub fn journal(&self, unit: &str) -> Result<String> {
        self.run(&format!(
            "journalctl --unit={unit} --output=cat --no-pager --lines=60"
        ))
    }

    /// What it wrote to its console.
    ///
    /// # Errors
    /// A host that never started.
    pub fn console(&self) -> Result<String> {
        let bytes = fs::read(self.dir.join("console.log")).context("reading a console")?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}
