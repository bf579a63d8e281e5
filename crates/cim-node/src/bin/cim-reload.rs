//! `cim-reload`: makes a running nats-server take its new config, or says why it does not.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use cim_node::log::Log;
use cim_node::reload::Reload;
use clap::Parser;

/// Reloads a nats-server instance and proves that the new config is running.
#[derive(Parser)]
#[command(version, about)]
struct Args {
    /// The instance's health.json, in /etc/cim/<name>
    health: PathBuf,
    /// Process id of the running nats-server
    #[arg(long, value_name = "PID")]
    pid: i32,
    /// The nats-server that runs
    #[arg(long, value_name = "FILE")]
    nats_server: PathBuf,
    #[command(flatten)]
    log: LogArgs,
}

/// Where the server says why it refuses a reload.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct LogArgs {
    /// Unit whose journal to read
    #[arg(long, value_name = "UNIT")]
    journal: Option<String>,
    /// Log file to read
    #[arg(long, value_name = "FILE")]
    log_file: Option<PathBuf>,
}

fn main() -> ExitCode {
    cim_node::finish(run(Args::parse()))
}

fn run(args: Args) -> Result<()> {
    let health = cim_node::read_health(&args.health)?;
    let log = match (args.log.journal, args.log.log_file) {
        (_, Some(file)) => Log::file(file)?,
        (unit, None) => Log::journal(&unit.unwrap_or_default())?,
    };
    Reload {
        health: &health,
        pid: args.pid,
        nats_server: &args.nats_server,
        log,
    }
    .run()
}
