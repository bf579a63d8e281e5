//! Backups that are missing, old, failing or damaged: taken by the real `cim-backup` from the server that is watched.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use cim_node::backup::status::rfc3339;
use cim_spec::artefact::WatchedBackup;
use cim_testkit::nats_server;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use crate::assets::{ACCOUNT, make, publish};
use crate::fault::{Fault, well};
use crate::scene::{LEAF, Said, Scene, alone, finding, open};

const BACKUP: Fault = Fault {
    check: "backup",
    of: ACCOUNT,
    state: "WARNING",
    says: &[],
};

const DRILL: Fault = Fault {
    check: "drill",
    ..BACKUP
};

/// Where the backups of a scene are.
struct Place {
    folder: PathBuf,
    status: PathBuf,
    seed: PathBuf,
    temp: PathBuf,
}

/// A leaf with a stream that is backed up and drilled; the first backup is still to come.
async fn scene() -> Result<(Scene, Place)> {
    let mut scene = alone(&open("security-cim-prod-001")?)?;
    let client = scene.fleet.client(LEAF, "graph").await?;
    make(
        &client,
        &json!({"name": "KEPT", "subjects": ["domain.kept"]}),
    )
    .await?;
    publish(&client, "domain.kept", 7).await?;
    let at = |name: &str| scene.dir.path().join(name);
    let place = Place {
        folder: at("backups"),
        status: at("status.json"),
        seed: at("graph.nk"),
        temp: at("drills"),
    };
    fs::write(&place.seed, scene.fleet.seed(LEAF, "graph")?)?;
    fs::create_dir(&place.temp)?;
    scene.health.watch.backups = vec![WatchedBackup {
        account: ACCOUNT.to_owned(),
        status: place.status.to_string_lossy().into_owned(),
        drill: true,
    }];
    Ok((scene, place))
}

/// `cim-backup create` from the scene's server, or from wherever else.
fn create(scene: &Scene, place: &Place, server: Option<&str>) -> Result<Said> {
    let member = scene.fleet.member(LEAF)?;
    let url = server.map_or_else(|| member.url(), str::to_owned);
    let mut command = Command::new(env!("CARGO_BIN_EXE_cim-backup"));
    command.arg("create").arg(&place.folder);
    command.args(["--server", &url, "--wait", "0"]);
    command.arg("--nkey-seed").arg(&place.seed);
    command.arg("--ca").arg(scene.fleet.ca_file());
    command
        .arg("--certificate")
        .arg(member.dir().join("cert.pem"));
    command.arg("--key").arg(member.dir().join("key.pem"));
    command.arg("--status").arg(&place.status);
    Said::of(command.output()?)
}

fn drill(place: &Place) -> Result<Said> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cim-backup"));
    command.arg("drill").arg(&place.folder);
    command.arg("--nats-server").arg(nats_server()?);
    command.arg("--temp").arg(&place.temp);
    command.arg("--status").arg(&place.status);
    Said::of(command.output()?)
}

/// A backup that was tried: all is well.
fn backed_up(scene: &Scene, place: &Place) -> Result<()> {
    let said = create(scene, place, None)?;
    ensure!(said.code == 0, "{said:?}");
    let said = drill(place)?;
    ensure!(said.code == 0, "{said:?}");
    Ok(())
}

/// The status with another value at a pointer.
fn changed(file: &Path, at: &str, value: Value) -> Result<()> {
    let mut status: Value = serde_json::from_slice(&fs::read(file)?)?;
    *status.pointer_mut(at).with_context(|| at.to_owned())? = value;
    Ok(fs::write(file, status.to_string())?)
}

fn ago(time: Duration) -> Value {
    json!(rfc3339(OffsetDateTime::now_utc() - time))
}

