//! `cim-secrets`: writes the file with the secrets that nats-server takes only inline.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// Writes an instance's secrets file from the files that its options name.
#[derive(Parser)]
#[command(version, about)]
struct Args {
    /// The instance's health.json, in /etc/cim/<name>
    health: PathBuf,
}

fn main() -> ExitCode {
    let args = Args::parse();
    cim_node::finish(
        cim_node::read_health(&args.health).and_then(|health| match &health.secrets {
            Some(secrets) => cim_node::secrets::write(secrets),
            None => Ok(()),
        }),
    )
}
