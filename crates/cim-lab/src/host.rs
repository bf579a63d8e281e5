//! One host: a systemd-nspawn machine.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use cim_spec::Plan;

use crate::client::Inside;
use crate::net::Net;
use crate::secrets::Secret;
use crate::wait::until;
use crate::{cgroup, command, install};

/// How long a boot, a stop or a unit's start may take.
const PATIENCE: Duration = Duration::from_secs(40);

/// A host of a lab.
pub struct Host {
    /// Its name.
    pub name: String,
    /// Its network.
    pub net: Net,
    pub(crate) dir: PathBuf,
    pub(crate) users: BTreeMap<String, u32>,
    pub(crate) plans: Vec<Plan>,
    pub(crate) inside: Inside,
    /// The system that is installed.
    pub(crate) toplevel: Mutex<PathBuf>,
    /// The secrets that were put there.
    pub(crate) secrets: Mutex<BTreeMap<String, Secret>>,
    /// The running systemd-nspawn.
    machine: Mutex<Option<Child>>,
}

impl Host {
    /// Makes a host that does not run yet, over the shared root.
    pub(crate) fn create(
        name: &str,
        net: Net,
        base: &Path,
        dir: PathBuf,
        toplevel: &Path,
        plans: Vec<Plan>,
    ) -> Result<Self> {
        for folder in ["upper", "work", "root", "secrets"] {
            let path = dir.join(folder);
            fs::create_dir_all(&path).with_context(|| format!("creating {}", path.display()))?;
        }
        let shown = dir.display();
        command::run(
            "mount",
            &format!(
                "-t overlay -o lowerdir={},upperdir={shown}/upper,workdir={shown}/work cim-lab {shown}/root",
                base.display()
            ),
        )?;
        let root = dir.join("root");
        install::install(&root, toplevel, None)?;
        let users = install::users(&root, toplevel)?;
        Ok(Self {
            name: name.to_owned(),
            inside: Inside::open(net.clone())?,
            net,
            dir,
            users,
            plans,
            toplevel: Mutex::new(toplevel.to_path_buf()),
            secrets: Mutex::default(),
            machine: Mutex::default(),
        })
    }

    /// The plans of its instances.
    pub fn plans(&self) -> &[Plan] {
        &self.plans
    }

    /// Clients in its network.
    pub fn inside(&self) -> &Inside {
        &self.inside
    }

    /// Where a path of the host is on this machine.
    pub fn place(&self, path: &str) -> PathBuf {
        let inside = path.trim_start_matches('/');
        match inside.strip_prefix("run/secrets/") {
            Some(secret) => self.dir.join("secrets").join(secret),
            None => self.dir.join("root").join(inside),
        }
    }

    /// Starts its systemd; see [`Host::ready`].
    ///
    /// # Errors
    /// A host that runs.
    pub fn start(&self) -> Result<()> {
        ensure!(!self.runs()?, "{} runs already", self.name);
        let mut machine = self.machine();
        let console = self.dir.join("console.log");
        let console =
            File::create(&console).with_context(|| format!("creating {}", console.display()))?;
        let enter = cgroup::create(&self.name)?
            .iter()
            .map(|file| format!("echo $$ > {}\n", file.display()))
            .collect::<String>();
        let nspawn = format!(
            "set -e\n{enter}exec systemd-nspawn --quiet --register=no --keep-unit --boot --directory={dir}/root \
             --machine={name} --network-namespace-path={net} --bind-ro=/nix/store --bind={dir}/secrets:/run/secrets \
             --console=pipe --link-journal=no --resolv-conf=off --timezone=off",
            dir = self.dir.display(),
            name = self.name,
            net = self.net.path(),
        );
        let mut command = Command::new("sh");
        command
            .args(["-c", &nspawn])
            // systemd 258 and later has no version 1 of cgroups.
            .env("SYSTEMD_NSPAWN_UNIFIED_HIERARCHY", "1")
            .stdin(Stdio::null())
            .stdout(console.try_clone().context("sharing the console")?)
            .stderr(console)
            // Ctrl-C is for us to hear, not for the host.
            .process_group(0);
        let child = command
            .spawn()
            .with_context(|| format!("starting {}", self.name))?;
        *machine = Some(child);
        Ok(())
    }

    /// Waits until every unit of ours is active.
    ///
    /// # Errors
    /// A unit that is not, with the end of its journal.
    pub fn ready(&self) -> Result<()> {
        let units = self.units();
        let active = until(&format!("{} is up", self.name), PATIENCE, || {
            ensure!(self.runs()?, "its machine ended:\n{}", self.console()?);
            for unit in &units {
                let state = self.show(unit, "ActiveState")?;
                ensure!(state == "active", "{unit} is {state}");
            }
            Ok(())
        });
        active.with_context(|| {
            let journal = |unit: &String| {
                self.journal(unit)
                    .unwrap_or_else(|error| format!("{error:#}"))
            };
            let journals: Vec<String> = units.iter().map(journal).collect();
            format!("booting:\n{}\n", journals.join("\n"))
        })
    }

    /// Whether its systemd runs.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn runs(&self) -> Result<bool> {
        match self.machine().as_mut() {
            Some(child) => Ok(child.try_wait().context("waiting for a machine")?.is_none()),
            None => Ok(false),
        }
    }

    /// Kills all its processes at once, and sees that none is left. It proves nothing about fsync: what was written
    /// stays in this machine's memory.
    ///
    /// # Errors
    /// Processes that do not die.
    pub fn power_cut(&self) -> Result<()> {
        ensure!(self.runs()?, "{} does not run", self.name);
        cgroup::kill(&self.name)?;
        self.ended()
    }

    /// Shuts it down as `poweroff` does, and waits until it is off.
    ///
    /// # Errors
    /// A host that does not stop.
    pub fn stop(&self) -> Result<()> {
        self.run("systemctl --no-block poweroff")?;
        until(&format!("{} is off", self.name), PATIENCE, || {
            ensure!(!self.runs()?, "it still runs");
            Ok(())
        })?;
        self.ended()
    }

    fn ended(&self) -> Result<()> {
        if let Some(mut child) = self.machine().take() {
            child.wait().context("waiting for a machine")?;
        }
        let left = cgroup::processes(&self.name)?;
        ensure!(
            left.is_empty(),
            "{}: processes {left:?} are left",
            self.name
        );
        Ok(())
    }

    pub(crate) fn machine(&self) -> MutexGuard<'_, Option<Child>> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A machine that nobody waits for would stay as a zombie for as long as this process lives.
impl Drop for Host {
    fn drop(&mut self) {
        let Some(mut child) = self.machine().take() else {
            return;
        };
        let ended = cgroup::kill(&self.name).and_then(|()| {
            // One that was only just started may not be in its group yet.
            child.kill().context("ending a machine")?;
            child.wait().context("waiting for a machine")?;
            cgroup::kill(&self.name)
        });
        if let Err(error) = ended {
            eprintln!("error: ending {}: {error:#}", self.name);
        }
    }
}
