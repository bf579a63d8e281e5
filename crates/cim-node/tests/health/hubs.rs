//! Hubs of several nodes, several hubs, and leaves of several nodes, in operator mode: canaries, reports and the table of all.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use cim_testkit::{Identity, golden, in_operator_mode};
use serde_json::{Value, json};

use crate::beside::Beside;
use crate::fault::well;
use crate::fleet;
use crate::scene::{LEAF, Scene, finding, open, prepared};

/// Servers that run, each with its cim-health.
struct Estate {
    scene: Scene,
    identity: Identity,
    specs: Vec<Value>,
    daemons: BTreeMap<String, Beside>,
}

impl Estate {
    /// The specs of one fleet, in operator mode.
    async fn start(mut specs: Vec<Value>) -> Result<Self> {
        let identity = in_operator_mode(&mut specs)?;
        let mut scene = prepared(&specs)?;
        identity.hand_out(&scene.fleet)?;
        scene.fleet.start_all()?;
        let mut daemons = BTreeMap::new();
        for name in scene.fleet.names() {
            if scene.fleet.member(&name)?.plan().link.is_some() {
                scene.fleet.linked(&name).await?;
            }
            daemons.insert(name.clone(), Beside::start(&scene, &name)?);
        }
        Ok(Self {
            scene,
            identity,
            specs,
            daemons,
        })
    }

    fn daemon(&self, name: &str) -> Result<&Beside> {
        self.daemons.get(name).context("a daemon")
    }

    /// Waits until one look from a server, as a person would have it, finds all well.
    fn well(&mut self, name: &str) -> Result<Value> {
        self.scene.watch(name)?;
        self.scene.args = self.scene.logins(name)?;
        well(&self.scene)
    }

    /// Waits until the table of a hub's node is as it should be.
    fn shows(&self, node: &str, states: &[(&str, &str)]) -> Result<Value> {
        let shown = fleet::until(self.daemon(node)?, |shown| fleet::states(shown, states));
        shown.with_context(|| format!("as {node} sees it"))
    }
}

/// The fleet of a hub's spec has this leaf alone.
fn only_leaf(spec: &mut Value, leaf: &str) -> Result<()> {
    let leaves = spec.pointer_mut("/hub/fleet/leaves");
    let leaves = leaves.and_then(Value::as_object_mut);
    leaves.context("leaves")?.retain(|name, _| name == leaf);
    Ok(())
}

#[tokio::test]
async fn a_leaf_whose_hub_node_dies_asks_the_next_and_every_node_hears_of_it() -> Result<()> {
    let nodes = ["hub-1", "hub-2", "hub-3"];
    let mut specs = vec![golden(LEAF)?];
    for node in nodes {
        let mut spec = golden(node)?;
        only_leaf(&mut spec, LEAF)?;
        specs.push(spec);
    }
    let mut estate = Estate::start(specs).await?;
    let all_well = |estate: &Estate| -> Result<()> {
        for node in nodes {
            let others = nodes.into_iter().filter(|other| *other != node);
            let all = [node].into_iter().chain(others).chain([LEAF]);
            let all: Vec<_> = all.map(|name| (name, "OK")).collect();
            estate.shows(node, &all)?;
        }
        Ok(())
    };
    all_well(&estate)?;
    estate.well(LEAF)?;

    let killed = estate.scene.fleet.linked(LEAF).await?;
    estate.scene.fleet.kill(&killed)?;
    let left: Vec<_> = nodes.into_iter().filter(|node| *node != killed).collect();
    let next = cim_testkit::until("the leaf hangs on another node", async || {
        let links = estate.scene.fleet.links(LEAF)?;
        let hub = links.first().context("it has no link")?.name.clone();
        ensure!(left.contains(&hub.as_str()), "it hangs on {hub}");
        Ok(hub)
    })
    .await?;
    let report = estate.well(LEAF)?;
    let link = finding(&report, "link", "hub")?;
    ensure!(link.to_string().contains(&next), "{link}");
    let asked = finding(&report, "hub-health", "hub")?["message"].to_string();
    ensure!(!asked.contains(&killed), "{asked}");
    for (node, other) in [(left[0], left[1]), (left[1], left[0])] {
        // They miss a route themselves. Nodes stand by their names.
        let mut rows = vec![(other, "WARNING"), (killed.as_str(), "MISSING")];
        rows.sort_unstable();
        let rows = [(node, "WARNING")].into_iter().chain(rows);
        let rows: Vec<_> = rows.chain([(LEAF, "OK")]).collect();
        estate.shows(node, &rows)?;
        // Who lost its server has not gone to another's.
        let connz: Value = estate.scene.fleet.server(node)?.get("/connz")?;
        let speakers = connz.to_string().matches("\"cim-health\"").count();
        ensure!(speakers == 1, "{speakers} at {node}: {connz}");
    }
    estate.scene.fleet.start(&killed)?;
    all_well(&estate)
}

