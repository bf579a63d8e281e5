//! `cim-check`: the real nats-server's verdict on one spec, and whether a fleet's committed identity is what its options
//! say. Runs in the Nix build, after `cim-render`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use cim_check::{committed, folder};
use cim_render::input;
use cim_spec::Plan;
use clap::{Parser, Subcommand};

/// Runs the real nats-server on a throwaway copy of an instance: `-t`, a start, health, digest. Before that, holds the
/// JWTs that a hub starts with against the options.
#[derive(Parser)]
#[command(
    version,
    about,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true
)]
struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    instance: Option<Instance>,
}

#[derive(clap::Args)]
struct Instance {
    /// Spec of the instance, JSON
    spec: PathBuf,
    /// The nats-server to check with
    #[arg(long, value_name = "FILE")]
    nats_server: PathBuf,
    /// Version of the nats-server that the host will run
    #[arg(long = "expect-version", value_name = "VERSION")]
    expect_version: String,
}

#[derive(Subcommand)]
enum Command {
    /// Hold the folder identity/ against its fleet and hosts: every JWT, key and certificate
    Identity(Whole),
    /// Fail where something in identity/ ends within the fleet's expiryHorizon
    Expiry {
        #[command(flatten)]
        whole: Whole,
        /// The moment to ask about, in seconds since 1970
        #[arg(long, value_name = "SECONDS")]
        at: i64,
    },
}

#[derive(clap::Args)]
struct Whole {
    /// What the fleet needs, as `lib.identity` evaluates it
    #[arg(long, value_name = "FILE")]
    plan: PathBuf,
    /// The folder identity/
    #[arg(long, value_name = "DIR")]
    identity: PathBuf,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let result = match (&args.command, &args.instance) {
        (Some(Command::Identity(whole)), _) => identity(whole),
        (Some(Command::Expiry { whole, at }), _) => expiry(whole, *at),
        (None, Some(args)) => instance(args),
        (None, None) => Err(anyhow::anyhow!("give a spec, or a command: see --help")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn instance(args: &Instance) -> Result<()> {
    let spec = input::spec(&args.spec)?;
    match Plan::from_spec(&spec) {
        Ok(plan) => {
            committed::of_instance(&spec, &plan)?;
            cim_check::check(&plan, &args.nats_server, &args.expect_version)
        }
        Err(problems) => bail!("the configuration cannot work:\n{problems}"),
    }
}

fn identity(whole: &Whole) -> Result<()> {
    committed::whole(&plan(&whole.plan)?, &read(&whole.identity)?)
}

fn expiry(whole: &Whole, at: i64) -> Result<()> {
    committed::expiry(&plan(&whole.plan)?, &read(&whole.identity)?, at)
}

fn plan(file: &Path) -> Result<cim_identity::Plan> {
    let reading = || format!("reading the plan in {}", file.display());
    let bytes = std::fs::read(file).with_context(reading)?;
    cim_identity::Plan::read(&bytes).with_context(reading)
}

fn read(identity: &Path) -> Result<cim_identity::Committed> {
    folder::committed(identity).context("the fleet's identity")
}
