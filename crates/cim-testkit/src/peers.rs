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
            let cluster = plan.cluster.as_ref().map(|cluster| &cluster.advertise);
            let leafnodes = plan
                .leafnodes
                .as_ref()
                .map(|leafnodes| &leafnodes.advertise);
            let advertised = [
                (Listener::Client, plan.client.advertise.as_ref()),
                (Listener::Cluster, cluster),
                (Listener::Leafnodes, leafnodes),
            ];
            for (listener, address) in advertised {
                if let (Some(address), Some(port)) = (address, ports.get(&listener)) {
                    peers.ports.insert((listener, address.clone()), *port);
                }
            }
        }
        plans.iter().for_each(|plan| peers.meet(plan));
        peers
    }

    /// Gives each address that a plan dials and no server has a port of its own, where nobody
    /// listens: nats-server refuses a url that stands twice.
    pub fn meet(&mut self, plan: &Plan) {
        let routes = plan.cluster.iter().flat_map(|cluster| &cluster.routes);
        let remotes = plan.link.iter().flat_map(|link| &link.remotes);
        let dialled = routes.map(|route| (Listener::Cluster, route)).chain(
            remotes
                .flat_map(|r| &r.nodes)
                .map(|node| (Listener::Leafnodes, node)),
        );
        for (listener, address) in dialled {
            self.ports
                .entry((listener, address.clone()))
                .or_insert_with(|| {
                    self.nobody += 1;
                    self.nobody
                });
        }
    }

    /// The port of each address.
    pub fn ports(&self) -> &BTreeMap<(Listener, Address), u16> {
        &self.ports
    }
}
