//! A command gets every file; when it fails, that is said, and nothing older goes.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::support::{Site, one};

async fn site() -> Result<Site> {
    let site = one()?;
    site.stream("A", json!({})).await?;
    site.publish("A", 5, 10).await?;
    Ok(site)
}

#[tokio::test]
async fn every_file_reaches_it_under_its_name() -> Result<()> {
    let site = site().await?;
    let there = site.dir.path().join("there");
    let script = "mkdir -p \"$0/$(dirname \"$1\")\" && cat > \"$0/$1\" && test \"$(sha256sum < \"$0/$1\")\" = \"$CIM_BACKUP_SHA256  -\" \
                  && test \"$(stat -c %s \"$0/$1\")\" = \"$CIM_BACKUP_SIZE\" && test \"$1\" = \"$CIM_BACKUP_NAME/$CIM_BACKUP_FILE\"";
    let there_text = there.to_string_lossy().into_owned();
    let args = ["--sink", "sh", "-c", script, &there_text, "{}"];
    site.create(&args)?.ended(0, &["4 files given to sh"]);
    let backup = cim_node::backup::folder::backups(&site.folder())?.remove(0);
    let copy = cim_node::backup::folder::backups(&there)?.remove(0);
    crate::support::run(&["check"], &copy)?.ended(0, &["whole, 1 streams"]);
    assert_eq!(backup.file_name(), copy.file_name());
    Ok(())
}

#[tokio::test]
async fn a_failure_is_named_and_nothing_older_goes() -> Result<()> {
    let site = site().await?;
    site.created()?;
    let args = [
        "--keep",
        "1",
        "--sink",
        "sh",
        "-c",
        "echo no room >&2; exit 7",
    ];
    site.create(&args)?.ended(
        2,
        &[
            "streams/A/backup.json",
            "exit status: 7: no room",
            "the backup itself is whole",
        ],
    );
    assert_eq!(cim_node::backup::folder::backups(&site.folder())?.len(), 2);
    let last: Value = serde_json::from_str(&fs::read_to_string(site.folder().join("last.json"))?)?;
    assert_eq!(last["attempt"]["exit"], 2);
    // A lone ; ends the command.
    let args = ["--sink", "no-such-command-here", ";", "--keep", "1"];
    site.create(&args)?
        .ended(2, &["starting \"no-such-command-here\""]);
    Ok(())
}

/// What makes progress may take as long as it takes.
#[tokio::test]
async fn one_that_is_slow_is_not_one_that_stands_still() -> Result<()> {
    let site = site().await?;
    // Half of what it may stand still, and a bit, twice for one file.
    let script = "case $0 in *.s2) head -c 20 >/dev/null; sleep 1.7; cat >/dev/null; sleep 1.7;; *) cat >/dev/null;; esac";
    let args = ["--sink-timeout", "3", "--sink", "sh", "-c", script, "{}"];
    site.create(&args)?.ended(0, &["4 files given to sh"]);
    Ok(())
}

/// It is killed, though what it started lives on and holds what it spoke through; the backup stays, and older ones.
#[tokio::test]
async fn one_that_stands_still_is_a_failure_that_names_it() -> Result<()> {
    let site = site().await?;
    site.created()?;
    let script = "echo $$ > \"$0\"; sleep 30 & wait";
    let pid = site.dir.path().join("pid").to_string_lossy().into_owned();
    let args = [
        "--keep",
        "1",
        "--sink-timeout",
        "1",
        "--sink",
        "sh",
        "-c",
        script,
        &pid,
    ];
    let since = Instant::now();
    site.create(&args)?.ended(
        2,
        &[
            "streams/A/backup.json",
            "stood still for 1 s (--sink-timeout) and was killed",
            "the backup itself is whole",
        ],
    );
    ensure!(since.elapsed() < Duration::from_secs(15), "{since:?}");
    let pid = fs::read_to_string(&pid)?;
    ensure!(!Path::new("/proc").join(pid.trim()).exists(), "it lives");
    assert_eq!(cim_node::backup::folder::backups(&site.folder())?.len(), 2);
    Ok(())
}
