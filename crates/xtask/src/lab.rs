//! The lab: the hosts of hosts/ under real systemd, with throwaway keys.

mod build;
mod deploy;
mod generations;
mod keys;
mod mutants;
mod root;

use std::path::PathBuf;
use std::process::Command;
use std::rc::Rc;

use anyhow::Result;
use cim_lab::Lab;
use cim_spec::plan::{PrincipalKind, Proof};

use self::generations::GENERATIONS;
pub use self::mutants::run as mutants;
use crate::flake::Flake;
use crate::progress::Progress;
use crate::tools::{Purpose, Tools};
use crate::workspace::Workspace;
use crate::{private, process};

/// The generation that hosts start with.
const FIRST: &str = "base";

/// What the lab takes.
#[derive(clap::Args)]
pub struct Args {
    /// The hosts to boot; all that hosts/ has, if none is named.
    hosts: Vec<String>,
}

/// Runs the lab's tests.
pub fn test(workspace: &Workspace, flake: &Flake, progress: &Progress) -> Result<()> {
    cim_lab::possible()?;
    let mut stage = build::prepare(workspace, flake, &GENERATIONS, progress)?;
    stage.deploy = Some(deploy::prepare(workspace, flake, &GENERATIONS, progress)?);
    let stage = build::write(workspace, "stage.json", &stage)?;
    process::passed_through(tests(workspace).env("CIM_LAB", stage))
}

/// The lab's tests, and only they.
fn tests(workspace: &Workspace) -> Command {
    let mut cargo = workspace.cargo();
    cargo.args(["test", "--package", "cim-lab", "--features", "lab"]);
    cargo.args(["--test", "it", "--"]);
    cargo
}

/// Boots hosts, says how to enter them, and waits for Ctrl-C.
pub fn run(args: &Args, workspace: &Workspace, progress: &Progress) -> Result<()> {
    let tools = Rc::new(Tools::install(workspace, Purpose::Demo, progress)?);
    let flake = Flake::assemble(workspace, tools, None, progress)?;
    let stage = build::prepare(workspace, &flake, &GENERATIONS[..1], progress)?;
    let mut hosts: Vec<&str> = args.hosts.iter().map(String::as_str).collect();
    let all: Vec<String> = stage.generation(FIRST)?.hosts.keys().cloned().collect();
    if hosts.is_empty() {
        hosts.extend(all.iter().map(String::as_str));
    }
    cim_lab::clean_up_when_interrupted()?;
    let lab = Lab::prepare(stage, FIRST, &hosts)?;
    progress.doing(&format!("booting {}", hosts.join(", ")), || {
        lab.boot(&hosts)
    })?;
    print!("{}", invitation(&lab)?);
    // Ctrl-C removes the lab and ends this process.
    loop {
        std::thread::park();
    }
}

/// How to enter each host and speak to its servers.
fn invitation(lab: &Lab) -> Result<String> {
    let mut text = String::from("\nThe hosts run until Ctrl-C. In another terminal, as root:\n");
    for host in lab.hosts() {
        let (name, leader) = (&host.name, host.leader()?);
        text.push_str(&format!("\n{name} ({})\n", host.net.address));
        text.push_str(&format!("  nsenter --target {leader} --all -- bash -l\n"));
        for plan in host.plans() {
            text.push_str(&format!(
                "  ip netns exec cim-lab-{name} curl -s http://127.0.0.1:{}/leafz\n",
                plan.http_port
            ));
            let principals = plan.accounts.iter().flat_map(|account| &account.principals);
            for user in principals {
                if user.kind != PrincipalKind::User || !matches!(user.proof, Proof::Nkey(_)) {
                    continue;
                }
                let file = PathBuf::from(format!("/run/cim-lab/{}.nk", user.name));
                private::write(&file, &lab.seed(plan, &user.name)?)?;
                let server = match plan.client.tls {
                    Some(_) => format!("--tlsca /run/cim-lab/ca.pem -s {}", host.net.address),
                    None => format!("-s 127.0.0.1:{}", plan.client.port),
                };
                text.push_str(&format!(
                    "  ip netns exec cim-lab-{name} nats {server} --nkey {} sub '>'\n",
                    file.display()
                ));
            }
        }
    }
    Ok(text)
}
