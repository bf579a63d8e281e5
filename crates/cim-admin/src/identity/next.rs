//! What the operator does after a run, in an order in which nobody is locked out on the way.

use std::collections::BTreeSet;
use std::path::Path;

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
    outcome.next.extend(handed_over(request, &outcome.written));
}

/// Creds that no host of ours takes.
fn handed_over(request: &Request<'_>, written: &[String]) -> Option<String> {
    let below = |name: &String| {
        let name = Path::new(name).strip_prefix(request.secrets).ok()?;
        let person = name.starts_with("users") || name.starts_with("leaves");
        person.then(|| name.display().to_string())
    };
    let mut files: Vec<String> = written.iter().filter_map(below).collect();
    let first = files.first()?.clone();
    let more = files.len().saturating_sub(FEW);
    files.truncate(FEW);
    let mut list = files.join(", ");
    if more > 0 {
        list.push_str(&format!(" and {more} more"));
    }
    Some(format!(
        "hand over {list}: each with cim-admin secrets decrypt {first} --to FILE"
    ))
}

/// As many names as one reads.
const FEW: usize = 5;

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
