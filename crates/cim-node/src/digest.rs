//! The digest of a config on the host, by nats-server itself: it covers secrets.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// What `nats-server -t` gives for a config.
///
/// # Errors
/// A config that it refuses, with its words.
pub fn by_server(nats_server: &Path, config: &str) -> Result<String> {
    let output = Command::new(nats_server)
        .args(["-t", "-c", config])
        .output()
        .with_context(|| format!("running {} -t", nats_server.display()))?;
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    ensure!(
        output.status.success(),
        "nats-server -t says of {config}: {}",
        said.trim()
    );
    let digest = said
        .split_whitespace()
        .map(|word| word.trim_matches(|c: char| !c.is_ascii_alphanumeric()))
        .find(|word| word.starts_with("sha256:"));
    digest
        .map(str::to_owned)
        .context("nats-server -t printed no digest")
}
