//! `cim-reload`: signals nats-server and demands proof that it took the new config.
//!
//! A SIGHUP is all or nothing: one field that cannot be reloaded and nothing is applied, the old
//! config keeps running, and both `kill` and systemd report success.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use cim_spec::artefact::Health;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::log::Log;
use crate::monitor::{Monitor, Varz};
use crate::process::Process;
use crate::{certificate, digest, secrets};

/// How long nats-server may take to read a config, and again to apply it.
const PATIENCE: Duration = Duration::from_secs(15);

/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// What to reload.
pub struct Reload<'a> {
    /// What the instance must look like.
    pub health: &'a Health,
    /// The running nats-server.
    pub pid: i32,
    /// The binary, to read the new config before it is signalled.
    pub nats_server: &'a Path,
    /// Where the server says why it refused.
    pub log: Log,
}

impl Reload<'_> {
    /// Reloads, and proves it.
    ///
    /// # Errors
    /// The server's reason for refusing; the old config is still running then.
    pub fn run(&self) -> Result<()> {
        let monitor = Monitor::new(&self.health.monitor);
        let (process, before, wanted) = self.prepare(&monitor).with_context(|| self.still_old())?;
        process.hang_up().with_context(|| self.still_old())?;
        let after = self.taken_over(&process, &monitor, &before)?;
        ensure!(
            after.config_digest == wanted,
            "{} runs config {}, not {wanted} as in {}: restart it: systemctl restart {}",
            self.health.server_name,
            after.config_digest,
            self.health.config,
            self.health.unit
        );
        self.certificates_loaded(&after)
    }

    /// Everything that can go wrong before the server is signalled.
    fn prepare(&self, monitor: &Monitor) -> Result<(Process, Varz, String)> {
        let process = Process::running(self.pid, &self.health.config)?;
        let before = monitor.varz()?;
        ensure!(
            before.server_name == self.health.server_name,
            "{} is answered by {:?}, another server than {:?}",
            self.health.monitor,
            before.server_name,
            self.health.server_name
        );
        if let Some(secrets) = &self.health.secrets {
            secrets::write(secrets)?;
        }
        let wanted = self.digest_of_files()?;
        Ok((process, before, wanted))
    }

    fn still_old(&self) -> String {
        format!(
            "{} did not reload and keeps its old config; to take the new one with a restart: systemctl restart {}",
            self.health.server_name, self.health.unit
        )
    }

    /// The digest of what lies on the host, by nats-server itself: it covers secrets.
    fn digest_of_files(&self) -> Result<String> {
        let digest = digest::by_server(self.nats_server, &self.health.config, PATIENCE)?;
        match &self.health.config_digest {
            Some(built) if *built != digest => bail!(
                "{} is not the config that was built: it has {digest}, the build computed {built}",
                self.health.config
            ),
            _ => Ok(digest),
        }
    }

    /// Waits until the load time moves or the server says no. The load time is exact to the
    /// nanosecond, and moves after everything was applied.
    fn taken_over(&self, process: &Process, monitor: &Monitor, before: &Varz) -> Result<Varz> {
        let until = Instant::now() + PATIENCE;
        loop {
            // A server that is busy applying may be slow to answer.
            let now = monitor.varz();
            if let Ok(now) = &now
                && now.config_load_time != before.config_load_time
            {
                return Ok(now.clone());
            }
            if let Some(reason) = self.log.refusal()? {
                bail!("{}: nats-server says: {reason}", self.still_old());
            }
            ensure!(
                !process.ended(LOOK)?,
                "{} ended when it was told to reload: see journalctl --unit {}",
                self.health.server_name,
                self.health.unit
            );
            if Instant::now() >= until {
                now?;
                bail!(
                    "{} neither took its new config nor refused it in {} s: see journalctl --unit {}",
                    self.health.server_name,
                    PATIENCE.as_secs(),
                    self.health.unit
                );
            }
        }
    }

    /// The loaded certificates are those in the files.
    fn certificates_loaded(&self, varz: &Varz) -> Result<()> {
        for wanted in &self.health.certificates {
            let file = certificate::not_after(&wanted.file)?;
            let Some(loaded) = varz.certificate_not_after(&wanted.block) else {
                continue; // before 2.12 /varz does not tell
            };
            let loaded = OffsetDateTime::parse(loaded, &Rfc3339)
                .with_context(|| format!("reading the expiry {loaded:?} in /varz"))?;
            ensure!(
                loaded == file,
                "{} runs a certificate that expires {loaded}, but {} expires {file}",
                self.health.server_name,
                wanted.file
            );
        }
        Ok(())
    }
}
