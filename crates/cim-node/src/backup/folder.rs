//! The folder of backups: names, what is whole and what is not, and writing so that nothing is half there.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use rustix::fs::syncfs;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::hex;
use super::manifest::Digested;

/// What the name of a backup that is being written, or was never finished, ends in.
const PARTIAL: &str = ".partial";

/// One process works in a folder at a time.
const LOCK: &str = ".lock";

/// A folder of backups that is ours as long as this lives.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Takes hold of a folder, which is made where it is missing.
    ///
    /// # Errors
    /// A folder that cannot be written, or in which another process works.
    pub fn hold(path: &Path) -> Result<Self> {
        make(path)?;
        let lock = path.join(LOCK);
        let file = new(&lock, OpenOptions::new().append(true).create(true))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                bail!(
                    "another cim-backup works in {}: wait until it has ended",
                    path.display()
                )
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("locking {}", lock.display()));
            }
        }
        Ok(Self {
            path: path.to_owned(),
            _lock: file,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Begins a backup, which is not there until it is finished.
    ///
    /// # Errors
    /// A folder that cannot be written.
    pub fn begin(&self, now: OffsetDateTime) -> Result<Partial> {
        let name = name(now);
        let path = self.path.join(format!("{name}{PARTIAL}"));
        let whole = self.path.join(&name);
        ensure!(!whole.exists(), "{} is there already", whole.display());
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .with_context(|| format!("creating {}", path.display()))?;
        Ok(Partial { path, whole })
    }

    /// Removes what no run will finish. Nobody writes into it: the folder is ours.
    ///
    /// # Errors
    /// Files that cannot be removed.
    pub fn remove_partials(&self) -> Result<Vec<PathBuf>> {
        let partials = partials(&self.path)?;
        for path in &partials {
            fs::remove_dir_all(path).with_context(|| format!("removing {}", path.display()))?;
        }
        Ok(partials)
    }

    /// Removes a whole backup, so that it is never half there under its name.
    ///
    /// # Errors
    /// Files that cannot be removed.
    pub fn remove(&self, backup: &Path) -> Result<()> {
        let mut gone = backup.as_os_str().to_owned();
        gone.push(PARTIAL);
        fs::rename(backup, &gone)
            .and_then(|()| fs::remove_dir_all(&gone))
            .with_context(|| format!("removing {}", backup.display()))
    }
}

/// A backup that is being written.
#[derive(Debug)]
pub struct Partial {
    /// Where it is meanwhile.
    pub path: PathBuf,
    whole: PathBuf,
}

impl Partial {
    /// It is whole: it gets its name.
    ///
    /// # Errors
    /// What the file system says against it.
    pub fn finish(self) -> Result<PathBuf> {
        // One call for all files, however many streams there are.
        let path = self.path.display();
        let folder = File::open(&self.path).with_context(|| format!("reading {path}"))?;
        syncfs(&folder).with_context(|| format!("writing {path} to the disk"))?;
        fs::rename(&self.path, &self.whole)
            .with_context(|| format!("renaming {}", self.path.display()))?;
        if let Some(parent) = self.whole.parent() {
            settle(parent)?;
        }
        Ok(self.whole)
    }
}

/// `20261121T020000.123Z`: sorts by time.
fn name(now: OffsetDateTime) -> String {
    let (date, time) = (now.date(), now.time());
    format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}.{:03}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        time.hour(),
        time.minute(),
        time.second(),
        time.millisecond()
    )
}

/// Whether a name is one that [`name`] makes.
fn is_name(name: &str) -> bool {
    const FORM: &str = "00000000T000000.000Z";
    name.len() == FORM.len()
        && name
            .chars()
            .zip(FORM.chars())
            .all(|(have, form)| match form {
                '0' => have.is_ascii_digit(),
                form => have == form,
            })
}

/// Backups in a folder, by name: the oldest first.
///
/// # Errors
/// A folder that cannot be read.
pub fn backups(folder: &Path) -> Result<Vec<PathBuf>> {
    entries(folder, is_name)
}

/// Backups that were never finished.
///
/// # Errors
/// A folder that cannot be read.
pub fn partials(folder: &Path) -> Result<Vec<PathBuf>> {
    entries(folder, |name| {
        name.strip_suffix(PARTIAL).is_some_and(is_name)
    })
}

/// Whether this is one.
pub fn is_partial(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().ends_with(PARTIAL))
}

/// Whether this is a backup by its name, not a folder of them.
pub fn is_backup(path: &Path) -> bool {
    is_partial(path)
        || path
            .file_name()
            .is_some_and(|name| is_name(&name.to_string_lossy()))
}

fn entries(folder: &Path, is: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>> {
    let reading = || format!("reading {}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(reading)? {
        let entry = entry.with_context(reading)?;
        let name = entry.file_name();
        if is(&name.to_string_lossy()) && entry.file_type().with_context(reading)?.is_dir() {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// Makes a folder that others cannot look into.
///
/// # Errors
/// What the file system says against it.
pub fn make(path: &Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("creating {}", path.display()))
}

/// Opens a file that others cannot read.
///
/// # Errors
/// What the file system says against it.
pub fn new(path: &Path, options: &mut OpenOptions) -> Result<File> {
    let file = options.mode(0o600).open(path);
    file.with_context(|| format!("creating {}", path.display()))
}

/// Writes a new file; it is on the disk once [`Partial::finish`] says so.
///
/// # Errors
/// What the file system says against it.
pub fn write(path: &Path, text: &str) -> Result<Digested> {
    let mut file = new(path, OpenOptions::new().write(true).create_new(true))?;
    let written = file.write_all(text.as_bytes());
    written.with_context(|| format!("writing {}", path.display()))?;
    Ok(Digested {
        size: u64::try_from(text.len()).unwrap_or_default(),
        sha256: hex(&Sha256::digest(text)),
    })
}

/// Writes a file that may be there: beside it, then in its place.
///
/// # Errors
/// What the file system says against it.
pub fn replace(path: &Path, text: &str) -> Result<()> {
    let beside = path.with_extension("new");
    let mut file = new(
        &beside,
        OpenOptions::new().write(true).create(true).truncate(true),
    )?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&beside, path))
        .with_context(|| format!("writing {}", path.display()))
}

/// Brings a folder's names to the disk.
///
/// # Errors
/// What the file system says against it.
fn settle(folder: &Path) -> Result<()> {
    let settled = File::open(folder).and_then(|folder| folder.sync_all());
    settled.with_context(|| format!("writing {}", folder.display()))
}

/// Reads a file for its size and checksum.
///
/// # Errors
/// A file that cannot be read.
pub fn digest(path: &Path) -> io::Result<Digested> {
    let mut file = File::open(path)?;
    let (mut hash, mut size, mut block) = (Sha256::new(), 0, vec![0; 1 << 18]);
    loop {
        let count = file.read(&mut block)?;
        if count == 0 {
            let sha256 = hex(&hash.finalize());
            return Ok(Digested { size, sha256 });
        }
        hash.update(block.get(..count).unwrap_or_default());
        size += u64::try_from(count).unwrap_or_default();
    }
}
