//! Older backups go as told: never the newest good one, nothing damaged, nothing of somebody else's.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use cim_node::backup::folder::backups;
use cim_node::backup::manifest::Manifest;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{Site, one, run};

async fn with(count: usize) -> Result<(Site, Vec<PathBuf>)> {
    let site = one()?;
    site.stream("A", json!({})).await?;
    site.publish("A", 5, 10).await?;
    for _ in 0..count {
        site.created()?;
    }
    let all = backups(&site.folder())?;
    assert_eq!(all.len(), count);
    Ok((site, all))
}

/// Changes what a manifest says, as if it had been written so.
pub fn rewritten(backup: &Path, change: impl FnOnce(&mut Manifest)) -> Result<()> {
    let (mut manifest, _) =
        Manifest::read(backup).map_err(|problem| anyhow::anyhow!("{problem}"))?;
    change(&mut manifest);
    let text = serde_json::to_string_pretty(&manifest)?;
    fs::write(
        backup.join("SHA256SUMS"),
        manifest.sums(&format!("{:x}", Sha256::digest(&text))),
    )?;
    Ok(fs::write(backup.join("manifest.json"), text)?)
}

#[tokio::test]
async fn so_many_of_the_newest_stay() -> Result<()> {
    let (site, all) = with(4).await?;
    site.create(&["--keep", "2"])?
        .ended(0, &["removed, as --keep says"]);
    let left = backups(&site.folder())?;
    assert_eq!(left.len(), 2);
    assert_eq!(left[0], all[3]);
    Ok(())
}

#[tokio::test]
async fn what_either_says_stays() -> Result<()> {
    let (site, all) = with(3).await?;
    let old = |manifest: &mut Manifest| manifest.start = "2020-01-01T00:00:00Z".to_owned();
    rewritten(&all[0], old)?;
    rewritten(&all[1], old)?;
    site.create(&["--keep-days", "30", "--keep", "3"])?
        .ended(0, &[]);
    assert_eq!(
        backups(&site.folder())?.len(),
        3,
        "the third newest is old, and among three"
    );
    site.create(&["--keep-days", "30"])?.ended(0, &[]);
    let left = backups(&site.folder())?;
    assert_eq!(left.len(), 3);
    assert!(!left.contains(&all[1]));
    Ok(())
}

#[tokio::test]
async fn the_last_good_one_damaged_ones_and_strangers_stay() -> Result<()> {
    let (site, all) = with(3).await?;
    fs::write(all[0].join("notes.txt"), "somebody else's")?;
    fs::remove_file(all[1].join("streams/A/stream.tar.s2"))?;
    fs::create_dir(site.folder().join("20200101T000000.000Z"))?;
    fs::create_dir(site.folder().join("ours"))?;
    // The server is gone: nothing new comes, so nothing old goes.
    let mut gone = site;
    gone.kill()?;
    gone.create(&["--keep", "1", "--wait", "0"])?.ended(3, &[]);
    assert_eq!(backups(&gone.folder())?.len(), 4);
    gone.start()?;
    gone.create(&["--keep", "1"])?.ended(
        1,
        &["notes.txt", "stream.tar.s2 is missing", "remove it by hand"],
    );
    let left = backups(&gone.folder())?;
    assert_eq!(left.len(), 4, "{left:?}");
    assert!(!left.contains(&all[2]) && left.contains(&all[0]) && left.contains(&all[1]));
    assert!(gone.folder().join("ours").exists());
    Ok(())
}

/// A stream that nobody removed on purpose is said to be gone.
#[tokio::test]
async fn a_stream_that_the_backup_before_had_is_missed() -> Result<()> {
    let (site, _) = with(1).await?;
    site.stream("B", json!({})).await?;
    let api = site.api().await?;
    crate::support::asked(&api, "STREAM.DELETE.A", &Value::Null).await?;
    site.create(&[])?.ended(1, &["streams/A: is in the backup"]);
    site.create(&[])?.ended(0, &[]);
    run(&["list"], &site.folder())?.ended(0, &["BACKUP", "whole"]);
    Ok(())
}
