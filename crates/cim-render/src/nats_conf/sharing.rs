//! `exports`, `imports` and `mappings` of an account.

use cim_spec::plan::{Export, Import};
use cim_spec::spec::{Destination, Mappings};

use crate::conf::{Map, Node};

/// One of `exports`.
pub fn export(export: &Export) -> Map {
    let mut block = Map::new();
    block.put(export.shared.name(), export.subject.as_str());
    if let Some(accounts) = &export.accounts {
        block.put("accounts", accounts.clone());
    }
    if let Some(position) = export.account_token_position {
        block.put("account_token_position", position);
    }
    if let Some(kind) = &export.response_type {
        block.put("response_type", kind.as_str());
    }
    if let Some(threshold) = export.threshold {
        block.put("threshold", threshold.to_string());
    }
    if let Some(latency) = &export.latency {
        let mut figures = Map::new();
        figures.put("sampling", latency.sampling.as_str());
        figures.put("subject", latency.subject.as_str());
        block.put("latency", figures);
    }
    if let Some(allow) = export.allow_trace {
        block.put("allow_trace", allow);
    }
    block
}

/// One of `imports`.
pub fn import(import: &Import) -> Map {
    let mut from = Map::new();
    from.put("account", import.from.account.as_str());
    from.put("subject", import.from.subject.as_str());
    let mut block = Map::new();
    block.put(import.shared.name(), from);
    if let Some(prefix) = &import.prefix {
        block.put("prefix", prefix.as_str());
    }
    if let Some(to) = &import.to {
        block.put("to", to.as_str());
    }
    if let Some(share) = import.share {
        block.put("share", share);
    }
    if let Some(allow) = import.allow_trace {
        block.put("allow_trace", allow);
    }
    block
}

/// `mappings`.
pub fn mappings(mappings: &Mappings) -> Map {
    let mut block = Map::new();
    for (subject, destinations) in mappings {
        let destinations: Vec<Map> = destinations.iter().map(destination).collect();
        block.put(subject, destinations);
    }
    block
}

fn destination(destination: &Destination) -> Map {
    let mut block = Map::new();
    block.put("destination", destination.destination.as_str());
    block.put("weight", Node::Int(i64::from(destination.weight)));
    if let Some(cluster) = &destination.cluster {
        block.put("cluster", cluster.as_str());
    }
    block
}
