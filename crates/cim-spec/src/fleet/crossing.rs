//! What crosses one leaf's links: each message once, and never back.

use std::collections::BTreeMap;

use crate::path::OptionPath;
use crate::problem::{Problems, Rule};
use crate::spec::{Flow, Leaf};
use crate::subject;

pub(super) fn check(leaf: &Leaf, at: &OptionPath, problems: &mut Problems) {
    let mut flows = leaf.imports.iter().chain(&leaf.exports);
    if flows.any(|flow| flow.is_core() && flow.is_renamed()) {
        through_uplink(&leaf.imports, &leaf.exports, at, problems);
    } else {
        delivered_twice(&leaf.imports, false, &at.join("imports"), problems);
        delivered_twice(&leaf.exports, false, &at.join("exports"), problems);
    }
    remote_twice(leaf, at, problems);
}

/// Flows that go between two accounts of the leaf; `at` is the leaf in the fleet.
pub(crate) fn through_uplink(
    imports: &[Flow],
    exports: &[Flow],
    at: &OptionPath,
    problems: &mut Problems,
) {
    delivered_twice(imports, true, &at.join("imports"), problems);
    delivered_twice(exports, true, &at.join("exports"), problems);
    goes_back(imports, exports, &at.join("imports"), problems);
}

/// Flows of one direction are apart from each other; through an uplink, even a part in common would come twice.
fn delivered_twice(flows: &[Flow], uplink: bool, at: &OptionPath, problems: &mut Problems) {
    for (index, flow) in flows.iter().enumerate() {
        let arrives = flow.arrives_as();
        // What is durable has rules of its own.
        if is_refused(&arrives) || is_refused(&flow.subject) || !flow.is_core() {
            continue;
        }
        let before = flows[..index].iter();
        let mut before = before.filter(|first| !is_refused(&first.subject) && first.is_core());
        let twice = before.find(|first| {
            let there = first.arrives_as();
            let same = subject::covers(&there, &arrives) || subject::covers(&arrives, &there);
            subject::overlap(&first.subject, &flow.subject)
                && (same
                    || (uplink
                        && (first.subject == flow.subject || subject::overlap(&there, &arrives))))
        });
        let Some(first) = twice else {
            continue;
        };
        let why = match uplink {
            true if first.subject == flow.subject => "nats-server takes a subject across once",
            true => "each such message would be delivered twice",
            false => "one of them says nothing",
        };
        problems.add(
            Rule::DeliveredTwice,
            &at.index(index),
            format!(
                "{:?} and {:?} have subjects in common: {why}",
                flow.subject, first.subject
            ),
            "keep the wider one, or give one of them another name at the other end",
        );
    }
}

/// Whether other rules have said enough of a subject.
fn is_refused(subject: &str) -> bool {
    subject::check(subject).is_err() || subject::covers_system(subject)
}

/// nats-server refuses streams between two accounts that lead back: "import forms a cycle".
fn goes_back(imports: &[Flow], exports: &[Flow], at: &OptionPath, problems: &mut Problems) {
    let core = imports.iter().enumerate();
    for (index, import) in core.filter(|(_, import)| import.is_core()) {
        let arrives = import.arrives_as();
        for export in exports.iter().filter(|export| export.is_core()) {
            if subject::overlap(&arrives, &export.subject) {
                problems.add(
                    Rule::FlowBack,
                    &at.index(index),
                    format!(
                        "arrives as {arrives:?}, and goes back to the hub by the export of {:?}",
                        export.subject
                    ),
                    "give it a prefix that no export has, for example \"hub\"",
                );
            }
        }
    }
}

/// Links between the same two accounts cut each other for ever: nats-server takes them for one leaf's.
fn remote_twice(leaf: &Leaf, at: &OptionPath, problems: &mut Problems) {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, remote) in &leaf.remotes {
        if let Some(first) = seen.insert(&remote.hub, name) {
            problems.add(
                Rule::RemoteTwice,
                &at.join("remotes").join(name).join("hub"),
                format!(
                    "{:?} is where remote {first:?} leads too: each would cut the other",
                    remote.hub
                ),
                "keep one: it knows every node of the hub",
            );
        }
    }
}
