//! How one end of a connection compresses what it sends.

use super::server::duration;
use crate::duration::Duration;
use crate::path::OptionPath;
use crate::problem::{Problems, Rule};

/// How one end of a connection compresses what it sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compression {
    /// Mode.
    pub mode: String,
    /// Round-trip times from which it compresses more; empty: nats-server's own.
    pub rtt_thresholds: Vec<Duration>,
}

/// Compression modes of a leaf link: <https://docs.nats.io/running-a-nats-service/configuration/leafnodes>.
const COMPRESSION: &[&str] = &[
    "off",
    "accept",
    "s2_auto",
    "s2_fast",
    "s2_better",
    "s2_best",
    "s2_uncompressed",
];

/// A compression mode, and the round-trip times at which `s2_auto` changes its level.
pub(super) fn plan(
    mode: &str,
    rtt_thresholds: &[String],
    at: &OptionPath,
    problems: &mut Problems,
) -> Compression {
    if !COMPRESSION.contains(&mode) {
        problems.add(
            Rule::Compression,
            &at.join("compression"),
            format!("{mode:?} is not a compression mode"),
            format!("write one of {}", COMPRESSION.join(", ")),
        );
    }
    let at = at.join("rttThresholds");
    let durations = rtt_thresholds.iter().enumerate();
    let durations =
        durations.filter_map(|(index, text)| duration(text, &at.index(index), problems));
    let durations: Vec<Duration> = durations.collect();
    let ascending = durations.is_sorted_by(|one, next| one < next || one.as_millis() == 0);
    if !durations.is_empty() && (mode != "s2_auto" || durations.len() > 4 || !ascending) {
        problems.add(
            Rule::Compression,
            &at,
            format!("{} do not fit {mode:?}", rtt_thresholds.join(", ")),
            "write up to four durations, each longer than the one before, with compression \"s2_auto\": [ \"10ms\" \"50ms\" \"100ms\" ]",
        );
    }
    Compression {
        mode: mode.to_owned(),
        rtt_thresholds: durations,
    }
}
