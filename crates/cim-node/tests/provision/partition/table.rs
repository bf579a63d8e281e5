//! What outages cost, as a soak and its readers see it.

use cim_testkit::Cut;
use serde::Serialize;

use super::outage::{Death, Outage};

/// One outage. Of pairs the first is what the leaf publishes, the second what the hub does; times are in seconds.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// `reset` or `silent`.
    pub cut: &'static str,
    /// How long it was to last, and did.
    pub length: f64,
    pub lasted: f64,
    pub death: Death,
    /// Whether that has happened.
    #[serde(skip)]
    pub was_killed: bool,
    /// Acknowledged in all.
    pub acknowledged: Vec<u64>,
    /// Of these, while the link was cut.
    pub while_cut: Vec<u64>,
    pub resent: Vec<u64>,
    pub duplicates: Vec<u64>,
    /// When each end gave its link up, from the cut on; the leaf's only if nobody killed it before.
    pub leaf_noticed: Option<f64>,
    pub hub_noticed: Option<f64>,
    /// When both ends were linked, from the moment on when the wire was mended.
    pub linked: f64,
    /// When everything that had been stored by then was at the other end, from the same moment on.
    pub caught_up: Vec<f64>,
}

impl Row {
    pub fn of(outage: &Outage) -> Self {
        Self {
            cut: match outage.cut {
                Cut::Reset => "reset",
                Cut::Silent => "silent",
            },
            length: outage.length.as_secs_f64(),
            lasted: 0.0,
            death: outage.death,
            was_killed: false,
            acknowledged: Vec::new(),
            while_cut: Vec::new(),
            resent: Vec::new(),
            duplicates: Vec::new(),
            leaf_noticed: None,
            hub_noticed: None,
            linked: 0.0,
            caught_up: Vec::new(),
        }
    }
}
