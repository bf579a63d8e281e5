//! Subjects that every leaf link carries though no flow names them: reports of health, and canaries.
//!
//! A leaf asks, and `cim-health` of the hub answers, in the account that the link is bound to. What is asked for a flow takes
//! that flow's direction over the link under a subject of its own, so that a hub that does not allow the flow does not let its
//! canary across either. The other half of the round trip goes by the name [`PLAIN`]. Where a flow says so, its canary goes by
//! one of the flow's own subjects instead: [`within`].

use serde::{Deserialize, Serialize};

use crate::spec::{Flow, Leaf};

/// All reports.
pub const REPORTS: &str = "cim.health.>";

/// All canaries.
pub const CANARIES: &str = "cim.canary.>";

/// What they are asked of in every account of a hub.
pub const ANY_ASK: &str = "cim.canary.*.*";

/// What they are answered with in every account of a hub.
pub const ANY_ANSWER: &str = "cim.canary.*.back.*";

/// Every instance's report.
pub const ANY_REPORT: &str = "cim.health.*";

/// Whether a subject is one of these.
pub fn is(subject: &str) -> bool {
    subject.starts_with("cim.health.") || subject.starts_with("cim.canary.")
}

/// Which way a flow goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Direction {
    /// From the leaf to the hub.
    Export,
    /// From the hub to the leaf.
    Import,
}

impl Direction {
    /// The word for it, as in the options.
    pub fn word(self) -> &'static str {
        match self {
            Direction::Export => "export",
            Direction::Import => "import",
        }
    }
}

/// Where an instance's reports are published.
pub fn report(instance: &str) -> String {
    format!("cim.health.{instance}")
}

/// The name of what belongs to no flow.
pub const PLAIN: &str = "plain";

/// Where a leaf asks the hub, for a flow by its name.
pub fn ask(leaf: &str, name: &str) -> String {
    format!("cim.canary.{leaf}.{name}")
}

/// Where a leaf is answered.
pub fn answer(leaf: &str, name: &str) -> String {
    format!("cim.canary.{leaf}.back.{name}")
}

/// A flow's name in the subject of its canary: its direction and its subject as one token, in which `:` stands for a dot, `+`
/// for `*` and `#` for `>`. No two flows of a leaf have one name, and a flow has it for as long as its subject stays.
pub fn name(direction: Direction, subject: &str) -> String {
    let mut name = format!("{}:", direction.word());
    for c in subject.chars() {
        match c {
            '.' => name.push(':'),
            '*' => name.push('+'),
            '>' => name.push('#'),
            ':' | '+' | '#' | '%' => name.push_str(&format!("%{:02X}", u32::from(c))),
            c => name.push(c),
        }
    }
    name
}

/// A leaf's flows that have a canary, each with its direction: of a durable one the streams show whether it goes on.
pub fn flows(leaf: &Leaf) -> impl Iterator<Item = (Direction, &Flow)> {
    let exports = leaf.exports.iter().map(|flow| (Direction::Export, flow));
    let imports = leaf.imports.iter().map(|flow| (Direction::Import, flow));
    exports.chain(imports).filter(|(_, flow)| flow.is_core())
}

/// The subject of a canary that goes by one of its flow's own, at both ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ends {
    /// What the leaf's clients call it.
    pub leaf: String,
    /// What the hub's clients call it.
    pub hub: String,
}

/// The subject of a flow's canary at both ends; `None`: it goes beside the flow, or there is none.
pub fn within(direction: Direction, flow: &Flow) -> Option<Ends> {
    let published = flow.canary.as_ref().filter(|_| flow.is_core())?;
    let arrives = flow.name_there(published);
    Some(match direction {
        Direction::Export => Ends {
            leaf: published.clone(),
            hub: arrives,
        },
        Direction::Import => Ends {
            leaf: arrives,
            hub: published.clone(),
        },
    })
}

/// The canaries of a leaf that go by subjects of their flows.
pub fn all_within(leaf: &Leaf) -> impl Iterator<Item = (Direction, Ends)> {
    flows(leaf).filter_map(|(direction, flow)| Some((direction, within(direction, flow)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject;

    #[test]
    fn names_are_tokens_and_differ() {
        let subjects = ["a.b", "a:b", "a.*", "a.+", "a.>", "a.#", "a.%3A", "a%3Ab"];
        let mut names: Vec<_> = subjects
            .iter()
            .flat_map(|subject| {
                [Direction::Export, Direction::Import].map(|way| name(way, subject))
            })
            .collect();
        for name in &names {
            assert_eq!(subject::check(name), Ok(()), "{name}");
            assert!(
                !name.contains('.') && !subject::has_wildcard(name),
                "{name}"
            );
        }
        names.sort();
        names.dedup();
        assert_eq!(names.len(), subjects.len() * 2, "{names:?}");
        assert_eq!(name(Direction::Export, "a.*.>"), "export:a:+:#");
    }
}
