//! A byte that flips, a file that is cut, missing or somebody else's: it is said which, and nothing is restored from it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::json;

use crate::support::{Site, one, run};

/// How many places of each file.
const PLACES: usize = 12;

async fn backed_up() -> Result<(Site, PathBuf)> {
    let site = one()?;
    for name in ["A", "B"] {
        site.stream(name, json!({})).await?;
        site.consumer(name, "c", json!({})).await?;
        site.publish(name, 200, 100).await?;
    }
    let backup = site.created()?;
    Ok((site, backup))
}

fn files(backup: &Path) -> Vec<PathBuf> {
    let mut files = vec![backup.join("manifest.json"), backup.join("SHA256SUMS")];
    for stream in ["A", "B"] {
        let folder = backup.join("streams").join(stream);
        files.extend(["backup.json", "stream.tar.s2"].map(|name| folder.join(name)));
    }
    files
}

/// It is refused, by the file's name, and nothing comes of it.
fn refused(target: &Site, backup: &Path, file: &Path, how: &str) -> Result<()> {
    let folder = backup.parent().context("a backup is in a folder")?;
    let name = file
        .file_name()
        .context("a file has a name")?
        .to_string_lossy();
    for said in [
        run(&["check"], backup)?,
        run(&["check"], folder)?,
        target.restore(backup, &[])?,
    ] {
        assert_eq!(said.code, 2, "{how} of {}: {said:?}", file.display());
        assert!(
            said.err.contains(name.as_ref()),
            "{how} of {}: {said:?}",
            file.display()
        );
        let streams = target.dir.path().join("js/jetstream/$G/streams");
        let made = fs::read_dir(&streams).map_or(0, |all| all.flatten().count());
        assert_eq!(made, 0, "{how} of {} restored something", file.display());
    }
    Ok(())
}

#[tokio::test]
async fn a_flipped_byte_anywhere_is_named() -> Result<()> {
    let (_site, backup) = backed_up().await?;
    let target = one()?;
    // Splitmix64: the places are others for each file, and the same in each run.
    let mut state = 0x1_2345_u64;
    let mut random = move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ (mixed >> 27)
    };
    for file in files(&backup) {
        let whole = fs::read(&file)?;
        for _ in 0..PLACES {
            let mut bytes = whole.clone();
            let place = usize::try_from(random())? % bytes.len();
            bytes[place] ^= 1 << (random() % 8);
            fs::write(&file, &bytes)?;
            refused(&target, &backup, &file, &format!("flip at {place}"))?;
        }
        fs::write(&file, &whole)?;
    }
    run(&["check"], &backup)?.ended(0, &[]);
    target
        .restore(&backup, &[])?
        .ended(0, &["2 streams restored"]);
    Ok(())
}

#[tokio::test]
async fn a_file_that_is_cut_grown_or_missing_is_named() -> Result<()> {
    let (_site, backup) = backed_up().await?;
    let target = one()?;
    for file in files(&backup) {
        let whole = fs::read(&file)?;
        for length in [0, 1, whole.len() / 2, whole.len() - 1] {
            fs::write(&file, &whole[..length])?;
            refused(&target, &backup, &file, &format!("cut at {length}"))?;
        }
        fs::write(&file, [&whole[..], b"\0"].concat())?;
        refused(&target, &backup, &file, "one byte more")?;
        fs::remove_file(&file)?;
        refused(&target, &backup, &file, "removal")?;
        fs::write(&file, &whole)?;
    }
    run(&["check"], &backup)?.ended(0, &[]);
    Ok(())
}

/// Damage to one stream is no reason to leave the others.
#[tokio::test]
async fn what_is_whole_of_a_damaged_backup_can_be_chosen() -> Result<()> {
    let (_site, backup) = backed_up().await?;
    let target = one()?;
    fs::remove_file(backup.join("streams/A/stream.tar.s2"))?;
    target
        .restore(&backup, &["--stream", "A", "B"])?
        .ended(2, &["A/stream.tar.s2: is missing"]);
    target
        .restore(&backup, &["--stream", "B"])?
        .ended(0, &["1 streams restored"]);
    Ok(())
}

/// `sha256sum` can do without us.
#[tokio::test]
async fn sha256sum_reads_the_sums() -> Result<()> {
    let (_site, backup) = backed_up().await?;
    let check = || {
        let mut command = std::process::Command::new("sha256sum");
        command
            .args(["--check", "--strict", "SHA256SUMS"])
            .current_dir(&backup)
            .output()
    };
    let said = check()?;
    assert!(said.status.success(), "{said:?}");
    assert_eq!(String::from_utf8(said.stdout)?.lines().count(), 5);
    fs::write(backup.join("streams/A/backup.json"), "{}")?;
    assert!(!check()?.status.success());
    Ok(())
}
