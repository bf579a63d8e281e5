//! The build's verdict on one instance: parsed, digested alike, started, healthy, stopped.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use cim_spec::Plan;

use crate::{Copy, Identities, Server, assets, version};

/// Checks a plan with the nats-server `binary`, which must be of the version that the unit runs.
///
/// # Errors
/// What nats-server says against the config, and any difference between its digest and ours.
pub fn check(plan: &Plan, binary: &Path, expected: &str) -> Result<()> {
    let found = version(binary)?;
    ensure!(
        found == expected,
        "{}.package is nats-server {expected}, but the build has {found} to check with",
        plan.options
    );
    let dir = tempfile::Builder::new()
        .prefix("cim-check-")
        .tempdir()
        .context("creating a folder for the throwaway copy")?;
    let copy = Copy::alone(plan, dir.path())?;
    let config = copy.write(plan, &Identities::new()?)?;
    let ours = copy.digest(plan, &copy.document(plan)?)?;
    let blame = || {
        format!(
            "nats-server {expected} refuses the configuration of {} (a field it names in lower case comes from {}.settings)",
            plan.options, plan.options
        )
    };
    let parsed = test_config(binary, &config).with_context(blame)?;
    same(plan, "nats-server -t", &parsed, &ours)?;
    let mut server = Server::start(binary, &config).with_context(blame)?;
    server.healthy().with_context(blame)?;
    let running = server.varz()?;
    same(
        plan,
        "the running nats-server",
        &running.config_digest,
        &ours,
    )?;
    let status = server.stop()?;
    ensure!(status.success(), "nats-server stopped with {status}");
    assets::check(plan, binary, dir.path())
}

fn same(plan: &Plan, who: &str, theirs: &str, ours: &str) -> Result<()> {
    ensure!(
        theirs == ours,
        "this is a bug in cim: {who} gives {theirs} for {}, we compute {ours}",
        plan.options
    );
    Ok(())
}

/// Runs `nats-server -t` on a config; gives the digest that it prints.
///
/// # Errors
/// What nats-server says against the config.
pub fn test_config(binary: &Path, config: &Path) -> Result<String> {
    let output = Command::new(binary)
        .arg("-t")
        .arg("-c")
        .arg(config)
        .output()
        .with_context(|| format!("running {} -t", binary.display()))?;
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    if !output.status.success() {
        bail!("{}", said.trim());
    }
    said.split_whitespace()
        .map(|word| word.trim_matches(|c: char| !c.is_ascii_alphanumeric()))
        .find(|word| word.starts_with("sha256:"))
        .map(str::to_owned)
        .with_context(|| format!("nats-server -t printed no digest: {}", said.trim()))
}
