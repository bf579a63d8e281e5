//! The ways of canaries: beside flows, and by subjects of flows.

use cim_spec::artefact::{WatchedCanary, WatchedFlow, WatchedLeaf};
use cim_spec::implied::{self, Direction, PLAIN};

/// What a leaf asks, and by which way it is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Canary {
    /// What it is told by.
    pub name: String,
    /// Where it is asked.
    pub to: String,
    /// Where the hub answers.
    pub back: String,
    /// What that is called here.
    pub hears: String,
}

impl Canary {
    /// The one that belongs to no flow.
    pub fn plain(leaf: &str) -> Self {
        let back = implied::answer(leaf, PLAIN);
        Self {
            name: PLAIN.to_owned(),
            to: implied::ask(leaf, PLAIN),
            hears: back.clone(),
            back,
        }
    }

    /// A flow's: half of its way is the flow's, the other the plain one's.
    pub fn of(flow: &WatchedFlow, leaf: &str) -> Self {
        let plain = Self {
            name: flow.name.clone(),
            ..Self::plain(leaf)
        };
        match (flow.direction, &flow.within) {
            (Direction::Export, None) => Self {
                to: implied::ask(leaf, &flow.name),
                ..plain
            },
            (Direction::Export, Some(ends)) => Self {
                to: ends.leaf.clone(),
                ..plain
            },
            (Direction::Import, None) => Self {
                back: implied::answer(leaf, &flow.name),
                hears: implied::answer(leaf, &flow.name),
                ..plain
            },
            (Direction::Import, Some(ends)) => Self {
                back: ends.hub.clone(),
                hears: ends.leaf.clone(),
                ..plain
            },
        }
    }
}

/// A leaf's canary that goes by a subject of its flow, as the hub sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Within {
    pub account: String,
    pub leaf: String,
    pub canary: WatchedCanary,
}

impl Within {
    /// All that a leaf has.
    pub fn of(leaf: &WatchedLeaf) -> impl Iterator<Item = Self> {
        leaf.canaries.iter().map(|canary| Self {
            account: leaf.account.clone(),
            leaf: leaf.leaf.clone(),
            canary: canary.clone(),
        })
    }

    pub fn is(&self, direction: Direction) -> bool {
        self.canary.direction == direction
    }
}
