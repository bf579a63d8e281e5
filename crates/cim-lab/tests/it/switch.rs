//! New generations on running hosts.

use anyhow::{Context, Result, ensure};
use async_nats::connection::State;
use cim_lab::{Action, until};

use crate::support::{PATIENCE, Scene};

const LEAF: &str = "cim-prod-001";
const UNIT: &str = "cim-prod-001.service";

/// A permission more: the same process has it, and its clients did not notice.
pub fn reloads(scene: &mut Scene) -> Result<()> {
    let host = scene.lab.host(LEAF)?;
    let client = scene.lab.client(LEAF, "graph")?;
    let (pid, before) = (host.main_pid(UNIT)?, host.varz(LEAF)?);
    let connects = client.statistics();
    let toplevel = scene.lab.toplevel("reload", LEAF)?;
    let switched = scene
        .times
        .measure("switch: reload", || host.switch(toplevel))?;
    let outcome = switched.unit(UNIT)?;
    ensure!(
        outcome.action == Action::Reload,
        "it is not a reload: {outcome:?}"
    );
    ensure!(outcome.error.is_none(), "the reload failed: {outcome:?}");
    let after = host.varz(LEAF)?;
    ensure!(host.main_pid(UNIT)? == pid, "it is another process");
    ensure!(after.start == before.start, "the server started anew");
    ensure!(
        after.config_digest != before.config_digest,
        "the config is the old one"
    );
    ensure!(
        client.connection_state() == State::Connected,
        "the client was cut off"
    );
    ensure!(
        connects.connects.load(std::sync::atomic::Ordering::Relaxed) == 1,
        "the client had to connect again"
    );
    // What the change allows.
    scene.crosses(&client, &client, "audit.login")?;
    let back = host.switch(scene.lab.toplevel("base", LEAF)?)?;
    ensure!(
        back.unit(UNIT)?.error.is_none(),
        "going back failed: {back:?}"
    );
    scene.linked(LEAF)?;
    Ok(())
}

/// The size of a store: the unit is stopped and started.
pub fn restarts(scene: &mut Scene) -> Result<()> {
    let host = scene.lab.host(LEAF)?;
    let pid = host.main_pid(UNIT)?;
    let toplevel = scene.lab.toplevel("restart", LEAF)?;
    let switched = scene
        .times
        .measure("switch: restart", || host.switch(toplevel))?;
    let outcome = switched.unit(UNIT)?;
    ensure!(
        outcome.action == Action::StopStart,
        "it is not a restart: {outcome:?}"
    );
    ensure!(outcome.error.is_none(), "the restart failed: {outcome:?}");
    ensure!(host.main_pid(UNIT)? != pid, "it is the same process");
    let back = host.switch(scene.lab.toplevel("base", LEAF)?)?;
    ensure!(
        back.unit(UNIT)?.error.is_none(),
        "going back failed: {back:?}"
    );
    scene.linked(LEAF)?;
    Ok(())
}

/// nats-server's reload keeps the old config and says nothing to whoever signalled it.
pub fn refused(scene: &mut Scene) -> Result<()> {
    let host = scene.lab.host(LEAF)?;
    let client = scene.lab.client(LEAF, "graph")?;
    let (pid, before) = (host.main_pid(UNIT)?, host.varz(LEAF)?);
    let said = host.reload_wrongly(scene.lab.toplevel("restart", LEAF)?, UNIT)?;
    for words in [
        "nats-server says: config reload not supported for",
        "keeps its old config",
        "systemctl restart cim-prod-001",
    ] {
        ensure!(said.contains(words), "nothing says {words:?}:\n{said}");
    }
    let after = host.varz(LEAF)?;
    ensure!(host.main_pid(UNIT)? == pid, "it is another process");
    ensure!(
        after.config_digest == before.config_digest,
        "the config is another one"
    );
    ensure!(
        client.connection_state() == State::Connected,
        "the client was cut off"
    );
    let state = host.show(UNIT, "ActiveState")?;
    ensure!(state == "active", "{UNIT} is {state} after a failed reload");
    host.restore_config()?;
    host.run(&format!("systemctl reload {UNIT}"))?;
    Ok(())
}

/// A new certificate on a hub node: loaded by a reload, no client leaves.
pub fn renewed(scene: &mut Scene) -> Result<()> {
    let hub = scene.lab.host("hub-2")?;
    let client = scene.lab.client("hub-2", "alchemist")?;
    let pid = hub.main_pid("cim-hub-2.service")?;
    let expiry = || -> Result<String> {
        let varz: serde_json::Value = hub.get("hub-2", "/varz")?;
        let expiry = varz["tls_cert_not_after"].as_str();
        Ok(expiry.context("no tls_cert_not_after in /varz")?.to_owned())
    };
    let before = expiry()?;
    scene.lab.certify(hub, time::Duration::days(2))?;
    hub.run("systemctl reload cim-hub-2.service")?;
    ensure!(expiry()? != before, "the old certificate is loaded");
    ensure!(
        hub.main_pid("cim-hub-2.service")? == pid,
        "it is another process"
    );
    ensure!(
        client.connection_state() == State::Connected,
        "the client was cut off"
    );
    scene.hub_whole()
}

/// The unit does not start, says why, and starts by itself when the secret is there.
pub fn missing_secret(scene: &mut Scene) -> Result<()> {
    let host = scene.lab.host(LEAF)?;
    host.run("mv /run/secrets/cim-prod-001.nk /run/secrets/away")?;
    let restarted = host.run(&format!("systemctl restart {UNIT}"));
    ensure!(restarted.is_err(), "it starts without its secret");
    let journal = host.journal(UNIT)?;
    let named = "reading the nkey seed in /run/secrets/cim-prod-001.nk";
    ensure!(
        journal.contains(named),
        "nothing says {named:?}:\n{journal}"
    );
    host.run("mv /run/secrets/away /run/secrets/cim-prod-001.nk")?;
    until("the unit is active by itself", PATIENCE, || {
        let state = host.show(UNIT, "ActiveState")?;
        ensure!(state == "active", "it is {state}");
        Ok(())
    })?;
    scene.linked(LEAF)?;
    Ok(())
}
