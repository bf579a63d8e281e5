//! What lies on the host: certificates, `.creds`, declared assets, the disk of the store.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use cim_creds::Creds;
use cim_spec::artefact::{WatchedFile, WatchedFileKind};
use time::OffsetDateTime;
use x509_parser::pem::Pem;

use super::look::{Seen, seen};
use crate::certificate;
use crate::provision::declared::{self, Declared};

/// When a file's content expires; `None`: never.
///
/// # Errors
/// A file that is missing, or holds something else.
pub fn expires(watched: &WatchedFile) -> Result<Option<OffsetDateTime>> {
    match watched.kind {
        WatchedFileKind::Certificate => certificate::not_after(&watched.file).map(Some),
        WatchedFileKind::Authority => authority(&watched.file).map(Some),
        WatchedFileKind::Credentials => credentials(&watched.file),
    }
}

/// Of several authorities the one that lives longest: an old one beside it does no harm.
fn authority(file: &str) -> Result<OffsetDateTime> {
    let bytes = fs::read(file).with_context(|| format!("reading {file}"))?;
    let mut latest = None;
    for pem in Pem::iter_from_buffer(&bytes) {
        let pem = pem.with_context(|| format!("reading {file}"))?;
        if pem.label == "CERTIFICATE" {
            let certificate = pem
                .parse_x509()
                .with_context(|| format!("reading {file}"))?;
            let not_after = certificate.validity().not_after.to_datetime();
            latest = latest.max(Some(not_after));
        }
    }
    latest.with_context(|| format!("{file} holds no PEM certificate"))
}

fn credentials(file: &str) -> Result<Option<OffsetDateTime>> {
    let bytes = fs::read(file).with_context(|| format!("reading {file}"))?;
    let creds = Creds::parse(&bytes).with_context(|| format!("reading {file}"))?;
    match creds.token().claims.data.exp {
        0 => Ok(None),
        exp => {
            let moment = OffsetDateTime::from_unix_timestamp(exp);
            moment
                .map(Some)
                .with_context(|| format!("{file} expires at no moment: {exp}"))
        }
    }
}

/// What is declared, by account; a folder that is not there declares nothing.
#[derive(Debug, Default)]
pub struct Assets {
    /// Each account's assets.
    pub accounts: BTreeMap<String, Declared>,
    /// What is wrong with the files.
    pub mistakes: Vec<String>,
    /// Accounts whose folder cannot be read: nobody knows what they should have.
    pub unreadable: BTreeSet<String>,
}

/// Reads a folder of accounts' folders.
pub fn assets(folder: &str) -> Assets {
    let mut assets = Assets::default();
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return assets,
        entries => entries.and_then(|entries| entries.collect::<Result<Vec<_>, _>>()),
    };
    let mut entries = match entries {
        Ok(entries) => entries,
        Err(error) => {
            assets.mistakes.push(format!("reading {folder}: {error}"));
            return assets;
        }
    };
    // The first mistake is the one that is told.
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries.iter().filter(|entry| entry.path().is_dir()) {
        let account = entry.file_name().to_string_lossy().into_owned();
        match declared::read(&entry.path()) {
            Ok(declared) => {
                assets.accounts.insert(account, declared);
            }
            Err(mistakes) => {
                let place = |mistake: String| format!("{folder}/{account}/{mistake}");
                assets.mistakes.extend(mistakes.0.into_iter().map(place));
                assets.unreadable.insert(account);
            }
        }
    }
    assets
}

/// A file system.
#[derive(Debug, Clone, Copy)]
pub struct Disk {
    /// Bytes that are used.
    pub used: u64,
    /// Bytes that are used or free for anybody.
    pub size: u64,
}

impl Disk {
    /// Whole percent that are used, rounded up as `df` does.
    pub fn percent(self) -> u64 {
        let used = u128::from(self.used) * 100;
        u64::try_from(used.div_ceil(u128::from(self.size.max(1)))).unwrap_or(100)
    }
}

/// The file system of a folder.
pub fn disk(folder: &str) -> Seen<Disk> {
    seen(filesystem(Path::new(folder)))
}

fn filesystem(folder: &Path) -> Result<Disk> {
    let found =
        rustix::fs::statvfs(folder).with_context(|| format!("looking at {}", folder.display()))?;
    if found.f_blocks == 0 {
        bail!("{} is on a file system without a size", folder.display());
    }
    let used = found.f_blocks.saturating_sub(found.f_bfree);
    let unit = found.f_frsize.max(1);
    Ok(Disk {
        used: used.saturating_mul(unit),
        size: used.saturating_add(found.f_bavail).saturating_mul(unit),
    })
}
