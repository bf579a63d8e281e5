//! One stream in a backup: jsm.go's two files, and what the manifest says of them.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::account::{Account, place};
use super::contents::Contents;
use super::manifest::{STREAM_FILES, Stream};
use super::problem::{Level, Problem};
use super::progress::Progress;
use super::snapshot::{self, Fault, Taken};
use super::{archive, folder, status};
use crate::provision::api::{Failure, Pauses};

/// How often a snapshot that broke off is begun again.
const TRIES: u32 = 3;

/// Takes streams one after the other.
pub struct Taker<'a> {
    account: &'a Account,
    patience: Duration,
    /// The server packs tars: where consumers are must be asked beforehand.
    tars: bool,
}

impl<'a> Taker<'a> {
    /// From this account.
    pub fn new(account: &'a Account, patience: Duration) -> Self {
        Self {
            account,
            patience,
            tars: false,
        }
    }

    /// Takes a stream into a new folder; `None`: it is not there any more.
    ///
    /// # Errors
    /// What was wrong with it; a warning where the backup is whole without it.
    pub async fn take(
        &mut self,
        name: &str,
        path: &Path,
        progress: &mut Progress<'_>,
    ) -> Result<Option<Stream>, Problem> {
        folder::make(path).map_err(|error| unwritten(path, &error))?;
        let mut pauses = Pauses::new(self.patience);
        let mut tries = 0;
        loop {
            tries += 1;
            match self.once(name, path, progress).await {
                Ok(stream) => return Ok(Some(stream)),
                Err(Fault::Refused(Failure::Refused(refusal))) if refusal.is_absent() => {
                    let removed = std::fs::remove_dir_all(path).context("removing it");
                    return removed
                        .map(|()| None)
                        .map_err(|error| unwritten(path, &error));
                }
                Err(Fault::Refused(Failure::Refused(refusal)))
                    if refusal.words.ends_with("no impl") =>
                {
                    std::fs::remove_dir_all(path)
                        .context("removing it")
                        .map_err(|error| unwritten(path, &error))?;
                    return Err(in_memory(name));
                }
                Err(Fault::Broken(_)) if tries < TRIES && pauses.next().await => {}
                Err(fault) => return Err(failed(name, path, &fault)),
            }
        }
    }

    async fn once(
        &mut self,
        name: &str,
        path: &Path,
        progress: &mut Progress<'_>,
    ) -> Result<Stream, Fault> {
        let [description, data] = STREAM_FILES.map(|file| path.join(file));
        let before = match self.tars {
            true => Some(self.told(name).await?),
            false => None,
        };
        let mut more = |count| progress.more(name, count);
        let taken = snapshot::take(self.account, name, &data, &mut more).await?;
        let file = data.clone();
        let read = tokio::task::spawn_blocking(move || archive::read(&file)).await;
        let read = read.map_err(|error| Fault::Broken(error.to_string()))?;
        let contents = match read.map_err(|error| Fault::Broken(format!("{error:#}")))? {
            Some(contents) => contents,
            None => {
                let Some(before) = before else {
                    self.tars = true;
                    return Err(Fault::Broken("it is a tar".to_owned()));
                };
                Contents {
                    consumers: before.consumers,
                    ..Contents::told(&taken.state, &[])
                }
            }
        };
        described(&description, &taken, contents).map_err(Fault::Disk)
    }

    async fn told(&self, name: &str) -> Result<Contents, Fault> {
        let told = self.account.told(name).await;
        told.map_err(|problem| Fault::Broken(problem.what))
    }
}

/// Writes the description, as jsm.go does, and says what there is.
fn described(path: &Path, taken: &Taken, contents: Contents) -> Result<Stream> {
    let _ = std::fs::remove_file(path); // of a try that broke off
    let text = status::pretty(&json!({ "config": taken.config, "state": taken.state }))?;
    let written = folder::write(path, &text)?;
    let number = |name: &str| {
        taken
            .state
            .get(name)
            .and_then(Value::as_u64)
            .unwrap_or_default()
    };
    let files = STREAM_FILES
        .map(str::to_owned)
        .into_iter()
        .zip([written, taken.file.clone()]);
    Ok(Stream {
        contents,
        told_messages: number("messages"),
        told_bytes: number("bytes"),
        chunks: taken.chunks,
        files: files.collect(),
    })
}

fn failed(name: &str, path: &Path, fault: &Fault) -> Problem {
    match fault {
        Fault::Disk(error) => unwritten(path, error),
        Fault::Refused(failure) => Problem::new(
            place(name),
            format!("there is no snapshot of it: {failure}"),
            "see what the server's log says of this stream; `--stream` takes the others meanwhile",
        ),
        Fault::Broken(why) => Problem::new(
            place(name),
            format!("its snapshot was begun {TRIES} times and never ended: {why}"),
            "look at the link, the disk and the server's log, and that this user may publish to $JS.SNAPSHOT.ACK.>; `--stream` takes the others meanwhile",
        ),
    }
}

/// Before 2.15 the server says "no impl" of streams in memory.
fn in_memory(name: &str) -> Problem {
    let what = "is stored in memory, and this nats-server takes no snapshots of that: it is not in the backup";
    let help = "update to nats-server 2.15, which does, or choose the others with --stream";
    Problem::new(place(name), what, help).level(Level::Warning)
}

fn unwritten(path: &Path, error: &anyhow::Error) -> Problem {
    let help = "make room on this disk or give us the right; older backups are as they were";
    Problem::new(path.display().to_string(), format!("{error:#}"), help)
}

/// Reads a stream's configuration and state as they were when it was taken.
///
/// # Errors
/// A file that is missing or is none.
pub fn read(path: &Path) -> Result<(Value, Value)> {
    let mut described: Value = serde_json::from_str(&std::fs::read_to_string(path)?)?;
    let mut part = |name: &str| {
        described
            .get_mut(name)
            .map(Value::take)
            .context("it has no configuration")
    };
    Ok((part("config")?, part("state")?))
}
