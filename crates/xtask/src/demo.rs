//! `cargo xtask demo`: the fleet of hosts/ on loopback, and a story that shows what it does; then one in operator mode.

mod keep;
pub mod operator;
mod plaintext;
mod scene;
pub mod table;

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;

use anyhow::{Context, Result, anyhow, bail};
use cim_render::input;
use cim_spec::{Plan, fleet};
use cim_testkit::{Fleet, Ports};
use tokio::signal::unix::{SignalKind, signal};

use crate::flake::Flake;
use crate::golden;
use crate::progress::Progress;
use crate::tools::{Purpose, Tools};
use crate::workspace::Workspace;
use table::Table;

/// What the demo takes.
#[derive(clap::Args)]
pub struct Args {
    /// Leaves the fleet running until Ctrl-C and prints commands to try.
    #[arg(long)]
    keep: bool,
    /// First of the ports on 127.0.0.1: each server takes four of the next ten.
    #[arg(long, value_name = "PORT", default_value_t = 14220)]
    port: u16,
    /// Specs that Nix has already made; cim-admin, sops and ssh-keygen are then on PATH. Without them all of it is
    /// built from hosts/ and installed.
    #[arg(long, value_name = "DIR")]
    specs: Option<PathBuf>,
}

/// Where the fleet comes from, what runs it, and where.
pub struct Stage {
    /// The specs of all hosts, as Nix made them.
    pub specs: PathBuf,
    /// The server to run.
    pub nats_server: PathBuf,
    /// The program that makes identities.
    pub cim_admin: PathBuf,
    /// The PATH on which sops and ssh-keygen are.
    pub path: OsString,
    /// First of the ports on 127.0.0.1.
    pub port: u16,
    /// Whether the fleet goes on until Ctrl-C.
    pub keep: bool,
}

/// Sets the stage and runs the demo.
pub fn run(args: &Args, progress: &Progress) -> Result<ExitCode> {
    on(&stage(args, progress)?, progress)
}

/// Runs the demo; whatever happens, nothing of it is left behind.
pub fn on(stage: &Stage, progress: &Progress) -> Result<ExitCode> {
    let plans = progress.doing("checking the fleet: every rule, all hosts at once", || {
        plans(&stage.specs)
    })?;
    let dir = tempfile::Builder::new()
        .prefix("cim-demo-")
        .permissions(fs::Permissions::from_mode(0o700))
        .tempdir()
        .context("creating a folder for the demo")?;
    progress.doing(
        &format!("checking {} configs with the real nats-server", plans.len()),
        || check(&plans, &stage.nats_server),
    )?;
    let fleet = Fleet::prepare(
        plans,
        dir.path(),
        &stage.nats_server,
        Ports::From(stage.port),
    )
    .context("choosing ports for the demo (--port)")?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("starting the demo")?;
    let operator = dir.path().join("operator");
    runtime.block_on(async {
        let (code, fleet) = tokio::select! {
            // Signals are caught before there is anything to clean up.
            biased;
            stopped = stopped() => {
                stopped?;
                bail!("stopped by a signal; the servers and their files are removed")
            }
            told = tell(fleet, stage, &operator, progress) => told?,
        };
        if stage.keep {
            keep::invite(&fleet)?;
            stopped().await?;
        }
        Ok(code)
    })
}

/// Waits for Ctrl-C, a closed terminal or a termination.
async fn stopped() -> Result<()> {
    let doing = "waiting for signals";
    let mut hung_up = signal(SignalKind::hangup()).context(doing)?;
    let mut terminated = signal(SignalKind::terminate()).context(doing)?;
    tokio::select! {
        _ = hung_up.recv() => Ok(()),
        _ = terminated.recv() => Ok(()),
        pressed = tokio::signal::ctrl_c() => pressed.context(doing),
    }
}

/// Plays both stories and prints what was seen of each; the first fleet is still running then.
async fn tell(
    mut fleet: Fleet,
    stage: &Stage,
    dir: &Path,
    progress: &Progress,
) -> Result<(ExitCode, Fleet)> {
    let mut table = Table::default();
    let told = scene::play(&mut fleet, &mut table, progress).await;
    shown(&table)?;
    told?;
    let mut sealed = Table::default();
    let told = operator::play(stage, dir, &mut sealed, progress).await;
    shown(&sealed)?;
    told?;
    let code = if table.all_held() && sealed.all_held() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    };
    Ok((code, fleet))
}

fn shown(table: &Table) -> Result<()> {
    write!(std::io::stdout(), "{table}").context("printing what was seen")
}

fn stage(args: &Args, progress: &Progress) -> Result<Stage> {
    if let Some(specs) = &args.specs {
        return Ok(Stage {
            specs: specs.clone(),
            nats_server: cim_testkit::nats_server()?,
            cim_admin: PathBuf::from("cim-admin"),
            path: env::var_os("PATH").unwrap_or_default(),
            port: args.port,
            keep: args.keep,
        });
    }
    let workspace = Workspace::find()?;
    let tools = Rc::new(Tools::install(&workspace, Purpose::Demo, progress)?);
    let flake = Flake::assemble(&workspace, Rc::clone(&tools), None, progress)?;
    Ok(Stage {
        specs: golden::specs(&flake, progress)?,
        nats_server: tools.nats_server.path.clone(),
        cim_admin: workspace.built("cim-admin"),
        path: tools.path_env()?,
        port: args.port,
        keep: args.keep,
    })
}

/// Reads the specs and applies every rule, those between hosts too.
fn plans(specs: &Path) -> Result<Vec<Plan>> {
    let whole = input::fleet(&specs.join("fleet.json"))?;
    let folder = specs.join("instances");
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .with_context(|| format!("reading {}", folder.display()))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<_>>()
        .with_context(|| format!("reading {}", folder.display()))?;
    files.sort();
    let specs = files
        .iter()
        .map(|file| input::spec(file))
        .collect::<Result<Vec<_>>>()?;
    fleet::plans(&whole, &specs)
        .map_err(|problems| anyhow!("the fleet in hosts/ cannot work:\n{problems}"))
}

fn check(plans: &[Plan], nats_server: &Path) -> Result<()> {
    let version = cim_check::version(nats_server)?;
    for plan in plans {
        cim_check::check(plan, nats_server, &version)?;
    }
    Ok(())
}
