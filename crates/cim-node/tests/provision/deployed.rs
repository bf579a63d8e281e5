//! `cim-provision` beside servers of a fleet, as their units run it: what was rendered, with the login that it has there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use cim_render::Artefacts;
use cim_testkit::{Fleet, until};

use crate::support::Said;

/// Makes what a server's accounts hold; everything was made.
pub fn provision(fleet: &Fleet, dir: &Path, server: &str) -> Result<()> {
    for said in run(fleet, dir, server, "apply")? {
        ensure!(said.code == 0, "{server}: {said:?}");
    }
    Ok(())
}

/// Waits until there is nothing left to do at a server. In a cluster a node that has just started may tell old
/// configurations for a while, and `plan` changes nothing.
pub async fn is_declared(fleet: &Fleet, dir: &Path, server: &str) -> Result<()> {
    until("everything is as declared", async || {
        for said in run(fleet, dir, server, "plan")? {
            ensure!(said.code == 0, "{server}: {said:?}");
        }
        Ok(())
    })
    .await
}

/// Runs it for each account that holds something.
fn run(fleet: &Fleet, dir: &Path, server: &str, what: &str) -> Result<Vec<Said>> {
    let member = fleet.member(server)?;
    let folder = dir.join(format!("{server}.assets"));
    let mut accounts = BTreeSet::new();
    for (file, content) in Artefacts::render(member.plan())?.files {
        let Some(file) = file.strip_prefix("jetstream/") else {
            continue;
        };
        accounts.extend(file.split('/').next().map(str::to_owned));
        let path = folder.join(file);
        fs::create_dir_all(path.parent().context("a file has a folder")?)?;
        fs::write(path, content)?;
    }
    ensure!(!accounts.is_empty(), "{server} holds nothing");
    let health = dir.join(format!("{server}.health.json"));
    fs::write(&health, serde_json::to_string(&fleet.health(server)?)?)?;
    let login = match member.plan().operator {
        Some(_) => "--credentials",
        None => "--nkey-seed",
    };
    let each = accounts.iter().map(|account| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cim-provision"));
        command.arg(what).arg(folder.join(account));
        command.arg("--health").arg(&health);
        command.args(["--server", &member.url(), login]);
        command.arg(member.login_file(account, "provision"));
        if member.plan().client.tls.is_some() {
            command.arg("--ca").arg(fleet.ca_file());
        }
        Said::of(command.output()?)
    });
    each.collect()
}
