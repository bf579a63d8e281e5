//! Gives every file of a backup to a command, on its standard input.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::manifest::{Digested, MANIFEST, Manifest, SUMS};
use super::problem::Problem;
use super::{folder, status};

/// How much of what a command said is repeated.
const TAIL: usize = 500;

/// How often we look whether a command has ended.
const LOOK: Duration = Duration::from_millis(20);

/// How long the last words of a command may take that has ended.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What gets the files.
#[derive(Debug, Clone)]
pub struct Sink {
    /// A command and its arguments; `{}` in them stands for `<backup>/<file>`.
    pub command: Vec<String>,
    /// For how long the command may stand still: read nothing more of a file, and not end.
    pub patience: Duration,
}

impl Sink {
    /// Runs it once a file; the manifest and the sums come last, so that a copy with them is whole. Stops at the first
    /// failure.
    ///
    /// # Errors
    /// The file, and what the command said.
    pub fn send(&self, backup: &Path, manifest: &Manifest) -> Result<usize, Problem> {
        let mut files: Vec<(String, Digested)> = manifest
            .files()
            .map(|(name, file)| (name, file.clone()))
            .collect();
        for name in [MANIFEST, SUMS] {
            let path = backup.join(name);
            let file = folder::digest(&path).map_err(|error| {
                Problem::new(path.display().to_string(), error.to_string(), "run again")
            })?;
            files.push((name.to_owned(), file));
        }
        for (name, file) in &files {
            if let Err(error) = self.run(backup, name, file) {
                return Err(Problem::new(
                    backup.join(name).display().to_string(),
                    format!(
                        "--sink {:?} did not take it: {error:#}",
                        self.command.join(" ")
                    ),
                    "the backup itself is whole and stays, and older ones too; run the command by hand to see why, then `cim-backup create` again",
                ));
            }
        }
        Ok(files.len())
    }

    fn run(&self, backup: &Path, name: &str, file: &Digested) -> Result<()> {
        let full = format!("{}/{name}", status::name(backup));
        let mut words = self.command.iter().map(|word| word.replace("{}", &full));
        let program = words.next().context("it names no command")?;
        let mut input = File::open(backup.join(name)).context("reading it")?;
        let mut child = Command::new(&program)
            .args(words)
            .env("CIM_BACKUP_NAME", status::name(backup))
            .env("CIM_BACKUP_FILE", name)
            .env("CIM_BACKUP_SIZE", file.size.to_string())
            .env("CIM_BACKUP_SHA256", &file.sha256)
            .stdin(input.try_clone().context("reading it")?)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {program:?}"))?;
        let said = heard(&mut child);
        let ended = self.ended(&mut child, &mut input)?;
        // What it started may hold its standard error open.
        let said = said.recv_timeout(LAST_WORDS).unwrap_or_default();
        let said = String::from_utf8_lossy(&said).trim().to_owned();
        let from = said.char_indices().rev().nth(TAIL).map_or(0, |(at, _)| at);
        let said = said.get(from..).unwrap_or_default();
        match ended {
            Ok(()) => Ok(()),
            Err(how) if said.is_empty() => bail!("{how}"),
            Err(how) => bail!("{how}: {said}"),
        }
    }

    /// Waits for the command's end, and ends it if it stands still; gives how it ended, if not well.
    fn ended(&self, child: &mut Child, input: &mut File) -> Result<Result<(), String>> {
        let (mut read, mut since) = (0, Instant::now());
        loop {
            if let Some(status) = child.try_wait().context("waiting for it")? {
                return Ok(match status.success() {
                    true => Ok(()),
                    false => Err(status.to_string()),
                });
            }
            // Its standard input has one position with ours.
            let position = input.stream_position().context("reading it")?;
            if position != read {
                (read, since) = (position, Instant::now());
            }
            if since.elapsed() >= self.patience {
                child.kill().context("ending it")?;
                child.wait().context("waiting for it")?;
                return Ok(Err(format!(
                    "it read {read} bytes, stood still for {} s (--sink-timeout) and was killed",
                    self.patience.as_secs()
                )));
            }
            thread::sleep(LOOK);
        }
    }
}

/// What a command says, once it has said all of it.
fn heard(child: &mut Child) -> Receiver<Vec<u8>> {
    let (tell, told) = channel();
    let stderr = child.stderr.take();
    thread::spawn(move || {
        let mut said = Vec::new();
        // What cannot be read was not said; and nobody may wait for it any more.
        let _ = stderr.map(|mut stderr| stderr.read_to_end(&mut said));
        let _ = tell.send(said);
    });
    told
}
