//! `cim-health`: whether an instance is well.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use cim_node::health::daemon::{self, Daemon};
use cim_node::health::explain::{self, Words};
use cim_node::health::finding::State;
use cim_node::health::fleet::{self, Fleet};
use cim_node::health::gate::gate;
use cim_node::health::judge::Report;
use cim_node::health::look::Looker;
use cim_node::health::wire::Logins;
use cim_node::health::{self, json, nagios, openmetrics, page, text};
use cim_node::process::Process;
use clap::{Args, Parser, Subcommand};

/// Says whether a nats-server instance is what it should be. Exit code 0: ok, 1: warning, 2: critical, 3: nobody knows.
#[derive(Parser)]
#[command(
    version,
    about,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true
)]
struct Cli {
    #[command(subcommand)]
    mode: Option<Mode>,
    #[command(flatten)]
    once: Once,
}

/// One look.
#[derive(Args)]
struct Once {
    /// The instance's health.json, in /etc/cim/<name>
    #[arg(required = true)]
    health: Option<PathBuf>,
    #[command(flatten)]
    form: Form,
    /// Look twice, that far apart, so that what nats-server only counts can be judged
    #[arg(long, value_name = "SECONDS")]
    over: Option<u64>,
    #[command(flatten)]
    server: ServerBinary,
    /// Look at monitoring pages and files only, whatever logins are given
    #[arg(long)]
    local: bool,
    #[command(flatten)]
    logins: Logins,
    #[command(flatten)]
    beside: Beside,
    /// Say nothing, and wait until the server itself is ready
    #[arg(long, value_name = "SECONDS", conflicts_with_all = ["json", "nagios", "openmetrics", "over"])]
    wait: Option<u64>,
    /// Process id of the nats-server: when it ends, there is nothing left to wait for
    #[arg(long, requires = "wait")]
    pid: Option<i32>,
}

/// What belongs to other programs beside the server.
#[derive(Args)]
struct Beside {
    /// A .creds file that another program logs in with, whose expiry counts; may be given several times
    #[arg(long, value_name = "FILE")]
    credential: Vec<PathBuf>,
}

/// How the report is told; without any of these, for people.
#[derive(Args)]
#[group(multiple = false)]
struct Form {
    /// Report as JSON
    #[arg(long)]
    json: bool,
    /// Report as a monitoring plugin, with performance data
    #[arg(long)]
    nagios: bool,
    /// Report as OpenMetrics text
    #[arg(long)]
    openmetrics: bool,
}

#[derive(Args)]
struct ServerBinary {
    /// The nats-server that runs; it computes the config's digest where that covers secrets
    #[arg(long, value_name = "FILE", default_value = "nats-server")]
    nats_server: PathBuf,
}

#[derive(Subcommand)]
enum Mode {
    /// Waits until what a deployment waits for is neither critical nor unknown
    Gate {
        /// The instance's health.json, in /etc/cim/<name>
        health: PathBuf,
        /// How long
        #[arg(long, value_name = "SECONDS")]
        wait: u64,
        #[command(flatten)]
        server: ServerBinary,
    },
    /// Looks again and again; tells systemd, and answers GET /healthz and /metrics
    Daemon {
        /// The instance's health.json, in /etc/cim/<name>
        health: PathBuf,
        /// Address on loopback for the pages
        #[arg(long, value_name = "ADDRESS:PORT")]
        listen: Option<SocketAddr>,
        #[command(flatten)]
        server: ServerBinary,
        #[command(flatten)]
        logins: Logins,
        #[command(flatten)]
        beside: Beside,
    },
    /// Shows all hubs and leaves, as a hub's daemon knows them
    Fleet {
        /// Where its pages are
        #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:9222")]
        from: SocketAddr,
        /// As JSON
        #[arg(long)]
        json: bool,
        /// Show it again each second, until stopped
        #[arg(long)]
        watch: bool,
    },
    /// Says what a check means, and the usual causes with the commands to look
    Explain {
        /// Name of the check; without: all of them, as docs/health.md has them
        check: Option<String>,
        /// An instance's health.json: commands then name that instance
        #[arg(long, value_name = "FILE")]
        health: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    let cli: Cli = match cim_node::arguments() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(State::Unknown.code())
        }
    }
}

