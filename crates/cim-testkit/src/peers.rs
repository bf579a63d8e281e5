//! Whom a fleet's servers reach where.

use std::collections::BTreeMap;

use cim_render::places::Listener;
use cim_spec::Plan;
use cim_spec::plan::Address;

/// Where each address stands on loopback.
pub struct Peers {
    ports: BTreeMap<(Listener, Address), u16>,
    /// The last of the low ports, where nobody listens.
    nobody: u16,
}

impl Peers {
    /// The addresses that plans advertise, at their servers' ports.
    pub fn new(plans: &[Plan], ports: &[BTreeMap<Listener, u16>]) -> Self {
        let mut peers = Self {
            ports: BTreeMap::new(),
            nobody: 1, // the copy's own for those it does not know
        };
        for (plan, ports) in plans.iter().zip(ports) {
            for (listener, address) in advertised(plan) {
                if let Some(port) = ports.get(&listener) {
                    peers.place(listener, address.clone(), *port);
                }
            }
        }
        plans.iter().for_each(|plan| peers.meet(plan));
        peers
    }

    /// Gives each address that a plan dials and no server has a port of its own, where nobody
    /// listens: nats-server refuses a url that stands twice.
    pub fn meet(&mut self, plan: &Plan) {
        for (listener, address) in dialled(plan) {
            self.ports
                .entry((listener, address.clone()))
                .or_insert_with(|| {
                    self.nobody += 1;
                    self.nobody
                });
        }
    }

    /// Says where an address stands on loopback.
    pub fn place(&mut self, listener: Listener, address: Address, port: u16) {
        self.ports.insert((listener, address), port);
    }

    /// The port of each address.
    pub fn ports(&self) -> &BTreeMap<(Listener, Address), u16> {
        &self.ports
    }
}

/// What a server tells others to dial.
fn advertised(plan: &Plan) -> impl Iterator<Item = (Listener, &Address)> {
    let cluster = plan.cluster.iter().map(|cluster| &cluster.advertise);
    let leafnodes = plan.leafnodes.iter().map(|listener| &listener.advertise);
    let websocket = plan.websocket.iter().flat_map(|side| &side.advertise);
    let gateway = plan.gateway.iter().map(|gateway| &gateway.advertise);
    let client = plan.client.advertise.iter();
    client
        .map(|address| (Listener::Client, address))
        .chain(cluster.map(|address| (Listener::Cluster, address)))
        .chain(leafnodes.map(|address| (Listener::Leafnodes, address)))
        .chain(websocket.map(|address| (Listener::Websocket, address)))
        .chain(gateway.map(|address| (Listener::Gateway, address)))
}

/// Whom a server dials.
fn dialled(plan: &Plan) -> impl Iterator<Item = (Listener, &Address)> {
    let routes = plan.cluster.iter().flat_map(|cluster| &cluster.routes);
    let remotes = plan.link.iter().flat_map(|link| &link.remotes);
    let hubs = remotes.flat_map(|remote| {
        let listener = match remote.websocket {
            true => Listener::Websocket,
            false => Listener::Leafnodes,
        };
        remote.nodes.iter().map(move |node| (listener, node))
    });
    let gateways = plan.gateway.iter().flat_map(|gateway| &gateway.gateways);
    let others = gateways.flat_map(|(_, nodes)| nodes);
    routes
        .map(|route| (Listener::Cluster, route))
        .chain(hubs)
        .chain(others.map(|node| (Listener::Gateway, node)))
}
