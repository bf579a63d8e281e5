//! `cim-health --wait`.

use std::process::{Command, Stdio};

use anyhow::Result;
use cim_spec::artefact::Health;
use cim_testkit::golden;

use crate::support::{Hosts, hosts, put_health, run, running, said};

fn wait(hosts: &Hosts, health: &Health, seconds: &str) -> Result<Command> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cim-health"));
    command
        .args(["--wait", seconds])
        .arg(put_health(health, hosts.dir.path())?);
    Ok(command)
}

#[test]
fn it_waits_for_a_server_that_comes_up_later() -> Result<()> {
    let mut hosts = hosts(&[golden("cim-prod-001")?])?;
    let mut command = wait(&hosts, &hosts.fleet.health("cim-prod-001")?, "20")?;
    let waiting = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    hosts.fleet.start("cim-prod-001")?;
    said(&waiting.wait_with_output()?)?.done();
    Ok(())
}

#[test]
fn the_first_node_of_a_hub_of_three_is_ready_without_the_others() -> Result<()> {
    let hosts = running("hub-1")?;
    let whole = hosts
        .fleet
        .server("hub-1")?
        .get::<serde_json::Value>("/healthz");
    assert!(whole.is_err(), "its JetStream has no leader yet: {whole:?}");
    run(&mut wait(&hosts, &hosts.fleet.health("hub-1")?, "5")?)?.done();
    Ok(())
}

#[test]
fn another_server_on_the_port_does_not_count() -> Result<()> {
    let hosts = running("cim-prod-001")?;
    let health = Health {
        server_name: "cim-prod-002".to_owned(),
        ..hosts.fleet.health("cim-prod-001")?
    };
    run(&mut wait(&hosts, &health, "0")?)?.refused(&[
        "cim-prod-002",
        "another server",
        "\"cim-prod-001\"",
    ]);
    Ok(())
}

#[test]
fn a_server_that_does_not_come_up_fails_the_wait_with_the_reason() -> Result<()> {
    let hosts = hosts(&[golden("cim-prod-001")?])?;
    let health = hosts.fleet.health("cim-prod-001")?;
    run(&mut wait(&hosts, &health, "1")?)?.refused(&[
        "cim-prod-001 was not ready in 1 s",
        &health.monitor,
        "refused",
    ]);
    Ok(())
}

#[test]
fn a_server_that_ends_is_not_waited_for() -> Result<()> {
    let hosts = hosts(&[golden("cim-prod-001")?])?;
    let health = hosts.fleet.health("cim-prod-001")?;
    // Any process that reads the config and never listens stands for a server that cannot start.
    let mut server = Command::new("tail").args(["-f", &health.config]).spawn()?;
    let waiting = wait(&hosts, &health, "600")?
        .args(["--pid", &server.id().to_string()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    server.kill()?;
    server.wait()?;
    // Before or after cim-health has taken hold of it.
    said(&waiting.wait_with_output()?)?.refused(&["ended"]);
    Ok(())
}
