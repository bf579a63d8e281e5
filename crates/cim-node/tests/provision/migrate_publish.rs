//! `migrate` while others publish: slowly, and faster than messages are compared.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;

use crate::migrate::{acknowledge, as_declared, id, position};
use crate::publisher::Publisher;
use crate::support::{Said, Site, one, site};

/// The pause of a publisher that a comparison keeps up with.
const SLOW: Duration = Duration::from_millis(2);

#[tokio::test]
async fn what_publishers_had_acknowledged_is_there_once_it_moved() -> Result<()> {
    let site = one()?;
    site.stream("A", json!({"subjects": ["a.>"]}))?;
    site.applied()?;
    site.publish(&["a.before"], 500).await?;
    site.stream("A", json!({"subjects": ["a.>"], "storage": "memory"}))?;
    let id = id(&site, "streams/A")?;
    let publisher = Publisher::start(&site, "a.live", 1, SLOW);
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

/// How long a stream may take to take over from another.
const FAST: Duration = Duration::from_secs(60);

/// A run with one request at a time needs two for each message, and a publisher with two at a time needs one: it is four times
/// as fast, on whatever machine. Once a stream has taken over while it was so, it slows down.
#[tokio::test]
async fn publishers_may_be_faster_than_messages_are_compared() -> Result<()> {
    let site = one()?;
    site.stream("A", json!({"subjects": ["a.>"]}))?;
    site.consumer(
        "A",
        "w",
        json!({"ack_policy": "explicit", "ack_wait": 500_000_000}),
    )?;
    site.applied()?;
    site.publish(&["a.before"], 300).await?;
    acknowledge(&site, "A", "w", 20).await?;
    site.stream("A", json!({"subjects": ["a.>"], "storage": "memory"}))?;
    let id = id(&site, "streams/A")?;
    let publisher = Publisher::start(&site, "a.live", 1, SLOW);
    let said = migrated(&site, &id, &publisher, (1, [2, 2]))?;
    let outrun = said.matches("the rest is once").count();
    ensure!(outrun == 2, "publishers were too slow: {said}");
    let acknowledged = publisher.stop(&site).await?;
    println!("{said}\n{acknowledged} acknowledged while it moved");
    assert_eq!(position(&site, "A", "w").await?.0, 20);
    as_declared(&site).await
}

/// What the server has in line when a stream is closed is stored, acknowledged and copied before another one takes over. Where
/// each message is brought to the disk before the next one, that line is long.
#[tokio::test]
async fn what_is_in_line_when_a_stream_is_closed_is_not_lost() -> Result<()> {
    in_line(site(1, "js:, sync_interval: always")?, 1, 32).await
}

/// There it is also proposed, and agreed upon later.
#[tokio::test]
async fn nor_in_a_cluster() -> Result<()> {
    in_line(crate::cluster::cluster().await?, 3, 512).await
}

async fn in_line(site: Site, replicas: u8, at_once: u64) -> Result<()> {
    let stored =
        |storage: &str| json!({"subjects": ["a.>"], "storage": storage, "num_replicas": replicas});
    site.stream("A", stored("file"))?;
    site.applied()?;
    site.publish(&["a.before"], 10).await?;
    site.stream("A", stored("memory"))?;
    let id = id(&site, "streams/A")?;
    let publisher = Publisher::start(&site, "a.live", 1, SLOW);
    let said = migrated(&site, &id, &publisher, (16, [at_once, 1]))?;
    println!("{said}");
    println!("{} acknowledged", publisher.stop(&site).await?);
    site.agrees(&["1 as declared"]).await
}

/// Migrates while a publisher is fast until the one stream has taken over, and until the other one has, with so many requests
/// of the run and so many messages at a time; what the run said.
fn migrated(
    site: &Site,
    id: &str,
    publisher: &Publisher,
    (run, fast_ones): (u64, [u64; 2]),
) -> Result<String> {
    let mut command = site.command("migrate");
    command.args(["streams/A", "--confirm", id]);
    command.args(["--at-once", &run.to_string()]);
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let told = BufReader::new(child.stderr.take().context("it tells")?).lines();
    let (mut all, mut fast) = (String::new(), None);
    let mut fast_ones = fast_ones.into_iter();
    let begin = Instant::now();
    for line in told {
        let line = line?;
        all += &format!("{:.2?} {line}\n", begin.elapsed());
        if line.contains("copies the") {
            publisher.pace(fast_ones.next().unwrap_or(1), Duration::ZERO);
            fast = Some(Instant::now());
        } else if line.contains("has every message") {
            publisher.pace(1, SLOW);
            fast = None;
        }
        if fast.is_some_and(|since: Instant| since.elapsed() > FAST) {
            child.kill()?;
            bail!("it does not end while others publish: {all}");
        }
    }
    let said = Said::of(child.wait_with_output()?)?;
    ensure!(said.code == 0, "{all}{said:?}");
    Ok(all + &said.out)
}
