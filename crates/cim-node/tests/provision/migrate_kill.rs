//! `migrate` while others publish, and killed (`-9`) at any moment.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::migrate::{acknowledge, as_declared, content, id, migrate, position};
use crate::support::{Said, Site, one};

/// Publishes one after the other from a thread of its own, and keeps what was acknowledged, until told to stop.
pub struct Publisher {
    subject: String,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<Vec<String>>>,
}

impl Publisher {
    pub fn start(site: &Site, subject: &str) -> Self {
        let (url, to) = (site.url().to_owned(), subject.to_owned());
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let publish = async move {
            let client = async_nats::connect(url).await?;
            let mut acknowledged = Vec::new();
            let mut number = 0_u64;
            // No faster, for the copy has to keep up with it.
            let mut pace = tokio::time::interval(Duration::from_millis(2));
            while !stopped.load(Relaxed) {
                pace.tick().await;
                number += 1;
                let ack = client.request(to.clone(), number.to_string().into()).await;
                let ack = ack
                    .ok()
                    .and_then(|ack| serde_json::from_slice::<Value>(&ack.payload).ok());
                if ack.is_some_and(|ack| ack["seq"].is_u64()) {
                    acknowledged.push(number.to_string());
                }
            }
            Ok(acknowledged)
        };
        let thread = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?
                .block_on(publish)
        });
        Self {
            subject: subject.to_owned(),
            stop,
            thread,
        }
    }

    /// What was acknowledged is there, once and in order.
    pub async fn stop(self, site: &Site) -> Result<usize> {
        self.stop.store(true, Relaxed);
        let acknowledged = self.thread.join();
        let acknowledged =
            acknowledged.map_err(|_| anyhow::anyhow!("the publisher panicked"))??;
        let content = content(site, "A").await?;
        let bodies: Vec<_> = content
            .iter()
            .filter(|message| message["subject"] == self.subject.as_str())
            .map(|message| message["data"].clone())
            .collect();
        let wanted: Vec<_> = acknowledged
            .iter()
            .map(|body| json!(encode(body)))
            .collect();
        ensure!(
            bodies == wanted,
            "{} acknowledged, {} there",
            wanted.len(),
            bodies.len()
        );
        Ok(acknowledged.len())
    }
}

#[tokio::test]
async fn what_publishers_had_acknowledged_is_there_once_it_moved() -> Result<()> {
    let site = one()?;
    site.stream("A", json!({"subjects": ["a.>"]}))?;
    site.applied()?;
    site.publish(&["a.before"], 500).await?;
    site.stream("A", json!({"subjects": ["a.>"], "storage": "memory"}))?;
    let id = id(&site, "streams/A")?;
    let publisher = Publisher::start(&site, "a.live");
    let mut command = site.command("migrate");
    command.arg("streams/A").args(["--confirm", &id]);
    let said = Said::of(command.output()?)?;
    said.ended(0, &["publishers had no acknowledgement for"]);
    println!("{}", said.out);
    let acknowledged = publisher.stop(&site).await?;
    println!("{acknowledged} acknowledged while it moved");
    ensure!(acknowledged > 10, "too few to say anything");
    as_declared(&site).await
}

/// How often one migration is killed.
const CUTS: u32 = 3;

/// Runs a migration once no killed run's lock is left, and kills it after so many steps that it tells of, and a moment
/// later; whether it was over.
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
        if line?.contains("another run is at work") {
            child.wait()?;
            return cut(site, id, random);
        }
    }
    // The moment is the point here: it is what is random.
    std::thread::sleep(moment);
    child.kill()?; // SIGKILL
    Ok(child.wait()?.success())
}

#[tokio::test]
async fn killed_at_any_moment_it_goes_on_and_loses_nothing() -> Result<()> {
    let site = one()?;
    let consumer = json!({"ack_policy": "explicit", "ack_wait": 500_000_000});
    site.stream("A", json!({"subjects": ["a.>"]}))?;
    site.consumer("A", "w", consumer)?;
    site.applied()?;
    site.publish(&["a.before"], 50).await?;
    acknowledge(&site, "A", "w", 20).await?;
    for round in 0..crate::kill::kills().div_ceil(CUTS) {
        let storage = if round % 2 == 0 { "memory" } else { "file" };
        site.stream("A", json!({"subjects": ["a.>"], "storage": storage}))?;
        let id = id(&site, "streams/A")?;
        let publisher = Publisher::start(&site, &format!("a.live.{round}"));
        let mut cuts = 0;
        for cut_number in 0..CUTS {
            let random = (round * CUTS + cut_number).wrapping_mul(2_654_435_761) >> 7;
            cuts += u32::from(!cut(&site, &id, random)?);
            // Whoever provisions meanwhile leaves it alone.
            let report = site.json("apply", &[])?;
            ensure!(report["exit"] != 3, "{report}");
        }
        cim_testkit::until(
            "it is over, once the lock of a killed run is free",
            async || {
                let said = migrate(&site, "streams/A", &["--confirm", &id])?;
                let over = said.code == 0 || said.out.contains("nothing of it needs a migration");
                ensure!(over, "{said:?}");
                Ok(())
            },
        )
        .await?;
        let acknowledged = publisher.stop(&site).await?;
        println!("round {round}: killed {cuts} times, {acknowledged} acknowledged meanwhile");
        as_declared(&site).await?;
        assert_eq!(site.held("A").await?["storage"], storage);
        assert_eq!(position(&site, "A", "w").await?.0, 20);
    }
    Ok(())
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
    let before = content(&site, "A").await?;
    for round in 0..crate::kill::kills() {
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
        child.kill()?;
        child.wait()?;
        // The killed run's last request may still be at work, and the next run may meet a consumer that is just going:
        // it ends with 3 then, and another one goes on.
        cim_testkit::until("it is over", async || {
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

/// Base 64 of digits, as the API writes bodies.
fn encode(text: &str) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for index in 0..4 {
            let at = usize::try_from(bits >> (18 - 6 * index) & 63).unwrap_or_default();
            out.push(if index > chunk.len() {
                '='
            } else {
                char::from(LETTERS[at])
            });
        }
    }
    out
}
