//! What everybody may know of an account's backups: how old, how many, whether they came back. Nothing that is in them.
//!
//! The folder of backups is its user's alone; `cim-health` reads this file instead.

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::status::{Last, Newest, pretty};

/// The longest file that is read: one of ours has some 700 bytes.
const LONGEST: u64 = 64 * 1024;

/// The file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Told {
    /// The newest good backup; `None`: there was never one.
    pub newest: Option<Newest>,
    /// The last `create`, whether it worked or not.
    pub attempt: Option<Attempt>,
    /// The last drill; `None`: there was none.
    pub drill: Option<Drill>,
}

/// One `create`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Attempt {
    /// When it ended, RFC 3339.
    pub at: String,
    /// Its exit code.
    pub exit: u8,
    /// How much was wrong.
    pub problems: usize,
}

/// One drill.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Drill {
    /// The backup's folder's name.
    pub backup: String,
    /// When it ended, RFC 3339.
    pub at: String,
    /// Whether all came back.
    pub ok: bool,
    /// How much did not.
    pub problems: usize,
    /// How long it took, in seconds.
    pub seconds: f64,
}

impl Told {
    /// What of it everybody may know: problems name streams, so they are only counted.
    pub fn of(last: &Last) -> Self {
        Self {
            newest: last.newest.clone(),
            attempt: last.attempt.as_ref().map(|attempt| Attempt {
                at: attempt.at.clone(),
                exit: attempt.exit,
                problems: attempt.problems.len(),
            }),
            drill: last.drill.as_ref().map(|drill| Drill {
                backup: drill.backup.clone(),
                at: drill.at.clone(),
                ok: drill.ok,
                problems: drill.problems.len(),
                seconds: drill.seconds,
            }),
        }
    }

    /// Writes it, readable by everybody whatever the umask, beside the old one and then in its place.
    ///
    /// # Errors
    /// What the file system says against it.
    pub fn write(&self, path: &Path) -> Result<()> {
        let beside = path.with_extension("new");
        let mut new = OpenOptions::new();
        new.write(true).create(true).truncate(true);
        let text = pretty(self)?;
        new.open(&beside)
            .and_then(|mut file| {
                file.set_permissions(Permissions::from_mode(0o644))?;
                file.write_all(text.as_bytes())?;
                file.sync_all()
            })
            .and_then(|()| fs::rename(&beside, path))
            .with_context(|| format!("writing {}", path.display()))
    }

    /// Reads it; `None`: it is not there.
    ///
    /// # Errors
    /// A file that cannot be read, or holds something else.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        let about = match fs::metadata(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            about => about.with_context(|| format!("reading {}", path.display()))?,
        };
        anyhow::ensure!(
            about.is_file() && about.len() <= LONGEST,
            "{} is no status of backups: it is no file, or a file of {} bytes",
            path.display(),
            about.len()
        );
        let text =
            fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        let told = serde_json::from_str(&text)
            .with_context(|| format!("{} is no status of backups", path.display()))?;
        Ok(Some(told))
    }
}
