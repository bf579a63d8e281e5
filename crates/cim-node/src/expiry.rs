//! What of an instance's own files ends soon: certificates, and JWTs in `.creds`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use cim_identity::{End, RENEW, RENEW_ROOT, of_authorities, of_certificates, of_creds};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use zeroize::Zeroizing;

/// The files to look at.
#[derive(Debug, Default)]
pub struct Files {
    /// PEM files with certificates.
    pub certificates: Vec<PathBuf>,
    /// PEM files with the CAs that are trusted: of several the one that lives longest counts.
    pub authorities: Vec<PathBuf>,
    /// `.creds` files; only their JWT is looked at.
    pub credentials: Vec<PathBuf>,
}

/// Fails where something in the files ends before `at + horizon`, both in seconds; a file that cannot be read may have
/// ended, too.
///
/// # Errors
/// Each thing that ends, with its file and what renews it.
pub fn check(files: &Files, at: i64, horizon: i64) -> Result<()> {
    let each = |files: &[PathBuf], ends: fn(&Path) -> Result<Vec<End>, String>| {
        let until = at.saturating_add(horizon);
        let said = files
            .iter()
            .flat_map(|file| lines(file, ends(file), at, until));
        said.collect::<Vec<_>>()
    };
    let mut renewed = each(&files.certificates, certificates_in);
    renewed.extend(each(&files.credentials, credentials_in));
    let replaced = each(&files.authorities, authorities_in);
    let mut said = Vec::new();
    if !renewed.is_empty() {
        said.push(format!(
            "{}\n  help: run `{RENEW}` at the desk, commit identity/ and secrets/, and deploy this host; what was made elsewhere, have renewed there",
            renewed.join("\n")
        ));
    }
    if !replaced.is_empty() {
        said.push(format!(
            "{}\n  help: run `{RENEW_ROOT}` at the desk, deploy every host, and go on as it says; of a CA of others, put its new root there",
            replaced.join("\n")
        ));
    }
    ensure!(said.is_empty(), "{}", said.join("\n"));
    Ok(())
}

/// What there is to say of one file.
fn lines(file: &Path, ends: Result<Vec<End>, String>, at: i64, until: i64) -> Vec<String> {
    let file = file.display();
    match ends {
        Err(error) => vec![format!("{file} {error}")],
        Ok(ends) => {
            let ending = ends.iter().filter(|end| end.ends < until);
            ending
                .map(|end| format!("{file}: {}", line(end, at)))
                .collect()
        }
    }
}

fn line(end: &End, at: i64) -> String {
    let verb = if end.ends < at { "ended" } else { "ends" };
    format!("{} {verb} at {}", end.what, date(end.ends))
}

fn certificates_in(file: &Path) -> Result<Vec<End>, String> {
    of_certificates(&fs::read_to_string(file).map_err(unread)?)
}

fn authorities_in(file: &Path) -> Result<Vec<End>, String> {
    let text = fs::read_to_string(file).map_err(unread)?;
    of_authorities(&text).map(|last| vec![last])
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
