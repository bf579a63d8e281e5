//! Operator mode: a hub whose account is a JWT, a leaf and a cim-health of the hub that are known by creds, TLS everywhere.

use std::cell::RefCell;

use anyhow::{Context, Result, ensure};
use cim_testkit::{Cut, Fleet, Identity, Wire, in_operator_mode, until};
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use crate::beside::Beside;
use crate::canary::both_ways;
use crate::fault::{Fault, well};
use crate::fleet;
use crate::scene::{HUB, LEAF, Scene, finding, prepared};

const ACCOUNT: &str = "CIM-PROD";

/// Where the JWT stands that the hub's cim-health logs in with.
const LOGIN: &str = "services/hub/CIM-PROD/health.jwt";

/// The canaries of the leaf's two flows.
const EXPORT: &str = "hub/export:domain:#";
const IMPORT: &str = "hub/import:commands:+:restart";

/// The pair, of which the leaf is watched and the hub answers.
pub struct Estate {
    pub desk: Desk,
    pub scene: Scene,
    pub hub: Beside,
    wire: Wire,
}

/// What the operator has: the fleet as it is declared, and its identity.
pub struct Desk {
    specs: [Value; 2],
    identity: Identity,
    pushed: i64,
}

async fn estate() -> Result<Estate> {
    let [leaf, hub] = ["security-cim-prod-001", "security-hub"].map(both_ways);
    estate_of([leaf?, hub?]).await
}

/// The pair that these specs tell, of the leaf and of the hub, in operator mode.
pub async fn estate_of(mut specs: [Value; 2]) -> Result<Estate> {
    let identity = in_operator_mode(&mut specs)?;
    let mut scene = prepared(&specs)?;
    identity.hand_out(&scene.fleet)?;
    let wire = scene.fleet.wire(HUB)?;
    scene.fleet.start_all()?;
    scene.fleet.linked(LEAF).await?;
    scene.args = scene.logins(LEAF)?;
    let hub = Beside::start(&scene, HUB)?;
    let desk = Desk {
        specs,
        identity,
        pushed: 0,
    };
    Ok(Estate {
        desk,
        scene,
        hub,
        wire,
    })
}

impl Desk {
    /// Changes what the fleet says of the leaf, and pushes the JWT that says so.
    async fn push(&mut self, fleet: &Fleet, change: impl FnOnce(&mut Value)) -> Result<()> {
        self.push_fleet(fleet, |hub| change(&mut hub["leaves"][LEAF]))
            .await
    }

    /// Changes what the fleet says, and pushes the account's JWT that says so.
    pub async fn push_fleet(
        &mut self,
        fleet: &Fleet,
        change: impl FnOnce(&mut Value),
    ) -> Result<()> {
        let [_, hub] = &mut self.specs;
        change(hub.pointer_mut("/hub/fleet").context("the fleet")?);
        self.pushed += 1;
        self.identity.follow(&mut self.specs, self.pushed)?;
        self.identity.push(fleet, HUB, ACCOUNT).await
    }
}

