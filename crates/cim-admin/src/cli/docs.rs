//! Shell completions and man pages, for packages.

use std::path::Path;

use anyhow::{Context, Result};
use clap::CommandFactory;
use clap_complete::Shell;
use serde_json::json;

use super::{Cli, Report};

/// Writes them into a folder that is there.
pub fn write(folder: &Path) -> Result<Report> {
    let writing = || format!("writing into {}", folder.display());
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut Cli::command(), "cim-admin", folder)
            .with_context(writing)?;
    }
    clap_mangen::generate_to(Cli::command(), folder).with_context(writing)?;
    let line = format!("wrote completions and man pages into {}", folder.display());
    Ok(Report::new(vec![line], json!({ "folder": folder })))
}
