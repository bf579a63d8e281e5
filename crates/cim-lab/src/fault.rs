//! Faults of single processes and disks.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::Host;
use crate::wait::until;

const PATIENCE: Duration = Duration::from_secs(5);

impl Host {
    /// Stops a unit's main process where it stands, and sees that it is stopped.
    ///
    /// # Errors
    /// A unit that does not run.
    pub fn freeze(&self, unit: &str) -> Result<i32> {
        let pid = self.main_pid(unit)?;
        self.run(&format!("kill -STOP {pid}"))?;
        self.in_state(pid, 'T')?;
        Ok(pid)
    }

    /// Lets a frozen process go on.
    ///
    /// # Errors
    /// A process that is gone.
    pub fn thaw(&self, pid: i32) -> Result<()> {
        self.run(&format!("kill -CONT {pid}"))?;
        until("it goes on", PATIENCE, || {
            let state = self.state(pid)?;
            ensure!(state != 'T', "process {pid} is stopped");
            Ok(())
        })
    }

    /// Kills a unit's main process, and sees that it is gone; gives its number.
    ///
    /// # Errors
    /// A unit that does not run.
    pub fn kill(&self, unit: &str) -> Result<i32> {
        let pid = self.main_pid(unit)?;
        self.run(&format!("kill -KILL {pid}"))?;
        until("it is gone", PATIENCE, || {
            ensure!(self.state(pid).is_err(), "process {pid} is there");
            Ok(())
        })?;
        Ok(pid)
    }

    /// Puts a unit's state on a small file system of its own; the unit is restarted on it.
    ///
    /// # Errors
    /// A unit that does not start on it.
    pub fn small_disk(&self, unit: &str, mebibytes: u32) -> Result<()> {
        let (user, state) = (unit.trim_end_matches(".service"), Self::state_of(unit));
        self.run(&format!("systemctl stop {unit}"))?;
        self.script(&format!(
            "mount -t tmpfs -o size={mebibytes}m,mode=0700 small {state} && chown {user}:{user} {state}"
        ))?;
        self.run(&format!("systemctl start {unit}"))?;
        Ok(())
    }

    /// Puts a unit's state back where it was, as it was; the unit is restarted on it.
    ///
    /// # Errors
    /// A unit without a small disk.
    pub fn whole_disk(&self, unit: &str) -> Result<()> {
        self.run(&format!("systemctl stop {unit}"))?;
        self.run(&format!("umount {}", Self::state_of(unit)))?;
        self.run(&format!("systemctl start {unit}"))?;
        Ok(())
    }

    /// Fills a unit's small disk to the last byte, and sees that nothing is left.
    ///
    /// # Errors
    /// A unit without a small disk: the lab fills no other.
    pub fn fill_disk(&self, unit: &str) -> Result<()> {
        let state = Self::state_of(unit);
        let kind = self.run(&format!("stat --file-system --format=%T {state}"))?;
        ensure!(kind.trim() == "tmpfs", "{unit} has no small disk");
        let left = self.script(&format!(
            "dd if=/dev/zero of={state}/full bs=4096 2>/dev/null; stat --file-system --format=%a {state}"
        ))?;
        ensure!(left.trim() == "0", "{} blocks are left", left.trim());
        Ok(())
    }

    /// Frees what filled a unit's small disk.
    ///
    /// # Errors
    /// A disk that was not full.
    pub fn free_disk(&self, unit: &str) -> Result<()> {
        self.run(&format!("rm {}/full", Self::state_of(unit)))?;
        Ok(())
    }

    /// The state directory of a unit.
    pub(crate) fn state_of(unit: &str) -> String {
        format!("/var/lib/{}", unit.trim_end_matches(".service"))
    }

    fn in_state(&self, pid: i32, wanted: char) -> Result<()> {
        until(&format!("process {pid} is {wanted}"), PATIENCE, || {
            let state = self.state(pid)?;
            ensure!(state == wanted, "it is {state}");
            Ok(())
        })
    }

    /// The state letter of a process of the host.
    fn state(&self, pid: i32) -> Result<char> {
        let stat = self.run(&format!("cat /proc/{pid}/stat"))?;
        let state = stat
            .rsplit_once(") ")
            .and_then(|(_, rest)| rest.chars().next());
        state.with_context(|| format!("reading {stat:?}"))
    }
}
