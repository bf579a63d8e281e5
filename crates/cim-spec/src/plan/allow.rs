//! A leaf's flows, and the streams that are copied over its links, as the allow lists of its user at the hub: what they
//! say, and in a form that nats-server takes as it is meant.
//!
//! Allow lists only: deny lists leak (`reference/nats.md` §3.5), of which nothing is felt where no flow can be.

use super::copies::{ANSWERS, Copies};
use super::{Access, Permissions};
use crate::implied::{self, Direction, PLAIN};
use crate::spec::{Flow, Leaf};

/// A subject that no flow can have.
const NOTHING: &str = "$CIM.NOTHING";

/// What nats-server (2.15.1) lets across every link, whatever is allowed: sessions and messages of MQTT.
const MQTT: &str = "$MQTT.>";

/// What the hub calls them: exports have arrived, imports have not left. With each flow crosses its canary, by a right of its
/// own where it does not go by the flow's.
pub(super) fn permissions(name: &str, leaf: &Leaf, hub_domains: &[&str]) -> Permissions {
    let exports = leaf.exports.iter().filter(|flow| flow.is_core());
    let exports = exports.map(Flow::arrives_as);
    let imports = leaf.imports.iter().filter(|flow| flow.is_core());
    let imports = imports.map(|flow| flow.subject.clone());
    let (to_hub, from_hub) = copies(name, leaf, hub_domains);
    let out = [implied::report(name), implied::ask(name, PLAIN)];
    let out = out
        .into_iter()
        .chain(names(leaf, Direction::Export).map(|flow| implied::ask(name, &flow)));
    let back = [implied::answer(name, PLAIN)];
    let back = back
        .into_iter()
        .chain(names(leaf, Direction::Import).map(|flow| implied::answer(name, &flow)));
    Permissions {
        publish: access(exports.chain(to_hub).chain(out).collect()),
        subscribe: access(imports.chain(from_hub).chain(back).collect()),
        allow_responses: None,
    }
}

/// The names of the canaries that go beside a leaf's flows in one direction.
fn names(leaf: &Leaf, way: Direction) -> impl Iterator<Item = String> {
    let flows = implied::flows(leaf)
        .filter(move |(direction, flow)| *direction == way && flow.canary.is_none());
    flows.map(move |(_, flow)| implied::name(way, &flow.subject))
}

/// What streams that are copied need the leaf to publish, and to hear.
fn copies(name: &str, leaf: &Leaf, hub_domains: &[&str]) -> (Vec<String>, Vec<String>) {
    let (mut to_hub, mut from_hub) = (Vec::new(), Vec::new());
    if let Some(copies) = Copies::to_hub(name, leaf) {
        from_hub.extend(copies.asked_of(&leaf.domain));
        from_hub.extend(copies.paces);
        to_hub.extend([copies.delivered, ANSWERS.to_owned()]);
    }
    if let Some(copies) = Copies::to_leaf(name, leaf) {
        to_hub.extend(
            hub_domains
                .iter()
                .flat_map(|domain| copies.asked_of(domain)),
        );
        to_hub.extend(copies.paces);
        from_hub.extend([copies.delivered, ANSWERS.to_owned()]);
    }
    for list in [&mut to_hub, &mut from_hub] {
        list.sort();
        list.dedup();
    }
    (to_hub, from_hub)
}

impl Permissions {
    /// The same for nats-server, where a leaf has them.
    #[must_use]
    pub fn on_link(&self) -> Self {
        let mut subscribe = seen(&self.subscribe.allow);
        if subscribe.is_empty() {
            // An empty list becomes a denial of everything, and that hides from the leaf what subscribers with
            // wildcards at the hub want to hear of its exports.
            subscribe.push(NOTHING.to_owned());
        }
        let link = |allow| Access {
            allow,
            deny: vec![MQTT.to_owned()],
        };
        Self {
            publish: link(seen(&self.publish.allow)),
            subscribe: link(subscribe),
            allow_responses: self.allow_responses,
        }
    }
}

fn access(allow: Vec<String>) -> Access {
    Access {
        allow,
        deny: Vec::new(),
    }
}

/// The subjects, with something beside each `*` that more follows. Whether a subscription to `a.>` may hear
/// `a.*.b`, nats-server (2.15.1) answers by looking for subjects below `a`, and does not look below a `*`.
fn seen(subjects: &[String]) -> Vec<String> {
    let beside = subjects.iter().flat_map(|subject| {
        let tokens: Vec<&str> = subject.split('.').collect();
        let last = tokens.len() - 1;
        let stars = (0..last).filter(|index| tokens.get(*index) == Some(&"*"));
        let beside = stars.map(|index| {
            let before = tokens.iter().take(index).copied();
            before.chain([NOTHING]).collect::<Vec<_>>().join(".")
        });
        beside.collect::<Vec<_>>()
    });
    let mut seen = subjects.to_vec();
    for subject in beside {
        if !seen.contains(&subject) {
            seen.push(subject);
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn something_stands_beside_each_star_that_more_follows() {
        let of = |subjects: &[&str]| {
            let subjects: Vec<String> = subjects.iter().map(ToString::to_string).collect();
            seen(&subjects)
        };
        assert_eq!(of(&["a.>", "a.*"]), ["a.>", "a.*"]);
        assert_eq!(
            of(&["a.*.b.*.c", "a.*.d"]),
            ["a.*.b.*.c", "a.*.d", "a.$CIM.NOTHING", "a.*.b.$CIM.NOTHING"]
        );
        assert_eq!(of(&["*.>"]), ["*.>", "$CIM.NOTHING"]);
    }
}
