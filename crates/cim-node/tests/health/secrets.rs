//! Configs that hold secrets, whose digest only the host can compute.

use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::scene::{LEAF, Scene, alone, open};

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
