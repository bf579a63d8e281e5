//! `cim-provision`: streams, consumers and buckets as declared.

use std::io::{IsTerminal, Write, stdin, stdout};
use std::mem;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use cim_node::docs;
use cim_node::login::Server;
use cim_node::provision::Run;
use cim_node::provision::asset::Asset;
use cim_node::provision::cli::{Args, Command, Declaring};
use cim_node::provision::declared::{self, Declared, Mistakes};
use cim_node::provision::prune::{Kept, Left};
use cim_node::provision::report::{Exit, Report};
use cim_node::provision::{import, import_nix, prune};
use clap::CommandFactory;
use serde_json::{Value, json};

fn main() -> ExitCode {
    let args: Args = match cim_node::arguments() {
        Ok(args) => args,
        Err(code) => return code,
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
        Command::Plan(declaring) => with(
            declaring,
            async |declared| {
                Ok(reported(
                    declaring,
                    declaring.run()?.plan(declared, &progress).await?,
                ))
            },
            &runtime,
        ),
        Command::Apply(declaring) => with(
            declaring,
            async |declared| {
                Ok(reported(
                    declaring,
                    declaring.run()?.apply(declared, &progress).await?,
                ))
            },
            &runtime,
        ),
        Command::Migrate {
            declaring,
            asset,
            confirm,
            copied_again,
        } => with(
            declaring,
            async |declared| {
                let run = declaring.run()?;
                let confirm = confirm.as_deref();
                let told = run
                    .migrate(declared, asset, confirm, *copied_again, &progress)
                    .await?;
                tell(declaring.json, || told.json().clone(), || told.text());
                Ok(told.exit())
            },
            &runtime,
        ),
        Command::Prune {
            declaring,
            assets,
            confirm,
        } => with(
            declaring,
            async |declared| pruned(declaring, declared, assets, confirm).await,
            &runtime,
        ),
        Command::Import {
            folder,
            nix,
            json,
            server,
        } => runtime.block_on(imported(folder.as_deref(), *nix, *json, server)),
        Command::Completions { shell } => {
            docs::completions(Args::command(), *shell).map(|()| Exit::Ok)
        }
        Command::Docs { folder } => docs::write(&Args::command(), folder).map(|()| Exit::Ok),
    }
}

fn reported(declaring: &Declaring, report: Report) -> Exit {
    tell(declaring.json, || report.json(), || report.text());
    let exit = report.exit();
    // The process ends with it: thousands of trees are not taken apart first.
    mem::forget(report);
    exit
}

fn progress(line: &str) {
    eprintln!("{line}");
}

/// Prints the one or the other; of thousands of assets, neither is made for nothing.
fn tell(json: bool, document: impl FnOnce() -> Value, text: impl FnOnce() -> String) {
    match json {
        true => println!("{:#}", document()),
        false => print!("{}", text()),
    }
}

/// Reads the files and goes on, or says what is wrong with them.
fn with(
    declaring: &Declaring,
    then: impl AsyncFnOnce(&Declared) -> Result<Exit>,
    runtime: &tokio::runtime::Runtime,
) -> Result<Exit> {
    match declared::read(&declaring.folder) {
        Ok(declared) => runtime.block_on(then(&declared)),
        Err(Mistakes(mistakes)) => {
            if declaring.json {
                let exit = Exit::Critical as u8;
                println!("{:#}", json!({ "exit": exit, "mistakes": mistakes }));
            } else {
                for mistake in mistakes {
                    eprintln!("error: {mistake}");
                }
            }
            Ok(Exit::Critical)
        }
    }
}

