//! `cim-provision`: streams, consumers and buckets as declared.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use cim_node::provision::asset::Asset;
use cim_node::provision::connect::Login;
use cim_node::provision::declared::{self, Declared, Mistakes};
use cim_node::provision::report::{Exit, Report};
use cim_node::provision::{Run, import};
use clap::{Parser, Subcommand};
use serde_json::json;

/// Makes an account's JetStream hold what is declared. Exit code 0: it does; 1: something to tidy up, or of a plan,
/// to do; 2: something was refused or failed; 3: nobody knows.
#[derive(Parser)]
#[command(version, about)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Says what apply would do, and changes nothing
    Plan(Declaring),
    /// Makes and updates what may be; says why the rest may not
    Apply(Declaring),
    /// Makes again what no update changes, without losing a message; says each step first
    Migrate {
        #[command(flatten)]
        declaring: Declaring,
        /// Which: streams/EVENTS, consumers/EVENTS/worker, kv/settings, object-stores/bundles
        #[arg(value_parser = asset)]
        asset: Asset,
        /// Do it: the id that a run without it prints
        #[arg(long, value_name = "ID")]
        confirm: Option<String>,
    },
    /// Writes what the server has as files that declare it
    Import {
        /// Where to write
        folder: PathBuf,
        #[command(flatten)]
        server: Server,
    },
}

#[derive(clap::Args)]
struct Declaring {
    /// The folder with streams/, kv/, object-stores/, consumers/ and provision.json
    folder: PathBuf,
    #[command(flatten)]
    server: Server,
    #[command(flatten)]
    health: Health,
    /// Consent to one difference that loses messages, by the id that plan prints
    #[arg(long, value_name = "ASSET=ID", value_parser = consent)]
    allow_data_loss: Vec<(String, String)>,
    /// Print one JSON document instead of text
    #[arg(long)]
    json: bool,
    /// Requests that are open at a time
    #[arg(long, default_value_t = 16, value_name = "N")]
    at_once: usize,
}

/// How to know that the server is well: nothing is made while it is not.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct Health {
    /// The instance's health.json, in /etc/cim/<name>
    #[arg(long, value_name = "FILE")]
    health: Option<PathBuf>,
    /// URL of the server's monitoring listener
    #[arg(long, value_name = "URL")]
    monitor: Option<String>,
    /// Do not ask: whoever runs this has looked
    #[arg(long)]
    without_health: bool,
}

#[derive(clap::Args)]
struct Server {
    /// The server; may be given several times
    #[arg(long, value_name = "URL", default_value = "nats://127.0.0.1:4222")]
    server: Vec<String>,
    /// The JetStream domain, where it is not the server's own
    #[arg(long)]
    domain: Option<String>,
    /// A .creds file
    #[arg(long, value_name = "FILE")]
    credentials: Option<PathBuf>,
    /// A file with an nkey seed
    #[arg(long, value_name = "FILE")]
    nkey_seed: Option<PathBuf>,
    /// A user with a password
    #[arg(long, requires = "password_file")]
    user: Option<String>,
    /// The file of the password
    #[arg(long, value_name = "FILE", requires = "user")]
    password_file: Option<PathBuf>,
    /// Authorities to trust, PEM
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Our certificate, PEM
    #[arg(long, value_name = "FILE", requires = "key")]
    certificate: Option<PathBuf>,
    /// Its key, PEM
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
    /// How long what fails for now is tried again
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    wait: u64,
}

fn consent(text: &str) -> Result<(String, String), String> {
    let (asset, id) = text
        .rsplit_once('=')
        .ok_or("write it as streams/EVENTS=0123456789ab")?;
    Ok((asset.to_owned(), id.to_owned()))
}