#[tokio::test(flavor = "multi_thread")]
async fn backups_that_are_missing_old_or_fail() -> Result<()> {
    let (mut scene, place) = scene().await?;
    backed_up(&scene, &place)?;
    let whole = fs::read(&place.status)?;
    let back = || Ok(fs::write(&place.status, &whole)?);
    let none = Fault {
        says: &["there is no good backup yet"],
        ..BACKUP
    };
    none.seen(
        &mut scene,
        |_| Ok(fs::remove_file(&place.status)?),
        |scene| backed_up(scene, &place),
    )?;
    for (hours, state, says) in [
        (27, "WARNING", "began 27 hours ago: 1 streams, 7 messages"),
        (51, "CRITICAL", "began 2 days ago: 1 streams, 7 messages"),
    ] {
        let old = Fault {
            state,
            says: &["the newest good one", says],
            ..BACKUP
        };
        old.seen(
            &mut scene,
            |_| changed(&place.status, "/newest/start", ago(Duration::hours(hours))),
            |scene| backed_up(scene, &place),
        )?;
    }
    let fails = Fault {
        says: &["the last try, ", "failed; the newest good one began "],
        ..BACKUP
    };
    fails.seen(
        &mut scene,
        |scene| {
            let said = create(scene, &place, Some("nats://127.0.0.1:1"))?;
            ensure!(said.code == 3, "{said:?}");
            Ok(())
        },
        |scene| backed_up(scene, &place),
    )?;
    let future = Fault {
        state: "UNKNOWN",
        says: &["the newest backup began at ", "which is still to come"],
        ..BACKUP
    };
    future.seen(
        &mut scene,
        |_| changed(&place.status, "/newest/start", ago(Duration::hours(-2))),
        |_| back(),
    )?;
    for (text, says) in [("{\"newest\": ", "EOF while parsing"), ("[]", "invalid ")] {
        let unreadable = Fault {
            state: "UNKNOWN",
            says: &["status.json is no status of backups", says],
            ..BACKUP
        };
        unreadable.seen(
            &mut scene,
            |_| Ok(fs::write(&place.status, text)?),
            |_| back(),
        )?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn drills_that_are_missing_old_or_fail() -> Result<()> {
    let (mut scene, place) = scene().await?;
    backed_up(&scene, &place)?;
    let never = Fault {
        says: &["no backup was ever tried"],
        ..DRILL
    };
    never.seen(
        &mut scene,
        |_| changed(&place.status, "/drill", Value::Null),
        |_| drill(&place).map(drop),
    )?;
    for (hours, state, says) in [
        (27, "WARNING", "27 hours ago"),
        (51, "CRITICAL", "2 days ago"),
    ] {
        let old = Fault {
            state,
            says: &[" came back whole ", says],
            ..DRILL
        };
        old.seen(
            &mut scene,
            |_| changed(&place.status, "/drill/at", ago(Duration::hours(hours))),
            |_| drill(&place).map(drop),
        )?;
    }
    let damaged = Fault {
        state: "CRITICAL",
        says: &[
            "the drill ",
            " ago failed: 1 thing of ",
            " did not come back as it was",
        ],
        ..DRILL
    };
    damaged.seen(
        &mut scene,
        |_| {
            damage(&place.folder)?;
            let said = drill(&place)?;
            ensure!(said.code == 2, "{said:?}");
            Ok(())
        },
        |scene| backed_up(scene, &place),
    )
}

/// Changes a byte in the largest file of a stream in the newest backup.
fn damage(folder: &Path) -> Result<()> {
    let mut largest: Option<(u64, PathBuf)> = None;
    let newest = cim_node::backup::folder::backups(folder)?.pop();
    let mut folders = vec![newest.context("a backup")?.join("streams")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let (path, about) = entry.and_then(|entry| Ok((entry.path(), entry.metadata()?)))?;
            match about.is_dir() {
                true => folders.push(path),
                false => largest = largest.max(Some((about.len(), path))),
            }
        }
    }
    let (_, path) = largest.context("a file")?;
    let mut bytes = fs::read(&path)?;
    let middle = bytes.len() / 2;
    *bytes.get_mut(middle).context("a byte")? ^= 1;
    Ok(fs::write(&path, bytes)?)
}

/// A host that is new has no backup yet, and says so; one that runs for longer than the level should have had one.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_never_backed_up_is_seen() -> Result<()> {
    let (mut scene, place) = scene().await?;
    let says = |report: &Value, state: &str| {
        let found = finding(report, "backup", ACCOUNT)?;
        ensure!(found["state"] == state, "{found:#}");
        ensure!(
            found["message"] == "there is no good backup yet",
            "{found:#}"
        );
        let later = report["later"].to_string();
        ensure!(later.contains("there is no backup yet that could be tried"));
        finding(report, "drill", ACCOUNT).err().context("a drill")
    };
    says(&scene.report()?, "WARNING")?;
    // One that fails leaves its word, and no backup.
    let said = create(&scene, &place, Some("nats://127.0.0.1:1"))?;
    ensure!(said.code == 3, "{said:?}");
    let found = scene.report()?;
    let found = finding(&found, "backup", ACCOUNT)?;
    let message = found["message"].to_string();
    ensure!(
        message.contains(" ago, failed; there is no good backup yet"),
        "{message}"
    );
    fs::remove_file(&place.status)?;
    scene.health.watch.levels.backup = crate::scene::level(0, 0);
    let report = scene.report()?;
    says(&report, "CRITICAL")?;
    ensure!(report["exit"] == 2, "{report:#}");
    // The drill waits for a backup that is too old; one that failed is said beside it.
    backed_up(&scene, &place)?;
    let report = scene.report()?;
    let found = finding(&report, "drill", ACCOUNT)?;
    ensure!(found["because"] == "backup CIM-PROD", "{found:#}");
    changed(&place.status, "/drill/ok", json!(false))?;
    let found = scene.report()?;
    let found = finding(&found, "drill", ACCOUNT)?;
    ensure!(
        found["state"] == "CRITICAL" && found["because"].is_null(),
        "{found:#}"
    );
    Ok(())
}

