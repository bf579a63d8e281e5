//! The digest of a config on the host, by nats-server itself: it covers secrets.

use std::fmt;
use std::io::{PipeReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::process::Process;

/// The longest output that is read: what nats-server says of a config is some lines.
const LONGEST: usize = 1024 * 1024;

/// It did not end in time.
#[derive(Debug)]
pub struct Late(Duration);

impl fmt::Display for Late {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let seconds = self.0.as_secs();
        write!(f, "it did not end in {seconds} s and was killed")
    }
}

impl std::error::Error for Late {}

/// What `nats-server -t` gives for a config, in at most `patience`: whoever asks must go on, also where a file of the config
/// cannot be read to its end.
///
/// # Errors
/// A config that it refuses, with its words; [`Late`].
pub fn by_server(nats_server: &Path, config: &str, patience: Duration) -> Result<String> {
    let (status, said) = run(nats_server, config, patience)
        .with_context(|| format!("running {} -t", nats_server.display()))?;
    ensure!(
        status.success(),
        "nats-server -t says of {config}: {}",
        said.trim()
    );
    let digest = said
        .split_whitespace()
        .map(|word| word.trim_matches(|c: char| !c.is_ascii_alphanumeric()))
        .find(|word| word.starts_with("sha256:"));
    digest
        .map(str::to_owned)
        .context("nats-server -t printed no digest")
}

/// How it ended, and all that it said.
fn run(nats_server: &Path, config: &str, patience: Duration) -> Result<(ExitStatus, String)> {
    let until = Instant::now() + patience;
    let (reader, writer) = std::io::pipe().context("making a pipe")?;
    let mut child = Command::new(nats_server)
        .args(["-t", "-c", config])
        .stdin(Stdio::null())
        .stdout(writer.try_clone().context("making a pipe")?)
        .stderr(writer)
        .spawn()?;
    let said = heard(reader, &child, until, patience);
    if said.is_err() {
        // It may have ended just now.
        let _ = child.kill();
    }
    let status = child.wait().context("waiting for it")?;
    Ok((status, String::from_utf8_lossy(&said?).into_owned()))
}

/// What it says until it has ended.
fn heard(
    mut reader: PipeReader,
    child: &Child,
    until: Instant,
    patience: Duration,
) -> Result<Vec<u8>> {
    let left = || until.saturating_duration_since(Instant::now());
    let mut said = Vec::new();
    let mut part = [0; 4096];
    loop {
        let moment = Timespec::try_from(left()).context("a moment is short")?;
        match poll(&mut [PollFd::new(&reader, PollFlags::IN)], Some(&moment)) {
            Ok(0) => return Err(Late(patience).into()),
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error).context("waiting for its words"),
        }
        let length = reader.read(&mut part).context("reading its words")?;
        said.extend_from_slice(part.get(..length).unwrap_or_default());
        ensure!(said.len() < LONGEST, "it says more than {LONGEST} bytes");
        if length == 0 {
            break;
        }
    }
    // Whoever has nothing more to say need not have ended.
    let process = Process::holding(i32::try_from(child.id()).context("a process id")?)?;
    while !process.ended(left())? {
        if left().is_zero() {
            return Err(Late(patience).into());
        }
    }
    Ok(said)
}
