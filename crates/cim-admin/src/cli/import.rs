//! `cim-admin import nsc`: an operator that nsc made goes on with the same keys.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use clap::Subcommand;
use serde_json::json;

use super::store::Store;
use super::{Desk, Report};
use crate::files::{self, Mode};
use crate::nsc::{self, Destination, Imported, Nix};

#[derive(Debug, Subcommand)]
pub enum Import {
    /// Takes over an nsc store: JWTs to identity/, seeds sealed to secrets/, and the Nix that says the same
    Nsc {
        /// nsc's folder of the operator, such as ~/.local/share/nats/nsc/stores/ACME
        #[arg(long, value_name = "DIR")]
        store: PathBuf,
        /// nsc's folder of keys and creds, such as ~/.local/share/nats/nsc/keys
        #[arg(long, value_name = "DIR")]
        nkeys: PathBuf,
        /// Where the fleet's value goes; otherwise it is printed
        #[arg(long, value_name = "FILE")]
        fleet_out: Option<PathBuf>,
        /// The folder of public files
        #[arg(long, value_name = "DIR", default_value = "identity")]
        identity: PathBuf,
        #[command(flatten)]
        sealed: Store,
        /// Says what would be written, and writes nothing
        #[arg(long)]
        dry_run: bool,
    },
}

impl Import {
    pub fn run(&self, desk: &Desk) -> Result<Report> {
        let Import::Nsc {
            store,
            nkeys,
            fleet_out,
            identity,
            sealed,
            dry_run,
        } = self;
        let found = nsc::Store::read(store, nkeys)?;
        let nix = nsc::nix(&found);
        if !dry_run {
            sealed.must_be_whole(identity, desk)?;
        }
        let keys = sealed.identities(desk)?;
        let to = Destination {
            identity,
            secrets: sealed.path(),
            keys: &keys,
            now: desk.now,
        };
        let mut imported = nsc::take(&found, to, &desk.progress())?;
        if let Some(place) = fleet_out {
            ensure!(
                !files::exists(place)?,
                "{} exists: name another file for the fleet's value",
                place.display()
            );
            imported
                .batch
                .put(place, nix.text.as_bytes(), Mode::Public)?;
        }
        let report = report(&found, &nix, &imported, fleet_out.as_deref(), *dry_run);
        if !dry_run {
            imported.batch.commit()?;
        }
        Ok(report)
    }
}

fn report(
    found: &nsc::Store,
    nix: &Nix,
    imported: &Imported,
    fleet_out: Option<&Path>,
    dry_run: bool,
) -> Report {
    let users: usize = found
        .accounts
        .iter()
        .map(|account| account.users.len())
        .sum();
    let did = match dry_run {
        true => "would take over",
        false => "took over",
    };
    let mut lines = vec![format!(
        "{did} operator {}, {} accounts and {users} users, with their keys",
        found.operator.data.name,
        found.accounts.len()
    )];
    let missing = imported.missing.iter();
    lines.extend(missing.map(|missing| format!("not in the store: {missing}")));
    let left_out = nix.left_out.iter();
    lines.extend(left_out.map(|what| format!("no option says it: {what}")));
    match fleet_out {
        Some(place) => lines.push(format!("the fleet's value: {}", place.display())),
        None => lines.extend(nix.text.lines().map(str::to_owned)),
    }
    let next = [
        "make it the fleet's value, with hubs and leaves",
        "cim-admin identity make --dry-run: says what it would change; users keep their keys",
        "who is issued anew gets creds before `cim-admin accounts push`, which lists them and asks",
        "remove nsc's seeds from this disk, once secrets/ is committed and opens",
    ];
    let numbered = next.iter().enumerate();
    lines.extend(numbered.map(|(at, step)| format!("next {}: {step}", at + 1)));
    let json = json!({
        "operator": found.operator.data.name, "accounts": found.accounts.len(), "users": users,
        "written": imported.written, "missing": imported.missing, "leftOut": nix.left_out,
        "fleet": nix.text, "next": next, "dryRun": dry_run,
    });
    Report::new(lines, json)
}