/// Everybody may read how the backups are, and nothing of what is in them.
#[tokio::test(flavor = "multi_thread")]
async fn the_status_is_for_everybody_and_tells_no_contents() -> Result<()> {
    let (scene, place) = scene().await?;
    backed_up(&scene, &place)?;
    damage(&place.folder)?;
    let said = drill(&place)?;
    ensure!(said.code == 2 && said.err.contains("KEPT"), "{said:?}");
    let mode =
        |path: &Path| Ok::<_, std::io::Error>(fs::metadata(path)?.permissions().mode() & 0o777);
    ensure!(mode(&place.status)? == 0o644, "{:o}", mode(&place.status)?);
    ensure!(mode(&place.folder)? == 0o700, "{:o}", mode(&place.folder)?);
    let text = fs::read_to_string(&place.status)?;
    ensure!(!text.contains("KEPT") && !text.contains("kept"), "{text}");
    let status: Value = serde_json::from_str(&text)?;
    ensure!(status["drill"]["problems"] == 1, "{status:#}");
    ensure!(status["newest"]["messages"] == 7, "{status:#}");
    scene.report().map(drop)
}

/// What the clock says of an age is nothing while the clock itself is in doubt.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_was_set_makes_ages_unknown() -> Result<()> {
    let (mut scene, place) = scene().await?;
    backed_up(&scene, &place)?;
    well(&scene)?;
    scene.health.config = "unused".to_owned();
    let health = &scene.health;
    let mut looker = cim_node::health::look::Looker::new(nats_server()?);
    looker.look(health);
    let later = OffsetDateTime::now_utc() + Duration::HOUR;
    let look = looker.look_at(health, std::time::Instant::now(), later);
    let report = cim_node::health::judge::judge(health, &look, None);
    for check in ["backup", "drill"] {
        let found = report.findings.iter().find(|found| found.check == check);
        let verdict = &found.context("no finding")?.verdict;
        ensure!(verdict.because.as_deref() == Some("clock"), "{verdict:?}");
    }
    Ok(())
}
