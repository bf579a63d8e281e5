//! How a server goes.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use cim_lab::until;

use crate::support::{HUBS, PATIENCE, Scene};

/// Clients are told to move and do, and the stop ends by itself, in time.
pub fn lame_duck(scene: &Scene) -> Result<()> {
    let (hub, unit) = ("hub-1", "cim-hub-1.service");
    let host = scene.lab.host(hub)?;
    let mut clients = Vec::new();
    for _ in 0..5 {
        let mut client = scene.lab.client_of(hub, &HUBS, "alchemist")?;
        // Whichever node the client chose first: until it is this one.
        for _ in 0..50 {
            if client.server_info().server_name == hub {
                break;
            }
            client = scene.lab.client_of(hub, &HUBS, "alchemist")?;
        }
        ensure!(
            client.server_info().server_name == hub,
            "no client came to {hub}"
        );
        clients.push(client);
    }
    let since = Instant::now();
    scene
        .times
        .measure("lame duck: stop of a hub node with 5 clients", || {
            host.run(&format!("systemctl stop {unit}")).map(drop)
        })?;
    let took = since.elapsed();
    let limit = host.show(unit, "TimeoutStopUSec")?;
    ensure!(limit == "50s", "the stop may take {limit}");
    ensure!(took < Duration::from_secs(50), "the stop took {took:?}");
    let result = host.show(unit, "Result")?;
    ensure!(result == "success", "the stop ended with {result}");
    let journal = host.journal(unit)?;
    ensure!(journal.contains("lame duck"), "no lame duck:\n{journal}");
    for client in &clients {
        until("the client moved", PATIENCE, || {
            let server = client.server_info().server_name;
            ensure!(server != hub, "it is on {server}");
            Ok(())
        })?;
        let one = clients.first().context("there are clients")?;
        scene.crosses(client, one, "commands.after")?;
    }
    host.run(&format!("systemctl start {unit}"))?;
    scene.hub_whole()
}
