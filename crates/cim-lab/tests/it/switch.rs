//! New generations on running hosts.

use anyhow::{Context, Result, ensure};
use async_nats::Client;
use async_nats::connection::State;
use cim_lab::{Action, Host, until};

use crate::support::{PATIENCE, Scene};

/// The leaf whose changes are hot.
const LEAF: &str = "cim-prod-001";
const UNIT: &str = "cim-prod-001.service";

/// The leaf whose changes need a restart.
const COLD: &str = "cim-dev-001";
const COLD_UNIT: &str = "cim-dev-001.service";

/// A permission more: the same process has it, and its clients did not notice.
pub fn reloads(scene: &Scene) -> Result<()> {
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
pub fn restarts(scene: &Scene) -> Result<()> {
    let host = scene.lab.host(COLD)?;
    let pid = host.main_pid(COLD_UNIT)?;
    let toplevel = scene.lab.toplevel("restart", COLD)?;
    let what = "switch: restart (5 s of it lame-duck grace)";
    let switched = scene.times.measure(what, || host.switch(toplevel))?;
    let outcome = switched.unit(COLD_UNIT)?;
    ensure!(
        outcome.action == Action::StopStart,
        "it is not a restart: {outcome:?}"
    );
    ensure!(outcome.error.is_none(), "the restart failed: {outcome:?}");
    ensure!(host.main_pid(COLD_UNIT)? != pid, "it is the same process");
    let back = host.switch(scene.lab.toplevel("base", COLD)?)?;
    ensure!(
        back.unit(COLD_UNIT)?.error.is_none(),
        "going back failed: {back:?}"
    );
    scene.linked(COLD)?;
    Ok(())
}

/// What must be as before after a reload that failed.
struct Before<'a> {
    host: &'a Host,
    instance: &'a str,
    client: Client,
    pid: i32,
    digest: String,
}

impl<'a> Before<'a> {
    fn of(scene: &'a Scene, instance: &'a str, user: &str) -> Result<Self> {
        let host = scene.lab.host(instance)?;
        Ok(Self {
            host,
            instance,
            client: scene.lab.client(instance, user)?,
            pid: host.main_pid(instance)?,
            digest: host.varz(instance)?.config_digest,
        })
    }

    /// The old config serves, by the same process, and its clients stayed.
    fn still(&self) -> Result<()> {
        let Self { host, instance, .. } = self;
        ensure!(
            host.main_pid(instance)? == self.pid,
            "it is another process"
        );
        let digest = host.varz(instance)?.config_digest;
        ensure!(digest == self.digest, "the config is another one");
        ensure!(
            self.client.connection_state() == State::Connected,
            "the client was cut off"
        );
        let state = host.show(instance, "ActiveState")?;
        ensure!(
            state == "active",
            "{instance} is {state} after a failed reload"
        );
        Ok(())
    }
}

/// A change that is hot, on a host whose key file was only half written: the switch fails with the server's reason.
pub fn refused(scene: &Scene) -> Result<()> {
    let before = Before::of(scene, LEAF, "graph")?;
    let host = before.host;
    let key = "/run/secrets/cim-prod-001.key";
    host.script(&format!(
        "cp --preserve {key} /run/whole.key && truncate --size=80 {key}"
    ))?;
    let switched = host.switch(scene.lab.toplevel("reload", LEAF)?)?;
    let outcome = switched.unit(UNIT)?;
    ensure!(
        outcome.action == Action::Reload,
        "it is not a reload: {outcome:?}"
    );
    let said = outcome.error.as_deref();
    let said = said.context("the switch is called a success")?;
    names(
        said,
        &[
            "nats-server -t says of /etc/cim/cim-prod-001/nats.conf",
            "error parsing X509 certificate/key pair",
            "keeps its old config",
            "systemctl restart cim-prod-001",
        ],
    )?;
    before.still()?;
    // Written whole, the same switch's reload is taken.
    host.run(&format!("mv /run/whole.key {key}"))?;
    host.run(&format!("systemctl reload {UNIT}"))?;
    let back = host.switch(scene.lab.toplevel("base", LEAF)?)?;
    ensure!(
        back.unit(UNIT)?.error.is_none(),
        "going back failed: {back:?}"
    );
    scene.linked(LEAF).map(drop)
}

/// A wrong table of triggers: nats-server's reload keeps the old config and says nothing to whoever signalled it.
pub fn wrong_table(scene: &Scene) -> Result<()> {
    let before = Before::of(scene, COLD, "dev")?;
    let host = before.host;
    let said = host.reload_wrongly(scene.lab.toplevel("restart", COLD)?, COLD_UNIT)?;
    names(
        &said,
        &[
            "nats-server says: config reload not supported for",
            "keeps its old config",
            "systemctl restart cim-dev-001",
        ],
    )?;
    before.still()?;
    host.restore_config()?;
    host.run(&format!("systemctl reload {COLD_UNIT}"))?;
    Ok(())
}

fn names(said: &str, all: &[&str]) -> Result<()> {
    for words in all {
        ensure!(said.contains(words), "nothing says {words:?}:\n{said}");
    }
    Ok(())
}

/// A new certificate on a hub node: loaded by a reload, no client leaves.
pub fn renewed(scene: &Scene) -> Result<()> {
    let hub = scene.lab.host("hub-2")?;
    let client = scene.lab.client("hub-2", "alchemist")?;
    let pid = hub.main_pid("cim-hub-2.service")?;
    let expiry = || -> Result<String> {
        let varz: serde_json::Value = hub.get("hub-2", "/varz")?;
        let expiry = varz["tls_cert_not_after"].as_str();
        Ok(expiry.context("no tls_cert_not_after in /varz")?.to_owned())
    };
    let before = expiry()?;
    scene.lab.certify(hub, time::Duration::days(60))?;
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
pub fn missing_secret(scene: &Scene) -> Result<()> {
    let host = scene.lab.host(COLD)?;
    host.run("mv /run/secrets/cim-dev-001.nk /run/secrets/away")?;
    let restarted = host.run(&format!("systemctl restart {COLD_UNIT}"));
    ensure!(restarted.is_err(), "it starts without its secret");
    let journal = host.journal(COLD_UNIT)?;
    names(
        &journal,
        &["reading the nkey seed in /run/secrets/cim-dev-001.nk"],
    )?;
    host.run("mv /run/secrets/away /run/secrets/cim-dev-001.nk")?;
    until("the unit is active by itself", PATIENCE, || {
        let state = host.show(COLD_UNIT, "ActiveState")?;
        ensure!(state == "active", "it is {state}");
        Ok(())
    })?;
    scene.linked(COLD)?;
    Ok(())
}
