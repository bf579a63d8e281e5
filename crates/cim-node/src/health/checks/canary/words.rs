//! What is said of a flow by its canary.

use cim_spec::artefact::WatchedFlow;
use cim_spec::implied::Direction;

/// What a flow whose canary came back says.
pub fn crosses(flow: &WatchedFlow) -> String {
    let by = within(flow).map(|subject| format!(", by {subject:?}"));
    let by = by.unwrap_or_default();
    format!("{} {:?} crosses{by}", flow.direction.word(), flow.subject)
}

/// The subject that a canary is published by, where it is one of its flow's.
fn within(flow: &WatchedFlow) -> Option<&str> {
    let ends = flow.within.as_ref()?;
    Some(match flow.direction {
        Direction::Export => &ends.leaf,
        Direction::Import => &ends.hub,
    })
}

/// What a flow whose canary did not come back says.
pub fn missing(flow: &WatchedFlow) -> String {
    let but = match (flow.direction, within(flow)) {
        (_, None) => "but not to this flow's canary".to_owned(),
        (Direction::Export, Some(subject)) => {
            format!("but not to what was published by {subject:?}")
        }
        (Direction::Import, Some(subject)) => {
            format!("but what it publishes by {subject:?} does not arrive")
        }
    };
    let word = flow.direction.word();
    format!(
        "{word} {:?} does not cross: the hub answers, {but}",
        flow.subject
    )
}

/// Where to look then.
pub fn what_to_see(flow: &WatchedFlow) -> String {
    let does = match flow.direction {
        Direction::Export => "send",
        Direction::Import => "hear",
    };
    let deploys = format!(
        "see whether the hub lets this leaf {does} it: deploy the hub, or push the account's JWT (cim-admin accounts push); then journalctl -g 'Permissions Violation' there"
    );
    match &flow.within {
        None => deploys,
        Some(ends) => format!(
            "{deploys}; then whether accounts pass it on, as {:?} here and as {:?} at the hub: their mappings, exports and imports",
            ends.leaf, ends.hub
        ),
    }
}