#[tokio::test]
async fn all_is_well_at_both_ends_and_the_fleet_shows_both() -> Result<()> {
    let mut estate = estate().await?;
    let Estate {
        desk, scene, hub, ..
    } = &mut estate;
    let report = well(scene)?;
    let creds = scene.fleet.member(LEAF)?.dir().join("leaf.creds");
    for (check, of) in [
        ("credential", &*creds.to_string_lossy()),
        ("link", "hub"),
        ("login", ACCOUNT),
        ("hub-health", "hub"),
        ("hub-clock", "hub"),
        ("canary", EXPORT),
        ("canary", IMPORT),
    ] {
        finding(&report, check, of)?;
    }
    scene.watch(HUB)?;
    scene.args = scene.logins(HUB)?;
    let report = well(scene)?;
    // Whom nats-server's pages call by another name than the fleet does.
    let links = scene.fleet.links(HUB)?;
    let account = links.first().map(|link| link.account.as_str());
    ensure!(
        account == desk.identity.keys().account(ACCOUNT),
        "{links:?}"
    );
    finding(&report, "leaf", LEAF)?;
    finding(&report, "login", ACCOUNT)?;
    let _leaf = Beside::start(scene, LEAF)?;
    let shown = fleet::until(hub, |shown| {
        fleet::states(shown, &[(HUB, "OK"), (LEAF, "OK")])
    })?;
    let row = &shown["servers"][1];
    ensure!(row["hubs"] == json!([HUB]) && row["rtt"].is_f64(), "{row}");
    let table = hub.fleet(&[])?;
    ensure!(table.code == 0, "{table:?}");
    scene.fleet.kill(LEAF)?;
    fleet::until(hub, |shown| {
        fleet::states(shown, &[(HUB, "CRITICAL"), (LEAF, "MISSING")])
    })?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_the_account_s_jwt_loses_is_named_by_its_flow() -> Result<()> {
    let mut estate = estate().await?;
    let desk = RefCell::new(estate.desk);
    let push = |scene: &Scene, list: &str, flows: Value| {
        let change = |leaf: &mut Value| leaf[list] = flows;
        let mut desk = desk.borrow_mut();
        block_in_place(|| Handle::current().block_on(desk.push(&scene.fleet, change)))
    };
    let gone = Fault {
        check: "canary",
        of: EXPORT,
        state: "CRITICAL",
        says: &["export \"domain.>\" does not cross: the hub answers"],
    };
    gone.seen(
        &mut estate.scene,
        |scene| push(scene, "exports", json!([])),
        |scene| push(scene, "exports", json!(["domain.>"])),
    )?;
    push(&estate.scene, "imports", json!([]))?;
    estate.scene.until(|report| {
        let found = finding(report, "canary", IMPORT)?;
        ensure!(found["state"] == "CRITICAL", "{found:#}");
        let other = finding(report, "canary", EXPORT)?;
        ensure!(other["state"] == "OK", "{other:#}");
        Ok(())
    })?;
    Ok(())
}

#[tokio::test]
async fn a_cut_link_is_told_as_that_and_the_rest_waits_for_it() -> Result<()> {
    let mut estate = estate().await?;
    let wire = &estate.wire;
    let cut = Fault {
        check: "link",
        of: "hub",
        state: "CRITICAL",
        says: &["not linked to hub"],
    };
    cut.seen(
        &mut estate.scene,
        |scene| {
            wire.cut(Cut::Reset);
            let waits = scene.until(|report| {
                let clock = finding(report, "hub-clock", "hub")?;
                ensure!(clock["because"] == "link hub", "{clock}");
                Ok(())
            });
            waits.map(drop)
        },
        |_| {
            wire.mend();
            Ok(())
        },
    )
}

/// The hub's creds are renewed with another key, and then the account refuses the old one: nobody tells cim-health.
#[tokio::test]
async fn creds_that_were_replaced_are_read_at_the_next_connection() -> Result<()> {
    let mut estate = estate().await?;
    let Estate {
        desk, scene, hub, ..
    } = &mut estate;
    well(scene)?;
    let (creds, key) = desk.identity.replace(LOGIN)?;
    let file = scene.fleet.member(HUB)?.login_file(ACCOUNT, "health");
    std::fs::write(file.with_extension("new"), creds)?;
    std::fs::rename(file.with_extension("new"), &file)?;
    ensure!(!is_here(scene, &key)?, "nobody has cut its connection yet");
    desk.identity.push(&scene.fleet, HUB, ACCOUNT).await?;
    until("it is here by its new key", async || {
        ensure!(is_here(scene, &key)?, "not yet");
        Ok(())
    })
    .await?;
    hub.says("OK        login CIM-PROD: logged in")?;
    let report = well(scene)?;
    finding(&report, "canary", EXPORT).map(drop)
}

/// Whether somebody is connected to the hub by this public key.
fn is_here(scene: &Scene, key: &str) -> Result<bool> {
    let connz: Value = scene.fleet.server(HUB)?.get("/connz?auth=true")?;
    let connections = connz["connections"].as_array().context("connections")?;
    Ok(connections.iter().any(|one| one.to_string().contains(key)))
}
