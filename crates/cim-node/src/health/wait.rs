//! `cim-health --wait`: the unit is up when the instance answers, not when the process exists.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use cim_spec::artefact::Health;

use crate::monitor::Monitor;
use crate::process::Process;

/// How often a server that is not ready yet is asked again.
const LOOK: Duration = Duration::from_millis(50);

/// Waits until the instance is ready, at most `patience`; no longer than its `server` lives, where that is given.
///
/// # Errors
/// What stood in the way when the time was over, or that the server ended.
pub fn wait(health: &Health, patience: Duration, server: Option<&Process>) -> Result<()> {
    let until = Instant::now() + patience;
    let monitor = Monitor::new(&health.monitor);
    loop {
        let state = ready(health, &monitor);
        if state.is_ok() {
            return Ok(());
        }
        if Instant::now() >= until {
            return state.with_context(|| {
                format!(
                    "{} was not ready in {} s",
                    health.server_name,
                    patience.as_secs()
                )
            });
        }
        match server {
            Some(server) => ensure!(
                !server.ended(LOOK)?,
                "{} ended before it was ready: its log says why",
                health.server_name
            ),
            None => std::thread::park_timeout(LOOK),
        }
    }
}

/// Whether this very instance answers: another server on the port does not count.
fn ready(health: &Health, monitor: &Monitor) -> Result<()> {
    monitor.ready()?;
    let found = monitor.varz()?.server_name;
    ensure!(
        found == health.server_name,
        "{} is answered by {found:?}, another server than {:?}",
        health.monitor,
        health.server_name
    );
    Ok(())
}
