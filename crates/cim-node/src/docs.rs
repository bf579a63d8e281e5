//! Shell completions and man pages of a node tool, for packages.

use std::io;
use std::path::Path;

use anyhow::{Context, Result};
use clap::Command;
use clap_complete::Shell;

/// Prints a shell's completions.
///
/// # Errors
/// A closed standard output.
pub fn completions(mut command: Command, shell: Shell) -> Result<()> {
    let name = command.get_name().to_owned();
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut text);
    io::Write::write_all(&mut io::stdout(), &text).context("printing the completions")
}

/// Writes the completions of all shells and the man pages into a folder that is there.
///
/// # Errors
/// What the file system says.
pub fn write(command: &Command, folder: &Path) -> Result<()> {
    let writing = || format!("writing into {}", folder.display());
    let name = command.get_name().to_owned();
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut command.clone(), &name, folder)
            .with_context(writing)?;
    }
    clap_mangen::generate_to(command.clone(), folder).with_context(writing)
}
