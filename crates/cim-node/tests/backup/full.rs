//! A disk that is full: what was being written is no backup, the older ones stay, and the file is named.
//!
//! Full is a file that may not grow beyond a size (`ulimit -f`), for which nobody needs to be root; and `/dev/full`.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use cim_node::backup::folder::{backups, partials};
use serde_json::{Value, json};

use crate::support::{Said, Site, cluster, one, run, site, tool};

/// What a shell counts files in.
const BLOCK: u64 = 512;

/// Runs a command that may write no file of more than so many bytes.
fn limited(bytes: u64, command: &Command) -> Result<Said> {
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; ulimit -f \"$0\"; exec \"$@\""]);
    shell.arg((bytes / BLOCK).to_string());
    shell.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        shell.env(name, value.context("a value")?);
    }
    Said::of(shell.output()?)
}

fn create(site: &Site) -> Command {
    let mut command = tool(&["create"]);
    command.arg(site.folder());
    command.args(["--server", &site.url(), "--wait", "5"]);
    command
}

/// What is known of the folder of backups.
fn last(site: &Site) -> Result<Value> {
    let text = fs::read_to_string(site.folder().join("last.json"))?;
    Ok(serde_json::from_str(&text)?)
}

/// A run failed at a file: what it wrote is no backup, the one before stays the newest, and the next one is whole.
fn left_alone(site: &Site, before: &Path, said: &Said, file: &str) -> Result<()> {
    said.ended(2, &[file, "File too large", "make room", ".partial"]);
    assert_eq!(backups(&site.folder())?, [before]);
    // What it had written takes no room.
    assert!(partials(&site.folder())?.is_empty());
    run(&["check"], before)?.ended(0, &["whole"]);
    let last = last(site)?;
    let name = before.file_name().context("a name")?.to_string_lossy();
    assert_eq!(last["newest"]["backup"], name.as_ref());
    assert_eq!(last["attempt"]["exit"], 2);
    let told = last["attempt"]["problems"].to_string();
    ensure!(told.contains(file), "{told}");
    site.create(&[])?.ended(0, &[]);
    assert_eq!(backups(&site.folder())?.len(), 2);
    assert_eq!(last_exit(site)?, 0);
    run(&["check"], &site.folder())?.ended(0, &["whole"]);
    Ok(())
}

fn last_exit(site: &Site) -> Result<u64> {
    last(site)?["attempt"]["exit"]
        .as_u64()
        .context("an exit code")
}

/// Files of a backup and their sizes.
fn size(path: &Path) -> Result<u64> {
    Ok(fs::metadata(path)?.len())
}

#[tokio::test]
async fn in_the_middle_of_a_stream() -> Result<()> {
    let site = one()?;
    for name in ["A", "B"] {
        site.stream(name, json!({})).await?;
        site.publish(name, 20, 10).await?;
    }
    let before = site.created()?;
    site.publish("B", 3_000, 10).await?;
    let said = limited(8 * 1024, &create(&site))?;
    left_alone(&site, &before, &said, "streams/B/stream.tar.s2")
}

#[tokio::test]
async fn at_the_manifest() -> Result<()> {
    let site = one()?;
    for number in 0..24 {
        site.stream(&format!("S{number}"), json!({})).await?;
    }
    let before = site.created()?;
    let stream = before.join("streams/S11");
    let largest = size(&stream.join("stream.tar.s2"))?.max(size(&stream.join("backup.json"))?);
    let manifest = size(&before.join("manifest.json"))?;
    let limit = manifest / 2;
    ensure!(
        largest < limit && size(&site.folder().join("last.json"))? * 3 < limit,
        "{largest} {manifest}"
    );
    let said = limited(limit, &create(&site))?;
    left_alone(&site, &before, &said, "manifest.json")
}

