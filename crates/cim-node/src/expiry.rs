//! What of an instance's own files ends soon: certificates, and JWTs in `.creds`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use cim_identity::{End, of_certificates, of_creds};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use zeroize::Zeroizing;

/// The files to look at.
#[derive(Debug, Default)]
pub struct Files {
    /// PEM files with certificates.
    pub certificates: Vec<PathBuf>,
    /// `.creds` files; only their JWT is looked at.
    pub credentials: Vec<PathBuf>,
}

/// Fails where something in the files ends before `at + horizon`, both in seconds; a file that cannot be read may have
/// ended, too.
///
/// # Errors
/// Each thing that ends, with its file and what renews it.
pub fn check(files: &Files, at: i64, horizon: i64) -> Result<()> {
    let certificates = files.certificates.iter();
    let certificates = certificates.map(|file| (file, certificates_in(file)));
    let credentials = files.credentials.iter();
    let credentials = credentials.map(|file| (file, credentials_in(file)));
    let mut said = Vec::new();
    for (file, ends) in certificates.chain(credentials) {
        let file = file.display();
        match ends {
            Err(error) => said.push(format!("{file} {error}")),
            Ok(ends) => {
                let ending = ends
                    .iter()
                    .filter(|end| end.ends < at.saturating_add(horizon));
                said.extend(ending.map(|end| line(&file.to_string(), end, at)));
            }
        }
    }
    ensure!(
        said.is_empty(),
        "{}\n  help: run `cim-admin identity make` at the desk, commit identity/ and secrets/, and deploy this host",
        said.join("\n")
    );
    Ok(())
}

fn line(file: &str, end: &End, at: i64) -> String {
    let verb = if end.ends < at { "ended" } else { "ends" };
    format!("{file}: {} {verb} at {}", end.what, date(end.ends))
}

fn certificates_in(file: &Path) -> Result<Vec<End>, String> {
    of_certificates(&fs::read_to_string(file).map_err(unread)?)
}

fn credentials_in(file: &Path) -> Result<Vec<End>, String> {
    of_creds(&Zeroizing::new(fs::read(file).map_err(unread)?))
}

fn unread(error: std::io::Error) -> String {
    format!("cannot be read: {error}")
}

/// As people read it.
fn date(seconds: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(seconds).ok();
    time.and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_else(|| format!("second {seconds}"))
}
