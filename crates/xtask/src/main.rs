//! `cargo xtask`: tests, tools and demonstrations of this project; the only Rust that runs `nix`.

mod bench;
mod demo;
mod estate;
mod flake;
mod format;
mod golden;
mod hosts;
mod lab;
mod mirror;
mod private;
mod process;
mod progress;
mod reference;
mod soak;
mod steps;
mod test;
mod tools;
mod workspace;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::builder::PossibleValuesParser;
use clap::{Parser, Subcommand};

use crate::progress::Progress;
use crate::tools::{Purpose, Tools};
use crate::workspace::Workspace;

/// What this project's developers and its CI run.
#[derive(Parser)]
#[command(bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Starts the fleet in hosts/ on loopback and shows what it does: flows, refusals, fail-over.
    Demo(demo::Args),
    /// Runs every check of the project; the last line says how many steps passed and failed.
    Test {
        /// A real nixpkgs tree to check the flake with, in place of the stand-in.
        #[arg(long, value_name = "PATH")]
        nixpkgs: Option<PathBuf>,
        /// A real sops-nix tree, for hosts with an identity in the step that compares with NixOS.
        #[arg(long, value_name = "PATH", requires = "nixpkgs")]
        sops_nix: Option<PathBuf>,
        /// Runs only this step and those it needs; may be given more than once.
        #[arg(long, value_name = "STEP", value_parser = PossibleValuesParser::new(test::step_names()))]
        only: Vec<String>,
        /// Leaves out the lab, which needs root and namespaces.
        #[arg(long, conflicts_with = "only")]
        no_lab: bool,
    },
    /// Runs what takes long, by hand.
    Soak {
        #[command(subcommand)]
        campaign: soak::Campaign,
    },
    /// Boots the hosts of hosts/ under systemd until Ctrl-C, and says how to enter them.
    Lab(lab::Args),
    /// Prints what a fleet costs to evaluate, render, check and provision, and how that grows with its leaves.
    Bench {
        /// A real nixpkgs tree, whose own module for nats-server is compared with.
        #[arg(long, value_name = "PATH")]
        nixpkgs: Option<PathBuf>,
        /// Only this part.
        #[arg(long, value_name = "PART")]
        only: Option<bench::Part>,
    },
    /// Takes over what Nix and the renderer now write as what the tests expect; read the diff.
    Golden,
    /// Formats every file, as `nix fmt` does.
    Format,
    /// Installs the tools that are missing into target/tools and says where each one is.
    Tools,
}

fn main() -> ExitCode {
    match run(Cli::parse().task) {
        Ok(code) => code,
        Err(err) => {
            eprintln!("error: {err:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<ExitCode> {
    let progress = Progress::new();
    match task {
        Task::Demo(args) => demo::run(&args, &progress),
        Task::Test {
            nixpkgs,
            sops_nix,
            only,
            no_lab,
        } => {
            let trees = test::Trees { nixpkgs, sops_nix };
            test::run(Workspace::find()?, progress, trees, only, no_lab)
        }
        Task::Soak { campaign } => {
            soak::run(&campaign, &Workspace::find()?, &progress)?;
            Ok(ExitCode::SUCCESS)
        }
        Task::Lab(args) => {
            lab::run(&args, &Workspace::find()?, &progress)?;
            Ok(ExitCode::SUCCESS)
        }
        Task::Bench { nixpkgs, only } => {
            bench::run(&Workspace::find()?, nixpkgs.as_deref(), only, &progress)?;
            Ok(ExitCode::SUCCESS)
        }
        Task::Golden => {
            golden::run(&Workspace::find()?, &progress)?;
            Ok(ExitCode::SUCCESS)
        }
        Task::Format => {
            format::run(&Workspace::find()?, &progress)?;
            Ok(ExitCode::SUCCESS)
        }
        Task::Tools => {
            let tools = Tools::install(&Workspace::find()?, Purpose::Test, &progress)?;
            for (name, tool) in tools.all() {
                println!("{name} {} {}", tool.version, tool.path.display());
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}
