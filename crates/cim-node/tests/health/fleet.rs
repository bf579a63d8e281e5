//! The table of all hubs and leaves.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use cim_node::health::fleet::{Fleet, text};
use serde_json::{Value, json};

use crate::assets::{consume, make, publish};
use crate::beside::Beside;
use crate::scene::{HUB, LEAF, Scene, level, open, prepared};

/// How long anything may take that a test waits for.
const PATIENCE: Duration = Duration::from_secs(30);

/// The pair's leaf by another name.
fn leaf(name: &str) -> Result<Value> {
    let text = open("security-cim-prod-001")?.to_string();
    Ok(serde_json::from_str(&text.replace(LEAF, name))?)
}

/// The pair's hub, whose fleet has these leaves too.
fn hub(more: &[&str]) -> Result<Value> {
    let mut hub = open("security-hub")?;
    let leaves = hub.pointer_mut("/hub/fleet/leaves").context("leaves")?;
    for name in more {
        let text = leaves[LEAF].to_string();
        leaves[name] = serde_json::from_str(&text.replace(LEAF, name))?;
    }
    Ok(hub)
}

/// Waits until the table is as it should be.
pub fn until(hub: &Beside, is: impl Fn(&Value) -> Result<()>) -> Result<Value> {
    let until = Instant::now() + PATIENCE;
    loop {
        let said = hub.fleet(&["--json"])?;
        let fleet: Value = serde_json::from_str(&said.out).unwrap_or_default();
        let seen = is(&fleet);
        if seen.is_ok() || Instant::now() >= until {
            return seen.map(|()| fleet).with_context(|| format!("{said:?}"));
        }
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

/// The table has these servers in these states, and no others.
pub fn states(fleet: &Value, wanted: &[(&str, &str)]) -> Result<()> {
    let rows = fleet["servers"].as_array().context("no servers")?;
    let found: Vec<_> = rows
        .iter()
        .map(|row| (row["server"].as_str(), row["state"].as_str()))
        .collect();
    let wanted: Vec<_> = wanted
        .iter()
        .map(|(server, state)| (Some(*server), Some(*state)))
        .collect();
    ensure!(found == wanted, "{found:?}");
    Ok(())
}

#[tokio::test]
async fn one_is_well_one_is_not_one_says_nothing_and_one_is_missing() -> Result<()> {
    let (broken, silent, missing) = ("cim-prod-002", "cim-prod-003", "cim-prod-004");
    let specs = [
        leaf(LEAF)?,
        leaf(broken)?,
        leaf(silent)?,
        hub(&[broken, silent, missing])?,
    ];
    let mut scene: Scene = prepared(&specs)?;
    scene.fleet.start_all()?;
    for name in [LEAF, broken, silent] {
        scene.fleet.linked(name).await?;
    }
    // A consumer that is behind, and watched.
    let client = scene.fleet.client(LEAF, "graph").await?;
    let metadata = json!({"io.nats.monitor.enabled": "true"});
    let read = json!({"durable_name": "reader", "ack_policy": "explicit", "metadata": metadata});
    make(&client, &json!({"name": "OWN", "subjects": ["own"]})).await?;
    consume(&client, "OWN", &read, "").await?;
    publish(&client, "own", 4).await?;
    let hub = Beside::start(&scene, HUB)?;
    let well = Beside::start(&scene, LEAF)?;
    let _unwell = Beside::with(&scene, broken, &scene.logins(broken)?, |health| {
        health.watch.levels.rtt = level(0, 0);
    })?;
    let fleet = until(&hub, |fleet| {
        // The hub itself misses a leaf.
        states(
            fleet,
            &[
                (HUB, "CRITICAL"),
                (LEAF, "OK"),
                (broken, "CRITICAL"),
                (silent, "SILENT"),
                (missing, "MISSING"),
            ],
        )?;
        // What is counted takes two looks.
        ensure!(fleet["servers"][1]["report"]["inRate"].is_f64(), "{fleet}");
        Ok(())
    })?;
    let row = |server: &str| {
        let rows = fleet["servers"].as_array().into_iter().flatten();
        let mut rows = rows.filter(|row| row["server"] == server);
        rows.next().with_context(|| format!("no {server}"))
    };
    let own = row(LEAF)?;
    ensure!(
        own["hubs"] == json!(["hub"]) && own["rtt"].is_f64(),
        "{own}"
    );
    let report = &own["report"];
    ensure!(
        report["drift"] == false && report["inRate"].is_f64(),
        "{own}"
    );
    ensure!(report["expires"].as_i64() > Some(3600), "{own}");
    ensure!(report["lag"] == 4, "{own}");
    let says = row(broken)?["says"].to_string();
    ensure!(says.contains("CRITICAL link hub: linked to hub"), "{says}");
    // Of a leaf that says nothing, the hub still knows the link.
    let quiet = row(silent)?;
    ensure!(
        quiet["hubs"] == json!(["hub"]) && quiet["report"].is_null(),
        "{quiet}"
    );
    let says = row(missing)?["says"].to_string();
    ensure!(says.contains("not linked to hub, and no report"), "{says}");
    let table = hub.fleet(&[])?;
    ensure!(table.code == 2, "{table:?}");
    ensure!(table.out.lines().count() > 8, "{}", table.out);

    // A link that is cut is seen before the next report is missed.
    scene.fleet.kill(broken)?;
    until(&hub, |fleet| {
        let rows = fleet["servers"].as_array().context("no servers")?;
        let cut = rows.iter().find(|row| row["server"] == broken);
        let cut = cut.context("no leaf")?;
        ensure!(
            cut["state"] == "MISSING" && cut["hubs"] == json!([]),
            "{cut}"
        );
        Ok(())
    })?;

    // Who has spoken and stops is silent, whatever he said last.
    drop(well);
    until(&hub, |fleet| {
        let rows = fleet["servers"].as_array().context("no servers")?;
        let own = rows.iter().find(|row| row["server"] == LEAF);
        let own = own.context("no leaf")?;
        ensure!(
            own["state"] == "SILENT" && !own["report"].is_null(),
            "{own}"
        );
        Ok(())
    })?;
    // A leaf knows no fleet, and nobody is no hub.
    let leaf = Beside::start(&scene, LEAF)?;
    let until = Instant::now() + PATIENCE;
    let said = loop {
        let said = leaf.fleet(&[])?;
        if said.err.contains("only a hub") || Instant::now() >= until {
            break said;
        }
        std::thread::park_timeout(Duration::from_millis(50));
    };
    ensure!(
        said.code == 3 && said.err.contains("only a hub that logs in"),
        "{said:?}"
    );
    Ok(())
}

/// A leaf may speak as itself, and of itself.
#[tokio::test]
async fn nobody_reports_for_another() -> Result<()> {
    let other = "cim-prod-002";
    let mut scene = prepared(&[leaf(LEAF)?, hub(&[other])?])?;
    scene.fleet.start_all()?;
    scene.fleet.linked(LEAF).await?;
    let hub = Beside::start(&scene, HUB)?;
    let _own = Beside::start(&scene, LEAF)?;
    let wait = |fleet: &Value| {
        states(
            fleet,
            &[(HUB, "CRITICAL"), (LEAF, "OK"), (other, "MISSING")],
        )
    };
    let fleet = until(&hub, wait)?;
    let mut report = fleet["servers"][1]["report"].clone();
    report["state"] = json!("CRITICAL");
    // A client of the leaf that may do everything there, under its own name and under the other's.
    let client = scene.fleet.client(LEAF, "graph").await?;
    for (instance, server) in [
        (other, other),
        (LEAF, other),
        (other, LEAF),
        (LEAF, "stranger"),
    ] {
        report["instance"] = json!(instance);
        report["server"] = json!(server);
        for subject in [LEAF, other] {
            let subject = format!("cim.health.{subject}");
            client.publish(subject, report.to_string().into()).await?;
        }
    }
    client
        .publish("cim.health.cim-prod-001", "{".into())
        .await?;
    client.flush().await?;
    // What the leaf says after that has come: so has what was said before.
    let at = fleet["servers"][1]["report"]["at"].clone();
    let fleet = until(&hub, |fleet| {
        ensure!(fleet["servers"][1]["report"]["at"] != at, "{fleet}");
        Ok(())
    })?;
    let servers = fleet["servers"].as_array().context("no servers")?;
    ensure!(servers.len() == 3, "{fleet}");
    ensure!(servers[2]["state"] == "MISSING", "{fleet}");
    until(&hub, wait).map(drop)
}

#[test]
fn the_table_is_as_it_is_printed() -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/health/fleet");
    let json = std::fs::read_to_string(folder.join("fleet.json"))?;
    let fleet: Fleet = serde_json::from_str(&json)?;
    let golden = folder.join("fleet.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        return std::fs::write(&golden, text(&fleet)).context("writing the table");
    }
    let expected = std::fs::read_to_string(&golden)?;
    ensure!(text(&fleet) == expected, "{}", text(&fleet));
    Ok(())
}
