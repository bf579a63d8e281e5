//! `cim-reload`: what is taken over, and what is refused with its reason.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use async_nats::Client;
use cim_testkit::{Fleet, golden, plan};
use serde_json::json;

use crate::support::{Hosts, changed, hosts, reload, reload_with, running};

const NKEY: &str = "UDVYRKCDSNW6MDQSHMYWGLFGB2532YMH4JPQHZJW6GHQQSYDVZ6Q4CWK";
const RESTART: &str = "systemctl restart cim-hub-1";

/// hub-1 with a client that must not notice anything.
async fn hub() -> Result<(Hosts, Client)> {
    let hosts = running("hub-1")?;
    let client = hosts.fleet.client("hub-1", "alchemist").await?;
    Ok((hosts, client))
}

/// The client is still on the connection that it made.
async fn undisturbed(client: &Client) -> Result<()> {
    client.flush().await?;
    // What every user of the golden hosts may publish.
    let mut ears = client.subscribe("metrics.dev.x").await?;
    client.publish("metrics.dev.x", "".into()).await?;
    let heard = futures_util::StreamExt::next(&mut ears);
    tokio::time::timeout(Duration::from_secs(10), heard)
        .await
        .context("the client hears nothing any more")?
        .context("the subscription ended")?;
    let connects = client
        .statistics()
        .connects
        .load(std::sync::atomic::Ordering::Relaxed);
    assert_eq!(connects, 1, "it was reconnected");
    Ok(())
}

fn digest(fleet: &Fleet, name: &str) -> Result<String> {
    Ok(fleet.server(name)?.varz()?.config_digest)
}

#[tokio::test]
async fn a_change_that_can_be_reloaded_is_running_afterwards_and_disturbs_no_client() -> Result<()>
{
    let (mut hosts, client) = hub().await?;
    let fleet = &mut hosts.fleet;
    let pid = fleet.server("hub-1")?.pid();
    let user = json!({"$like": "hub.fleet.accounts.CIM.users.alchemist", "nkey": NKEY,
        "permissions": {"publish": {"allow": ["a.>"], "deny": []}, "subscribe": {"allow": ["b.>"], "deny": []},
        "allowResponses": {"max": 1, "expires": "2m"}}});
    let spec = changed(
        "hub-1",
        &[
            ("hub.hub.server.limits.maxPayload", json!("2MiB")),
            ("hub.hub.server.limits.maxConnections", json!(100)),
            ("hub.hub.server.logging.debug", json!(true)),
            ("hub.fleet.leaves.cim-dev-001.exports", json!(["other.>"])),
            ("hub.fleet.accounts.CIM.users.newcomer", user),
            (
                "hub.fleet.accounts.OTHER",
                json!({"$like": "hub.fleet.accounts.CIM", "users": {}}),
            ),
        ],
    )?;
    let before = digest(fleet, "hub-1")?;
    fleet.rewrite("hub-1", plan(&spec)?)?;
    reload(fleet, "hub-1")?.done();

    let varz: serde_json::Value = fleet.server("hub-1")?.get("/varz")?;
    assert_eq!(varz["max_payload"], 2 * 1024 * 1024);
    assert_eq!(varz["max_connections"], 100);
    assert_ne!(digest(fleet, "hub-1")?, before);
    assert_eq!(fleet.server("hub-1")?.pid(), pid);
    fleet.client("hub-1", "newcomer").await?;
    fleet.says("hub-1", "[DBG]").await?;
    undisturbed(&client).await
}

#[tokio::test]
async fn a_leaf_s_clients_do_not_notice_that_it_dials_others() -> Result<()> {
    let mut hosts = running("cim-prod-001")?;
    let client = hosts.fleet.client("cim-prod-001", "graph").await?;
    let fleet = &mut hosts.fleet;
    let spec = changed(
        "cim-prod-001",
        &[
            ("leaf.leaf.remotes.hub.compression", json!("s2_best")),
            (
                "leaf.fleet.hubs.hub.nodes.hub-3.address",
                json!("hub-9.cim.example.com"),
            ),
            ("leaf.fleet.leaf.imports", json!(["commands.prod.>"])),
        ],
    )?;
    let before = digest(fleet, "cim-prod-001")?;
    fleet.rewrite("cim-prod-001", plan(&spec)?)?;
    reload(fleet, "cim-prod-001")?.done();
    assert_ne!(digest(fleet, "cim-prod-001")?, before);
    undisturbed(&client).await
}

#[tokio::test]
async fn nothing_new_is_a_reload_as_well() -> Result<()> {
    let (hosts, client) = hub().await?;
    reload(&hosts.fleet, "hub-1")?.done();
    reload(&hosts.fleet, "hub-1")?.done();
    undisturbed(&client).await
}

