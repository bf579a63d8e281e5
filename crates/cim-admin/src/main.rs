//! `cim-admin`: runs one command and prints what came of it.

use std::env;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;

use cim_admin::cli::{Cli, Desk, Report};
use clap::Parser;
use time::OffsetDateTime;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let desk = Desk {
        now: OffsetDateTime::now_utc(),
        keys: keys(),
        say: io::stderr().is_terminal().then_some(say),
    };
    match cli.run(&desk) {
        Ok(report) => print(&report, cli.json()),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn say(line: &str) {
    eprintln!("{line}");
}

fn print(report: &Report, json: bool) -> ExitCode {
    if json {
        println!("{:#}", report.json);
    } else {
        report.lines.iter().for_each(|line| println!("{line}"));
    }
    if report.good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Where sops looks for age keys, but for those that stand in the environment themselves.
fn keys() -> Option<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty());
    if let Some(file) = set("SOPS_AGE_KEY_FILE") {
        return Some(file.into());
    }
    let config = set("XDG_CONFIG_HOME").map(PathBuf::from);
    let config = config.or_else(|| set("HOME").map(|home| PathBuf::from(home).join(".config")))?;
    Some(config.join("sops/age/keys.txt")).filter(|file| file.exists())
}
