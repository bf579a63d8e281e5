//! What is known of a folder of backups, for whoever asks how old the newest good one is: `last.json`, `drill.json`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::folder;
use super::manifest::Manifest;
use super::problem::{self, Problem};
use super::told::Told;

/// In the folder of backups.
pub const LAST: &str = "last.json";

/// In the backup that was drilled.
pub const DRILL: &str = "drill.json";

/// `last.json`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Last {
    /// The newest good backup; `None`: there was never one.
    pub newest: Option<Newest>,
    /// The last `create`, whether it worked or not.
    pub attempt: Option<Attempt>,
    /// The last drill.
    pub drill: Option<Drill>,
}

/// The newest good backup.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Newest {
    /// Its folder's name.
    pub backup: String,
    /// When it began, RFC 3339: nothing later is in it.
    pub start: String,
    /// When it was whole, RFC 3339.
    pub end: String,
    /// Streams in it.
    pub streams: usize,
    /// Consumers.
    pub consumers: usize,
    /// Messages.
    pub messages: u64,
    /// Bytes on the disk.
    pub bytes: u64,
}

/// One `create`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Attempt {
    /// When it ended, RFC 3339.
    pub at: String,
    /// Its exit code.
    pub exit: u8,
    /// What was wrong.
    pub problems: Vec<Problem>,
}

/// One drill, also `drill.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Drill {
    /// The backup's folder's name.
    pub backup: String,
    /// When it ended, RFC 3339.
    pub at: String,
    /// Whether all came back.
    pub ok: bool,
    /// What did not.
    pub problems: Vec<Problem>,
    /// The throwaway server's version; `None`: it did not start.
    pub server: Option<String>,
    /// How long it took, in seconds.
    pub seconds: f64,
}

impl Newest {
    /// Of a backup's manifest.
    pub fn of(backup: &Path, manifest: &Manifest) -> Self {
        Self {
            backup: name(backup),
            start: manifest.start.clone(),
            end: manifest.end.clone(),
            streams: manifest.streams.len(),
            consumers: manifest.consumers(),
            messages: manifest.messages(),
            bytes: manifest.bytes(),
        }
    }
}

impl Attempt {
    /// One that ends now.
    pub fn of(problems: &[Problem]) -> Self {
        Self {
            at: rfc3339(OffsetDateTime::now_utc()),
            exit: problem::exit(problems) as u8,
            problems: problems.to_vec(),
        }
    }
}

/// Changes `last.json`, and `copy`, where there is one, which everybody may read; the folder must be held.
///
/// # Errors
/// A file that cannot be written. One that cannot be read is written anew: it says nothing that the backups do not.
pub fn change(folder: &Path, copy: Option<&Path>, change: impl FnOnce(&mut Last)) -> Result<()> {
    let path = folder.join(LAST);
    let text = fs::read_to_string(&path).unwrap_or_default();
    let mut last: Last = serde_json::from_str(&text).unwrap_or_default();
    change(&mut last);
    folder::replace(&path, &pretty(&last)?)?;
    copy.map_or(Ok(()), |copy| Told::of(&last).write(copy))
}

/// Writes a drill's result into its backup.
///
/// # Errors
/// A file that cannot be written.
pub fn drilled(backup: &Path, drill: &Drill) -> Result<()> {
    folder::replace(&backup.join(DRILL), &pretty(drill)?)
}

/// A backup's last drill; `None`: there was none, or its result cannot be read.
pub fn drill(backup: &Path) -> Option<Drill> {
    let text = fs::read_to_string(backup.join(DRILL)).ok()?;
    serde_json::from_str(&text).ok()
}

/// A folder's own name.
pub fn name(path: &Path) -> String {
    let path = fs::canonicalize(path).unwrap_or_else(|_| PathBuf::from(path));
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// A moment, as it is written down.
pub fn rfc3339(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_default()
}

/// What was written down, as a moment.
pub fn moment(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok()
}

/// JSON as files of ours have it.
///
/// # Errors
/// None that a value of ours could earn.
pub fn pretty(value: &impl Serialize) -> Result<String> {
    let text = serde_json::to_string_pretty(value).context("writing JSON")?;
    Ok(format!("{text}\n"))
}
