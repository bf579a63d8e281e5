//! Where nats-server says why: the journal of its unit, or a file.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// A log, read from the moment it was marked.
pub enum Log {
    /// The journal of a unit, after a cursor.
    Journal {
        /// Name of the unit.
        unit: String,
        /// Where the reading starts; `None`: it had no entry.
        cursor: Option<String>,
    },
    /// A file, after an offset.
    File {
        /// The file.
        path: PathBuf,
        /// Bytes to pass over.
        offset: usize,
    },
}

impl Log {
    /// Marks the end of a unit's journal.
    ///
    /// # Errors
    /// A machine without journalctl.
    pub fn journal(unit: &str) -> Result<Self> {
        // An entry of this very unit: after the cursor of another's, journalctl 252 leaves out the
        // first of ours. A unit that has been quiet for long may have none left.
        let said = journalctl(&["--unit", unit, "--lines", "0", "--show-cursor", "--quiet"])?;
        let cursor = said
            .lines()
            .find_map(|line| line.strip_prefix("-- cursor: "))
            .map(str::to_owned);
        Ok(Self::Journal {
            unit: unit.to_owned(),
            cursor,
        })
    }

    /// Marks the end of a file.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn file(path: PathBuf) -> Result<Self> {
        let text = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        Ok(Self::File {
            path,
            offset: text.len(),
        })
    }

    /// Why the server refused a reload; `None`: it has not said so.
    ///
    /// # Errors
    /// A log that cannot be read.
    pub fn refusal(&self) -> Result<Option<String>> {
        let text = self.since()?;
        Ok(text
            .lines()
            .rev()
            .find_map(|line| line.split_once("Failed to reload server configuration: "))
            .map(|(_, reason)| redact(reason)))
    }

    fn since(&self) -> Result<String> {
        match self {
            Log::Journal { unit, cursor } => {
                let mut args = vec!["--unit", unit.as_str(), "--output", "cat", "--quiet"];
                if let Some(cursor) = cursor {
                    args.extend(["--after-cursor", cursor]);
                }
                journalctl(&args)
            }
            Log::File { path, offset } => {
                let bytes =
                    fs::read(path).with_context(|| format!("reading {}", path.display()))?;
                let new = bytes.get(*offset..).unwrap_or_default();
                Ok(String::from_utf8_lossy(new).into_owned())
            }
        }
    }
}

/// nats-server prints old and new value in clear, secrets too: keep the field, drop the values.
fn redact(reason: &str) -> String {
    match reason.split_once(": old=") {
        Some((field, _)) => field.to_owned(),
        None => reason.to_owned(),
    }
}

/// Where it finds no entry, journalctl fails without a word.
fn journalctl(args: &[&str]) -> Result<String> {
    let output = Command::new("journalctl")
        .args(args)
        .output()
        .context("running journalctl")?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success() || error.trim().is_empty(),
        "journalctl says: {}",
        error.trim()
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_and_new_values_are_never_repeated() {
        assert_eq!(
            redact("config reload not supported for JetStreamKey: old=abc, new=def"),
            "config reload not supported for JetStreamKey"
        );
        assert_eq!(
            redact("nats.conf:3:1: unknown field"),
            "nats.conf:3:1: unknown field"
        );
    }
}
