//! The lab: the hosts of hosts/ under real systemd, with throwaway keys.

mod generations;
mod keys;
mod root;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context, Result};
use cim_lab::{Generation, Lab, Stage};
use cim_spec::plan::{PrincipalKind, Proof};
use serde::Deserialize;

use self::generations::{GENERATIONS, Recipe};
use self::keys::Keys;
use crate::flake::Flake;
use crate::mirror::Mirror;
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
    let stage = prepare(workspace, flake, &GENERATIONS, progress)?;
    let mut cargo = workspace.cargo();
    cargo.args(["test", "--package", "cim-lab", "--features", "lab"]);
    process::passed_through(cargo.env("CIM_LAB", stage))
}

/// Boots hosts, says how to enter them, and waits for Ctrl-C.
pub fn run(args: &Args, workspace: &Workspace, progress: &Progress) -> Result<()> {
    let tools = Rc::new(Tools::install(workspace, Purpose::Demo, progress)?);
    let flake = Flake::assemble(workspace, tools, None, progress)?;
    let stage = Stage::read(&prepare(workspace, &flake, &GENERATIONS[..1], progress)?)?;
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

/// Builds hosts and makes the root; gives the file that says where everything is.
fn prepare(
    workspace: &Workspace,
    flake: &Flake,
    recipes: &[Recipe],
    progress: &Progress,
) -> Result<PathBuf> {
    let dir = workspace.target.join("lab");
    let root = root::ensure(&dir, progress)?;
    let mut keys = Keys::open(&dir)?;
    let mut generations = BTreeMap::new();
    for recipe in recipes {
        let what = format!("building generation {} of the hosts", recipe.name);
        let built = progress.doing(&what, || generation(&dir, flake, recipe, &mut keys))?;
        generations.insert(recipe.name.to_owned(), built);
    }
    let stage = Stage {
        root,
        seeds: keys.seeds(),
        generations,
    };
    let file = dir.join("stage.json");
    private::write(
        &file,
        &serde_json::to_string_pretty(&stage).context("writing the stage")?,
    )?;
    Ok(file)
}

/// Builds one generation from a copy of the project's files.
fn generation(dir: &Path, flake: &Flake, recipe: &Recipe, keys: &mut Keys) -> Result<Generation> {
    let source = dir.join("src").join(recipe.name);
    let mut copy = Mirror::at(&source);
    copy.copy_folder(flake.source())?;
    for (path, text) in recipe.files(flake.source(), keys)? {
        copy.write(&path, text.as_bytes(), false)?;
    }
    copy.finish()?;
    build(&flake.at(source))
}

#[derive(Deserialize)]
struct Built {
    outputs: BTreeMap<String, PathBuf>,
}

/// Builds every host and the specs.
fn build(flake: &Flake) -> Result<Generation> {
    const SYSTEM: &str = "-nixos-system-";
    let reference = flake.reference();
    let names = process::output(&mut flake.nix(&[
        "eval",
        "--json",
        &format!("{reference}#nixosConfigurations"),
        "--apply",
        "builtins.attrNames",
    ])?)?;
    let names: Vec<String> = serde_json::from_str(&names).context("reading the hosts' names")?;
    let mut args = vec!["build".to_owned(), "--no-link".into(), "--json".into()];
    args.push(format!("{reference}#specs"));
    let toplevel = |name: &String| {
        format!("{reference}#nixosConfigurations.{name}.config.system.build.toplevel")
    };
    args.extend(names.iter().map(toplevel));
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let said = process::output(&mut flake.nix(&args)?)?;
    let built: Vec<Built> = serde_json::from_str(&said).context("reading what nix built")?;
    let mut hosts = BTreeMap::new();
    let mut specs = None;
    for path in built
        .into_iter()
        .filter_map(|mut built| built.outputs.remove("out"))
    {
        let name = path.to_string_lossy().into_owned();
        match name.split_once(SYSTEM) {
            Some((_, host)) => drop(hosts.insert(host.to_owned(), path)),
            None => specs = Some(path),
        }
    }
    let specs = specs.context("nix built no specs")?;
    Ok(Generation { hosts, specs })
}
