//! What runs beside nats-server on a host: `cim-health`, `cim-reload`, `cim-secrets`, `cim-provision`, `cim-backup`,
//! `cim-expiry`.
//!
//! Each reads the instance's `health.json`, `cim-provision` the files of the assets too, `cim-backup` its backups,
//! `cim-expiry` what it is given, and nothing else of ours. No operator key is ever here.

pub mod backup;
pub mod certificate;
pub mod digest;
pub mod docs;
pub mod expiry;
pub mod health;
pub mod log;
pub mod login;
pub mod monitor;
pub mod process;
pub mod provision;
pub mod reload;
pub mod secrets;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use cim_spec::artefact::Health;
use clap::Parser;

/// Reads an instance's `health.json`.
///
/// # Errors
/// A file that is missing or was written by another version of ours.
pub fn read_health(path: &Path) -> Result<Health> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("reading {}", path.display()))
}

/// What a program that is asked was called with. `Err`: it has said what there was to say, and ends with this code: 0 after its
/// help, 3 where nobody knows what was meant.
pub fn arguments<A: Parser>() -> Result<A, ExitCode> {
    A::try_parse().map_err(|error| {
        // A closed terminal is nobody's to tell.
        let _ = error.print();
        match error.use_stderr() {
            true => ExitCode::from(3),
            false => ExitCode::SUCCESS,
        }
    })
}

/// Ends a program: a failure is printed once, here.
pub fn finish(result: Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
