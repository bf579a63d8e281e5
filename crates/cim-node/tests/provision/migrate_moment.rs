//! `migrate` at the moment when neither stream takes messages: its server is not heard of for longer than that may last, and
//! publishers go on.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use cim_testkit::{Wire, until};
use serde_json::{Value, json};

use crate::migrate::{as_declared, done, id, migrate};
use crate::publisher::Publisher;
use crate::support::{Said, Site, one};

/// Longer than a stream may be closed.
const LONGER: Duration = Duration::from_millis(5_500);

/// The pause of who publishes meanwhile.
const PAUSE: Duration = Duration::from_millis(20);

/// A stream of ten messages that is declared otherwise, whoever goes on publishing to it, and a wire by which every command
/// goes from now on.
async fn published_to() -> Result<(Site, Publisher, Wire, String)> {
    let mut site = one()?;
    site.stream("A", json!({"subjects": ["a.>"]}))?;
    site.applied()?;
    site.publish(&["a.before"], 10).await?;
    site.stream("A", json!({"subjects": ["a.>"], "storage": "memory"}))?;
    let id = id(&site, "streams/A")?;
    let publisher = Publisher::start(&site, "a.live", 1, PAUSE);
    let wire = site.wire()?;
    Ok((site, publisher, wire, id))
}

fn begun(site: &Site, id: &str) -> Result<Child> {
    let mut command = site.command("migrate");
    command.args(["streams/A", "--confirm", id]);
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    Ok(command.spawn()?)
}

/// Waits until a stream has taken nothing for longer than it may.
async fn closed(site: &Site, stream: &str, subject: &str) -> Result<()> {
    let mut since = None;
    until(&format!("{stream} is closed for {LONGER:?}"), async || {
        let subjects = site.held(stream).await?["subjects"].clone();
        ensure!(subjects == json!([subject]), "{subjects}");
        let since = since.get_or_insert_with(Instant::now).elapsed();
        ensure!(since > LONGER, "for {since:?}");
        Ok(())
    })
    .await
}

async fn streams(site: &Site) -> Result<Value> {
    let names = site.api().await?.ask("STREAM.NAMES", &Value::Null).await;
    Ok(names.map_err(|failure| anyhow!("{failure}"))?["streams"].take())
}

/// Another run ends it, and all that was acknowledged is there: before the moment, after it, and between the runs.
async fn ends(site: &Site, publisher: Publisher) -> Result<()> {
    site.publish(&["a.between"], 1).await?;
    done(site, "streams/A")?;
    let acknowledged = publisher.stop(site).await?;
    ensure!(acknowledged > 10, "too few to say anything");
    ensure!(site.messages("A").await? >= 11 + u64::try_from(acknowledged)?);
    as_declared(site).await
}

#[tokio::test]
async fn a_stream_that_was_closed_for_too_long_is_as_it_was() -> Result<()> {
    let (site, publisher, wire, id) = published_to().await?;
    let before = site.held("A").await?;
    wire.cut_after("cim-migrate.old.A");
    let child = begun(&site, &id)?;
    closed(&site, "A", "cim-migrate.old.A").await?;
    wire.mend();
    Said::of(child.wait_with_output()?)?.ended(
        3,
        &[
            "A is as it was before",
            "A took no messages for 5 s",
            "Nothing was removed",
            "run again",
        ],
    );
    assert_eq!(site.held("A").await?, before);
    assert_eq!(streams(&site).await?, json!(["A"]));
    ends(&site, publisher).await
}

/// The old stream is gone by then: what is published goes on coming into the interim one.
#[tokio::test]
async fn nor_does_the_interim_stream_stay_closed() -> Result<()> {
    let (site, publisher, wire, id) = published_to().await?;
    wire.cut_after("STREAM.CREATE.A ");
    let child = begun(&site, &id)?;
    until("the new stream is made", async || {
        let mirror = site.held("A").await?["mirror"]["name"].clone();
        ensure!(mirror == "cim-migrate-A", "{mirror}");
        Ok(())
    })
    .await?;
    wire.mend_until("cim-migrate.interim.A");
    closed(&site, "cim-migrate-A", "cim-migrate.interim.A").await?;
    wire.mend();
    Said::of(child.wait_with_output()?)?.ended(
        3,
        &[
            "cim-migrate-A takes what is published to A",
            "cim-migrate-A took no messages for 5 s",
            "run again",
        ],
    );
    let interim = site.held("cim-migrate-A").await?;
    assert_eq!(interim["subjects"], json!(["a.>"]));
    ends(&site, publisher).await
}

/// Nobody is left to open it again: the run says so first, and another one goes on.
#[tokio::test]
async fn what_could_not_be_opened_again_is_said() -> Result<()> {
    let (mut site, publisher, wire, id) = published_to().await?;
    site.args = vec!["--wait".to_owned(), "1".to_owned()];
    wire.cut_after("cim-migrate.old.A");
    let child = begun(&site, &id)?;
    let said = Said::of(child.wait_with_output()?)?;
    said.ended(
        3,
        &[
            "A took no messages for 5 s",
            "A may take no messages still",
            "run again at once",
        ],
    );
    let held = site.held("A").await?["subjects"].clone();
    assert_eq!(held, json!(["cim-migrate.old.A"]));
    wire.mend();
    until("the lock is free, and it is over", async || {
        let said = migrate(&site, "streams/A", &["--confirm", &id])?;
        ensure!(said.code == 0, "{said:?}");
        Ok(())
    })
    .await?;
    let acknowledged = publisher.stop(&site).await;
    println!("{} acknowledged", acknowledged.context("publishing")?);
    as_declared(&site).await
}
