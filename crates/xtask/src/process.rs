//! Child processes whose output matters only when they fail, or is what we came for.

use std::io::{Read, pipe};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, Result, bail};

/// Runs `command` and gives its stdout; if it fails the error holds all it wrote.
pub fn output(command: &mut Command) -> Result<String> {
    let shown = shown(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("starting `{shown}`"))?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        bail!(
            "`{shown}`: {}\n{}{}",
            output.status,
            stdout,
            stderr.trim_end()
        );
    }
    Ok(stdout)
}

/// Runs `command`; if it fails the error holds all it wrote, in the order it wrote it.
pub fn quiet(command: &mut Command) -> Result<()> {
    let (status, said) = heard(command)?;
    if !status.success() {
        bail!("`{}`: {status}\n{}", shown(command), said.trim_end());
    }
    Ok(())
}

/// Runs `command`; gives how it ended and all it wrote, in the order it wrote it.
pub fn heard(command: &mut Command) -> Result<(ExitStatus, String)> {
    let shown = shown(command);
    let context = || format!("running `{shown}`");
    let (mut reader, writer) = pipe().with_context(context)?;
    let twin = writer.try_clone().with_context(context)?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(writer)
        .stderr(twin)
        .spawn()
        .with_context(context)?;
    // Our ends of the pipe are in `command`: while they are open there is no end to read to.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut written = Vec::new();
    reader.read_to_end(&mut written).with_context(context)?;
    let status = child.wait().with_context(context)?;
    Ok((status, String::from_utf8_lossy(&written).into_owned()))
}

/// Runs `command` with its output passed through to ours.
pub fn passed_through(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("starting `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}`: {status}");
    }
    Ok(())
}

/// The command as one would type it, without its environment, cut where it gets long.
fn shown(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    for arg in command.get_args() {
        if text.len() > 160 {
            text.push_str(" …");
            break;
        }
        text.push(' ');
        text.push_str(&arg.to_string_lossy());
    }
    text
}
