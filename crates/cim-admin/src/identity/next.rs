//! What the operator does after a run, in an order in which nobody is locked out on the way.

use std::collections::BTreeSet;

use super::Request;
use super::outcome::Outcome;
use super::plan::{Bearer, Need, Plan};

/// Adds the steps: commit, push accounts, deploy hubs, then the others.
pub fn steps(request: &Request<'_>, outcome: &mut Outcome) {
    if outcome.written.is_empty() {
        return;
    }
    let (identity, secrets) = (request.identity.display(), request.secrets.display());
    outcome.next.push(format!(
        "commit {identity} and {secrets}: git add {identity} {secrets} && git commit"
    ));
    let accounts: Vec<&str> = outcome.accounts.iter().map(String::as_str).collect();
    if !accounts.is_empty() && !outcome.new_operator {
        outcome.next.push(format!(
            "push to the running hubs: cim-admin accounts push (changed: {})",
            accounts.join(", ")
        ));
    }
    outcome
        .hosts
        .retain(|host| request.plan.hosts.contains_key(host));
    let hubs = hubs(request.plan);
    let (first, then): (Vec<&str>, Vec<&str>) = outcome
        .hosts
        .iter()
        .map(String::as_str)
        .partition(|host| hubs.contains(host));
    for (hosts, what) in [(first, "hubs"), (then, "hosts")] {
        if !hosts.is_empty() {
            outcome
                .next
                .push(format!("deploy the {what} {}", hosts.join(", ")));
        }
    }
    for name in &outcome.written {
        let below = std::path::Path::new(name).strip_prefix(request.secrets);
        let below = below.unwrap_or(std::path::Path::new(""));
        if below.components().count() > 1 {
            outcome.next.push(format!(
                "hand over: cim-admin secrets decrypt {} --to FILE",
                below.display()
            ));
        }
    }
}

/// Hosts that run a part of a hub.
fn hubs(plan: &Plan) -> BTreeSet<&str> {
    let nodes: BTreeSet<&str> = plan
        .fleet
        .hubs
        .values()
        .flat_map(|hub| hub.nodes.keys().map(String::as_str))
        .collect();
    let of_hub = plan.needs().filter(|(_, _, need)| {
        matches!(
            need,
            Need::ServiceCreds { .. }
                | Need::CertificateKey {
                    usage: Bearer::Server,
                    ..
                }
        )
    });
    let named = plan
        .hosts
        .keys()
        .map(String::as_str)
        .filter(|host| nodes.contains(host));
    of_hub.map(|(host, _, _)| host).chain(named).collect()
}
