//! `cim-health`: whether an instance is well.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use cim_node::process::Process;
use clap::Parser;

/// Waits until a nats-server instance answers for itself.
#[derive(Parser)]
#[command(version, about)]
struct Args {
    /// The instance's health.json, in /etc/cim/<name>
    health: PathBuf,
    /// How long to wait
    #[arg(long, value_name = "SECONDS")]
    wait: u64,
    /// Process id of the nats-server: when it ends, there is nothing left to wait for
    #[arg(long)]
    pid: Option<i32>,
}

fn main() -> ExitCode {
    cim_node::finish(run(&Args::parse()))
}

fn run(args: &Args) -> Result<()> {
    let health = cim_node::read_health(&args.health)?;
    let server = args.pid.map(Process::holding).transpose()?;
    cim_node::health::wait(&health, Duration::from_secs(args.wait), server.as_ref())
}
