//! The folder `identity/` as it is: public texts by their place below it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Error, Result, anyhow};
use cim_identity::Committed;

use crate::files::{self, Batch, Mode};

/// The folder, and what is to stand in it.
pub struct Public {
    path: PathBuf,
    texts: BTreeMap<String, String>,
    changed: BTreeSet<String>,
}

impl Public {
    /// Reads every file of the folder, which may be missing.
    ///
    /// # Errors
    /// What cannot be read, or is no text.
    pub fn open(path: &Path) -> Result<Self> {
        let mut texts = BTreeMap::new();
        read(path, "", &mut texts)?;
        Ok(Self {
            path: path.to_owned(),
            texts,
            changed: BTreeSet::new(),
        })
    }

    /// The folder sorted.
    ///
    /// # Errors
    /// A `keys.json` that is none.
    pub fn committed(&self) -> Result<Committed> {
        let sorted = Committed::of(self.texts.clone());
        sorted.map_err(|error| anyhow!("{}: {error}", self.path.display()))
    }

    /// The text of a file.
    pub fn text(&self, place: &str) -> Option<&str> {
        self.texts.get(place).map(String::as_str)
    }

    /// A JWT: the file's one line.
    pub fn jwt(&self, place: &str) -> Option<&str> {
        self.text(place).map(str::trim)
    }

    /// Places of all files.
    pub fn places(&self) -> impl Iterator<Item = &str> {
        self.texts.keys().map(String::as_str)
    }

    /// Where a file stands, for messages.
    pub fn shown(&self, place: &str) -> String {
        self.path.join(place).display().to_string()
    }

    /// Says that somebody has no JWT here, and who has.
    pub fn nobody(&self, place: &str) -> Error {
        let kind = place.split('/').next().unwrap_or_default();
        let known = self
            .places()
            .filter_map(|place| place.strip_prefix(kind)?.strip_suffix(".jwt"));
        let known: Vec<&str> = known.map(|name| name.trim_start_matches('/')).collect();
        let (shown, known) = (self.shown(place), known.join(", "));
        anyhow!("there is no {}; there are: {known}", shown.escape_debug())
    }

    /// Sets a file's text.
    pub fn set(&mut self, place: &str, text: String) {
        if self.text(place) != Some(text.as_str()) {
            self.changed.insert(place.to_owned());
            self.texts.insert(place.to_owned(), text);
        }
    }

    /// Forgets a file, which is then made anew; on disk it stays until then.
    pub fn forget(&mut self, place: &str) {
        self.texts.remove(place);
    }

    /// Puts what was changed into a batch.
    ///
    /// # Errors
    /// As [`Batch::put`].
    pub fn write(&self, batch: &mut Batch) -> Result<()> {
        self.changed.iter().try_for_each(|place| {
            let text = self.text(place).unwrap_or_default();
            batch.put(&self.path.join(place), text.as_bytes(), Mode::Public)
        })
    }
}

fn read(path: &Path, below: &str, texts: &mut BTreeMap<String, String>) -> Result<()> {
    let reading = || format!("reading {}", path.display());
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries.with_context(reading)?,
    };
    let entries: Result<Vec<_>, _> = entries.collect();
    let mut entries = entries.with_context(reading)?;
    // The first that cannot be read is the one that is told.
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let place = format!("{below}{name}");
        if entry.file_type().with_context(reading)?.is_dir() {
            read(&entry.path(), &format!("{place}/"), texts)?;
        } else if !name.starts_with('.') {
            let bytes = files::read(&entry.path())?;
            let text = String::from_utf8(bytes.to_vec());
            let text = text
                .map_err(|_| anyhow!("{}: it has other bytes than text", entry.path().display()))?;
            texts.insert(place, text);
        }
    }
    Ok(())
}