fn run(cli: Cli) -> Result<ExitCode> {
    match cli.mode {
        Some(Mode::Gate {
            health,
            wait,
            server,
        }) => {
            let mut looker = Looker::new(server.nats_server).whole();
            let patience = Duration::from_secs(wait);
            let report = gate(patience, || daemon::look(&mut looker, &health, None));
            print(&text::text(&report))?;
            // What is a warning does not stop a deployment.
            let is_back = report.state() < State::Unknown;
            Ok(ExitCode::from(if is_back {
                0
            } else {
                report.state().code()
            }))
        }
        Some(Mode::Daemon {
            health,
            listen,
            server,
            logins,
            beside,
        }) => {
            let daemon = Daemon {
                health,
                nats_server: server.nats_server,
                listen,
                logins,
                credentials: beside.credential,
            };
            daemon.run().map(|()| ExitCode::SUCCESS)
        }
        Some(Mode::Fleet { from, json, watch }) => loop {
            let shown = fleet_shown(from, json, watch);
            if !watch {
                return shown;
            }
            // It may be back in a moment.
            if let Err(error) = shown {
                eprintln!("error: {error:#}");
            }
            thread::sleep(Duration::from_secs(1));
        },
        Some(Mode::Explain { check, health }) => explained(check.as_deref(), health.as_deref()),
        None => {
            let once = cli.once;
            let file = once.health.as_deref().context("clap asks for it")?;
            match once.wait {
                Some(wait) => Ok(cim_node::finish(ready(file, wait, once.pid))),
                None => looked(file, &once),
            }
        }
    }
}

fn ready(file: &Path, wait: u64, pid: Option<i32>) -> Result<()> {
    let health = cim_node::read_health(file)?;
    let server = pid.map(Process::holding).transpose()?;
    health::wait(&health, Duration::from_secs(wait), server.as_ref())
}

fn looked(file: &Path, once: &Once) -> Result<ExitCode> {
    let mut looker =
        Looker::new(once.server.nats_server.clone()).with_credentials(&once.beside.credential);
    if !once.local {
        looker = looker.with_logins(once.logins.clone(), true);
    }
    let mut report = daemon::look(&mut looker, file, None);
    if let Some(over) = once.over {
        thread::sleep(Duration::from_secs(over));
        report = daemon::look(&mut looker, file, None);
    }
    print(&told(&report, &once.form))?;
    Ok(ExitCode::from(report.state().code()))
}

fn fleet_shown(from: SocketAddr, json: bool, watch: bool) -> Result<ExitCode> {
    let fleet = Fleet::ask(from)?;
    let text = match (json, watch) {
        (true, true) => format!("{}\n", serde_json::json!(fleet)),
        (true, false) => format!("{:#}\n", serde_json::json!(fleet)),
        (false, false) => fleet::text(&fleet),
        // From the top of an empty screen.
        (false, true) => format!("\x1b[H\x1b[2J{}", fleet::text(&fleet)),
    };
    print(&text)?;
    Ok(ExitCode::from(fleet.code()))
}

fn told(report: &Report, form: &Form) -> String {
    match form {
        Form { json: true, .. } => format!("{:#}\n", json::json(report)),
        Form { nagios: true, .. } => nagios::nagios(report),
        Form {
            openmetrics: true, ..
        } => openmetrics::openmetrics(report),
        _ => text::text(report),
    }
}

fn explained(check: Option<&str>, file: Option<&Path>) -> Result<ExitCode> {
    let Some(name) = check else {
        print(&page::page())?;
        return Ok(ExitCode::SUCCESS);
    };
    let words = match file {
        Some(file) => Words::of(&cim_node::read_health(file)?, &file.to_string_lossy()),
        None => Words::general(),
    };
    let check = explain::named(name)
        .with_context(|| format!("{name:?} is no check; they are {}", explain::names()))?;
    print(&explain::explain(check, &words))?;
    Ok(ExitCode::SUCCESS)
}

/// Prints; a reader that went away (`| head`) is no failure of the instance.
fn print(text: &str) -> Result<()> {
    use std::io::Write;
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(error).context("printing the report")
        }
        _ => Ok(()),
    }
}
