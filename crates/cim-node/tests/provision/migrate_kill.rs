//! `migrate` killed (`-9`) at any moment, while others publish.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use cim_testkit::until;
use serde_json::{Value, json};

use crate::kill::{due, kills};
use crate::migrate::{acknowledge, as_declared, content, id, kept, migrate, position};
use crate::publisher::Publisher;
use crate::support::{Site, one};

/// How often one migration is killed.
const CUTS: u32 = 3;

/// So many migrations at a time, each with a server of its own: a killed run's lock is free only 4 s later.
const LANES: u32 = 4;

/// Runs a migration, and kills it after so many steps that it tells of, and a moment later; whether it was under way.
fn cut(site: &Site, id: &str, random: u32) -> Result<bool> {
    let mut command = site.command("migrate");
    command.arg("streams/A").args(["--confirm", id]);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let told = BufReader::new(child.stderr.take().context("it tells")?).lines();
    let (steps, moment) = (
        random % 7,
        Duration::from_micros(u64::from(random % 60_013)),
    );
    for line in told.take(usize::try_from(steps)?) {
        line?;
    }
    // The moment is the point here: it is what is random.
    std::thread::sleep(moment);
    child.kill()?; // SIGKILL
    Ok(child.wait()?.code().is_none())
}

/// A killed run's lock is gone.
pub async fn free(site: &Site) -> Result<()> {
    let api = site.api().await?;
    until("the killed run's lock is free", async || {
        let lock = api.find("CONSUMER.INFO.cim-migrate-A.holder", &Value::Null);
        let lock = lock.await.map_err(|failure| anyhow!("{failure}"))?;
        ensure!(lock.is_none(), "it is held");
        Ok(())
    })
    .await
}

/// A stream of its own each time: whatever was published is compared again by each run. How often its migration was killed.
async fn killed_and_ended(round: u32) -> Result<u32> {
    let site = one()?;
    let [from, to] = match round % 2 {
        0 => ["file", "memory"],
        _ => ["memory", "file"],
    };
    let stored = |storage: &str| json!({"subjects": ["a.>"], "storage": storage});
    site.stream("A", stored(from))?;
    let consumer = json!({"ack_policy": "explicit", "ack_wait": 500_000_000});
    site.consumer("A", "w", consumer)?;
    site.applied()?;
    site.publish(&["a.before"], 50).await?;
    acknowledge(&site, "A", "w", 20).await?;
    site.stream("A", stored(to))?;
    let id = id(&site, "streams/A")?;
    let publisher = Publisher::start(&site, "a.live", 4, Duration::from_millis(20));
    let mut cuts = 0;
    while cuts < CUTS {
        let random = (round * CUTS + cuts).wrapping_mul(2_654_435_761) >> 7;
        if !cut(&site, &id, random)? {
            break;
        }
        cuts += 1;
        // Whoever provisions meanwhile leaves it alone.
        let report = site.json("apply", &[])?;
        ensure!(report["exit"] != 3, "{report}");
        free(&site).await?;
    }
    // The killed run's last request may have been to take the lock, and the server may come to it only now.
    until("it is over", async || {
        free(&site).await?;
        let said = migrate(&site, "streams/A", &["--confirm", &id])?;
        let over = said.code == 0 || said.out.contains("nothing of it needs a migration");
        ensure!(over, "{said:?}");
        Ok(())
    })
    .await?;
    let acknowledged = publisher.stop(&site).await?;
    println!("round {round}: killed {cuts} times, {acknowledged} acknowledged meanwhile");
    as_declared(&site).await?;
    assert_eq!(site.held("A").await?["storage"], to);
    assert_eq!(position(&site, "A", "w").await?.0, 20);
    Ok(cuts)
}

#[test]
fn killed_at_any_moment_it_goes_on_and_loses_nothing() -> Result<()> {
    let (rounds, killed) = (AtomicU32::new(0), AtomicU32::new(0));
    let lane = || -> Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        while killed.load(Relaxed) < kills() {
            let round = rounds.fetch_add(1, Relaxed);
            ensure!(round < kills() + LANES, "{round} rounds, too few kills");
            let cuts = runtime.block_on(killed_and_ended(round));
            killed.fetch_add(cuts.with_context(|| format!("round {round}"))?, Relaxed);
        }
        Ok(())
    };
    let lanes = LANES.min(kills().div_ceil(CUTS));
    std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..lanes).map(|_| scope.spawn(lane)).collect();
        for lane in lanes {
            lane.join().map_err(|_| anyhow!("a lane panicked"))??;
        }
        Ok(())
    })
}

#[tokio::test]
async fn a_consumers_migration_goes_on_too() -> Result<()> {
    let site = one()?;
    site.stream("A", json!({"subjects": ["a"], "retention": "interest"}))?;
    let consumer = |waiting: u32| {
        site.consumer(
            "A",
            "w",
            json!({"ack_policy": "explicit", "ack_wait": 500_000_000, "max_waiting": waiting}),
        )
    };
    consumer(9)?;
    site.applied()?;
    site.publish(&["a"], 20).await?;
    acknowledge(&site, "A", "w", 7).await?;
    let before = kept(&site, "A", 13).await?;
    let (mut round, mut killed) = (0, 0);
    while due(round, killed, kills())? {
        consumer(10 + round)?;
        let asset = "consumers/A/w";
        let id = id(&site, asset)?;
        let random = round.wrapping_mul(2_654_435_761) >> 7;
        let mut command = site.command("migrate");
        command.args([asset, "--confirm", &id]);
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        if random % 2 == 0 {
            // It is paused then, and about to go.
            let told = BufReader::new(child.stderr.take().context("it tells")?).lines();
            told.take(1).try_for_each(|line| line.map(drop))?;
        }
        std::thread::sleep(Duration::from_micros(u64::from(random % 20_011)));
        child.kill()?; // SIGKILL
        killed += u32::from(child.wait()?.code().is_none());
        round += 1;
        // The killed run's last request may still be at work, and the next run may meet a consumer that is just going:
        // it ends with 3 then, and another one goes on.
        until("it is over", async || {
            let said = migrate(&site, asset, &["--confirm", &id])?;
            let over = said.code == 0 || said.out.contains("nothing of it needs a migration");
            ensure!(over, "{said:?}");
            Ok(())
        })
        .await?;
        as_declared(&site).await?;
        assert_eq!(position(&site, "A", "w").await?, (7, 13));
        assert_eq!(content(&site, "A").await?, before);
    }
    Ok(())
}
