//! What crosses a leaf's links where streams are copied over them: JetStream's own subjects, and no more of them than the
//! streams that may cross need.
//!
//! Who copies asks the other end for a consumer of each stream, gets an answer and the messages, and says now and then that
//! it keeps up: without that a copy stalls after some 3,500 messages (`reference/nats.md` S4).

use crate::durable::{self, Crossing};
use crate::spec::Leaf;

/// Answers of JetStream's API to a server.
pub(super) const ANSWERS: &str = "$JSC.R.>";

/// The copies of one direction.
pub(super) struct Copies {
    /// Requests, as they go on after `$JS.API.`.
    pub asks: Vec<String>,
    /// Where messages of these copies are delivered, and of no other leaf's.
    pub delivered: String,
    /// Flow control of the streams.
    pub paces: Vec<String>,
}

impl Copies {
    /// Those that the hub makes of the leaf's streams; `None`: it makes none.
    pub fn to_hub(name: &str, leaf: &Leaf) -> Option<Self> {
        Self::of(&durable::to_hub(name, leaf), &delivered(name, true))
    }

    /// Those that the leaf makes of its hubs' streams; `None`: it makes none.
    pub fn to_leaf(name: &str, leaf: &Leaf) -> Option<Self> {
        Self::of(&durable::to_leaf(name, leaf), &delivered(name, false))
    }

    fn of(streams: &[Crossing], delivered: &str) -> Option<Self> {
        let mut names: Vec<&str> = streams.iter().map(|one| one.stream.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let mut asks: Vec<String> = streams.iter().flat_map(asks).collect();
        asks.sort();
        asks.dedup();
        (!streams.is_empty()).then(|| Self {
            asks,
            delivered: format!("{delivered}.>"),
            paces: names
                .iter()
                .map(|name| format!("$JS.FC.{name}.>"))
                .collect(),
        })
    }

    /// Requests to the servers of a JetStream domain.
    pub fn asked_of(&self, domain: &str) -> impl Iterator<Item = String> {
        self.asks
            .iter()
            .map(move |ask| format!("$JS.{domain}.API.{ask}"))
    }
}

/// Requests for a consumer of a stream. One that wants some of it alone has a name, and says what it wants.
fn asks(one: &Crossing) -> Vec<String> {
    let create = format!("CONSUMER.CREATE.{}", one.stream);
    match &one.only {
        Some(subject) => vec![format!("{create}.*.{subject}")],
        None => vec![format!("{create}.>"), create],
    }
}

/// What stands before the subjects that messages of a leaf's copies are delivered on. Without it they are the same for all
/// leaves: each could hear what is for another.
pub(super) fn delivered(leaf: &str, to_hub: bool) -> String {
    match to_hub {
        true => format!("$CIM.toHub.{leaf}"),
        false => format!("$CIM.toLeaf.{leaf}"),
    }
}
