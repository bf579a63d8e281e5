//! deploy-rs's own `activate` on a host, called as its `deploy` calls it over ssh.
//!
//! The switch step is the lab's: the profile's `switch-to-configuration` says on its output what to switch to, and takes
//! its exit code from its input (`checks/standin/deploy-rs`). Nix's profile is the host's own, kept by a real nix-env.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;

use anyhow::{Context, Result, anyhow};

use crate::command::write;
use crate::{DeployRs, Host, Switched};

/// What NixOS's switch ends with when a unit fails.
const FAILED: u8 = 4;

/// Where `activate` finds its files, and the sign that somebody waits for a confirmation.
const TEMP: &str = "/tmp";

/// What the profile asks the lab for, before the system.
const ASKS: &str = "switch-to-configuration switch ";

/// How one deployment is to go.
#[derive(Debug)]
pub struct Order<'a> {
    /// The profile.
    pub profile: &'a Path,
    /// Whether whoever deploys can still reach the host after the switch.
    pub confirm: bool,
    /// `confirmTimeout`, in seconds.
    pub confirm_timeout: u16,
    /// `autoRollback`.
    pub auto_rollback: bool,
}

/// What came of a deployment.
#[derive(Debug)]
pub struct Deployed {
    /// Whether `activate` ended well.
    pub succeeded: bool,
    /// Whether `activate wait` saw the host switched.
    pub seen: bool,
    /// The switches: to the new system, and to the old one where it was rolled back.
    pub switches: Vec<(PathBuf, Switched)>,
    /// What `activate` and Nix said.
    pub said: String,
}

impl Host {
    /// Puts on a host what `nix copy` would: `activate`, and what Nix's database knows of the profiles.
    ///
    /// # Errors
    /// A root without Nix.
    pub fn take_deployments(&self, deploy: &DeployRs) -> Result<()> {
        let activate = self.place("/usr/bin/activate");
        fs::copy(&deploy.activate, &activate)
            .with_context(|| format!("installing {}", activate.display()))?;
        let registration = fs::read(&deploy.registration)
            .with_context(|| format!("reading {}", deploy.registration.display()))?;
        write(&self.place("/root/registration"), registration)?;
        self.script("nix-store --load-db < /root/registration")?;
        Ok(())
    }

    /// The system profile's path in the store.
    ///
    /// # Errors
    /// A host that was never deployed to.
    pub fn profile(&self) -> Result<PathBuf> {
        let path = self.run("readlink --canonicalize-existing /nix/var/nix/profiles/system")?;
        Ok(PathBuf::from(path.trim()))
    }

    /// How many generations the system profile has.
    ///
    /// # Errors
    /// What nix-env says.
    pub fn generations(&self) -> Result<usize> {
        let list = self.run("nix-env --profile /nix/var/nix/profiles/system --list-generations")?;
        Ok(list.lines().count())
    }

    /// Deploys a profile: `activate`, and beside it `activate wait`, after which the deployment is confirmed, as
    /// deploy-rs's `src/deploy.rs` does it.
    ///
    /// # Errors
    /// A host that does not run; what goes wrong on it is told in the outcome.
    pub fn deploy(&self, order: &Order<'_>) -> Result<Deployed> {
        let closure = order.profile.display();
        let auto_rollback = if order.auto_rollback {
            " --auto-rollback"
        } else {
            ""
        };
        let mut activate = self.talking(&format!(
            "{closure}/activate-rs activate '{closure}' --profile-user root --profile-name system \
             --temp-path '{TEMP}' --confirm-timeout {} --magic-rollback{auto_rollback}",
            order.confirm_timeout
        ))?;
        thread::scope(|scope| {
            let activated = scope.spawn(|| self.attend(&mut activate));
            let waited = self.script(&format!(
                "{closure}/activate-rs wait '{closure}' --temp-path '{TEMP}' --activation-timeout 60"
            ));
            let confirmed = match (&waited, order.confirm) {
                (Ok(_), true) => self.forget(order.profile),
                _ => Ok(()),
            };
            let activated = activated.join();
            confirmed?;
            let deployed = activated.map_err(|_| anyhow!("the thread stopped"))??;
            Ok(Deployed {
                seen: waited.is_ok(),
                ..deployed
            })
        })
    }

    /// Takes a deployment back, as `deploy` does with every host it was done with when a later one fails.
    ///
    /// # Errors
    /// As [`Host::deploy`].
    pub fn revoke(&self, profile: &Path) -> Result<Deployed> {
        let revoke = "activate-rs revoke --profile-user root --profile-name system";
        let mut revoke = self.talking(&format!("{}/{revoke}", profile.display()))?;
        self.attend(&mut revoke)
    }

    /// Removes the sign of a deployment that nobody confirmed.
    ///
    /// # Errors
    /// There is none.
    pub fn forget(&self, profile: &Path) -> Result<()> {
        self.run(&format!("rm {}", canary(profile))).map(drop)
    }

    /// A shell command on the host with whose output and input we talk.
    fn talking(&self, line: &str) -> Result<Child> {
        let mut entering = self.entering(&["sh", "-c", &format!("{line} 2>&1")])?;
        entering.stdin(Stdio::piped()).stdout(Stdio::piped());
        let child = entering.spawn();
        child.with_context(|| format!("starting `{line}` on {}", self.name))
    }

    /// Switches whenever it is asked to, until the command ends.
    fn attend(&self, child: &mut Child) -> Result<Deployed> {
        let output = child.stdout.take().context("a child has a stdout")?;
        let mut answers = child.stdin.take().context("a child has a stdin")?;
        let mut said = String::new();
        let mut switches = Vec::new();
        for line in BufReader::new(output).lines() {
            let line = line.context("reading what activate says")?;
            if let Some(toplevel) = line.strip_prefix(ASKS) {
                // An error here drops the input, which fails the profile's script.
                let switched = self.switch(Path::new(toplevel))?;
                let failed = switched.units.values().any(|unit| unit.error.is_some());
                let status = if failed { FAILED } else { 0 };
                switches.push((PathBuf::from(toplevel), switched));
                writeln!(answers, "{status}").context("answering activate")?;
            }
            said.push_str(&line);
            said.push('\n');
        }
        let status = child.wait().context("waiting for activate")?;
        Ok(Deployed {
            succeeded: status.success(),
            seen: false,
            switches,
            said,
        })
    }
}

/// The file whose removal confirms a deployment.
fn canary(profile: &Path) -> String {
    let name = profile.file_name().unwrap_or_default().to_string_lossy();
    let hash = name.split('-').next().unwrap_or_default();
    format!("{TEMP}/deploy-rs-canary-{hash}")
}