/// The backup is whole then; only nobody is told, and that is said.
#[tokio::test]
async fn at_what_is_told_of_it() -> Result<()> {
    let site = one()?;
    site.stream("A", json!({})).await?;
    let before = site.created()?;
    let told = fs::read_to_string(site.folder().join("last.json"))?;
    symlink("/dev/full", site.folder().join("last.new"))?;
    let said = site.create(&[])?;
    said.ended(
        2,
        &[
            "last.json: No space left on device",
            "hears of those before",
            "1 streams",
        ],
    );
    // Half of it does not stand in the old one's place.
    assert_eq!(fs::read_to_string(site.folder().join("last.json"))?, told);
    let all = backups(&site.folder())?;
    ensure!(all.len() == 2 && all[0] == before, "{all:?}");
    for backup in &all {
        run(&["check"], backup)?.ended(0, &["whole"]);
    }
    fs::remove_file(site.folder().join("last.new"))?;
    site.created()?;
    assert_eq!(last_exit(&site)?, 0);
    Ok(())
}

/// A drill that has no room for its server fails, and says so; the backup stays good.
#[tokio::test]
async fn where_a_drill_restores() -> Result<()> {
    let site = one()?;
    site.stream("A", json!({})).await?;
    site.publish("A", 3_000, 100).await?;
    let backup = site.created()?;
    let mut drill = tool(&["drill"]);
    drill.arg(site.folder()).arg("--temp").arg(site.dir.path());
    drill.arg("--nats-server").arg(cim_testkit::nats_server()?);
    let said = limited(64 * 1024, &drill)?;
    said.ended(
        2,
        &["streams/A: did not come back as it was", "file too large"],
    );
    assert_eq!(last(&site)?["drill"]["ok"], false);
    run(&["check"], &backup)?.ended(0, &["whole"]);
    // Not even for the files that it starts with.
    limited(0, &drill)?.ended(2, &["File too large"]);
    ensure!(left_over(site.dir.path())?.is_empty());
    site.drill(&[])?.ended(0, &[]);
    Ok(())
}

/// What drills and restores put there for a while.
fn left_over(folder: &Path) -> Result<Vec<PathBuf>> {
    let all = fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let all = all.collect::<Result<Vec<_>>>()?;
    let ours = |path: &PathBuf| path.to_string_lossy().contains("/cim-");
    Ok(all.into_iter().filter(ours).collect())
}

/// A server that has no room for a stream says so of that one, and the others are restored.
#[tokio::test]
async fn of_the_server_that_is_restored_into() -> Result<()> {
    let source = one()?;
    source.stream("SMALL", json!({})).await?;
    source.publish("SMALL", 5, 10).await?;
    source.stream("BIG", json!({})).await?;
    source.publish("BIG", 3_000, 100).await?;
    let backup = source.created()?;
    let target = site("", ", max_file_store: 65536")?;
    let said = target.restore(&backup, &[])?;
    said.ended(
        2,
        &[
            "streams/BIG: was not restored: nats-server says: insufficient storage",
            "1 streams restored",
        ],
    );
    let again = target.restore(&backup, &["--missing"])?;
    again.ended(2, &["streams/BIG: was not restored", "left alone"]);
    Ok(())
}

/// Half of what is rewritten for fewer servers is not left on a disk that is full.
#[tokio::test]
async fn where_a_snapshot_is_rewritten() -> Result<()> {
    let nodes = cluster().await?;
    let source = &nodes[0];
    source.stream("A", json!({"num_replicas": 3})).await?;
    source
        .consumer("A", "c", json!({"num_replicas": 3}))
        .await?;
    source.publish("A", 1_000, 10).await?;
    let backup = source.created()?;
    let target = one()?;
    let mut restore = tool(&["restore"]);
    restore.arg(&backup).args(["--server", &target.url()]);
    restore.args(["--replicas", "1", "--wait", "5"]);
    restore.env("TMPDIR", target.dir.path());
    let said = limited(2 * 1024, &restore)?;
    said.ended(
        2,
        &[
            "streams/A: was not restored",
            "cim-restore-",
            "File too large",
        ],
    );
    ensure!(left_over(target.dir.path())?.is_empty());
    target
        .restore(&backup, &["--replicas", "1"])?
        .ended(0, &["1 streams restored"]);
    Ok(())
}
