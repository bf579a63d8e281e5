//! A host whose clock is set while it is watched.

use anyhow::{Context, Result, ensure};
use cim_node::health::judge::judge;
use cim_node::health::look::Looker;
use cim_testkit::golden;

/// A clock that was set between two looks: nobody knows which of them was right, nor what has expired.
#[test]
fn a_clock_that_jumps_is_unknown_and_so_is_what_goes_by_it() -> Result<()> {
    let scene = crate::scene::alone(&golden("security-cim-prod-001")?)?;
    let mut looker = Looker::new(cim_testkit::nats_server()?);
    for jump in [-3600.0, 3600.0] {
        let mut look = looker.look(&scene.health);
        look.jump = jump;
        let report = judge(&scene.health, &look, None);
        ensure!(report.state().code() == 3, "{report:?}");
        let of = |check: &str| {
            let found = report.findings.iter().find(|found| found.check == check);
            found.map(|found| &found.verdict).context("no finding")
        };
        let said = &of("clock")?.message;
        ensure!(
            said.contains("clock was set by") && said.contains("3600.0 s"),
            "{said}"
        );
        for check in ["certificate", "tls"] {
            ensure!(of(check)?.because.as_deref() == Some("clock"), "{check}");
        }
    }
    Ok(())
}