fn asset(text: &str) -> Result<Asset, String> {
    Asset::parse(text).ok_or_else(|| {
        "write it as streams/EVENTS, consumers/EVENTS/worker, kv/settings or object-stores/bundles".to_owned()
    })
}

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            let code = if error.use_stderr() {
                Exit::Unknown
            } else {
                Exit::Ok
            };
            // A closed terminal is nobody's to tell.
            let _ = error.print();
            return ExitCode::from(code as u8);
        }
    };
    let code = run(&args).unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        Exit::Unknown
    });
    ExitCode::from(code as u8)
}

fn run(args: &Args) -> Result<Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.context("starting")?;
    match &args.command {
        Command::Plan(declaring) => {
            let Some(declared) = declaring.read() else {
                return Ok(Exit::Critical);
            };
            let report = runtime.block_on(declaring.run()?.plan(&declared))?;
            declaring.tell(&report);
            Ok(report.exit())
        }
        Command::Apply(declaring) => {
            let Some(declared) = declaring.read() else {
                return Ok(Exit::Critical);
            };
            let progress = |line: &str| eprintln!("{line}");
            let report = runtime.block_on(declaring.run()?.apply(&declared, &progress))?;
            declaring.tell(&report);
            Ok(report.exit())
        }
        Command::Migrate {
            declaring,
            asset,
            confirm,
        } => {
            let Some(declared) = declaring.read() else {
                return Ok(Exit::Critical);
            };
            let progress = |line: &str| eprintln!("{line}");
            let run = declaring.run()?;
            let told = run.migrate(&declared, asset, confirm.as_deref(), &progress);
            let told = runtime.block_on(told)?;
            match declaring.json {
                true => println!("{:#}", told.json()),
                false => print!("{}", told.text()),
            }
            Ok(told.exit())
        }
        Command::Import { folder, server } => runtime.block_on(imported(folder, server)),
    }
}

async fn imported(folder: &Path, server: &Server) -> Result<Exit> {
    let api = server.run(None, BTreeMap::new(), 16).connect().await?;
    let imported = import::import(&api).await?;
    import::write(folder, &imported)?;
    for (asset, _) in &imported {
        println!("{asset}");
    }
    Ok(Exit::Ok)
}

impl Declaring {
    /// The files; `None`: they were wrong, and that was said.
    fn read(&self) -> Option<Declared> {
        match declared::read(&self.folder) {
            Ok(declared) => Some(declared),
            Err(Mistakes(mistakes)) if self.json => {
                println!(
                    "{:#}",
                    json!({ "exit": Exit::Critical as u8, "mistakes": mistakes })
                );
                None
            }
            Err(Mistakes(mistakes)) => {
                for mistake in mistakes {
                    eprintln!("error: {mistake}");
                }
                None
            }
        }
    }

    fn run(&self) -> Result<Run> {
        let monitor = match (&self.health.health, &self.health.monitor) {
            (Some(file), _) => {
                let health = cim_node::read_health(file)?;
                Some((health.monitor, Some(health.server_name)))
            }
            (None, Some(url)) => Some((url.clone(), None)),
            (None, None) => None,
        };
        let consent = self.allow_data_loss.iter().cloned().collect();
        Ok(self.server.run(monitor, consent, self.at_once))
    }

    fn tell(&self, report: &Report) {
        match self.json {
            true => println!("{:#}", report.json()),
            false => print!("{}", report.text()),
        }
    }
}

impl Server {
    fn run(
        &self,
        monitor: Option<(String, Option<String>)>,
        consent: BTreeMap<String, String>,
        at_once: usize,
    ) -> Run {
        Run {
            login: Login {
                servers: self.server.clone(),
                credentials: self.credentials.clone(),
                nkey_seed: self.nkey_seed.clone(),
                user: self.user.clone().zip(self.password_file.clone()),
                ca: self.ca.clone(),
                certificate: self.certificate.clone().zip(self.key.clone()),
            },
            domain: self.domain.clone(),
            monitor,
            consent,
            patience: Duration::from_secs(self.wait),
            at_once,
        }
    }
}
