//! Faults that no error tells: only silence.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use cim_lab::{Cut, Host, until};

use crate::faults::other_than;
use crate::stored::Stored;
use crate::support::{LEAVES, PATIENCE, Scene};

/// nats-server's pings go out every 10 s, and the third that is not answered ends a link.
const NOTICED: Duration = Duration::from_secs(45);

/// After that nats-server gives a silent hub up; the leaf's watcher tells of it 2 s later at most.
const WINDOW: Duration = Duration::from_secs(30);

/// The watcher says that the link is gone, in time.
fn tells(leaf: &Host, since: Instant) -> Result<()> {
    leaf.says(&leaf.name, &["CRITICAL link hub: not linked"], PATIENCE)?;
    let took = since.elapsed();
    eprintln!(
        "      {} tells of a silent hub after {:.2} s",
        leaf.name,
        took.as_secs_f64()
    );
    ensure!(
        took <= WINDOW + Duration::from_secs(2),
        "{} told after {took:?}",
        leaf.name
    );
    Ok(())
}

/// Three faults at once: a pulled cable, dropped packets, and a hub node that stands still. Links are given up, the
/// hub goes on with the nodes that answer, and all heals by itself.
pub fn noticed(scene: &Scene) -> Result<()> {
    let (pulled, dropped, waiting) = (LEAVES[0], LEAVES[1], LEAVES[2]);
    let frozen = scene.linked(waiting)?;
    let stream = Stored::create(scene, other_than(&frozen)?, "QUORUM", 3)?;
    let mut stored = vec![stream.stores()?];
    let Scene { lab, times, .. } = scene;
    let unit = format!("cim-{frozen}.service");
    let frozen_since = Instant::now();
    let pid = lab.host(&frozen)?.freeze(&unit)?;
    let pulled_since = Instant::now();
    lab.host(pulled)?.net.cut(Cut::Link)?;
    let dropped_since = Instant::now();
    lab.host(dropped)?.net.cut(Cut::Drop)?;
    stored.push(
        times.measure_since(frozen_since, "frozen hub node: stream stores", || {
            stream.stores()
        })?,
    );
    let notices = |leaf: &'static str| {
        let host = lab.host(leaf)?;
        until(&format!("{leaf} notices"), NOTICED, || host.unlinked(leaf))
    };
    times.measure_since(pulled_since, "link down: leaf notices", || notices(pulled))?;
    tells(lab.host(pulled)?, pulled_since)?;
    let what = "packets dropped: leaf notices";
    times.measure_since(dropped_since, what, || notices(dropped))?;
    tells(lab.host(dropped)?, dropped_since)?;
    let what = "frozen hub node: leaf on another";
    times.measure_since(frozen_since, what, || {
        let host = lab.host(waiting)?;
        until("the leaf leaves the frozen node", NOTICED, || {
            let hub = host.hub(waiting)?;
            ensure!(hub != frozen, "it is still on {hub}");
            Ok(())
        })
    })?;
    let healed = Instant::now();
    lab.each(&[pulled, dropped], |host| host.net.heal())?;
    for (leaf, what) in [
        (pulled, "link up again: leaf linked"),
        (dropped, "packets flow again: leaf linked"),
    ] {
        let host = lab.host(leaf)?;
        times.measure_since(healed, what, || {
            until(&format!("{leaf} is back"), PATIENCE, || host.hub(leaf))
        })?;
    }
    times.measure("thawed hub node: healthy", || {
        let host = lab.host(&frozen)?;
        host.thaw(pid)?;
        until("the node is healthy", PATIENCE, || {
            host.get::<serde_json::Value>(&frozen, "/healthz")
        })
    })?;
    scene.whole()?;
    let graph = lab.client("cim-prod-001", "graph")?;
    let workflow = lab.client("cim-prod-002", "workflow")?;
    scene.crosses(&graph, &workflow, "domain.graph.node.5")?;
    stream.current()?;
    stream.through(scene, &frozen)?.has_all(&stored)?;
    stream.delete()
}