async fn imported(to: Option<&Path>, nix: bool, json: bool, server: &Server) -> Result<Exit> {
    let api = Run::at(server).connect().await?;
    let imported = import::import(&api).await?;
    let names: Vec<_> = imported
        .iter()
        .map(|(asset, _)| asset.to_string())
        .collect();
    let options = nix.then(|| import_nix::nix(&imported));
    match (&options, to) {
        (None, Some(folder)) => import::write(folder, &imported)?,
        (Some(options), Some(file)) => {
            ensure!(
                !file.exists(),
                "{} is there already: name another file",
                file.display()
            );
            std::fs::write(file, &options.text)
                .with_context(|| format!("writing {}", file.display()))?;
        }
        _ => {}
    }
    let left_out = options.as_ref().map(|options| options.left_out.as_slice());
    let left_out = left_out.unwrap_or_default();
    let exit = match left_out.is_empty() {
        true => Exit::Ok,
        false => Exit::Warning,
    };
    let text = match (&options, to) {
        (Some(options), None) => options.text.clone(),
        _ => names.iter().map(|name| format!("{name}\n")).collect(),
    };
    let document = json!({
        "exit": exit as u8,
        "assets": names,
        "nix": options.as_ref().filter(|_| to.is_none()).map(|options| &options.text),
        "leftOut": left_out,
    });
    tell(json, || document, || text);
    for what in left_out {
        eprintln!("warning: left out: {what}");
    }
    Ok(exit)
}

/// Removes what may be removed and was confirmed; says what goes otherwise.
async fn pruned(
    declaring: &Declaring,
    declared: &Declared,
    assets: &[Asset],
    confirm: &[String],
) -> Result<Exit> {
    let api = declaring.run()?.connect().await?;
    let (mut lines, mut documents, mut exit) = (Vec::new(), Vec::new(), Exit::Ok);
    let worse = |exit: Exit, than: Exit| {
        if (exit as u8) < than as u8 {
            than
        } else {
            exit
        }
    };
    for (index, asset) in assets.iter().enumerate() {
        let judged = prune::judge(&api, declared, asset, declaring.at_once).await?;
        let (line, state, this) = match judged {
            Err(Kept { asset, why, help }) => (
                format!("error: {asset}: {why}\n  help: {help}"),
                "refused",
                Exit::Critical,
            ),
            Ok(left) => match confirmed(&left, confirm.get(index), confirm.is_empty())? {
                Consent::Given => {
                    prune::remove(&api, &left).await?;
                    (format!("removed {}", left.words()), "removed", Exit::Ok)
                }
                Consent::Other(id) => (
                    format!(
                        "error: {}: {id:?} consents to another removal\n  help: look at what goes, and give the id that it has now, {}",
                        left.words(),
                        left.id
                    ),
                    "refused",
                    Exit::Critical,
                ),
                Consent::None => (
                    format!(
                        "{}\n  help: to remove exactly this, run again with --confirm {}",
                        left.words(),
                        left.id
                    ),
                    "waits",
                    Exit::Warning,
                ),
            },
        };
        exit = worse(exit, this);
        documents.push(json!({ "asset": asset.to_string(), "state": state, "said": line }));
        lines.push(line + "\n");
    }
    let document = json!({ "exit": exit as u8, "assets": documents });
    tell(declaring.json, || document, || lines.concat());
    Ok(exit)
}

enum Consent {
    Given,
    Other(String),
    None,
}

/// The id on the command line, or at a terminal the name typed once more.
fn confirmed(left: &Left, id: Option<&String>, may_ask: bool) -> Result<Consent> {
    match id {
        Some(id) if *id == left.id => return Ok(Consent::Given),
        Some(id) => return Ok(Consent::Other(id.clone())),
        None if !may_ask || !stdin().is_terminal() || !stdout().is_terminal() => {
            return Ok(Consent::None);
        }
        None => {}
    }
    print!(
        "{} go for ever. Type {} to remove it: ",
        left.words(),
        left.asset
    );
    stdout().flush().context("asking")?;
    let mut answer = String::new();
    stdin()
        .read_line(&mut answer)
        .context("reading the answer")?;
    Ok(match answer.trim() == left.asset.to_string() {
        true => Consent::Given,
        false => Consent::None,
    })
}
