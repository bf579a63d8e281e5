//! Streams that options declare: there after the boot, and as declared after a switch.

use anyhow::{Context, Result, ensure};
use async_nats::jetstream;
use cim_lab::{Action, until};

use crate::support::{PATIENCE, Scene};
use crate::watched;

const HOST: &str = "cim-dev-001";
const SERVER: &str = "cim-dev-001.service";
const UNIT: &str = "cim-dev-001-provision.service";
const BACKUP: &str = "cim-dev-001-backup.service";
const READY: &str = "cim-dev-001-ready.target";
const DAY: u64 = 24 * 60 * 60;

/// What is declared is made; another declaration is taken over while the server goes on, and one that cannot be is named.
pub fn follows(scene: &Scene) -> Result<()> {
    let host = scene.lab.host(HOST)?;
    until("streams are made", PATIENCE, || is(scene, "active"))?;
    ensure!(max_age(scene)? == 7 * DAY, "another stream is there");
    let pid = host.main_pid(SERVER)?;

    let switched = host.switch(scene.lab.toplevel("declared", HOST)?)?;
    let outcome = switched.unit(UNIT)?;
    ensure!(
        outcome.action == Action::StopStart && outcome.error.is_none(),
        "the declaration is not taken over: {outcome:?}"
    );
    ensure!(
        switched.unit(SERVER).is_err(),
        "the switch touches the server: {switched:?}"
    );
    ensure!(max_age(scene)? == DAY, "the stream is the old one");

    let switched = host.switch(scene.lab.toplevel("undoable", HOST)?)?;
    let said = switched.unit(UNIT)?.error.as_deref();
    let said = said.context("the switch is called a success")?;
    let option = "services.cim.leaves.cim-dev-001.accounts.CIM.streams.EVENTS";
    ensure!(said.contains(option), "no {option} in: {said}");
    is(scene, "failed")?;
    watched::not(host, READY)?;

    let back = host.switch(scene.lab.toplevel("base", HOST)?)?;
    ensure!(
        back.unit(UNIT)?.error.is_none(),
        "going back failed: {back:?}"
    );
    ensure!(max_age(scene)? == 7 * DAY, "the stream is not as before");
    watched::is(host, READY)?;
    ensure!(
        host.main_pid(SERVER)? == pid,
        "the server is another process"
    );
    Ok(())
}

/// A backup is taken and drilled by its unit, in its sandbox.
pub fn backed_up(scene: &Scene) -> Result<()> {
    let host = scene.lab.host(HOST)?;
    // As a switch does.
    host.run("systemd-tmpfiles --create /etc/tmpfiles.d/cim-dev-001-backup.conf")?;
    let done = host.run(&format!("systemctl start {BACKUP}"));
    done.with_context(|| host.journal(BACKUP).unwrap_or_default())?;
    let last = host.run("cat /var/backup/cim-dev-001/CIM/last.json")?;
    ensure!(
        last.contains("\"drill\": {") || last.contains("\"drill\":{"),
        "no drill in {last}"
    );
    // Whoever cim-health runs as may read how they are, and not what is in them.
    let told = "/var/lib/cim-dev-001-backup/CIM.json";
    let owner = host.run(&format!("stat -L -c %a:%U {told}"))?;
    ensure!(owner.trim() == "644:cim_backup", "{told}: {owner}");
    let status = host.run(&format!("cat {told}"))?;
    ensure!(status.contains("\"ok\": true"), "{told}: {status}");
    Ok(())
}

fn is(scene: &Scene, wanted: &str) -> Result<()> {
    let state = scene.lab.host(HOST)?.show(UNIT, "ActiveState")?;
    ensure!(state == wanted, "{UNIT} is {state}");
    Ok(())
}

/// In seconds.
fn max_age(scene: &Scene) -> Result<u64> {
    let client = scene.lab.client(HOST, "dev")?;
    let inside = scene.host(HOST)?.inside();
    inside.run(async move {
        let stream = jetstream::new(client).get_stream("EVENTS").await;
        let stream = stream.context("asking for the stream")?;
        Ok(stream.cached_info().config.max_age.as_secs())
    })
}
