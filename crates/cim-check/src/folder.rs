//! Reads `identity/`: every file below it, as text.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use anyhow::{Context, Result, anyhow};
use cim_identity::Committed;

/// The folder's texts, sorted.
///
/// # Errors
/// A folder or file that cannot be read, and a `keys.json` that is not one.
pub fn committed(folder: &Path) -> Result<Committed> {
    let mut files = BTreeMap::new();
    read(folder, "", &mut files)?;
    Committed::of(files).map_err(|error| anyhow!("{}: {error}", folder.display()))
}

fn read(folder: &Path, below: &str, files: &mut BTreeMap<String, String>) -> Result<()> {
    let reading = || format!("reading {}", folder.display());
    let entries: io::Result<Vec<_>> = fs::read_dir(folder).with_context(reading)?.collect();
    let mut entries = entries.with_context(reading)?;
    // The first that cannot be read is the one that is told.
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let place = format!("{below}{name}");
        if path.is_dir() {
            read(&path, &format!("{place}/"), files)?;
        } else {
            let text = fs::read_to_string(&path);
            let text = text.with_context(|| format!("reading {}", path.display()))?;
            files.insert(place, text);
        }
    }
    Ok(())
}