#[tokio::test]
async fn a_change_that_needs_a_restart_is_refused_in_nats_server_s_words() -> Result<()> {
    let (mut hosts, client) = hub().await?;
    let fleet = &mut hosts.fleet;
    let before = digest(fleet, "hub-1")?;
    let other = json!({"$like": "hub.fleet.accounts.SYS"});
    let cases = [
        (
            "MaxPending",
            vec![("hub.hub.server.limits.maxPending", json!("128MiB"))],
        ),
        (
            "Advertise",
            vec![(
                "hub.fleet.hubs.hub.nodes.hub-1.address",
                json!("moved.example.com"),
            )],
        ),
        (
            "SystemAccount",
            vec![
                ("hub.fleet.accounts.OTHER", other),
                ("hub.fleet.systemAccount", json!("OTHER")),
            ],
        ),
    ];
    for (field, changes) in cases {
        fleet.rewrite("hub-1", plan(&changed("hub-1", &changes)?)?)?;
        let said = reload(fleet, "hub-1")?;
        said.refused(&["hub-1 did not reload", RESTART, "nats-server says: ", field]);
        assert!(!said.text.contains("old="), "{}", said.text);
        assert_eq!(digest(fleet, "hub-1")?, before);
    }
    undisturbed(&client).await
}

#[tokio::test]
async fn a_config_that_does_not_parse_is_refused_before_the_server_is_told() -> Result<()> {
    let (hosts, client) = hub().await?;
    let fleet = &hosts.fleet;
    let before = fleet.server("hub-1")?.varz()?.config_load_time;
    let health = fleet.health("hub-1")?;
    let text = std::fs::read_to_string(&health.config)?;
    for broken in [format!("{text}\nno_such_field: 1\n"), text.replace('}', "")] {
        std::fs::write(&health.config, broken)?;
        reload(fleet, "hub-1")?.refused(&["nats-server -t says of ", &health.config, RESTART]);
    }
    assert_eq!(fleet.server("hub-1")?.varz()?.config_load_time, before);
    let log = std::fs::read_to_string(fleet.server("hub-1")?.log())?;
    assert!(!log.contains("Failed to reload"), "{log}");
    undisturbed(&client).await
}

#[tokio::test]
async fn a_config_that_is_not_the_one_that_was_built_is_named() -> Result<()> {
    // Without JetStream and leaves nothing in it is known on the host alone.
    let mut spec = golden("hub-no-jetstream")?;
    spec["hub"]["fleet"]["leaves"] = json!({});
    let mut hosts = hosts(&[spec])?;
    hosts.fleet.start_all()?;
    let client = hosts.fleet.client("hub-1", "alchemist").await?;
    let fleet = &hosts.fleet;
    let health = fleet.health("hub-1")?;
    let built = health
        .config_digest
        .clone()
        .context("hub-1 has no secrets")?;
    let text = std::fs::read_to_string(&health.config)?;
    std::fs::write(
        &health.config,
        text.replace("\"max_connections\": 65536", "\"max_connections\": 7"),
    )?;
    reload(fleet, "hub-1")?.refused(&[&health.config, "is not the config that was built", &built]);
    let varz: serde_json::Value = fleet.server("hub-1")?.get("/varz")?;
    assert_eq!(varz["max_connections"], 65536);
    undisturbed(&client).await
}

#[tokio::test]
async fn a_process_that_is_not_the_server_is_never_signalled() -> Result<()> {
    let (hosts, client) = hub().await?;
    let fleet = &hosts.fleet;
    let health = fleet.health("hub-1")?;
    let mut other = Command::new("sleep").arg("60").spawn()?;
    let said = reload_with(fleet, "hub-1", &health, other.id())?;
    let alive = other.try_wait()?.is_none();
    other.kill()?;
    other.wait()?;
    said.refused(&["\"sleep\"", "not a nats-server that reads", &health.config]);
    assert!(alive, "it was signalled");
    reload_with(fleet, "hub-1", &health, other.id())?.refused(&["process", "did not reload"]);
    reload_with(fleet, "hub-1", &health, 0)?.refused(&["0 is no process id"]);
    undisturbed(&client).await
}

#[tokio::test]
async fn another_server_on_the_monitoring_port_is_refused() -> Result<()> {
    let (hosts, client) = hub().await?;
    let mut health = hosts.fleet.health("hub-1")?;
    health.server_name = "hub-9".to_owned();
    let pid = hosts.fleet.server("hub-1")?.pid();
    reload_with(&hosts.fleet, "hub-1", &health, pid)?.refused(&["another server than \"hub-9\""]);
    undisturbed(&client).await
}
