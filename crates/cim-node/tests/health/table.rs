//! How `cim-health fleet` ends, and that it goes on where it is watched.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::beside::Beside;
use crate::scene::{HUB, LEAF, level, pair};

/// How long anything may take that a test waits for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until it ends so, and its worst server is in that state.
fn ends(hub: &Beside, code: i32, state: &str) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    loop {
        let said = hub.fleet(&["--json"])?;
        let fleet: Value = serde_json::from_str(&said.out).unwrap_or_default();
        let servers = fleet["servers"].as_array();
        let has = servers.is_some_and(|all| all.iter().any(|server| server["state"] == state));
        if has && said.code == code {
            return Ok(());
        }
        ensure!(Instant::now() < until, "not {code}, {state}: {said:?}");
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

#[tokio::test]
async fn it_ends_as_the_worst_of_all_is() -> Result<()> {
    let scene = pair().await?;
    let hub = Beside::start(&scene, HUB)?;
    ends(&hub, 3, "SILENT")?;
    let leaf = Beside::start(&scene, LEAF)?;
    ends(&hub, 0, "OK")?;
    drop(leaf);
    let _leaf = Beside::with(&scene, LEAF, &scene.logins(LEAF)?, |health| {
        health.watch.levels.rtt = level(0, 60_000);
    })?;
    ends(&hub, 1, "WARNING")?;
    let address = hub.address.clone();
    drop(hub);
    let mut command = Command::new(env!("CARGO_BIN_EXE_cim-health"));
    let nobody = command.args(["fleet", "--from", &address]).output()?;
    ensure!(nobody.status.code() == Some(3), "{nobody:?}");
    Ok(())
}

#[tokio::test]
async fn it_shows_the_table_again_until_it_is_stopped() -> Result<()> {
    let scene = pair().await?;
    let hub = Beside::start(&scene, HUB)?;
    hub.says("OK        login CIM-PROD: logged in")?;
    let watch = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cim-health"));
        command.args(["fleet", "--watch", "--from", &hub.address]);
        let command = command.args(words).stdout(Stdio::piped());
        command.stderr(Stdio::piped()).spawn()
    };
    let mut people = watch(&[])?;
    let mut out = BufReader::new(people.stdout.take().context("its output")?);
    for _ in 0..2 {
        // From the top of an empty screen, each time.
        let mut head = String::new();
        while !head.starts_with("\x1b[H\x1b[2Jthe fleet as hub sees it at ") {
            head.clear();
            ensure!(out.read_line(&mut head)? > 0, "it ended");
        }
    }
    let mut programs = watch(&["--json"])?;
    let mut out = BufReader::new(programs.stdout.take().context("its output")?).lines();
    for _ in 0..2 {
        let line = out.next().context("it ended")??;
        let fleet: Value = serde_json::from_str(&line)?;
        ensure!(fleet["server"] == "hub", "{fleet}");
    }
    // Its hub's daemon may be back in a moment.
    drop(hub);
    let mut said = [0; 7];
    let err = programs.stderr.as_mut().context("its words")?;
    err.read_exact(&mut said)?;
    ensure!(&said == b"error: ", "{said:?}");
    for child in [&mut people, &mut programs] {
        ensure!(child.try_wait()?.is_none(), "it ended");
        child.kill()?;
        child.wait()?;
    }
    Ok(())
}
