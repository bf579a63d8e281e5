//! A note of the files that are about to be renamed, with which the next run ends what a kill cut short.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::{fs, io, path};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use tempfile::TempPath;

use super::{BESIDE, exists, read};

/// The note's name in the folder of sealed files.
const NOTE: &str = ".cim-unfinished.json";

/// A note on disk, there from the last file's preparation to the last rename; dropped, it is removed.
pub(super) struct Note {
    _file: TempPath,
}

/// A file that is prepared, and where it belongs; both from the root on.
#[derive(Serialize, Deserialize)]
struct Noted {
    beside: PathBuf,
    place: PathBuf,
}

impl Note {
    /// Writes it into `folder`, whole or not at all.
    pub(super) fn write<'a>(
        folder: &Path,
        files: impl Iterator<Item = (&'a Path, &'a Path)>,
    ) -> Result<Self> {
        let place = folder.join(NOTE);
        let doing = || format!("writing {}", place.display());
        let noted = files.map(|(beside, place)| -> io::Result<Noted> {
            Ok(Noted {
                beside: path::absolute(beside)?,
                place: path::absolute(place)?,
            })
        });
        let noted = noted.collect::<io::Result<Vec<_>>>().with_context(doing)?;
        let text = serde_json::to_vec(&noted).with_context(doing)?;
        let mut beside = tempfile::Builder::new()
            .prefix(BESIDE)
            .tempfile_in(folder)
            .with_context(doing)?;
        beside.write_all(&text).with_context(doing)?;
        beside.as_file().sync_all().with_context(doing)?;
        beside.persist(&place).with_context(doing)?;
        let file = TempPath::try_from_path(&place).with_context(doing)?;
        Ok(Self { _file: file })
    }
}

/// Refuses to read what a killed run left half renamed.
///
/// # Errors
/// A note in the folder of sealed files.
pub fn whole(secrets: &Path) -> Result<()> {
    let place = secrets.join(NOTE);
    ensure!(
        !exists(&place)?,
        "{} says that a run was killed while it wrote: run `cim-admin identity make`, which first puts the rest into place",
        place.display()
    );
    Ok(())
}

/// Puts into place what a killed run had prepared, if it had all of it, and removes what it left beside its places in
/// `folders`; gives how many files came into place.
///
/// # Errors
/// A note that cannot be read, and what the file system says.
pub fn resume(secrets: &Path, folders: &[&Path]) -> Result<usize> {
    let mut ended = 0;
    let place = secrets.join(NOTE);
    if exists(&place)? {
        let noted: Vec<Noted> = serde_json::from_slice(&read(&place)?).with_context(|| {
            format!(
                "reading {}: take the last good state of this folder from git",
                place.display()
            )
        })?;
        for file in noted {
            match fs::rename(&file.beside, &file.place) {
                Ok(()) => ended += 1,
                // It came into place before the kill.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => {
                    return Err(error).with_context(|| format!("writing {}", file.place.display()));
                }
            }
        }
        fs::remove_file(&place).with_context(|| format!("removing {}", place.display()))?;
    }
    folders.iter().try_for_each(|folder| sweep(folder))?;
    Ok(ended)
}

/// Removes prepared files that no note names.
fn sweep(folder: &Path) -> Result<()> {
    let doing = || format!("looking through {}", folder.display());
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries.with_context(doing)?,
    };
    for entry in entries {
        let entry = entry.with_context(doing)?;
        let kind = entry.file_type().with_context(doing)?;
        let left = entry.file_name().to_string_lossy().starts_with(BESIDE);
        if kind.is_dir() {
            sweep(&entry.path())?;
        } else if left && kind.is_file() {
            let place = entry.path();
            fs::remove_file(&place).with_context(|| format!("removing {}", place.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Batch, Mode};
    use super::*;

    #[test]
    fn what_a_kill_cuts_short_is_ended_wherever_it_was() {
        for renamed in 0..=3 {
            let dir = tempfile::tempdir().unwrap();
            let place = |name: &str| dir.path().join(name);
            fs::create_dir(place("secrets")).unwrap();
            let mut batch = Batch::noted_in(&place("secrets"));
            for name in ["a", "b", "secrets/c"] {
                fs::write(place(name), "old").unwrap();
                batch.put(&place(name), b"new", Mode::Secret).unwrap();
            }
            let (note, beside) = batch.prepare().unwrap();
            assert!(whole(&place("secrets")).is_err());
            for (index, beside) in beside.into_iter().enumerate() {
                if index < renamed {
                    beside
                        .persist(place(["a", "b", "secrets/c"][index]))
                        .unwrap();
                } else {
                    beside.keep().unwrap();
                }
            }
            // Killed: nothing is dropped.
            std::mem::forget(note);
            let ended = resume(&place("secrets"), &[&place("secrets")]).unwrap();
            assert_eq!(ended, 3 - renamed);
            whole(&place("secrets")).unwrap();
            for name in ["a", "b", "secrets/c"] {
                assert_eq!(fs::read(place(name)).unwrap(), b"new", "{name}");
            }
            assert_eq!(resume(&place("secrets"), &[]).unwrap(), 0);
        }
    }

    #[test]
    fn what_was_not_all_prepared_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("users");
        fs::create_dir(&inner).unwrap();
        fs::write(inner.join(".cim-abcdef"), "half").unwrap();
        fs::write(inner.join(".gitignore"), "").unwrap();
        assert_eq!(resume(dir.path(), &[dir.path()]).unwrap(), 0);
        let left: Vec<_> = fs::read_dir(&inner).unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }
}
