//! A leaf's flows as the allow lists of its user at the hub: what they say, and in a form that nats-server takes as it is
//! meant.
//!
//! Allow lists only: deny lists leak (`reference/nats.md` §3.5).

use super::{Access, Permissions};
use crate::spec::{Flow, Leaf};

/// A subject that no flow can have.
const NOTHING: &str = "$CIM.NOTHING";

/// What the hub calls them: exports have arrived, imports have not left.
pub(super) fn permissions(leaf: &Leaf) -> Permissions {
    let exports = leaf.exports.iter().map(Flow::arrives_as);
    let imports = leaf.imports.iter().map(|flow| flow.subject.clone());
    Permissions {
        publish: access(exports.collect()),
        subscribe: access(imports.collect()),
        allow_responses: None,
    }
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
        Self {
            publish: access(seen(&self.publish.allow)),
            subscribe: access(subscribe),
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
