//! Faults of processes, hosts and networks, and what comes after.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use async_nats::jetstream;
use cim_lab::{Cut, until};

use crate::support::{HUBS, LEAVES, PATIENCE, Scene};

/// nats-server's pings go out every 10 s, and the third that is not answered ends a link.
const NOTICED: Duration = Duration::from_secs(45);

/// systemd restarts what died.
pub fn killed(scene: &mut Scene) -> Result<()> {
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
    let graph = scene.lab.client("cim-prod-001", "graph")?;
    let workflow = scene.lab.client(leaf, "workflow")?;
    scene.crosses(&graph, &workflow, "domain.graph.node.3")?;
    Ok(())
}

/// The full disk of a hub node: a stream there refuses, messages still cross.
pub fn full_disk(scene: &mut Scene) -> Result<()> {
    let (hub, unit) = ("hub-3", "cim-hub-3.service");
    let host = scene.host(hub)?;
    host.small_disk(unit, 16)?;
    scene.hub_whole()?;
    host.fill_disk(unit)?;
    scene.reaches(hub)?;
    let state = host.show(unit, "ActiveState")?;
    ensure!(state == "active", "with a full disk {unit} is {state}");
    host.free_disk(unit)?;
    // Back to the disk it had.
    host.run(&format!("systemctl stop {unit}"))?;
    host.run("umount /var/lib/cim-hub-3")?;
    host.run(&format!("systemctl start {unit}"))?;
    scene.hub_whole()?;
    scene.all_linked()
}

/// The hub node that a leaf hangs on loses power: the leaf goes to another, the stream lives on, the node returns.
pub fn power_cut(scene: &mut Scene) -> Result<()> {
    let leaf = "cim-prod-001";
    let dead = scene.linked(leaf)?;
    let alive = HUBS
        .into_iter()
        .find(|hub| *hub != dead)
        .context("a hub has three nodes")?;
    let alchemist = scene.lab.client(alive, "alchemist")?;
    let stream = scene.lab.host(alive)?.inside();
    let context = stream.run(async move { Ok(jetstream::new(alchemist)) })?;
    let config = jetstream::stream::Config {
        name: "GRAPH".into(),
        subjects: vec!["domain.graph.>".into()],
        num_replicas: 3,
        ..Default::default()
    };
    stream.run({
        let context = context.clone();
        async move { Ok(context.create_stream(config).await.map(drop)?) }
    })?;
    let since = Instant::now();
    scene.lab.host(&dead)?.power_cut()?;
    let Scene { lab, times, .. } = scene;
    let host = lab.host(leaf)?;
    times.measure_since(
        since,
        "power cut of the hub in use: leaf on another node",
        || {
            until("the leaf is on another node", PATIENCE, || {
                let hub = host.hub(leaf)?;
                ensure!(hub != dead, "it is still on {hub}");
                Ok(())
            })
        },
    )?;
    let graph = lab.client(leaf, "graph")?;
    times.measure_since(
        since,
        "power cut of the hub in use: stream takes a leaf's message",
        || {
            until("the stream takes messages", PATIENCE, || {
                inside(lab, leaf)?.run({
                    let graph = graph.clone();
                    async move {
                        graph.publish("domain.graph.node.4", "hello".into()).await?;
                        Ok(graph.flush().await?)
                    }
                })?;
                let now = messages(inside(lab, alive)?, &context)?;
                ensure!(now > 0, "it has none");
                Ok(())
            })
        },
    )?;
    times.measure("power back: host booted, unit active", || {
        lab.boot(&[&dead])
    })?;
    times.measure("power back: three current replicas", || {
        until("all replicas are current", PATIENCE, || {
            let context = context.clone();
            let info = inside(lab, alive)?.run(async move {
                let stream = context.get_stream("GRAPH").await?;
                Ok(stream.cached_info().clone())
            })?;
            let cluster = info.cluster.context("a stream of a cluster")?;
            let current = cluster
                .replicas
                .iter()
                .filter(|replica| replica.current)
                .count();
            ensure!(current == 2, "{current} of 2 replicas are current");
            Ok(())
        })
    })?;
    scene.hub_whole()?;
    scene.all_linked()
}

fn inside<'a>(lab: &'a cim_lab::Lab, host: &str) -> Result<&'a cim_lab::Inside> {
    Ok(lab.host(host)?.inside())
}

/// How many messages the stream has.
fn messages(inside: &cim_lab::Inside, context: &jetstream::Context) -> Result<u64> {
    let context = context.clone();
    inside.run(async move {
        let stream = context.get_stream("GRAPH").await?;
        Ok(stream.cached_info().state.messages)
    })
}

/// Three faults at once that no error tells: a pulled cable, dropped packets, and a hub node that stands still.
pub fn partitions(scene: &mut Scene) -> Result<()> {
    let (pulled, dropped, waiting) = (LEAVES[0], LEAVES[1], LEAVES[2]);
    let frozen = scene.linked(waiting)?;
    let unit = format!("cim-{frozen}.service");
    let Scene { lab, times, .. } = scene;
    let frozen_since = Instant::now();
    let pid = lab.host(&frozen)?.freeze(&unit)?;
    let pulled_since = Instant::now();
    lab.host(pulled)?.net.cut(Cut::Link)?;
    let dropped_since = Instant::now();
    lab.host(dropped)?.net.cut(Cut::Drop)?;
    let notices = |leaf: &'static str| {
        let host = lab.host(leaf)?;
        until(&format!("{leaf} notices"), NOTICED, || host.unlinked(leaf))
    };
    let moves = || {
        let host = lab.host(waiting)?;
        until("the leaf leaves the frozen node", NOTICED, || {
            let hub = host.hub(waiting)?;
            ensure!(hub != frozen, "it is still on {hub}");
            Ok(())
        })
    };
    times.measure_since(pulled_since, "link down: leaf notices", || notices(pulled))?;
    times.measure_since(dropped_since, "packets dropped: leaf notices", || {
        notices(dropped)
    })?;
    times.measure_since(frozen_since, "frozen hub node: leaf on another", moves)?;
    for (leaf, what) in [
        (pulled, "link up again: leaf linked"),
        (dropped, "packets flow again: leaf linked"),
    ] {
        let host = lab.host(leaf)?;
        times.measure(what, || {
            host.net.heal()?;
            until(&format!("{leaf} is back"), PATIENCE, || host.hub(leaf))
        })?;
    }
    times.measure("thawed hub node: healthy", || {
        lab.host(&frozen)?.thaw(pid)?;
        until("the node is healthy", PATIENCE, || {
            lab.host(&frozen)?
                .get::<serde_json::Value>(&frozen, "/healthz")
        })
    })?;
    scene.hub_whole()?;
    scene.all_linked()?;
    let graph = scene.lab.client("cim-prod-001", "graph")?;
    let workflow = scene.lab.client("cim-prod-002", "workflow")?;
    scene.crosses(&graph, &workflow, "domain.graph.node.5")?;
    Ok(())
}
