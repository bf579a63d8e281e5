//! `leafnodes {}`: a hub's listener, or a leaf's remotes.

use cim_spec::plan::{Address, LeafListener, Link, Login, Remote};

use crate::conf::{Duplicate, Map, Node};
use crate::places::{Listener, Places, host_port};

use super::secrets::NKEY_VARIABLE;
use super::{compression, fields, listen, tls};

/// Where leaves connect.
///
/// # Errors
/// As [`super::document`].
pub fn listener(listener: &LeafListener, places: &dyn Places) -> Result<Map, Duplicate> {
    let mut block = Map::new();
    let bind = Address {
        host: listener.host.clone(),
        port: listener.port,
    };
    block.put("listen", listen(places, Listener::Leafnodes, bind));
    // Leaves learn and later dial what is advertised.
    block.put(
        "advertise",
        host_port(&places.dial(Listener::Leafnodes, &listener.advertise)),
    );
    block.put("compression", compression(&listener.compression));
    if listener.isolate_interest {
        block.put("isolate_leafnode_interest", true);
    }
    if let Some(files) = &listener.tls {
        let mut files = tls::peer(files, places)?;
        if listener.verify_and_map {
            files.put("verify_and_map", true);
        } else if listener.verify {
            files.put("verify", true);
        }
        block.put("tls", files);
    }
    fields::put(&mut block, &listener.fields, places)?;
    Ok(block)
}

/// Whom the leaf dials.
///
/// # Errors
/// As [`super::document`].
pub fn link(link: &Link, places: &dyn Places) -> Result<Map, Duplicate> {
    let mut block = Map::new();
    block.put("reconnect", link.reconnect.to_string());
    let remotes = link.remotes.iter();
    let remotes = remotes.map(|remote| self::remote(remote, places));
    block.put("remotes", remotes.collect::<Result<Vec<_>, _>>()?);
    fields::put(&mut block, &link.fields, places)?;
    Ok(block)
}

fn remote(remote: &Remote, places: &dyn Places) -> Result<Map, Duplicate> {
    let mut block = Map::new();
    let (scheme, listener) = match (remote.websocket, remote.tls.is_some()) {
        (false, false) => ("nats", Listener::Leafnodes),
        (false, true) => ("tls", Listener::Leafnodes),
        (true, false) => ("ws", Listener::Websocket),
        (true, true) => ("wss", Listener::Websocket),
    };
    let urls: Vec<String> = remote
        .nodes
        .iter()
        .map(|node| places.dial(listener, node))
        .map(|node| format!("{scheme}://{}", host_port(&node)))
        .collect();
    block.put("urls", urls);
    block.put("account", remote.account.as_str());
    match &remote.login {
        Login::NkeySeed(_) => {
            block.put("nkey", Node::Variable(NKEY_VARIABLE.to_owned()));
        }
        Login::Credentials(file) => {
            block.put("credentials", places.file(file));
        }
        Login::Certificate => {}
    }
    block.put("compression", compression(&remote.compression));
    if let Some(files) = &remote.tls {
        block.put("tls", tls::peer(files, places)?);
    }
    fields::put(&mut block, &remote.fields, places)?;
    Ok(block)
}
