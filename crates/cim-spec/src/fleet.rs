//! The rules between members of a fleet: on the slice that an instance sees, and on the whole.

mod assets;
mod canary;
mod copied;
pub(crate) mod crossing;
mod hosts;
mod lifetimes;
mod stored;
mod unique;
mod versions;

use std::collections::BTreeMap;

pub(crate) use assets::{assets_of, declared_for};
pub use hosts::{check_hosts, plans, plans_ignoring};
pub use lifetimes::{Lifetimes, lifetimes};

use crate::durable;
use crate::implied;
use crate::name;
use crate::path::OptionPath;
use crate::plan::renamed;
use crate::problem::{Problems, Rule, shown};
use crate::spec::{Fleet, Flow, Hub, Leaf};
use crate::subject::{self, Crowd};

fn root() -> OptionPath {
    OptionPath::new("services.cim.fleet")
}

/// Checks a fleet, or the slice of it that one hub sees.
pub fn check(fleet: &Fleet, problems: &mut Problems) {
    let accounts: Vec<String> = fleet.accounts.keys().cloned().collect();
    for (name, entry) in &fleet.hubs {
        hub(name, entry, problems);
    }
    for (name, entry) in &fleet.leaves {
        leaf(name, entry, &accounts, &fleet.hubs, problems);
        if fleet.hubs.len() == fleet.assets.hubs.len() {
            durable::ends(name, entry, problems);
        }
        for remote in entry.remotes.values() {
            if let Some(hub) = fleet.hubs.get(&remote.hub) {
                leaf_of_hub(name, entry, &remote.hub, hub, problems);
            }
        }
    }
    lifetimes(fleet, problems);
    assets::hubs(fleet, problems);
    durable::hubs(fleet, problems);
    unique::unique_server_names(fleet, problems);
    unique::unique_domains(fleet, problems);
    unique::unique_addresses(fleet, problems);
}

/// Checks one hub: its name, size, domain and addresses.
pub fn hub(hub_name: &str, hub: &Hub, problems: &mut Problems) {
    let at = root().join("hubs").join(hub_name);
    problems.parsed(Rule::Name, &at, hub_name, name::check(hub_name));
    domain(&hub.domain, &at.join("domain"), problems);
    if !matches!(hub.nodes.len(), 1 | 3 | 5) {
        problems.add(
            Rule::HubSize,
            &at.join("nodes"),
            format!("{} nodes cannot be a hub", hub.nodes.len()),
            "declare one node, or a cluster of 3 or 5: an even number survives no more failures than the odd one below it",
        );
    }
    for (node_name, node) in &hub.nodes {
        let at = at.join("nodes").join(node_name);
        problems.parsed(Rule::Name, &at, node_name, name::check(node_name));
        address(&node.address, &at.join("address"), problems);
    }
}

/// Checks one leaf: its name, account, domain, identity and flows.
pub fn leaf(
    leaf_name: &str,
    leaf: &Leaf,
    accounts: &[String],
    hubs: &BTreeMap<String, Hub>,
    problems: &mut Problems,
) {
    let at = root().join("leaves").join(leaf_name);
    problems.parsed(Rule::Name, &at, leaf_name, name::check(leaf_name));
    domain(&leaf.domain, &at.join("domain"), problems);
    if !accounts.contains(&leaf.account) {
        problems.add(
            Rule::KnownAccount,
            &at.join("account"),
            format!("{:?} is not an account of the fleet", leaf.account),
            format!(
                "declare services.cim.fleet.accounts.{}, or name one that is there",
                leaf.account
            ),
        );
    }
    if leaf.nkey.is_some() && leaf.certificate.is_some() {
        problems.add(
            Rule::Identity,
            &at,
            "has both nkey and certificate",
            "set the one by which the hub shall know it",
        );
    }
    if let Some(key) = &leaf.nkey {
        crate::plan::nkey(key, &at.join("nkey"), problems);
    }
    if let Some(certificate) = &leaf.certificate {
        certificate_name(certificate, &at.join("certificate"), problems);
    }
    leaf_nodes(leaf, &at.join("nodes"), problems);
    flows(&leaf.imports, &at.join("imports"), problems);
    flows(&leaf.exports, &at.join("exports"), problems);
    crossing::check(leaf, &at, problems);
    canary::check(leaf, &at, problems);
    assets::shared(leaf, &at, problems);
    durable::leaf(leaf_name, leaf, problems);
    for (remote_name, remote) in &leaf.remotes {
        let at = at.join("remotes").join(remote_name);
        problems.parsed(Rule::Name, &at, remote_name, name::check(remote_name));
        if !hubs.contains_key(&remote.hub) {
            problems.add(
                Rule::KnownHub,
                &at.join("hub"),
                format!("{:?} is not a hub of the fleet", remote.hub),
                format!(
                    "declare services.cim.fleet.hubs.{}, or name one that is there",
                    remote.hub
                ),
            );
        }
    }
}

/// A leaf that is a cluster has as many nodes as a hub has.
fn leaf_nodes(leaf: &Leaf, at: &OptionPath, problems: &mut Problems) {
    if !matches!(leaf.nodes.len(), 0 | 3 | 5) {
        problems.add(
            Rule::HubSize,
            at,
            format!("{} nodes cannot be a leaf", leaf.nodes.len()),
            "declare none for a leaf of one server, or a cluster of 3 or 5: an even number survives no more failures than the odd one below it",
        );
    }
    for (name, node) in &leaf.nodes {
        let at = at.join(name);
        problems.parsed(Rule::Name, &at, name, name::check(name));
        address(&node.address, &at.join("address"), problems);
    }
}

