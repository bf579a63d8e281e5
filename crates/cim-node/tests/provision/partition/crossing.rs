//! Done-when 3 of the plan: acknowledged on either side while the link is cut, then on the other, once and in order.

use std::env;
use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use cim_testkit::Cut;

use super::outage::{Death, MESSAGES, Outage};
use super::pair::pair;

/// A second, after which the leaf comes back as its link does: nothing is waited for that nats-server could save us.
/// `CIM_SOAK_PARTITION` names the seconds of a soak, with commas between.
fn outages() -> Result<Vec<Outage>> {
    let outage = |cut, seconds, death| Outage {
        cut,
        length: Duration::from_secs(seconds),
        death,
    };
    let Ok(asked) = env::var("CIM_SOAK_PARTITION") else {
        return Ok(vec![outage(Cut::Reset, 1, Death::AtTheEnd)]);
    };
    let mut outages = Vec::new();
    for seconds in asked.split(',') {
        let seconds = seconds.parse().context("CIM_SOAK_PARTITION")?;
        for cut in [Cut::Reset, Cut::Silent] {
            for death in [Death::None, Death::Within, Death::Often] {
                outages.push(outage(cut, seconds, death));
            }
        }
    }
    Ok(outages)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_acknowledged_arrives_once_and_in_order() -> Result<()> {
    let mut rows = Vec::new();
    for outage in outages()? {
        let row = outage.suffer(&mut pair().await?).await;
        let row = row.with_context(|| format!("{outage:?}"))?;
        // Shown with --nocapture, and by a soak.
        println!("{}", serde_json::to_string(&row)?);
        // A second is too short for so many: then they are around it.
        let counts = match row.length < 15.0 {
            true => &row.acknowledged,
            false => &row.while_cut,
        };
        assert!(counts.iter().all(|count| *count >= MESSAGES), "{row:?}");
        rows.push(row);
        if let Some(file) = env::var_os("CIM_SOAK_REPORT") {
            fs::write(file, serde_json::to_string(&rows)?)?;
        }
    }
    Ok(())
}
