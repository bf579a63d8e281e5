//! Which host is there first.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use async_nats::connection::State;
use cim_lab::{Host, until};

use crate::stored::Stored;
use crate::support::{FLEET, HUBS, LEAVES, PATIENCE, Scene};
use crate::watched::is;

/// How long leaves are without a hub.
const ALONE: Duration = Duration::from_secs(20);

/// How soon a leaf's watcher tells of a dead hub.
const DEAD: Duration = Duration::from_secs(2);

/// Leaves tell of a hub that dies, are up without it, and find it when it comes.
pub fn leaves_first(scene: &Scene) -> Result<()> {
    let cut = Instant::now();
    scene.lab.each(&HUBS, Host::power_cut)?;
    scene.lab.each(&LEAVES, |host| {
        let line = host.says(&host.name, &["CRITICAL link hub: "], PATIENCE)?;
        let took = cut.elapsed();
        eprintln!(
            "      {} tells after {:.2} s: {line}",
            host.name,
            took.as_secs_f64()
        );
        ensure!(
            took <= DEAD,
            "{} told of a dead hub after {took:?}",
            host.name
        );
        Ok(())
    })?;
    scene.lab.each(&LEAVES, Host::power_cut)?;
    let since = Instant::now();
    scene
        .times
        .measure("boot of leaves without a hub: units active", || {
            scene.lab.boot(&LEAVES)
        })?;
    let workflow = scene.lab.client("cim-prod-002", "workflow")?;
    scene.crosses(&workflow, &workflow, "local.only")?;
    until("the leaves were alone for 20 s", ALONE * 2, || {
        let alone = since.elapsed();
        ensure!(alone >= ALONE, "it is {alone:?}");
        Ok(())
    })?;
    for leaf in LEAVES {
        let host = scene.host(leaf)?;
        host.unlinked(leaf)?;
        host.says(leaf, &["CRITICAL link hub: not linked to hub"], PATIENCE)?;
        is(host, "cim-ready.target")?;
        let restarts = host.show(&format!("{leaf}.service"), "NRestarts")?;
        ensure!(
            restarts == "0",
            "{leaf} was restarted {restarts} times without a hub"
        );
    }
    scene
        .times
        .measure("hub 20 s later: units active", || scene.lab.boot(&HUBS))?;
    let since = Instant::now();
    scene.whole()?;
    eprintln!(
        "      every leaf linked {:.2} s later",
        since.elapsed().as_secs_f64()
    );
    for leaf in LEAVES {
        scene.host(leaf)?.well(leaf, PATIENCE)?;
    }
    scene.reaches("hub-3").map(drop)
}

/// One instance is restarted, the other does not notice.
pub fn two_instances(scene: &Scene) -> Result<()> {
    let name = "cim-edge-001";
    scene.lab.boot(&[name])?;
    let host = scene.lab.host(name)?;
    let (one, other) = ("cim-edge-001", "cim-edge-002");
    for instance in [one, other] {
        until(&format!("{instance} is linked"), PATIENCE, || {
            host.hub(instance)
        })?;
    }
    let port = host.plan(other)?.client.port;
    let seed = scene.lab.seed(host.plan(other)?, "app")?;
    let options = async_nats::ConnectOptions::with_nkey(seed);
    let client = host
        .inside()
        .connect(options, vec![format!("nats://127.0.0.1:{port}")])?;
    let before = (host.main_pid(other)?, host.varz(other)?.start);
    let pid = host.main_pid(one)?;
    host.run(&format!("systemctl restart {one}.service"))?;
    ensure!(host.main_pid(one)? != pid, "{one} was not restarted");
    let state = host.show(other, "ActiveState")?;
    ensure!(state == "active", "{other} noticed: it is {state}");
    let after = (host.main_pid(other)?, host.varz(other)?.start);
    ensure!(
        before == after,
        "{other} noticed: {before:?}, then {after:?}"
    );
    ensure!(
        client.connection_state() == State::Connected,
        "a client of {other} was cut off"
    );
    until(&format!("{other} is linked"), PATIENCE, || host.hub(other))?;
    // Each user reads only its own.
    for (user, theirs) in [(one, other), (other, one)] {
        let read = host.script(&format!(
            "setpriv --reuid={user} --regid={user} --clear-groups -- sh -c \
             'test -r /run/secrets/{user}.nk || exit 1; for file; do test -r $file && echo $file; done; true' \
             sh /run/secrets/{theirs}.* /run/{theirs} /var/lib/{theirs} /var/lib/{theirs}/jetstream"
        ))?;
        ensure!(read.is_empty(), "{user} reads {read}");
    }
    host.stop()
}

/// Every host is shut down and started, all at the same time; what was stored is there.
pub fn reboot(scene: &Scene) -> Result<()> {
    let stream = Stored::create(scene, "hub-1", "REBOOT", 3)?;
    let mut stored = Vec::new();
    for _ in 0..10 {
        stored.push(stream.store(1000)?);
    }
    let Scene { lab, times, .. } = scene;
    times.measure("shutdown of all six hosts", || lab.each(&FLEET, Host::stop))?;
    times.measure("boot of all six hosts with their data", || lab.boot(&FLEET))?;
    scene.whole()?;
    let stream = stream.through(scene, "hub-2")?;
    stored.push(stream.stores()?);
    stream.has_all(&stored)?;
    stream.delete()?;
    scene.reaches("hub-2").map(drop)
}