/// Checks what a leaf and a hub it dials must agree on.
pub fn leaf_of_hub(
    leaf_name: &str,
    leaf: &Leaf,
    hub_name: &str,
    hub: &Hub,
    problems: &mut Problems,
) {
    let at = root().join("leaves").join(leaf_name);
    if leaf_name == hub_name {
        problems.add(
            Rule::ClusterName,
            &at,
            format!("{leaf_name:?} is also its hub's name, and so the cluster's: nats-server would cut the link every 30 s"),
            "give the leaf or the hub another name",
        );
    }
    if leaf.domain == hub.domain {
        problems.add(
            Rule::UniqueDomain,
            &at.join("domain"),
            format!("{:?} is also the domain of hub {hub_name:?}", leaf.domain),
            "give each a JetStream domain of its own: the leaf's name is a good one",
        );
    }
    if leaf.certificate.is_some() && !hub.leafnodes.verify_and_map {
        problems.add(
            Rule::MapsCertificates,
            &at.join("certificate"),
            format!("is set, but hub {hub_name:?} does not know leaves by their certificate"),
            format!("set services.cim.fleet.hubs.{hub_name}.leafnodes.verifyAndMap = true, or give the leaf an nkey"),
        );
    }
}

/// Whether leaves of a hub never learn of each other's interest: said, or derived from what crosses. Where no flow
/// goes from leaf to leaf, nothing is lost, and the hub's nodes keep less in memory. In operator mode it is said or off: a
/// flow changes one JWT there, and must not change a field that needs a restart.
pub(crate) fn isolates(fleet: &Fleet, hub_name: &str, hub: &Hub) -> bool {
    let dials = |leaf: &&Leaf| leaf.remotes.values().any(|remote| remote.hub == hub_name);
    let leaves = || fleet.leaves.values().filter(dials).enumerate();
    hub.leafnodes.isolate_interest.unwrap_or_else(|| {
        if fleet.operator.is_some() {
            return false;
        }
        let mut imported: BTreeMap<&str, Crowd> = BTreeMap::new();
        for (index, leaf) in leaves() {
            let crowd = imported.entry(&leaf.account).or_default();
            leaf.imports
                .iter()
                .filter(|flow| flow.is_core())
                .for_each(|flow| crowd.insert(&flow.subject, index));
        }
        !leaves().any(|(index, leaf)| {
            let crowd = imported.get(leaf.account.as_str());
            let reaches =
                |flow: &Flow| crowd.is_some_and(|all| all.overlaps(&flow.arrives_as(), index));
            leaf.exports
                .iter()
                .filter(|flow| flow.is_core())
                .any(reaches)
        })
    })
}

fn flows(flows: &[Flow], at: &OptionPath, problems: &mut Problems) {
    for (index, flow) in flows.iter().enumerate() {
        let at = at.index(index);
        problems.parsed(
            Rule::Subject,
            &at,
            &flow.subject,
            subject::check(&flow.subject),
        );
        renamed(
            &flow.subject,
            flow.prefix.as_deref(),
            flow.to.as_deref(),
            &at,
            problems,
        );
        let names = [flow.subject.clone(), flow.arrives_as()];
        if let Some(name) = names.iter().find(|name| subject::covers_system(name)) {
            problems.add(
                Rule::SystemSubject,
                &at,
                format!("{name:?} is or covers NATS's own subjects ($JS, $KV, …), which never cross a leaf link as a flow"),
                "name the subjects of your applications, with a first token that is no wildcard, for example \"domain.>\"",
            );
            continue;
        }
        let reserved = |name: &&String| {
            let own = [implied::REPORTS, implied::CANARIES];
            own.iter().any(|own| subject::overlap(own, name))
        };
        if let Some(name) = names.iter().find(reserved) {
            problems.add(
                Rule::ReservedSubject,
                &at,
                format!("{name:?} is or covers what cim-health says over leaf links (cim.health.…, cim.canary.…), which cross by themselves"),
                "name the subjects of your applications, for example \"domain.>\" or \"cim.domain.>\"",
            );
        }
    }
}

fn domain(domain: &str, at: &OptionPath, problems: &mut Problems) {
    let good = !domain.is_empty()
        && domain
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if !good {
        problems.add(
            Rule::Domain,
            at,
            format!("{domain:?} is not a JetStream domain"),
            "write letters, digits, dashes and underscores, for example \"cim-prod-001\"",
        );
    }
}

/// Checks a host name or IP address, without scheme and port.
pub(crate) fn address(text: &str, at: &OptionPath, problems: &mut Problems) {
    let is_name = !text.is_empty()
        && text
            .split('.')
            .all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'))
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'));
    if !is_name && text.parse::<std::net::Ipv6Addr>().is_err() {
        problems.add(
            Rule::Address,
            at,
            format!("{} is not a host name or IP address", shown(text)),
            "write it without scheme and port, for example \"hub-1.example.com\"",
        );
    }
}

/// Checks the name in a certificate.
pub(crate) fn certificate_name(text: &str, at: &OptionPath, problems: &mut Problems) {
    if text.is_empty() || text.chars().any(char::is_control) {
        problems.add(
            Rule::ControlCharacter,
            at,
            format!("{text:?} cannot be the name in a certificate"),
            "write its subject as nats-server prints it, or a DNS name in it, for example \"CN=cim-prod-001\"",
        );
    }
}
