//! `cim-backup`: backups of an account's JetStream, and the proof that they come back.

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use cim_node::backup::create::Create;
use cim_node::backup::drill::Drill;
use cim_node::backup::keep::Keep;
use cim_node::backup::report::Report;
use cim_node::backup::restore::Restore;
use cim_node::backup::sink::Sink;
use cim_node::backup::{guard, list};
use cim_node::login::Server;
use cim_node::provision::report::Exit;
use clap::{Parser, Subcommand};

/// What the server calls us.
const NAME: &str = "cim-backup";

/// Backs up an account's streams with their consumers, key-value buckets and object stores. Exit code 0: done, and
/// nothing is wrong; 1: done, with something to tidy up; 2: something was not done, or is damaged; 3: nobody knows.
#[derive(Parser)]
#[command(version, about)]
struct Args {
    /// Print one JSON document instead of text
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Takes a backup into a new folder, named by the time
    Create {
        /// The folder of backups
        folder: PathBuf,
        #[command(flatten)]
        server: Server,
        /// Only these streams; a key-value bucket B is KV_B, an object store OBJ_B
        #[arg(long, value_name = "NAME", num_args = 1..)]
        stream: Vec<String>,
        /// Keep so many of the newest good backups
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
        keep: Option<u16>,
        /// Keep the backups of so many days; one stays if either says so
        #[arg(long, value_name = "DAYS")]
        keep_days: Option<u32>,
        /// Tell in this file, which everybody may read, how the backups are: counts and moments, no contents
        #[arg(long, value_name = "FILE")]
        status: Option<PathBuf>,
        /// Give each file to a command on its standard input; {} in its arguments is the file's name. All words up to
        /// the end, or to a lone ;, are the command
        #[arg(long, value_name = "COMMAND", num_args = 1.., allow_hyphen_values = true, value_terminator = ";")]
        sink: Option<Vec<String>>,
        /// For how long the command may stand still: read nothing more of a file, and not end
        #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..))]
        sink_timeout: u64,
    },
    /// Reads every file of a backup, or of all in a folder, and names what is damaged
    Check {
        /// A backup, or the folder of backups
        folder: PathBuf,
    },
    /// Says which backups there are
    List {
        /// The folder of backups
        folder: PathBuf,
    },
    /// Puts streams back that are not there
    Restore {
        /// The backup
        backup: PathBuf,
        #[command(flatten)]
        server: Server,
        /// Only these streams
        #[arg(long, value_name = "NAME", num_args = 1..)]
        stream: Vec<String>,
        /// Pass over streams that are there already
        #[arg(long)]
        missing: bool,
        /// So many replicas instead of as many as there were
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=5))]
        replicas: Option<u64>,
    },
    /// Restores the newest backup into a throwaway server and compares
    Drill {
        /// The folder of backups
        folder: PathBuf,
        /// The server's binary
        #[arg(long, value_name = "FILE", default_value = "nats-server")]
        nats_server: PathBuf,
        /// Where the throwaway server's folder is made; it needs room for the largest stream twice
        #[arg(long, value_name = "FOLDER")]
        temp: Option<PathBuf>,
        /// Tell the result in this file too, as `create` does
        #[arg(long, value_name = "FILE")]
        status: Option<PathBuf>,
    },
    /// Ends a throwaway server when whoever started this is gone
    #[command(hide = true)]
    Guard {
        nats_server: PathBuf,
        folder: PathBuf,
    },
}

fn main() -> ExitCode {
    let args: Args = match cim_node::arguments() {
        Ok(args) => args,
        Err(code) => return code,
    };
    let json = args.json;
    let code = match run(args.command) {
        Ok(report) => {
            report.tell(json);
            report.exit()
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            Exit::Unknown
        }
    };
    ExitCode::from(code as u8)
}

fn run(command: Command) -> Result<Report> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.context("starting")?;
    let tell = |line: &str| eprintln!("{line}");
    match command {
        Command::Create {
            folder,
            server,
            stream,
            keep,
            keep_days,
            status,
            sink,
            sink_timeout,
        } => {
            let create = Create {
                folder,
                login: server.login(NAME),
                domain: server.domain.clone(),
                patience: server.patience(),
                streams: stream,
                keep: Keep {
                    newest: keep.map(usize::from),
                    days: keep_days,
                },
                status,
                sink: sink.map(|command| Sink {
                    command,
                    patience: Duration::from_secs(sink_timeout),
                }),
            };
            runtime.block_on(create.run(&tell))
        }
        Command::Check { folder } => list::checked(&folder),
        Command::List { folder } => list::list(&folder),
        Command::Restore {
            backup,
            server,
            stream,
            missing,
            replicas,
        } => {
            let restore = Restore {
                backup,
                login: server.login(NAME),
                domain: server.domain.clone(),
                patience: server.patience(),
                streams: stream,
                missing,
                replicas,
                temp: env::temp_dir(),
            };
            runtime.block_on(restore.run(&tell))
        }
        Command::Drill {
            folder,
            nats_server,
            temp,
            status,
        } => {
            let temp = temp.unwrap_or_else(env::temp_dir);
            let drill = Drill {
                folder,
                nats_server,
                temp,
                status,
            };
            runtime.block_on(drill.run(&tell))
        }
        Command::Guard {
            nats_server,
            folder,
        } => guard::guard(&nats_server, &folder).map(|()| Report::default()),
    }
}
