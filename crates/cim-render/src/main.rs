//! `cim-render`: specs in, artefacts or problems out. Runs in the Nix build.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};
use cim_render::diff::{Diff, Generation};
use cim_render::output::Output;
use cim_render::{Artefacts, Report, input};
use cim_spec::{Plan, Problems, Spec, fleet};
use clap::{Parser, Subcommand};

/// Turns the specs that NixOS writes into nats.conf and the files beside it.
#[derive(Parser)]
#[command(version, about)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Render one instance
    Instance {
        /// Spec of the instance, JSON
        spec: PathBuf,
        /// Folder to make
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        #[command(flatten)]
        warnings: Warnings,
    },
    /// Check a whole fleet at once: every instance, and what must fit between them
    Fleet {
        /// The fleet, JSON
        #[arg(long, value_name = "FILE")]
        fleet: PathBuf,
        /// Specs of the instances that hosts declare, JSON
        specs: Vec<PathBuf>,
        /// Folder to make, with a folder for each instance
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        #[command(flatten)]
        warnings: Warnings,
    },
    /// Say what a new generation changes, and what that costs: nothing, a reload, a restart
    Diff {
        /// Spec of an instance, or folder of specs (`nix build .#specs`), as it is
        old: PathBuf,
        /// The same as it will be
        new: PathBuf,
        /// Print JSON, with all values whole
        #[arg(long)]
        json: bool,
    },
}

/// What to do about warnings.
#[derive(Clone, Copy, clap::Args)]
struct Warnings {
    /// Print warnings as JSON on standard output, instead of text on standard error
    #[arg(long)]
    json: bool,
    /// Fail where a warning is not acknowledged
    #[arg(long)]
    deny_warnings: bool,
}

fn main() -> ExitCode {
    let result = match Args::parse().command {
        Command::Instance {
            spec,
            out,
            warnings,
        } => instance(&spec, &out, warnings),
        Command::Fleet {
            fleet,
            specs,
            out,
            warnings,
        } => whole_fleet(&fleet, &specs, out.as_deref(), warnings),
        Command::Diff { old, new, json } => diff(&old, &new, json),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn instance(spec: &Path, out: &Path, warnings: Warnings) -> Result<()> {
    let plan = match Plan::from_spec(&input::spec(spec)?) {
        Ok(plan) => plan,
        Err(problems) => return refuse(problems),
    };
    let report = Report::of_instance(&plan);
    let output = Output::start(out)?;
    output.put(None, &Artefacts::render(&plan)?)?;
    output.file("warnings.json", &report.json()?)?;
    warnings.settle(&report)?;
    output.finish()
}

fn whole_fleet(
    fleet: &Path,
    specs: &[PathBuf],
    out: Option<&Path>,
    warnings: Warnings,
) -> Result<()> {
    let fleet = input::fleet(fleet)?;
    let specs: Vec<Spec> = specs
        .iter()
        .map(|path| input::spec(path))
        .collect::<Result<_>>()?;
    let plans = match fleet::plans(&fleet, &specs) {
        Ok(plans) => plans,
        Err(problems) => return refuse(problems),
    };
    let report = Report::of_fleet(&fleet, &plans);
    let output = out.map(Output::start).transpose()?;
    for plan in &plans {
        let artefacts = Artefacts::render(plan)?;
        if let Some(output) = &output {
            output.put(Some(&plan.server_name), &artefacts)?;
        }
    }
    if let Some(output) = &output {
        output.file("warnings.json", &report.json()?)?;
    }
    warnings.settle(&report)?;
    output.map_or(Ok(()), Output::finish)
}

fn diff(old: &Path, new: &Path, json: bool) -> Result<()> {
    let diff = Diff::between(&Generation::read(old)?, &Generation::read(new)?);
    if json {
        println!("{}", serde_json::to_string_pretty(&diff)?);
    } else {
        print!("{diff}");
    }
    Ok(())
}

fn refuse(problems: Problems) -> Result<()> {
    bail!("the configuration cannot work:\n{problems}")
}

impl Warnings {
    /// Says every warning; refuses those that nobody acknowledged where that is asked.
    fn settle(self, report: &Report) -> Result<()> {
        if self.json {
            print!("{}", report.json()?);
        } else {
            eprint!("{report}");
        }
        match report.open() {
            open if open > 0 && self.deny_warnings => {
                bail!("{open} warnings that nobody acknowledged")
            }
            _ => Ok(()),
        }
    }
}
