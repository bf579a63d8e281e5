//! `kill -9` of `cim-provision` at any moment: the next run goes on, and nothing is lost or doubled.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Value, json};

use crate::support::{Site, one};

/// `CIM_KILLS=100` for the long form.
fn kills() -> u32 {
    let kills = std::env::var("CIM_KILLS").ok();
    kills.and_then(|kills| kills.parse().ok()).unwrap_or(5)
}

const STREAMS: usize = 25;

/// 25 streams and 25 consumers; a generation changes a field of each in place.
fn declare(site: &Site, generation: u32) -> Result<()> {
    for index in 0..STREAMS {
        let name = format!("S{index}");
        let about = format!("generation {generation}");
        site.stream(&name, json!({"subjects": [format!("{name}.>")], "max_msgs": 1000 + generation, "description": about}))?;
        site.consumer(
            &name,
            "c",
            json!({"ack_policy": "explicit", "description": about, "max_deliver": generation + 1}),
        )?;
    }
    Ok(())
}

/// What must not change: when each asset was made and what it holds.
async fn held(site: &Site) -> Result<BTreeMap<String, Value>> {
    let api = site.api().await?;
    let mut held = BTreeMap::new();
    for index in 0..STREAMS {
        for subject in [
            format!("STREAM.INFO.S{index}"),
            format!("CONSUMER.INFO.S{index}.c"),
        ] {
            let info = api.find(&subject, &Value::Null).await.ok().flatten();
            if let Some(info) = info {
                let kept = json!([
                    info["created"],
                    info["state"]["messages"],
                    info["ack_floor"],
                    info["num_pending"]
                ]);
                held.insert(subject, kept);
            }
        }
    }
    Ok(held)
}

/// Runs `apply` and kills it after a while; whether it was killed.
fn cut(site: &Site, after: Duration) -> Result<bool> {
    let mut command = site.command("apply");
    let mut child = command
        .args(["--at-once", "2"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    std::thread::sleep(after);
    child.kill()?; // SIGKILL
    Ok(!child.wait()?.success())
}

/// Spread over the run, another one each time.
fn moment(whole: Duration, kill: u32) -> Duration {
    let part = kill.wrapping_mul(2_654_435_761) % 1000;
    whole * part / 1000
}

#[tokio::test]
async fn while_it_makes_assets() -> Result<()> {
    let site = one()?;
    declare(&site, 0)?;
    let start = Instant::now();
    site.command("apply").args(["--at-once", "2"]).output()?;
    let whole = start.elapsed();
    for kill in 0..kills() {
        let site = one()?;
        declare(&site, 0)?;
        let killed = cut(&site, moment(whole, kill))?;
        let before = held(&site).await?;
        site.applied()?;
        let after = held(&site).await?;
        println!(
            "killed {killed} with {} of {} assets made",
            before.len(),
            after.len()
        );
        assert_eq!(after.len(), 2 * STREAMS);
        for (asset, made) in before {
            assert_eq!(after[&asset], made, "{asset} was made again");
        }
        site.run("plan", &[])?
            .ended(0, &["50 declared: 50 as declared"]);
    }
    Ok(())
}

#[tokio::test]
async fn while_it_updates_assets_that_hold_messages() -> Result<()> {
    let site = one()?;
    declare(&site, 0)?;
    site.applied()?;
    let subjects: Vec<_> = (0..STREAMS).map(|index| format!("S{index}.x")).collect();
    site.publish(&subjects.iter().map(String::as_str).collect::<Vec<_>>(), 2)
        .await?;
    let before = held(&site).await?;
    declare(&site, 1)?;
    let start = Instant::now();
    site.command("apply").args(["--at-once", "2"]).output()?;
    let whole = start.elapsed();
    for kill in 0..kills() {
        declare(&site, kill + 2)?;
        cut(&site, moment(whole, kill))?;
        assert_eq!(held(&site).await?, before, "after the kill");
        site.applied()?;
        assert_eq!(held(&site).await?, before, "after the next run");
        site.run("plan", &[])?
            .ended(0, &["50 declared: 50 as declared"]);
    }
    Ok(())
}
