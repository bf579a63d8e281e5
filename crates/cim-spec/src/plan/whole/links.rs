//! Links between servers: what nats-server would dial twice or not at all, and what it does not store without them.

use std::collections::BTreeSet;

use super::text;
use crate::duration::Duration;
use crate::path::OptionPath;
use crate::plan::{Address, Cluster, Gateway, Plan};
use crate::problem::{Problems, Rule};

/// The most that nats-server takes between two pings of a route.
const ROUTE_PING: u64 = 30_000;

pub(super) fn check(plan: &Plan, problems: &mut Problems) {
    if let Some(cluster) = &plan.cluster {
        one_address(plan, cluster, problems);
        pings(cluster, problems);
    }
    let mut dialled = BTreeSet::new();
    for remote in plan.link.iter().flat_map(|link| &link.remotes) {
        // Two hubs at one address are one to nats-server, and one of them is not there.
        let at = plan.options.join("remotes").join(&remote.name);
        apart(&remote.nodes, &at, &mut dialled, problems);
    }
    if let Some(gateway) = &plan.gateway {
        reaches(gateway, problems);
        stores(plan, gateway, problems);
    }
}

/// Nodes of a leaf at one address; those of a hub its own rules have seen.
fn one_address(plan: &Plan, cluster: &Cluster, problems: &mut Problems) {
    if plan.link.is_some() {
        let at = fleet("leaves").join(&cluster.name).join("nodes");
        let nodes = std::iter::once(&cluster.advertise).chain(&cluster.routes);
        apart(nodes, &at, &mut BTreeSet::new(), problems);
    }
}

/// nats-server refuses an address that it would dial twice.
fn apart<'a>(
    nodes: impl IntoIterator<Item = &'a Address>,
    at: &OptionPath,
    seen: &mut BTreeSet<(&'a str, u16)>,
    problems: &mut Problems,
) {
    for node in nodes {
        if !seen.insert((node.host.as_str(), node.port)) {
            problems.add(
                Rule::UniqueAddress,
                at,
                format!("two nodes are at \"{}:{}\"", node.host, node.port),
                "give each node the address where the others reach it",
            );
        }
    }
}

/// nats-server refuses what it would have to shorten.
fn pings(cluster: &Cluster, problems: &mut Problems) {
    let Some((setting, interval)) = text(&cluster.fields, "pingInterval") else {
        return;
    };
    if Duration::parse(interval).is_ok_and(|time| time.as_millis() > ROUTE_PING) {
        problems.add(
            Rule::FieldValue,
            &setting.at,
            format!("{interval:?} is longer than nats-server lets routes be silent"),
            "write at most \"30s\"",
        );
    }
}

/// A hub that is dialled has somebody who answers.
fn reaches(gateway: &Gateway, problems: &mut Problems) {
    let mut dialled = BTreeSet::new();
    for (hub, nodes) in &gateway.gateways {
        let at = fleet("hubs").join(hub).join("nodes");
        apart(nodes, &at, &mut dialled, problems);
        if nodes.is_empty() {
            problems.add(
                Rule::KnownHub,
                &fleet("hubs").join(hub).join("nodes"),
                "none of them has a gatewayPort",
                "give one of them a gatewayPort",
            );
        }
    }
}

/// With a gateway nats-server takes itself for a part of a cluster, whose JetStream has to agree over routes.
fn stores(plan: &Plan, gateway: &Gateway, problems: &mut Problems) {
    if plan.jetstream.is_some() && plan.cluster.is_none() {
        problems.add(
            Rule::NeedsJetstream,
            &fleet("hubs").join(&gateway.name).join("nodes"),
            "is one node with a gateway: nats-server would not start with JetStream there",
            "make it a hub of 3 nodes, leave out gatewayPort, or set services.cim.hub.jetstream.enable = false",
        );
    }
}

fn fleet(name: &str) -> OptionPath {
    OptionPath::new("services.cim.fleet").join(name)
}
