//! A host whose clock is set while it is watched.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use cim_node::health::finding::{State, Verdict};
use cim_node::health::judge::{Report, judge};
use cim_node::health::look::Looker;
use cim_testkit::golden;
use time::{Duration, OffsetDateTime};

fn of<'a>(report: &'a Report, check: &str) -> Result<&'a Verdict> {
    let found = report.findings.iter().find(|found| found.check == check);
    found.map(|found| &found.verdict).context("no finding")
}

/// A clock that was set between two looks: nobody knows which of them was right, nor what has expired. At the next it is
/// the server's word against the host's.
#[test]
fn a_clock_that_jumps_is_unknown_and_so_is_what_goes_by_it() -> Result<()> {
    let scene = crate::scene::alone(&golden("security-cim-prod-001")?)?;
    for by in [-3600, 3600] {
        let mut looker = Looker::new(cim_testkit::nats_server()?);
        let mut look = |by| {
            let at = OffsetDateTime::now_utc() + Duration::seconds(by);
            let look = looker.look_at(&scene.health, Instant::now(), at);
            (look.jump, judge(&scene.health, &look, None))
        };
        let (jump, report) = look(0);
        ensure!(jump == 0.0, "{jump} at the first look");
        ensure!(of(&report, "clock")?.state == State::Ok, "{report:?}");
        let (jump, report) = look(by);
        ensure!((jump - by as f64).abs() < 1.0, "{jump}, not {by}");
        ensure!(report.state() == State::Unknown, "{report:?}");
        let said = &of(&report, "clock")?.message;
        let sign = if by < 0 { "-" } else { "+" };
        ensure!(
            said.starts_with(&format!("the host's clock was set by {sign}3")),
            "{said}"
        );
        for check in ["certificate", "tls"] {
            let because = &of(&report, check)?.because;
            ensure!(because.as_deref() == Some("clock"), "{check}: {because:?}");
        }
        let (jump, report) = look(by);
        ensure!(jump.abs() < 1.0, "{jump}, and nobody set it");
        let clock = of(&report, "clock")?;
        ensure!(clock.state == State::Critical, "{clock:?}");
        ensure!(of(&report, "tls")?.because.is_none(), "{report:?}");
    }
    Ok(())
}
