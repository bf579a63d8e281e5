//! The throwaway server's guard: a process that ends the server and removes its folder as soon as whoever started it is
//! gone, by `kill -9` too.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// Name of the server's configuration in its folder.
pub const CONFIG: &str = "nats.conf";

/// Name of the server's log.
pub const LOG: &str = "server.log";

/// How often we look whether the server still runs.
const LOOK: Duration = Duration::from_millis(100);

/// Runs the server for as long as our standard input is open; then its folder goes.
///
/// # Errors
/// A server that cannot be started or ended by itself; its folder stays, with the log.
pub fn guard(nats_server: &Path, folder: &Path) -> Result<()> {
    let mut log = File::create(folder.join(LOG)).context("creating the server's log")?;
    let stderr = log.try_clone().context("opening the server's log")?;
    let mut server = Command::new(nats_server)
        .arg("-c")
        .arg(folder.join(CONFIG))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(stderr)
        .spawn()
        .inspect_err(|error| {
            // For whoever started us, who looks there.
            let _ = writeln!(log, "{error}");
        })
        .with_context(|| format!("starting {}", nats_server.display()))?;
    let (closed, told) = channel();
    thread::spawn(move || {
        // Nobody writes there: it ends when the other side is gone.
        let _ = io::stdin().read_to_end(&mut Vec::new());
        let _ = closed.send(());
    });
    while let Err(RecvTimeoutError::Timeout) = told.recv_timeout(LOOK) {
        if let Some(status) = server.try_wait().context("waiting for the server")? {
            bail!("the server ended: {status}");
        }
    }
    server.kill().context("ending the server")?;
    server.wait().context("waiting for the server")?;
    fs::remove_dir_all(folder).with_context(|| format!("removing {}", folder.display()))
}
