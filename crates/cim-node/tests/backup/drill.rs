//! The drill passes on what comes back, fails on what does not, and leaves nothing behind.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::keep::rewritten;
use crate::support::{Said, Site, one, tool, until};

async fn site() -> Result<(Site, PathBuf)> {
    let site = one()?;
    site.stream("A", json!({})).await?;
    site.stream("OTHER", json!({"subjects": ["A"]})).await?;
    site.consumer("A", "c", json!({"filter_subject": "A.3"}))
        .await?;
    site.publish("A", 50, 10).await?;
    site.consume("A", "c", 4, |place| place != 1).await?;
    let backup = site.created()?;
    Ok((site, backup))
}

fn result(site: &Site, backup: &Path) -> Result<Value> {
    let read =
        |path: PathBuf| -> Result<Value> { Ok(serde_json::from_str(&fs::read_to_string(path)?)?) };
    let drill = read(backup.join("drill.json"))?;
    assert_eq!(read(site.folder().join("last.json"))?["drill"], drill);
    Ok(drill)
}

/// Folders of throwaway servers.
fn left(site: &Site) -> Result<Vec<String>> {
    let names = fs::read_dir(site.dir.path())?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let names: Result<Vec<String>> = names.collect();
    Ok(names?
        .into_iter()
        .filter(|name| name.starts_with("cim-drill"))
        .collect())
}

#[tokio::test]
async fn it_passes_and_says_so_where_health_looks() -> Result<()> {
    let (site, backup) = site().await?;
    site.drill(&[])?
        .ended(0, &["2 of 2 streams came back whole"]);
    let drill = result(&site, &backup)?;
    assert_eq!(drill["ok"], true);
    assert_eq!(
        drill["backup"],
        json!(
            backup
                .file_name()
                .context("it has a name")?
                .to_string_lossy()
        )
    );
    crate::support::run(&["check"], &backup)?.ended(0, &[]);
    crate::support::run(&["list"], &site.folder())?.ended(0, &["passed"]);
    assert!(left(&site)?.is_empty());
    Ok(())
}

/// As if the server gave back less than it took: each number that is compared.
#[tokio::test]
async fn it_fails_on_anything_that_is_not_as_it_was() -> Result<()> {
    let (site, backup) = site().await?;
    type Change = fn(&mut cim_node::backup::contents::Contents);
    let changes: [(&str, Change); 10] = [
        ("messages is 50 instead of 51", |one| one.messages = 51),
        ("first sequence is 1 instead of 2", |one| one.first_seq = 2),
        ("last sequence is 50 instead of 60", |one| one.last_seq = 60),
        ("deleted is 0 instead of 3", |one| one.deleted = 3),
        ("its messages are others", |one| {
            one.digest = Some("00".to_owned())
        }),
        ("consumer d is missing", |one| {
            let position = one.consumers["c"].clone();
            one.consumers.insert("d".to_owned(), position);
        }),
        ("consumer c: delivered is 34 instead of 35", |one| {
            if let Some(c) = one.consumers.get_mut("c") {
                c.delivered.stream_seq = 35
            }
        }),
        ("consumer c: ack floor is 13 instead of 14", |one| {
            if let Some(c) = one.consumers.get_mut("c") {
                c.ack_floor.stream_seq = 14
            }
        }),
        ("consumer c: ack pending is 1 instead of 2", |one| {
            if let Some(c) = one.consumers.get_mut("c") {
                c.ack_pending = 2
            }
        }),
        ("consumer c: pending is 1 instead of 9", |one| {
            if let Some(c) = one.consumers.get_mut("c") {
                c.pending = Some(9)
            }
        }),
    ];
    for (words, change) in changes {
        let before = fs::read_to_string(backup.join("manifest.json"))?;
        let sums = fs::read_to_string(backup.join("SHA256SUMS"))?;
        rewritten(&backup, |manifest| {
            if let Some(stream) = manifest.streams.get_mut("A") {
                change(&mut stream.contents);
            }
        })?;
        site.drill(&[])?
            .ended(2, &["streams/A: did not come back as it was", words]);
        let drill = result(&site, &backup)?;
        assert_eq!(drill["ok"], false, "{words}");
        assert_eq!(drill["problems"][0]["place"], "streams/A");
        fs::write(backup.join("manifest.json"), before)?;
        fs::write(backup.join("SHA256SUMS"), sums)?;
    }
    site.drill(&[])?.ended(0, &[]);
    Ok(())
}

#[tokio::test]
async fn it_fails_on_damage_and_on_a_missing_server() -> Result<()> {
    let (site, backup) = site().await?;
    site.drill(&["--nats-server", "/no/such/nats-server"])?
        .ended(3, &["the throwaway server", "--nats-server"]);
    site.drill(&["--nats-server", "true"])?
        .ended(3, &["does not run"]);
    assert_eq!(result(&site, &backup)?["ok"], false);
    fs::write(backup.join("streams/A/stream.tar.s2"), "")?;
    site.drill(&[])?.ended(2, &["stream.tar.s2: is cut"]);
    assert_eq!(result(&site, &backup)?["ok"], false);
    assert!(left(&site)?.is_empty());
    fs::remove_dir_all(&backup)?;
    site.drill(&[])?.ended(2, &["holds no backup"]);
    Ok(())
}

/// Its server ends, and its folder goes, also when it is killed.
#[tokio::test]
async fn nothing_is_left_when_it_is_killed() -> Result<()> {
    let (site, _) = site().await?;
    for stream in ["BIG", "BIGGER"] {
        site.stream(stream, json!({})).await?;
        site.publish(stream, 20_000, 200).await?;
    }
    site.created()?;
    let drill = || -> Result<Child> {
        let mut command = tool(&["drill"]);
        command.arg(site.folder()).arg("--temp");
        command.arg(site.dir.path()).arg("--nats-server");
        command.arg(cim_testkit::nats_server()?);
        let command = command.stdout(Stdio::null()).stderr(Stdio::null());
        Ok(command.spawn()?)
    };
    let mut child = drill()?;
    let server = until(async || {
        // Seen too late, it is come upon another time.
        if child.try_wait()?.is_some() {
            child = drill()?;
        }
        let found = left(&site)?.first().and_then(|name| {
            let files = fs::read_dir(site.dir.path().join(name)).ok()?.flatten();
            let mut names = files.map(|entry| entry.file_name().to_string_lossy().into_owned());
            let ports = names.find(|name| name.ends_with(".ports"))?;
            Some(
                ports
                    .trim_end_matches(".ports")
                    .rsplit('_')
                    .next()?
                    .to_owned(),
            )
        });
        Ok(found)
    })
    .await?;
    child.kill()?; // SIGKILL
    child.wait()?;
    until(async || Ok(left(&site)?.is_empty().then_some(()))).await?;
    let process = PathBuf::from(format!("/proc/{server}"));
    until(async || Ok((!process.exists()).then_some(()))).await?;
    let said = Said::of(
        tool(&["drill"])
            .arg(site.folder())
            .args(["--nats-server"])
            .arg(cim_testkit::nats_server()?)
            .output()?,
    )?;
    said.ended(0, &["4 of 4"]);
    Ok(())
}
