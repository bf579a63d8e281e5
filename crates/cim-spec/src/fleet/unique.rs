//! What no two members of a fleet may share.

use std::collections::{BTreeMap, BTreeSet};

use super::root;
use crate::path::OptionPath;
use crate::problem::{Problems, Rule};
use crate::spec::Fleet;

pub(super) fn unique_server_names(fleet: &Fleet, problems: &mut Problems) {
    let nodes = fleet.hubs.iter().flat_map(|(hub, entry)| {
        entry
            .nodes
            .keys()
            .map(move |node| (node, root().join("hubs").join(hub).join("nodes").join(node)))
    });
    let leaves = fleet
        .leaves
        .keys()
        .map(|name| (name, root().join("leaves").join(name)));
    let servers = fleet.leaves.iter().flat_map(|(leaf, entry)| {
        let at = root().join("leaves").join(leaf).join("nodes");
        entry.nodes.keys().map(move |node| (node, at.join(node)))
    });
    unique(
        nodes.chain(leaves).chain(servers),
        Rule::UniqueServerName,
        "servers of one name evict each other for ever: give one of them another",
        problems,
    );
}

pub(super) fn unique_domains(fleet: &Fleet, problems: &mut Problems) {
    let leaves = fleet.leaves.iter().map(|(name, leaf)| {
        (
            &leaf.domain,
            root().join("leaves").join(name).join("domain"),
        )
    });
    unique(
        leaves,
        Rule::UniqueDomain,
        "give each leaf a JetStream domain of its own: its name is a good one",
        problems,
    );
}

pub(super) fn unique_addresses(fleet: &Fleet, problems: &mut Problems) {
    let ports = fleet.hubs.iter().flat_map(|(hub, entry)| {
        entry.nodes.iter().flat_map(move |(node, entry)| {
            let at = root().join("hubs").join(hub).join("nodes").join(node);
            [entry.port, entry.leafnodes_port, entry.cluster_port]
                .map(|port| (format!("{}:{port}", entry.address), at.join("address")))
        })
    });
    let mut seen: BTreeMap<String, OptionPath> = BTreeMap::new();
    let mut clashes = BTreeSet::new();
    for (address, at) in ports {
        if let Some(first) = seen.get(&address)
            && *first != at
        {
            // One of a pair's ports says it all.
            if clashes.insert((first.clone(), at.clone())) {
                problems.add(
                    Rule::UniqueAddress,
                    &at,
                    format!("{address:?} is also {first}"),
                    "give each hub node an address of its own, or other ports",
                );
            }
            continue;
        }
        seen.insert(address, at);
    }
}

fn unique<'a>(
    entries: impl Iterator<Item = (&'a String, OptionPath)>,
    rule: Rule,
    help: &str,
    problems: &mut Problems,
) {
    let mut seen: BTreeMap<&String, OptionPath> = BTreeMap::new();
    for (value, at) in entries {
        if let Some(first) = seen.get(value) {
            problems.add(rule, &at, format!("{value:?} is also {first}"), help);
        } else {
            seen.insert(value, at);
        }
    }
}
