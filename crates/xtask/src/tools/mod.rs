//! The tools that tests and demonstrations run: found on PATH where they are new enough, else installed
//! into `target/tools`, which is the only place this touches; but python3-pip comes by apt where there is no pip.

mod apt;
mod crates;
mod nats;
mod nix;
mod prometheus;
mod site;
mod sops;
mod systemd;
mod version;
mod wheel;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;
use std::{env, thread};

use anyhow::{Context, Result, anyhow, bail};

use self::site::Site;
pub use self::site::Tool;
use crate::progress::Progress;
use crate::workspace::Workspace;

/// What the tools are for: running servers takes fewer than testing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// nats-server, Nix, sops and age.
    Demo,
    /// These, and what formats and checks.
    Test,
}

/// The tools for one purpose, ready to run.
#[derive(Debug)]
pub struct Tools {
    root: PathBuf,
    /// The NATS server that tests run, and that stands for nixpkgs' in the stand-in.
    pub nats_server: Tool,
    /// Nix, 2.26 or newer.
    pub nix: Tool,
    /// systemd-analyze, which checks units, sops and age, which seal, Prometheus, and the formatters; by name.
    checkers: Vec<(&'static str, Tool)>,
}

/// Finds deploy-rs's `activate` or installs it: only the lab runs it, so it is no tool of a [`Purpose`].
pub fn deploy_rs_activate(workspace: &Workspace, progress: &Progress) -> Result<Tool> {
    let site = Site::open(workspace)?;
    let _lock = site.lock(progress)?;
    crates::activate(&site, workspace, progress)
}

impl Tools {
    /// Finds every tool and installs those that are missing or too old; changes nothing where none is.
    pub fn install(workspace: &Workspace, purpose: Purpose, progress: &Progress) -> Result<Self> {
        let site = Site::open(workspace)?;
        let lock = site.lock(progress)?;
        let test = purpose == Purpose::Test;
        // Two at a time: what comes as binaries waits for the network, what is compiled for the processors.
        let (fetched, compiled) = thread::scope(|scope| {
            let fetched = scope.spawn(|| {
                let nats_server = nats::ensure(&site, progress);
                let nix = nix::ensure(&site, progress);
                let systemd = test.then(|| systemd::ensure(&site, progress)).transpose();
                let sealers = sops::ensure(&site, progress);
                let watchers = test
                    .then(|| prometheus::ensure(&site, progress))
                    .transpose();
                (nats_server, nix, systemd, sealers, watchers)
            });
            let compiled = test
                .then(|| crates::ensure(&site, workspace, progress))
                .transpose();
            (fetched.join(), compiled)
        });
        drop(lock);
        let fetched =
            fetched.map_err(|_| anyhow!("installing nats-server and nix: the thread stopped"))?;
        match (fetched, compiled) {
            (
                (Ok(nats_server), Ok(nix), Ok(systemd), Ok(sealers), Ok(watchers)),
                Ok(formatters),
            ) => {
                let mut checkers = Vec::new();
                checkers.extend(systemd.map(|tool| ("systemd-analyze", tool)));
                checkers.extend(["sops", "age"].into_iter().zip(sealers));
                checkers.extend(
                    ["prometheus", "promtool"]
                        .into_iter()
                        .zip(watchers.into_iter().flatten()),
                );
                checkers.extend(
                    ["nixfmt", "deadnix", "taplo"]
                        .into_iter()
                        .zip(formatters.into_iter().flatten()),
                );
                Ok(Self {
                    root: site.root().to_path_buf(),
                    nats_server,
                    nix,
                    checkers,
                })
            }
            ((nats_server, nix, systemd, sealers, watchers), compiled) => {
                let problems = [
                    nats_server.err(),
                    nix.err(),
                    systemd.err(),
                    sealers.err(),
                    watchers.err(),
                    compiled.err(),
                ];
                let problems: Vec<_> = problems
                    .iter()
                    .flatten()
                    .map(|err| format!("{err:#}"))
                    .collect();
                bail!("{}", problems.join("\n"))
            }
        }
    }

    /// Every tool with the name it is called by.
    pub fn all(&self) -> Vec<(&'static str, &Tool)> {
        let mut all = vec![("nats-server", &self.nats_server), ("nix", &self.nix)];
        all.extend(self.checkers.iter().map(|(name, tool)| (*name, tool)));
        all
    }

    /// Whether the tool is one that was installed, not the machine's.
    pub fn is_ours(&self, tool: &Tool) -> bool {
        tool.path.starts_with(&self.root)
    }

    /// A command for the tool `name`, or any other program, that finds every tool on its PATH.
    pub fn command(&self, name: &str) -> Result<Command> {
        let known = self.all().into_iter().find(|(known, _)| *known == name);
        let program = known.map_or_else(|| PathBuf::from(name), |(_, tool)| tool.path.clone());
        let mut command = Command::new(program);
        command.env("PATH", self.path_env()?);
        if name == "nix" && !self.is_ours(&self.nix) {
            let set = env::var("NIX_CONFIG").unwrap_or_default();
            command.env(
                "NIX_CONFIG",
                format!("{set}\n{}", nix::extra_settings(&self.root)),
            );
        }
        Ok(command)
    }

    /// The PATH for child processes: our tools before the machine's.
    pub fn path_env(&self) -> Result<OsString> {
        let machine = env::var_os("PATH").unwrap_or_default();
        let folders = [self.root.join("bin")]
            .into_iter()
            .chain(env::split_paths(&machine));
        env::join_paths(folders).with_context(|| format!("putting {} on PATH", self.root.display()))
    }
}
