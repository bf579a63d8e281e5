//! Starts whole fleets of real nats-servers on loopback, with their real configs, and removes them.
//!
//! For tests and the demo only. A missing nats-server is a failure, never a skip.

mod fleet;
mod ports;

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

pub use fleet::{Fleet, Member};
pub use ports::Ports;

/// The nats-server that tests run: `$NATS_SERVER`, else the one on `PATH`.
///
/// # Errors
/// None is there; the message says what to do.
pub fn nats_server() -> Result<PathBuf> {
    let named = env::var_os("NATS_SERVER").map(PathBuf::from);
    let on_path = || {
        env::split_paths(&env::var_os("PATH")?)
            .map(|dir| dir.join("nats-server"))
            .find(|file| file.is_file())
    };
    named.or_else(on_path).context(
        "no nats-server: run `cargo xtask test`, which brings one, or set NATS_SERVER to its path",
    )
}

/// Reads every spec in a folder that holds `<case>/spec.json`, by the folder's name.
///
/// # Errors
/// A folder without cases: an empty loop must not be green.
pub fn cases(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut cases: Vec<PathBuf> = std::fs::read_dir(folder)
        .with_context(|| format!("reading {}", folder.display()))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.is_dir())
        .collect();
    cases.sort();
    anyhow::ensure!(!cases.is_empty(), "{} has no cases", folder.display());
    Ok(cases)
}
