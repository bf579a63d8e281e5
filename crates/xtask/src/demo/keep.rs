//! `--keep`: the fleet goes on, with NATS CLI contexts and commands ready to paste.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use cim_spec::plan::{PrincipalKind, Proof};
use cim_testkit::Fleet;
use serde_json::json;

use crate::private;

/// Writes a context for every user and prints commands to paste.
pub fn invite(fleet: &Fleet) -> Result<()> {
    let dir = fleet.ca_file();
    let dir = dir
        .parent()
        .and_then(Path::parent)
        .context("the fleet has a folder")?;
    let contexts = dir.join("nats/context");
    fs::create_dir_all(&contexts).with_context(|| format!("creating {}", contexts.display()))?;
    for server in fleet.names() {
        for (user, context) in users(fleet, &server, dir)? {
            let path = contexts.join(format!("{server}-{user}.json"));
            fs::write(&path, context).with_context(|| format!("writing {}", path.display()))?;
        }
    }
    println!("\nThe fleet runs until Ctrl-C. In another terminal (`nats` is nixpkgs' natscli):\n");
    println!("  export XDG_CONFIG_HOME={}", dir.display());
    println!("  nats --context hub-2-alchemist sub '>'");
    println!("  nats --context cim-prod-001-graph pub domain.graph.node.7 hello");
    println!("  nats --context cim-prod-002-workflow sub 'domain.graph.>'");
    println!("  nats --context hub-2-alchemist pub commands.restart now");
    for server in fleet.names() {
        println!(
            "  {server:14} monitoring: {}",
            fleet.server(&server).map_or("dead", |s| s.monitor())
        );
    }
    Ok(())
}

/// A NATS CLI context for each user of a server, its seed in a file that only the owner reads.
fn users(fleet: &Fleet, server: &str, dir: &Path) -> Result<Vec<(String, String)>> {
    let member = fleet.member(server)?;
    let mut contexts = Vec::new();
    for principal in member
        .plan()
        .accounts
        .iter()
        .flat_map(|account| &account.principals)
    {
        let is_user =
            principal.kind == PrincipalKind::User && matches!(principal.proof, Proof::Nkey(_));
        if !is_user {
            continue;
        }
        let seed = dir.join(format!("{}.nk", principal.name));
        private::write(&seed, fleet.seed(server, &principal.name)?)?;
        let context = json!({
            "description": format!("{} on {server} (cim demo)", principal.name),
            "url": member.url(),
            "nkey": seed,
            "ca": fleet.ca_file(),
        });
        contexts.push((principal.name.clone(), format!("{context:#}\n")));
    }
    Ok(contexts)
}
