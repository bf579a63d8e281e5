//! However a lab ends, nothing of it stays: this binary is run again, and ended in every way.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail, ensure};
use cim_lab::{Ground, Lab, Stage, until};

use crate::support::PATIENCE;

/// The name of the story.
pub const NAME: &str = "a lab leaves nothing behind";

/// The host that is booted for it.
const HOST: &str = "cim-prod-002";

/// The end of a lab that never begins.
const UNPRIVILEGED: &str = "unprivileged";

/// What the child does: boots a host and waits, or panics.
#[expect(clippy::panic, reason = "what a panic leaves behind is tested")]
pub fn play(end: &str) -> ExitCode {
    let booted = || -> Result<Lab> {
        if end == UNPRIVILEGED {
            Ground::take()?;
        }
        cim_lab::clean_up_when_interrupted()?;
        let lab = Lab::prepare(Stage::from_environment()?, "base", &[HOST])?;
        lab.boot(&[HOST])?;
        Ok(lab)
    };
    match booted() {
        Ok(_lab) => {
            println!("up");
            if end == "panic" {
                panic!("on purpose");
            }
            loop {
                std::thread::park();
            }
        }
        Err(error) => {
            println!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// After its end, a panic, an interrupt, and a kill whose remains the next lab removes; and without root there is no lab.
pub fn leave_nothing() -> Result<()> {
    drop(Ground::take()?);
    nothing_left("a lab that did nothing")?;
    the_unwaited_are_seen()?;

    let lab = Lab::prepare(Stage::from_environment()?, "base", &[HOST])?;
    lab.boot(&[HOST])?;
    drop(lab);
    nothing_left("a lab that ended")?;

    let mut child = booted("panic")?;
    child.wait().context("waiting for a lab that panics")?;
    nothing_left("a panic")?;

    let mut child = booted("interrupt")?;
    signal("INT", &child)?;
    let status = child.wait().context("waiting for an interrupted lab")?;
    ensure!(
        status.code() == Some(130),
        "an interrupted lab ends with {status}"
    );
    nothing_left("an interrupt")?;

    let mut child = booted("kill")?;
    ensure!(Ground::take().is_err(), "there are two labs at a time");
    signal("KILL", &child)?;
    child.wait().context("waiting for a killed lab")?;
    let left = cim_lab::leftovers()?;
    for kind in ["process", "mount", "network", "link", "cgroup", "folder"] {
        ensure!(
            left.iter().any(|line| line.starts_with(kind)),
            "a killed lab leaves no {kind}, so this test shows nothing: {left:?}"
        );
    }
    drop(Ground::take()?);
    nothing_left("a killed lab and the next one")?;
    without_root()
}

/// A machine of which this process is the parent could stay as a zombie.
fn the_unwaited_are_seen() -> Result<()> {
    let mut child = Command::new("true").spawn().context("running true")?;
    until("it is seen that a child ended", PATIENCE, || {
        let left = cim_lab::leftovers()?;
        ensure!(!left.is_empty(), "nothing is seen");
        Ok(())
    })?;
    child.wait().context("waiting for true")?;
    Ok(())
}

/// That nothing of any lab is on this machine.
pub fn nothing_left(after: &str) -> Result<()> {
    let left = cim_lab::leftovers()?;
    ensure!(left.is_empty(), "{after} leaves {left:?}");
    Ok(())
}

fn without_root() -> Result<()> {
    let mut setpriv = Command::new("setpriv");
    setpriv.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]);
    setpriv.arg(std::env::current_exe().context("finding this binary")?);
    let output = setpriv
        .env("CIM_LAB_END", UNPRIVILEGED)
        .output()
        .context("running a lab without root")?;
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(
        !output.status.success(),
        "a lab without root is called a success"
    );
    ensure!(
        said.contains("needs root"),
        "a lab without root says {said:?}"
    );
    Ok(())
}

/// This binary, with its host up.
fn booted(end: &str) -> Result<Child> {
    let mut child = Command::new(std::env::current_exe().context("finding this binary")?)
        .env("CIM_LAB_END", end)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("running a lab")?;
    let stdout = child.stdout.take().context("a lab has a stdout")?;
    let mut line = String::new();
    BufReader::new(stdout)
        .read_line(&mut line)
        .context("reading from a lab")?;
    if line.trim() != "up" {
        bail!("a lab for {end} says {line:?}");
    }
    Ok(child)
}

fn signal(name: &str, child: &Child) -> Result<()> {
    let kill = Command::new("kill")
        .args(["-s", name, &child.id().to_string()])
        .status()
        .context("running kill")?;
    ensure!(kill.success(), "kill: {kill}");
    Ok(())
}
