//! A running nats-server, held by a descriptor: its id cannot pass to another process meanwhile.

use std::fs;
use std::os::fd::OwnedFd;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// A process that reads a config of ours.
pub struct Process {
    id: i32,
    handle: OwnedFd,
}

impl Process {
    /// Takes hold of the process `id`, whatever it runs: in the unit's sandbox `/proc` shows no other process, not
    /// the server either (`ProtectProc`, and `PrivateUsers` gives each process of a unit a user namespace of its own).
    ///
    /// # Errors
    /// No such process.
    pub fn holding(id: i32) -> Result<Self> {
        let pid = (id > 0).then(|| Pid::from_raw(id)).flatten();
        let handle = pidfd_open(
            pid.with_context(|| format!("{id} is no process id"))?,
            PidfdFlags::empty(),
        )
        .with_context(|| format!("looking for process {id}: it has ended"))?;
        Ok(Self { id, handle })
    }

    /// Takes hold of the process `id`, which must be running on `config`.
    ///
    /// # Errors
    /// No such process, or one that runs something else: it would die of a SIGHUP.
    pub fn running(id: i32, config: &str) -> Result<Self> {
        let process = Self::holding(id)?;
        // After the handle: what is read now belongs to the process that it holds.
        let command = fs::read(format!("/proc/{id}/cmdline"))
            .with_context(|| format!("looking for process {id}"))?;
        ensure!(!command.is_empty(), "process {id} has ended");
        let words: Vec<_> = command
            .split(|b| *b == 0)
            .map(String::from_utf8_lossy)
            .collect();
        ensure!(
            words.iter().any(|word| word == config),
            "process {id} is {:?}, not a nats-server that reads {config}",
            words.first().map_or("", |word| word.as_ref())
        );
        Ok(process)
    }

    /// Tells it to read its config again.
    ///
    /// # Errors
    /// A process that is gone, or of another user.
    pub fn hang_up(&self) -> Result<()> {
        pidfd_send_signal(&self.handle, Signal::HUP)
            .with_context(|| format!("signalling process {}", self.id))
    }

    /// Waits a moment; whether the process has ended.
    ///
    /// # Errors
    /// What the kernel says against waiting.
    pub fn ended(&self, moment: Duration) -> Result<bool> {
        let mut handles = [PollFd::new(&self.handle, PollFlags::IN)];
        let moment = Timespec::try_from(moment).context("a moment is short")?;
        match poll(&mut handles, Some(&moment)) {
            Ok(ready) => Ok(ready > 0),
            Err(Errno::INTR) => Ok(false),
            Err(error) => Err(error).with_context(|| format!("waiting for process {}", self.id)),
        }
    }
}
