//! Configs that hold secrets, whose digest only the host can compute.

use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};
use rustix::io::Errno;
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::scene::{LEAF, Scene, alone, finding, open};

fn encrypted() -> Result<Scene> {
    let mut spec = open("security-cim-prod-001")?;
    spec["leaf"]["leaf"]["server"]["jetstream"]["encryption"] = json!({
        "keyFile": "/run/secrets/store.key", "prevKeyFile": null, "cipher": "chachapoly",
    });
    alone(&spec)
}

/// What the secrets file holds, and the same with another key.
fn texts(scene: &Scene) -> Result<(String, String)> {
    let path = &scene.health.secrets.as_ref().context("secrets")?.path;
    let before = fs::read_to_string(path)?;
    let other = before.replace(cim_check::STORE_KEY.trim(), "another-key");
    ensure!(before != other, "{path} has another key than the copy's");
    Ok((before, other))
}

/// Writes the secrets file.
fn put(scene: &Scene, text: &str) -> Result<()> {
    let path = &scene.health.secrets.as_ref().context("secrets")?.path;
    fs::write(path, text).context("writing the secrets file")
}

#[test]
fn drift_of_a_secret_is_seen_and_the_secret_is_not() -> Result<()> {
    let mut scene = encrypted()?;
    assert_eq!(scene.health.config_digest, None);
    let drift = Fault {
        check: "config",
        of: "",
        state: "CRITICAL",
        says: &["runs another config than", ": sha256:"],
    };
    let (before, other) = texts(&scene)?;
    drift.seen(
        &mut scene,
        |scene| {
            put(scene, &other)?;
            for form in ["--json", "--nagios", "--openmetrics"] {
                let said = scene.run(&[form])?;
                assert!(!said.out.contains("another-key") && !said.err.contains("another-key"));
            }
            Ok(())
        },
        |scene| put(scene, &before),
    )?;
    let rubbish = Fault {
        state: "UNKNOWN",
        says: &[" -t -c ", " gives no digest"],
        ..drift
    };
    rubbish.seen(
        &mut scene,
        |scene| {
            put(scene, "{ not-a-secret-to-show")?;
            let said = scene.run(&["--json"])?;
            assert!(!said.out.contains("not-a-secret") && !said.err.contains("not-a-secret"));
            Ok(())
        },
        |scene| put(scene, &before),
    )?;
    let no_server = Fault {
        state: "UNKNOWN",
        says: &["/nowhere/nats-server -t -c ", " gives no digest"],
        ..drift
    };
    no_server.seen(
        &mut scene,
        |scene| {
            scene.args = ["--nats-server", "/nowhere/nats-server"]
                .map(str::to_owned)
                .to_vec();
            Ok(())
        },
        |scene| {
            scene.args.clear();
            Ok(())
        },
    )
}

/// A config that never ends: nats-server waits for it as long as it is let.
#[test]
fn a_config_that_cannot_be_read_to_its_end_is_unknown_in_time() -> Result<()> {
    let mut scene = encrypted()?;
    let config = scene.dir.path().join("endless.conf");
    mknodat(CWD, &config, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?;
    scene.health.config = config.to_string_lossy().into_owned();
    let begin = Instant::now();
    let report = scene.report()?;
    let found = finding(&report, "config", "")?;
    ensure!(
        found["state"] == "UNKNOWN" && report["exit"] == 3,
        "{report:#}"
    );
    let message = found["message"].as_str().unwrap_or_default();
    let says = "gives no digest: it did not end in 3 s and was killed";
    ensure!(message.ends_with(says), "{message}");
    // A watchdog waits for 30 s.
    ensure!(
        begin.elapsed() < Duration::from_secs(15),
        "{:?}",
        begin.elapsed()
    );
    // It is gone: nobody reads the config any more.
    let readers = fs::OpenOptions::new()
        .write(true)
        .custom_flags(i32::try_from(OFlags::NONBLOCK.bits())?)
        .open(&config);
    let refused = readers.err().and_then(|error| error.raw_os_error());
    ensure!(refused == Some(Errno::NXIO.raw_os_error()), "{refused:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_cannot_be_decrypted_is_healthz_own_word() -> Result<()> {
    let mut scene = encrypted()?;
    let restart = |scene: &mut Scene| {
        scene.fleet.kill(LEAF)?;
        scene.fleet.start(LEAF)
    };
    let client = scene.fleet.client(LEAF, "graph").await?;
    let stream = r#"{"name": "KEPT", "subjects": ["kept"]}"#;
    let made = client.request("$JS.API.STREAM.CREATE.KEPT", stream.into());
    let made: Value = serde_json::from_slice(&made.await?.payload)?;
    ensure!(made["error"].is_null(), "{made}");
    let lost = Fault {
        check: "healthz",
        of: "",
        state: "CRITICAL",
        says: &["nats-server says: "],
    };
    let (before, other) = texts(&scene)?;
    lost.seen(
        &mut scene,
        |scene| {
            put(scene, &other)?;
            restart(scene)
        },
        |scene| {
            put(scene, &before)?;
            restart(scene)
        },
    )
}
