//! `kill -9` at a bad moment: of `cim-backup` while it takes or restores a backup, of the server while it is restored into.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use cim_node::backup::folder::{backups, partials};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::held::held_of;
use crate::support::{Site, asked, one, run, tool, until};

/// `CIM_KILLS=100` for the long form.
fn kills() -> u32 {
    let kills = std::env::var("CIM_KILLS").ok();
    kills.and_then(|kills| kills.parse().ok()).unwrap_or(3)
}

/// Enough that a snapshot takes a while.
const MESSAGES: usize = 30_000;

/// Within so many microseconds of its first bytes a backup of them is killed, or over.
const MOMENT: u32 = 600_000;

async fn large() -> Result<Site> {
    let site = one()?;
    site.stream(
        "BIG",
        json!({"max_age": 86_400_000_000_000_u64, "allow_direct": true, "metadata": {"owner": "us"}}),
    )
    .await?;
    site.consumer("BIG", "c", json!({})).await?;
    site.publish("BIG", MESSAGES, 500).await?;
    site.consume("BIG", "c", 10, |place| place != 5).await?;
    Ok(site)
}

fn started(site: &Site, what: &str, path: &Path) -> Result<Child> {
    let mut command = tool(&[what]);
    command
        .arg(path)
        .args(["--server", &site.url(), "--wait", "5"]);
    Ok(command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?)
}

#[tokio::test]
async fn while_it_takes_a_backup() -> Result<()> {
    let site = large().await?;
    let (mut round, mut killed) = (0_u32, 0);
    while killed < kills() {
        ensure!(round < 3 * kills(), "{killed} killed in {round} rounds");
        let before = partials(&site.folder()).unwrap_or_default();
        let mut child = started(&site, "create", &site.folder())?;
        let partial = until(async || {
            let partials = partials(&site.folder()).unwrap_or_default();
            let written = |path: &PathBuf| {
                let data = path.join("streams/BIG/stream.tar.s2");
                !before.contains(path) && fs::metadata(data).is_ok_and(|data| data.len() > 0)
            };
            let partial = partials.into_iter().find(written);
            let over = child.try_wait()?.is_some();
            Ok((over || partial.is_some()).then_some(partial))
        })
        .await?;
        let random = round.wrapping_mul(2_654_435_761) >> 8;
        round += 1;
        // The moment is what is random.
        std::thread::sleep(Duration::from_micros(u64::from(random % MOMENT)));
        child.kill()?; // SIGKILL
        let said = child.wait_with_output()?;
        let was_killed = said.status.code().is_none();
        let whole = backups(&site.folder())?;
        // Killed after its last step, it is one that took a backup.
        if let (false, [whole]) = (was_killed && whole.is_empty(), whole.as_slice()) {
            run(&["check"], whole)?.ended(0, &["whole"]);
            fs::remove_dir_all(whole)?;
            continue;
        }
        ensure!(was_killed, "it took no backup: {said:?}");
        let partial = partial.context("it was killed before it had written anything")?;
        killed += 1;
        assert!(whole.is_empty());
        run(&["check"], &partial)?.ended(2, &["was never finished"]);
        run(&["check"], &site.folder())?.ended(2, &["was never finished", "holds no backup"]);
        run(&["restore"], &partial)?.ended(2, &["was never finished"]);
    }
    println!("{killed} killed in {round} rounds");
    site.create(&[])?
        .ended(0, &["was never finished; removed", "1 streams"]);
    assert!(partials(&site.folder())?.is_empty());
    run(&["check"], &site.folder())?.ended(0, &["whole"]);
    Ok(())
}

/// One that takes a backup and stands still meanwhile, so that it cannot be over too early.
async fn halted(site: &Site) -> Result<Child> {
    for _ in 0..TRIES {
        let mut child = started(site, "create", &site.folder())?;
        let under_way = || partials(&site.folder()).is_ok_and(|all| !all.is_empty());
        until(async || Ok((under_way() || child.try_wait()?.is_some()).then_some(()))).await?;
        if child.try_wait()?.is_none() {
            signal(&child, Signal::STOP)?;
            if under_way() {
                return Ok(child);
            }
            signal(&child, Signal::CONT)?;
        }
        ensure!(child.wait()?.success(), "it failed");
    }
    Err(anyhow!("it was too quick {TRIES} times"))
}

/// Another one waits for nobody.
#[tokio::test]
async fn two_at_once_do_not_meet() -> Result<()> {
    let site = large().await?;
    let mut child = halted(&site).await?;
    let said = site.create(&[]);
    signal(&child, Signal::CONT)?;
    let said = said?;
    ensure!(child.wait()?.success(), "the first one failed");
    said.ended(3, &["another cim-backup works in"]);
    run(&["check"], &site.folder())?.ended(0, &["whole"]);
    Ok(())
}

/// How often it is tried to come upon something before it is over.
const TRIES: usize = 10;

