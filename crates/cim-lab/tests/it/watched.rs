//! The units that watch instances, and the targets that others wait for.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use cim_lab::{Host, until};

use crate::support::{PATIENCE, Scene};

/// The host with two instances; of the first the watchdog is shorter, and somebody is told (`xtask`'s lab/generations.rs).
const EDGE: &str = "cim-edge-001";
const OTHER: &str = "cim-edge-002";
const WATCHDOG: Duration = Duration::from_secs(6);
const TOLD: &str = "lab-told.service";

/// The leaf whose server hangs.
const LEAF: &str = "cim-prod-002";

/// A look each second, and 3 s in which nobody answers.
const HUNG: Duration = Duration::from_secs(5);

/// A daemon that hangs is restarted by systemd, and whoever is to hear of it does.
pub fn hung_watcher(scene: &Scene) -> Result<()> {
    scene.lab.boot(&[EDGE])?;
    let host = scene.host(EDGE)?;
    host.script(&format!(
        "printf '[Service]\\nExecStart=touch /run/told\\n' > /etc/systemd/system/{TOLD} && systemctl daemon-reload"
    ))?;
    host.well(EDGE, PATIENCE)?;
    let watcher = host.watcher(EDGE)?;
    let server = host.main_pid(EDGE)?;
    ensure!(
        host.script("test -e /run/told").is_err(),
        "somebody is told of nothing"
    );
    let since = Instant::now();
    let hung = host.freeze(&watcher)?;
    let what = "hung watcher, watchdog 6 s: restarted, says how it is";
    scene.times.measure_since(since, what, || {
        until("systemd restarted it", WATCHDOG + PATIENCE, || {
            ensure!(host.main_pid(&watcher)? != hung, "it has the old process");
            host.well(EDGE, Duration::ZERO)
        })
    })?;
    let journal = host.journal(&watcher)?;
    ensure!(
        journal.contains("Watchdog timeout"),
        "it was not the watchdog: {journal}"
    );
    until("somebody is told", PATIENCE, || {
        host.script("test -e /run/told").map(drop)
    })?;
    ensure!(
        host.main_pid(EDGE)? == server,
        "the server is another process"
    );
    host.run(&format!("rm /etc/systemd/system/{TOLD}"))?;
    host.stop()
}

/// A server that hangs is reported by the unit's line, its page and the program's exit code; nobody restarts it.
pub fn hung_server(scene: &Scene) -> Result<()> {
    let host = scene.host(LEAF)?;
    host.well(LEAF, PATIENCE)?;
    let (status, page) = host.page(LEAF, "/healthz")?;
    ensure!(status == 200, "{status}: {page}");
    ensure!(page.contains("OK        link hub: linked to"), "{page}");
    ensure!(
        page.contains("OK        config: runs /etc/cim/cim-prod-002/nats.conf"),
        "the watcher has not the digest of a config with secrets: {page}"
    );
    let (said, code) = host.looked(LEAF)?;
    ensure!(code < 2, "{code}: {said}");

    let since = Instant::now();
    let pid = host.freeze(&format!("{LEAF}.service"))?;
    let reports = ["UNKNOWN server: the server does not answer"];
    let line = scene
        .times
        .measure_since(since, "hung server: reported", || {
            host.says(LEAF, &reports, PATIENCE)
        })?;
    let took = since.elapsed();
    ensure!(took <= HUNG, "reported after {took:?}");
    let status = host.script(&format!("systemctl status {LEAF}-health.service; true"))?;
    ensure!(status.contains(&line), "no {line:?} in {status}");
    let (status, page) = host.page(LEAF, "/healthz")?;
    ensure!(status == 503, "{status}: {page}");
    ensure!(page.contains("link hub: because server"), "{page}");
    let (said, code) = host.looked(LEAF)?;
    ensure!(code == 3, "{code}: {said}");

    host.thaw(pid)?;
    let since = Instant::now();
    scene
        .times
        .measure_since(since, "hung server goes on: well", || {
            host.well(LEAF, PATIENCE)
        })?;
    ensure!(host.main_pid(LEAF)? == pid, "the server is another process");
    Ok(())
}

/// The watcher outlives its server, tells of it, and sees the next one.
pub fn outlives(scene: &Scene) -> Result<()> {
    let host = scene.host(LEAF)?;
    host.well(LEAF, PATIENCE)?;
    let watcher = host.main_pid(&host.watcher(LEAF)?)?;
    host.run(&format!("systemctl stop {LEAF}.service"))?;
    host.says(LEAF, &["UNKNOWN server: "], PATIENCE)?;
    not(host, &format!("{LEAF}-ready.target"))?;
    not(host, "cim-ready.target")?;
    host.run(&format!("systemctl start {LEAF}.service"))?;
    host.well(LEAF, PATIENCE)?;
    ensure!(
        host.main_pid(&host.watcher(LEAF)?)? == watcher,
        "the watcher is another process"
    );
    is(host, &format!("{LEAF}-ready.target"))?;
    is(host, "cim-ready.target")
}

/// The targets of two instances: each falls and comes back with its own server, and that of the host with all.
pub fn targets(scene: &Scene) -> Result<()> {
    scene.lab.boot(&[EDGE])?;
    let host = scene.host(EDGE)?;
    let (one, other) = (
        format!("{EDGE}-ready.target"),
        format!("{OTHER}-ready.target"),
    );
    for target in [&one, &other, "cim-ready.target"] {
        is(host, target)?;
    }
    let pid = host.kill(&format!("{EDGE}.service"))?;
    until("systemd restarted it", PATIENCE, || {
        ensure!(host.main_pid(EDGE)? != pid, "it has the old process");
        Ok(())
    })?;
    is(host, &one)?;
    is(host, "cim-ready.target")?;
    host.run(&format!("systemctl stop {OTHER}.service"))?;
    not(host, &other)?;
    not(host, "cim-ready.target")?;
    ensure!(
        host.show(&one, "ActiveState")? == "active",
        "{one} fell too"
    );
    // What comes back starts nothing that somebody stopped.
    host.run(&format!("systemctl restart {EDGE}.service"))?;
    is(host, &one)?;
    not(host, "cim-ready.target")?;
    ensure!(
        host.show(OTHER, "ActiveState")? == "inactive",
        "{OTHER} was started"
    );
    host.run(&format!("systemctl start {OTHER}.service"))?;
    is(host, &other)?;
    is(host, "cim-ready.target")?;
    host.stop()
}

/// Waits until a target is reached.
pub fn is(host: &Host, target: &str) -> Result<()> {
    until(&format!("{target} is reached"), PATIENCE, || {
        let state = host.show(target, "ActiveState")?;
        ensure!(state == "active", "it is {state}");
        Ok(())
    })
}

/// Waits until a target is not reached.
pub fn not(host: &Host, target: &str) -> Result<()> {
    until(&format!("{target} is not reached"), PATIENCE, || {
        let state = host.show(target, "ActiveState")?;
        ensure!(state == "inactive", "it is {state}");
        Ok(())
    })
}
