//! Listeners, but for those of leaves and routes: of clients, plain and over WebSocket and MQTT, and the gateways between hubs.

use super::server::{self, Plaintext};
use super::{Address, ClientListener, TlsFiles, tls};
use crate::field::{Block, Connection, Setting};
use crate::path::OptionPath;
use crate::problem::{Problems, Rule};
use crate::spec::{GatewayOptions, HubSpec, ListenerOptions, Node, ServerOptions};

/// A listener for WebSocket or MQTT clients.
#[derive(Debug, Clone)]
pub struct SideListener {
    /// Address to bind to.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// What clients are told; `None`: the address they came by.
    pub advertise: Option<Address>,
    /// `None`: no TLS.
    pub tls: Option<TlsFiles>,
    /// Fields that pass straight through.
    pub fields: Vec<Setting>,
}

/// The gateway between this hub and others.
#[derive(Debug, Clone)]
pub struct Gateway {
    /// The hub's name.
    pub name: String,
    /// Address to bind to.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// What other hubs dial.
    pub advertise: Address,
    /// `None`: no TLS.
    pub tls: Option<TlsFiles>,
    /// The other hubs, by name, with their nodes.
    pub gateways: Vec<(String, Vec<Address>)>,
    /// Fields that pass straight through.
    pub fields: Vec<Setting>,
}

/// The listener of plain clients; `port` is the hub node's, or the leaf's own.
pub(super) fn client(
    options: &ServerOptions,
    port: u16,
    advertise: Option<Address>,
    at: &OptionPath,
    problems: &mut Problems,
) -> ClientListener {
    let host = &options.host;
    let tls_at = at.join("tls");
    let open = Plaintext {
        tls: (&tls_at, options.tls.is_some()),
        said: (&at.join("plaintext"), options.plaintext),
        what: "client connections",
    };
    bind(host, &open, at, problems);
    let tls = options.tls.as_ref();
    ClientListener {
        host: host.clone(),
        port,
        advertise,
        tls: tls.and_then(|tls| tls::plan(tls, Connection::Client, &tls_at, problems)),
    }
}

/// Where a listener binds to; what only this host reaches needs no TLS.
fn bind(host: &str, open: &Plaintext<'_>, at: &OptionPath, problems: &mut Problems) {
    server::bind(host, at, problems);
    if !server::is_loopback(host) {
        open.check(problems);
    }
}

/// The WebSocket listener; `port` is the hub node's, or the leaf's own.
pub(super) fn websocket(
    options: &ListenerOptions,
    port: Option<u16>,
    advertise: Option<Address>,
    at: &OptionPath,
    problems: &mut Problems,
) -> Option<SideListener> {
    let kind = (Block::Websocket, Connection::Websocket, "WebSocket clients");
    let listener = listener(options, port, kind, at, problems)?;
    Some(SideListener {
        advertise,
        ..listener
    })
}

/// The MQTT listener; it needs JetStream, in which it keeps sessions.
pub(super) fn mqtt(
    options: &ListenerOptions,
    has_jetstream: bool,
    at: &OptionPath,
    problems: &mut Problems,
) -> Option<SideListener> {
    let kind = (Block::Mqtt, Connection::Mqtt, "MQTT clients");
    let listener = listener(options, options.port, kind, at, problems);
    if options.port.is_some() && !has_jetstream && options.fields.get("jsDomain").is_none() {
        problems.add(
            Rule::NeedsJetstream,
            &at.join("port"),
            "is set, but the server has no JetStream, in which MQTT keeps sessions and messages",
            "turn jetstream.enable on, or name the domain that keeps them in mqtt.jsDomain",
        );
    }
    listener
}

fn listener(
    options: &ListenerOptions,
    port: Option<u16>,
    (block, connection, what): (Block, Connection, &str),
    at: &OptionPath,
    problems: &mut Problems,
) -> Option<SideListener> {
    let port = port?;
    let tls_at = at.join("tls");
    let open = Plaintext {
        tls: (&tls_at, options.tls.is_some()),
        said: (&at.join("plaintext"), options.plaintext),
        what,
    };
    bind(&options.host, &open, at, problems);
    let tls = match &options.tls {
        Some(tls) => Some(tls::plan(tls, connection, &tls_at, problems)?),
        None => None,
    };
    Some(SideListener {
        host: options.host.clone(),
        port,
        advertise: None,
        tls,
        fields: options.fields.plan(block, at, problems),
    })
}

/// The gateway of a hub whose nodes have a port for it.
pub(super) fn gateway(
    spec: &HubSpec,
    hub_name: &str,
    node: &Node,
    at: &OptionPath,
    problems: &mut Problems,
) -> Option<Gateway> {
    let port = node.gateway_port?;
    let options: &GatewayOptions = &spec.hub.gateway;
    server::bind(&options.host, at, problems);
    let tls_at = at.join("tls");
    Plaintext {
        tls: (&tls_at, options.tls.is_some()),
        said: (&at.join("plaintext"), options.plaintext),
        what: "what hubs send each other",
    }
    .check(problems);
    let tls = match &options.tls {
        Some(tls) => Some(tls::plan(tls, Connection::Gateway, &tls_at, problems)?),
        None => None,
    };
    let gateways = spec.fleet.gateways.iter().map(|(name, nodes)| {
        let nodes = nodes.values();
        let nodes = nodes.filter_map(|node| Some(Address::of(node, node.gateway_port?)));
        (name.clone(), nodes.collect())
    });
    Some(Gateway {
        name: hub_name.to_owned(),
        host: options.host.clone(),
        port,
        advertise: Address::of(node, port),
        tls,
        gateways: gateways.collect(),
        fields: options.fields.plan(Block::Gateway, at, problems),
    })
}
