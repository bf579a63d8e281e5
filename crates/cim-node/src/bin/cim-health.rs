//! `cim-health`: whether an instance is well.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

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
}

fn main() -> ExitCode {
    let args = Args::parse();
    cim_node::finish(
        cim_node::read_health(&args.health)
            .and_then(|health| cim_node::health::wait(&health, Duration::from_secs(args.wait))),
    )
}
