//! `cim-check`: the real nats-server's verdict on one spec. Runs in the Nix build, after `cim-render`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use cim_render::input;
use cim_spec::Plan;
use clap::Parser;

/// Runs the real nats-server on a throwaway copy of an instance: `-t`, a start, health, digest.
#[derive(Parser)]
#[command(version, about)]
struct Args {
    /// Spec of the instance, JSON
    spec: PathBuf,
    /// The nats-server to check with
    #[arg(long, value_name = "FILE")]
    nats_server: PathBuf,
    /// Version of the nats-server that the host will run
    #[arg(long = "expect-version", value_name = "VERSION")]
    expect_version: String,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    match Plan::from_spec(&input::spec(&args.spec)?) {
        Ok(plan) => cim_check::check(&plan, &args.nats_server, &args.expect_version),
        Err(problems) => bail!("the configuration cannot work:\n{problems}"),
    }
}