fn signal(child: &Child, signal: Signal) -> Result<()> {
    let pid = Pid::from_raw(i32::try_from(child.id())?).context("a process has an id")?;
    kill_process(pid, signal).context("signalling cim-backup")
}

/// A server into which it restores until the stream is there in part: it stands still then, and has not taken off the mark.
async fn half(backup: &Path) -> Result<(Site, Child)> {
    for _ in 0..TRIES {
        let target = one()?;
        let api = target.api().await?;
        let mut child = started(&target, "restore", backup)?;
        let over = until(async || {
            let info = api.find("STREAM.INFO.BIG", &Value::Null).await;
            let info = info.ok().flatten().unwrap_or_default();
            let begun = info["state"]["messages"].as_u64() > Some(0);
            let over = child.try_wait()?.is_some();
            Ok((over || begun).then_some(over))
        })
        .await?;
        if over {
            continue;
        }
        signal(&child, Signal::STOP)?;
        let info = asked(&api, "STREAM.INFO.BIG", &Value::Null).await?;
        let marked = !info["config"]["metadata"]["cim.restoring"].is_null();
        if marked && child.try_wait()?.is_none() {
            return Ok((target, child));
        }
        signal(&child, Signal::CONT)?;
        child.wait()?;
    }
    Err(anyhow!("it was too quick {TRIES} times"))
}

#[tokio::test]
async fn while_it_restores() -> Result<()> {
    let site = large().await?;
    let backup = site.created()?;
    let before = held_of(&site, "BIG").await?;
    let done = AtomicU32::new(0);
    let lane = || -> Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        while done.fetch_add(1, Relaxed) < kills() {
            runtime.block_on(restored_after_a_kill(&backup, &before))?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..LANES.min(kills())).map(|_| scope.spawn(lane)).collect();
        for lane in lanes {
            lane.join().map_err(|_| anyhow!("a lane panicked"))??;
        }
        Ok(())
    })
}

/// So many restores at a time, each into a server of its own: nats-server gives a killed one up only some seconds later.
const LANES: u32 = 6;

async fn restored_after_a_kill(backup: &Path, before: &Value) -> Result<()> {
    let (target, mut child) = half(backup).await?;
    child.kill()?; // SIGKILL
    child.wait()?;
    let api = target.api().await?;
    let info = asked(&api, "STREAM.INFO.BIG", &Value::Null).await?;
    assert_eq!(
        info["config"]["metadata"]["cim.restoring"],
        json!(backup.file_name().context("named")?.to_string_lossy())
    );
    target
        .restore(backup, &[])?
        .ended(0, &["1 streams restored"]);
    assert_eq!(held_of(&target, "BIG").await?, *before);
    let info = asked(&api, "STREAM.INFO.BIG", &Value::Null).await?;
    assert_eq!(info["config"]["metadata"]["owner"], "us");
    assert!(info["config"]["metadata"]["cim.restoring"].is_null());
    // And once it is whole, it is anybody's: nothing goes over it.
    target
        .restore(backup, &[])?
        .ended(2, &["a restore never replaces one"]);
    target
        .restore(backup, &["--missing"])?
        .ended(0, &["is there already; left alone"]);
    Ok(())
}

#[tokio::test]
async fn of_the_server_while_it_is_restored_into() -> Result<()> {
    let site = large().await?;
    let backup = site.created()?;
    let before = held_of(&site, "BIG").await?;
    let (mut target, child) = half(&backup).await?;
    target.kill()?;
    signal(&child, Signal::CONT)?;
    let said = child.wait_with_output()?;
    ensure!(said.status.code() == Some(2), "{said:?}");
    target.start()?;
    target
        .restore(&backup, &[])?
        .ended(0, &["1 streams restored"]);
    assert_eq!(held_of(&target, "BIG").await?, before);
    Ok(())
}

/// What clients stored in a half restored stream is not lost without a word.
#[tokio::test]
async fn messages_in_what_a_killed_restore_left_are_not_removed() -> Result<()> {
    let site = large().await?;
    let backup = site.created()?;
    let (target, mut child) = half(&backup).await?;
    child.kill()?; // SIGKILL
    child.wait()?;
    let client = target.client().await?;
    let api = target.api().await?;
    // Only once the server has given the restore up it takes messages again.
    until(async || {
        let ack = client.request("BIG.1", "new".into()).await.ok();
        let ack: Option<Value> = ack.and_then(|ack| serde_json::from_slice(&ack.payload).ok());
        Ok(ack.filter(|ack| ack["error"].is_null()))
    })
    .await?;
    let before = asked(&api, "STREAM.INFO.BIG", &Value::Null).await?;
    target.restore(&backup, &[])?.ended(
        2,
        &["clients have stored messages since", "nats stream view BIG"],
    );
    let after = asked(&api, "STREAM.INFO.BIG", &Value::Null).await?;
    assert_eq!(before["state"], after["state"]);
    Ok(())
}
