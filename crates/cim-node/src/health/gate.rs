//! `cim-health gate`: a deployment waits here until the node is back, or learns why it is not.

use std::thread;
use std::time::{Duration, Instant};

use super::check;
use super::finding::State;
use super::judge::Report;

/// How often a node that is not back is looked at again.
const LOOK: Duration = Duration::from_millis(250);

/// Looks until what a deployment waits for is neither critical nor unknown, or `patience` is over. What a deployment
/// cannot have broken (an expiry, a full disk, a leaf that is off) does not count, nor does a level that is reached (a
/// consumer behind, a link that is slow): it would keep the remedy out too.
pub fn gate(patience: Duration, mut look: impl FnMut() -> Report) -> Report {
    let until = Instant::now() + patience;
    loop {
        let report = counting(look());
        if report.state() < State::Unknown || Instant::now() >= until {
            return report;
        }
        thread::sleep(LOOK);
    }
}

/// The findings that a deployment waits for; of a level that one of them reaches it is warned.
fn counting(mut report: Report) -> Report {
    let counts = |name: &str| check::all().any(|check| check.name == name && check.gates);
    report.findings.retain(|finding| counts(finding.check));
    for finding in &mut report.findings {
        let verdict = &mut finding.verdict;
        if verdict.is_level {
            verdict.state = verdict.state.min(State::Warning);
        }
    }
    report.later.clear();
    report
}