/// Leaves the first node of a hub of several.
fn alone(spec: &mut Value, hub: &str, node: &str) -> Result<()> {
    for fleet in ["/hub/fleet", "/leaf/fleet"] {
        let nodes = spec.pointer_mut(&format!("{fleet}/hubs/{hub}/nodes"));
        if let Some(nodes) = nodes.and_then(Value::as_object_mut) {
            nodes.retain(|name, _| name == node);
        }
    }
    Ok(())
}

/// Gives the leaf two flows whose canaries go by a subject of theirs.
fn tried_within(spec: &mut Value) -> Result<()> {
    for path in ["/leaf/fleet/leaf", "/hub/fleet/leaves/cim-prod-001"] {
        let Some(leaf) = spec.pointer_mut(path) else {
            continue;
        };
        for (list, name) in [("exports", "events"), ("imports", "news")] {
            let (subject, canary) = (format!("{name}.>"), format!("{name}.canary"));
            let flow = json!({"subject": subject, "prefix": null, "to": null, "canary": canary, "durable": null});
            leaf[list].as_array_mut().context("flows")?.push(flow);
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_leaf_of_two_hubs_asks_both_and_tells_which_does_not_let_across() -> Result<()> {
    let mut specs = Vec::new();
    for case in [
        "multi-hub-cim-prod-001",
        "multi-hub-hub1",
        "multi-hub-west1",
    ] {
        let mut spec = open(case)?;
        alone(&mut spec, "hub", "hub1")?;
        tried_within(&mut spec)?;
        specs.push(spec);
    }
    let mut estate = Estate::start(specs).await?;
    estate.well(LEAF)?;
    // Both answer each time, and neither instead of the other.
    for _ in 0..5 {
        let report = well(&estate.scene)?;
        for hub in ["hub", "west"] {
            finding(&report, "hub-health", hub)?;
            finding(&report, "hub-clock", hub)?;
            for flow in [
                "export:metrics:#",
                "export:events:#",
                "import:commands:#",
                "import:news:#",
            ] {
                finding(&report, "canary", &format!("{hub}/{flow}"))?;
            }
        }
    }
    for node in ["hub1", "west1"] {
        let shown = estate.shows(node, &[(node, "OK"), (LEAF, "OK")])?;
        let hubs = &shown["servers"][1]["hubs"];
        ensure!(*hubs == json!(["hub1", "west1"]), "{hubs}");
    }

    // One of them has an account's JWT of which the other does not know yet.
    for spec in &mut estate.specs {
        if let Some(leaf) = spec.pointer_mut("/hub/fleet/leaves/cim-prod-001") {
            leaf["exports"] = json!([]);
        }
    }
    estate.identity.follow(&mut estate.specs, 1)?;
    let fleet = &estate.scene.fleet;
    estate.identity.push(fleet, "west1", "CIM").await?;
    let states = |report: &Value, wanted: &[(&str, &str)]| -> Result<()> {
        for (of, state) in wanted {
            let found = finding(report, "canary", of)?;
            ensure!(found["state"] == *state, "{found:#}");
        }
        Ok(())
    };
    estate.scene.until(|report| {
        let crosses = [
            "hub/export:metrics:#",
            "hub/export:events:#",
            "hub/import:commands:#",
        ];
        states(report, &crosses.map(|of| (of, "OK")))?;
        let others = [
            ("west/export:metrics:#", "CRITICAL"),
            ("west/export:events:#", "CRITICAL"),
            ("west/import:news:#", "OK"),
            ("west/import:commands:#", "OK"),
        ];
        states(report, &others)
    })?;
    estate.scene.fleet.kill("west1")?;
    estate.scene.until(|report| {
        let found = finding(report, "canary", "west/import:commands:#")?;
        ensure!(found["because"] == "link west", "{found:#}");
        states(report, &[("hub/export:metrics:#", "OK")])
    })?;
    Ok(())
}

#[tokio::test]
async fn each_node_of_a_leaf_asks_for_itself_and_reports() -> Result<()> {
    let leaves = ["nats-leaf-0", "nats-leaf-1", "nats-leaf-2"];
    let mut specs = Vec::new();
    for name in leaves.into_iter().chain(["nats-0"]) {
        specs.push(golden(&format!("edge-devices-{name}"))?);
    }
    let mut estate = Estate::start(specs).await?;
    for node in leaves {
        let report = estate.well(node)?;
        for flow in [
            "export:device:+:status",
            "export:device:+:metrics:#",
            "import:device:+:cmd",
        ] {
            finding(&report, "canary", &format!("nats-core/{flow}"))?;
        }
    }
    let hub = estate.well("nats-0")?;
    finding(&hub, "leaf", "nats-leaf")?;
    let rows = ["nats-0", leaves[0], leaves[1], leaves[2]].map(|name| (name, "OK"));
    estate.shows("nats-0", &rows)?;

    estate.scene.fleet.kill("nats-leaf-1")?;
    let rows = [
        ("nats-0", "WARNING"),
        ("nats-leaf-0", "WARNING"),
        ("nats-leaf-1", "MISSING"),
        ("nats-leaf-2", "WARNING"),
    ];
    estate.shows("nats-0", &rows)?;
    Ok(())
}
