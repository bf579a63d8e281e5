//! The server itself: there, this very one, on the config that was deployed, with JetStream.

use anyhow::{Context, Result};
use cim_testkit::{golden, plan};
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::scene::{HUB, LEAF, Scene, alone, level, pair};

const SERVER: Fault = Fault {
    check: "server",
    of: "",
    state: "UNKNOWN",
    says: &[],
};

fn leaf() -> Result<Scene> {
    alone(&golden("security-cim-prod-001")?)
}

#[tokio::test]
async fn a_dead_server_is_unknown_and_all_the_rest_because_of_it() -> Result<()> {
    let mut scene = pair().await?;
    let dead = Fault {
        says: &["the server does not answer", "refused"],
        ..SERVER
    };
    dead.seen(
        &mut scene,
        |scene| scene.fleet.kill(LEAF),
        |scene| scene.fleet.start(LEAF),
    )
}

#[tokio::test]
async fn a_frozen_server_is_unknown() -> Result<()> {
    let mut scene = leaf()?;
    let frozen = Fault {
        says: &["the server does not answer", "timeout"],
        ..SERVER
    };
    frozen.seen(&mut scene, |scene| scene.freeze(LEAF), Scene::thaw)
}

#[tokio::test]
async fn another_server_on_the_port_is_unknown() -> Result<()> {
    let mut scene = pair().await?;
    let own = scene.health.monitor.clone();
    let other = Fault {
        says: &["is answered by \"hub\", another server than \"cim-prod-001\""],
        ..SERVER
    };
    other.seen(
        &mut scene,
        |scene| {
            scene.health.monitor = scene.fleet.health(HUB)?.monitor;
            Ok(())
        },
        |scene| {
            scene.health.monitor.clone_from(&own);
            Ok(())
        },
    )
}

#[test]
fn a_config_that_was_not_taken_over_is_drift() -> Result<()> {
    let mut scene = leaf()?;
    let mut changed = golden("security-cim-prod-001")?;
    changed["leaf"]["leaf"]["server"]["limits"]["maxPayload"] = json!("2MiB");
    let drift = Fault {
        check: "config",
        of: "",
        state: "CRITICAL",
        says: &["runs another config than", "nats.conf: sha256:"],
    };
    drift.seen(
        &mut scene,
        |scene| {
            scene.fleet.rewrite(LEAF, plan(&changed)?)?;
            scene.health.config_digest = scene.fleet.health(LEAF)?.config_digest;
            Ok(())
        },
        |scene| scene.reload(LEAF),
    )
}

#[test]
fn jetstream_that_is_off_is_critical() -> Result<()> {
    let spec = golden("security-cim-prod-001")?;
    let mut scene = alone(&spec)?;
    let mut without = spec.clone();
    without["leaf"]["leaf"]["server"]["jetstream"]["enable"] = json!(false);
    let accounts = without.pointer_mut("/leaf/leaf/accounts");
    for account in accounts
        .and_then(Value::as_object_mut)
        .context("accounts")?
        .values_mut()
    {
        account["jetstream"]["enable"] = json!(false);
    }
    let restart = |scene: &mut Scene, spec: &Value| {
        scene.fleet.rewrite(LEAF, plan(spec)?)?;
        // Only JetStream is to be wrong.
        let health = scene.fleet.health(LEAF)?;
        scene.health.config_digest = health.config_digest;
        // Programs that need JetStream have no keys without it.
        cim_node::secrets::write(&health.secrets.context("keys")?)?;
        scene.fleet.kill(LEAF)?;
        scene.fleet.start(LEAF)
    };
    let off = Fault {
        check: "jetstream",
        of: "",
        state: "CRITICAL",
        says: &["JetStream is off"],
    };
    off.seen(
        &mut scene,
        |scene| restart(scene, &without),
        |scene| restart(scene, &spec),
    )
}

#[test]
fn clocks_that_differ_are_seen() -> Result<()> {
    let mut scene = leaf()?;
    let levels = scene.health.watch.levels.clock;
    let apart = Fault {
        check: "clock",
        of: "",
        state: "CRITICAL",
        says: &["the server's clock is 0.", " s from the host's"],
    };
    apart.seen(
        &mut scene,
        |scene| {
            scene.health.watch.levels.clock = level(0, 0);
            Ok(())
        },
        |scene| {
            scene.health.watch.levels.clock = levels;
            Ok(())
        },
    )
}

#[test]
fn a_full_disk_is_seen_and_one_that_is_not_there() -> Result<()> {
    let mut scene = leaf()?;
    let watch = scene.health.watch.clone();
    let full = Fault {
        check: "disk",
        of: "",
        state: "WARNING",
        says: &[" used: ", " %"],
    };
    full.seen(
        &mut scene,
        |scene| {
            scene.health.watch.levels.disk = level(0, 101);
            Ok(())
        },
        |scene| {
            scene.health.watch.clone_from(&watch);
            Ok(())
        },
    )?;
    let gone = Fault {
        state: "UNKNOWN",
        says: &["looking at /nowhere/store", "No such file"],
        ..full
    };
    gone.seen(
        &mut scene,
        |scene| {
            let jetstream = scene.health.watch.jetstream.as_mut();
            jetstream.context("JetStream")?.store_dir = "/nowhere/store".to_owned();
            Ok(())
        },
        |scene| {
            scene.health.watch.clone_from(&watch);
            Ok(())
        },
    )
}
