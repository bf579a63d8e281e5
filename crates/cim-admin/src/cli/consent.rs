//! Asking before anything that locks someone out.

use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::{Result, bail, ensure};

/// Asks at the terminal, unless `yes` has answered already.
///
/// # Errors
/// Another answer than yes, and nobody who could be asked.
pub fn ask(losses: &[String], yes: bool) -> Result<()> {
    if yes || losses.is_empty() {
        return Ok(());
    }
    let losses = losses.join("\n  ");
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        bail!("this takes something from someone; --yes is your consent:\n  {losses}");
    }
    let mut terminal = io::stderr();
    write!(
        terminal,
        "This takes something from someone:\n  {losses}\nGo on? [y/N] "
    )?;
    terminal.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    let given = matches!(answer.trim(), "y" | "Y" | "yes");
    ensure!(given, "nothing was changed");
    Ok(())
}
