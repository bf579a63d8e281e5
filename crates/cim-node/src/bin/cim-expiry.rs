//! `cim-expiry`: whether something that an instance uses ends soon.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use cim_node::expiry::{Files, check};
use cim_spec::duration::Duration;
use clap::Parser;
use time::OffsetDateTime;

/// Fails where a certificate or the JWT of a .creds file ends within the horizon, and says what renews it.
#[derive(Parser)]
#[command(version, about)]
struct Args {
    /// A PEM file with certificates; may be given several times
    #[arg(long, value_name = "FILE")]
    certificate: Vec<PathBuf>,
    /// A PEM file with the CAs that are trusted, of which the one that lives longest counts; may be given several times
    #[arg(long, value_name = "FILE")]
    authorities: Vec<PathBuf>,
    /// A .creds file; may be given several times
    #[arg(long, value_name = "FILE")]
    credentials: Vec<PathBuf>,
    /// How long before its end something counts as ending, such as 14d
    #[arg(long, value_name = "DURATION", value_parser = horizon)]
    horizon: Duration,
    /// Another moment than now to ask about, in seconds since 1970
    #[arg(long, value_name = "SECONDS")]
    at: Option<i64>,
}

fn horizon(text: &str) -> Result<Duration, String> {
    Duration::parse(text).map_err(|refused| format!("{}: {}", refused.what, refused.help))
}

fn main() -> ExitCode {
    cim_node::finish(run(Args::parse()))
}

fn run(args: Args) -> Result<()> {
    let files = Files {
        certificates: args.certificate,
        authorities: args.authorities,
        credentials: args.credentials,
    };
    let all = [&files.certificates, &files.authorities, &files.credentials];
    ensure!(
        all.iter().any(|files| !files.is_empty()),
        "give a file to look at: --certificate, --authorities or --credentials"
    );
    let now = || OffsetDateTime::now_utc().unix_timestamp();
    let horizon = i64::try_from(args.horizon.as_millis() / 1000)?;
    check(&files, args.at.unwrap_or_else(now), horizon)
}
