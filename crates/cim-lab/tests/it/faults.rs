//! Faults of processes, hosts and networks, and what comes after.

use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use cim_lab::until;

use crate::stored::Stored;
use crate::support::{HUBS, PATIENCE, Scene};

/// systemd restarts what died.
pub fn killed(scene: &Scene) -> Result<()> {
    let (leaf, unit) = ("cim-prod-002", "cim-prod-002.service");
    let since = Instant::now();
    let host = scene.lab.host(leaf)?;
    let dead = host.kill(unit)?;
    scene
        .times
        .measure_since(since, "kill -9 of a leaf: active again", || {
            until("systemd restarted it", PATIENCE, || {
                let pid = host.main_pid(unit)?;
                ensure!(pid != dead, "it has the old process");
                let state = host.show(unit, "ActiveState")?;
                ensure!(state == "active", "it is {state}");
                Ok(())
            })
        })?;
    let restarts = host.show(unit, "NRestarts")?;
    ensure!(restarts != "0", "systemd counts no restart");
    scene.linked(leaf)?;
    let workflow = scene.lab.client(leaf, "workflow")?;
    let alchemist = scene.lab.client("hub-2", "alchemist")?;
    scene.crosses(&workflow, &alchemist, "metrics.after.kill")?;
    Ok(())
}

/// The full disk of a hub node: a stream there refuses and loses nothing that it answered for, messages still cross.
pub fn full_disk(scene: &Scene) -> Result<()> {
    let (hub, other, unit) = ("hub-3", "hub-2", "cim-hub-3.service");
    let host = scene.host(hub)?;
    host.small_disk(unit, 16)?;
    scene.hub_whole()?;
    let stream = only_on(scene, other, hub)?;
    let mut stored = Vec::new();
    for _ in 0..10 {
        stored.push(stream.store(10_000)?);
    }
    host.fill_disk(unit)?;
    // Before anybody is refused anything.
    host.says(hub, &["CRITICAL disk: "], PATIENCE)?;
    // The file that is open may have room for a little.
    let refused = (0..100).find_map(|_| match stream.store(100_000) {
        Ok(sequence) => {
            stored.push(sequence);
            None
        }
        Err(error) => Some(error),
    });
    let refused = refused.context("a stream whose only disk is full goes on storing")?;
    eprintln!("      on a full disk: {refused:#}");
    let alchemist = scene.lab.client(hub, "alchemist")?;
    let elsewhere = scene.lab.client(other, "alchemist")?;
    scene.crosses(&alchemist, &elsewhere, "commands.full")?;
    scene.crosses(&elsewhere, &alchemist, "commands.full")?;
    let state = host.show(unit, "ActiveState")?;
    ensure!(state == "active", "with a full disk {unit} is {state}");
    host.free_disk(unit)?;
    // nats-server does not try to write to such a stream again until it starts anew, free disk or not.
    host.run(&format!("systemctl restart {unit}"))?;
    scene.hub_whole()?;
    stored.push(stream.stores()?);
    stream.has_all(&stored)?;
    stream.delete()?;
    host.whole_disk(unit)?;
    scene.hub_whole()
}

/// A stream whose only copy is on a certain node. NATS chooses the node: until it is that one.
fn only_on<'a>(scene: &'a Scene, through: &str, node: &str) -> Result<Stored<'a>> {
    for _ in 0..40 {
        let stream = Stored::create(scene, through, "FULL", 1)?;
        if until("it has a leader", PATIENCE, || stream.leader())? == node {
            return Ok(stream);
        }
        stream.delete()?;
    }
    bail!("no stream came to {node}")
}

/// The hub node that a leaf hangs on loses power: the leaf goes to another, the stream lives on, the node returns.
pub fn power_cut(scene: &Scene) -> Result<()> {
    let leaf = "cim-prod-001";
    let dead = scene.linked(leaf)?;
    let alive = other_than(&dead)?;
    let stream = Stored::of(scene, alive, "GRAPH", 3, "domain.graph.>")?;
    let Scene { lab, times, .. } = scene;
    let since = Instant::now();
    lab.host(&dead)?.power_cut()?;
    let host = lab.host(leaf)?;
    let what = "power cut of the hub in use: leaf on another node";
    times.measure_since(since, what, || {
        until("the leaf is on another node", PATIENCE, || {
            let hub = host.hub(leaf)?;
            ensure!(hub != dead, "it is still on {hub}");
            Ok(())
        })
    })?;
    let graph = lab.client(leaf, "graph")?;
    let what = "power cut of the hub in use: stream takes a leaf's message";
    times.measure_since(since, what, || {
        until("the stream takes messages", PATIENCE, || {
            let graph = graph.clone();
            host.inside().run(async move {
                graph.publish("domain.graph.node.4", "hello".into()).await?;
                Ok(graph.flush().await?)
            })?;
            ensure!(stream.info()?.state.messages > 0, "it has none");
            Ok(())
        })
    })?;
    let what = "power back: host booted, unit active";
    times.measure(what, || lab.boot(&[&dead]))?;
    times.measure("power back: three current replicas", || stream.current())?;
    scene.whole()?;
    stream.delete()
}

/// A node of the hub that is not this one.
pub fn other_than(node: &str) -> Result<&'static str> {
    let other = HUBS.into_iter().find(|hub| *hub != node);
    other.context("a hub has three nodes")
}
