//! Canaries that go by a subject of their flow: one, which tells of that flow alone.

use crate::path::OptionPath;
use crate::problem::{Problems, Rule};
use crate::spec::{Flow, Leaf};
use crate::subject;

/// `at` is the leaf in the fleet.
pub(super) fn check(leaf: &Leaf, at: &OptionPath, problems: &mut Problems) {
    for (list, flows) in [("imports", &leaf.imports), ("exports", &leaf.exports)] {
        for (index, flow) in flows.iter().enumerate() {
            let Some(canary) = &flow.canary else {
                continue;
            };
            let others = flows.iter().enumerate();
            let mut others = others.filter(|(other, flow)| *other != index && flow.is_core());
            let at = at.join(list).index(index).join("canary");
            if let Some((what, help)) = refused(flow, canary) {
                problems.add(Rule::CanarySubject, &at, what, help);
            } else if let Some((_, other)) =
                others.find(|(_, other)| subject::covers(&other.subject, canary))
            {
                problems.add(
                    Rule::CanarySubject,
                    &at,
                    format!(
                        "{canary:?} is in {:?} too: it would cross if either of them does",
                        other.subject
                    ),
                    "name one that is in this flow alone, or leave canary out: then it goes beside the flow",
                );
            }
        }
    }
}

/// What is wrong with a flow's canary for itself, and what to do.
fn refused(flow: &Flow, canary: &str) -> Option<(String, String)> {
    if !flow.is_core() {
        return Some((
            format!("{canary:?} is set, but the flow is durable: its streams show whether it goes on"),
            "leave it out, or leave out durable; `source` and `stream` of cim-health watch a durable flow".to_owned(),
        ));
    }
    if subject::check(&flow.subject).is_err() {
        return None; // its own rule has said so
    }
    let why = if subject::check(canary).is_err() {
        "is not a subject"
    } else if subject::has_wildcard(canary) {
        "has wildcards, but a canary goes by one subject"
    } else if !subject::covers(&flow.subject, canary) {
        "is not in the flow"
    } else {
        return None;
    };
    Some((
        format!("{canary:?} {why}"),
        format!(
            "write a subject that {:?} stands for, which nobody else publishes, for example {:?}; or leave it out: then the canary goes beside the flow",
            flow.subject,
            example(&flow.subject)
        ),
    ))
}

/// A subject that one with wildcards stands for.
fn example(subject: &str) -> String {
    let tokens = subject.split('.');
    let tokens = tokens.map(|token| match token {
        "*" | ">" => "canary",
        plain => plain,
    });
    tokens.collect::<Vec<_>>().join(".")
}
