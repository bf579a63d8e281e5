//! `websocket {}`, `mqtt {}` and `gateway {}`.

use cim_spec::plan::{Address, Gateway, SideListener};

use super::{fields, listen, tls};
use crate::conf::{Duplicate, Map};
use crate::places::{Listener, Places, host_port};

/// Either of the listeners for clients of other protocols.
///
/// # Errors
/// As [`super::document`].
pub fn side(
    listener: &SideListener,
    kind: Listener,
    places: &dyn Places,
) -> Result<Map, Duplicate> {
    let mut block = Map::new();
    block.put(
        "listen",
        listen(places, kind, bind(&listener.host, listener.port)),
    );
    if let Some(address) = &listener.advertise {
        block.put("advertise", host_port(&places.dial(kind, address)));
    }
    match &listener.tls {
        Some(files) => {
            block.put("tls", tls::server(files, places)?);
        }
        // nats-server wants it said for WebSocket only.
        None if kind == Listener::Websocket => {
            block.put("no_tls", true);
        }
        None => {}
    }
    fields::put(&mut block, &listener.fields, places)?;
    Ok(block)
}

/// Where other hubs connect, and which there are.
///
/// # Errors
/// As [`super::document`].
pub fn gateway(gateway: &Gateway, places: &dyn Places) -> Result<Map, Duplicate> {
    let mut block = Map::new();
    block.put("name", gateway.name.as_str());
    let own = bind(&gateway.host, gateway.port);
    block.put("listen", listen(places, Listener::Gateway, own));
    let advertise = places.dial(Listener::Gateway, &gateway.advertise);
    block.put("advertise", host_port(&advertise));
    let others = gateway.gateways.iter().map(|(name, nodes)| {
        let nodes = nodes
            .iter()
            .map(|node| places.dial(Listener::Gateway, node));
        let urls: Vec<String> = nodes
            .map(|node| format!("nats://{}", host_port(&node)))
            .collect();
        let mut other = Map::new();
        other.put("name", name.as_str());
        other.put("urls", urls);
        other
    });
    block.put("gateways", others.collect::<Vec<_>>());
    if let Some(files) = &gateway.tls {
        block.put("tls", tls::peer(files, places)?);
    }
    fields::put(&mut block, &gateway.fields, places)?;
    Ok(block)
}

fn bind(host: &str, port: u16) -> Address {
    Address {
        host: host.to_owned(),
        port,
    }
}
