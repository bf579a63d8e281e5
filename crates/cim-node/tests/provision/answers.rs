//! What `cim-provision` sends: nothing is asked for twice whose answer was lost, and nothing is made over what is there.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use async_nats::Subscriber;
use cim_node::provision::api::Api;
use cim_node::provision::apply::{Outcome, apply};
use cim_testkit::{Cut, Wire, taken, until};
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::support::{Site, one};
use crate::together::planned;

/// A request, its subject after `$JS.API.`, and its body.
type Asked = (String, Value);

/// Everything that was asked for up to now.
async fn asked(site: &Site, heard: &mut Subscriber) -> Result<Vec<Asked>> {
    let client = site.client().await?;
    client.publish("$JS.API.marker", "".into()).await?;
    client.flush().await?;
    let mut all = Vec::new();
    loop {
        let message = tokio::time::timeout(Duration::from_secs(20), heard.next());
        let message = message.await?.context("the subscription ended")?;
        let subject = message.subject.trim_start_matches("$JS.API.").to_owned();
        if subject == "marker" {
            return Ok(all);
        }
        all.push((
            subject,
            serde_json::from_slice(&message.payload).unwrap_or_default(),
        ));
    }
}

/// A stream and a consumer that are there, and what becomes of them and others.
async fn site() -> Result<Site> {
    let site = one()?;
    site.stream("A", json!({"subjects": ["a"]}))?;
    site.consumer("A", "w", json!({"ack_policy": "explicit"}))?;
    site.applied()?;
    Ok(site)
}

/// The connection breaks once the server has this request, and before its answer is out. Nothing here blocks, so that
/// several go on at once.
async fn loses(site: &Site, request: &str) -> Result<()> {
    let port = site.url().rsplit(':').next().context("a port")?.parse()?;
    let wire = tokio::task::spawn_blocking(move || Wire::to(port)).await??;
    let client = async_nats::connect(format!("nats://127.0.0.1:{}", wire.port())).await?;
    let api = Api::new(client.clone(), None, Duration::from_secs(30));
    let plan = planned(site, &api).await?;
    let direct = site.client().await?;
    let mut all = direct.subscribe("$JS.API.>").await?;
    let mut this = direct.subscribe(format!("$JS.API.{request}")).await?;
    taken(&direct).await?;
    wire.cut_after(&format!("$JS.API.{request} "));
    let breaks = async {
        let arrived = tokio::time::timeout(Duration::from_secs(20), this.next()).await;
        wire.cut(Cut::Reset);
        let broken = until("the connection is broken", async || {
            let state = client.connection_state();
            ensure!(state != async_nats::connection::State::Connected, "{state}");
            Ok(())
        });
        broken.await?;
        wire.mend();
        arrived?.context("it did not ask")
    };
    let nobody = |_: &_, _: &_| ();
    let (outcomes, arrived) = tokio::join!(apply(&api, &plan, 1, &nobody), breaks);
    arrived?;
    let outcomes: Vec<_> = outcomes.into_values().collect();
    assert_eq!(outcomes, [Outcome::Done], "{request}");
    let asked = asked(site, &mut all).await?;
    let times = asked.iter().filter(|(subject, _)| subject == request);
    assert_eq!(times.count(), 1, "{request}: {asked:?}");
    Ok(())
}

#[tokio::test]
async fn a_request_whose_answer_is_lost_is_not_sent_again() -> Result<()> {
    let (update, create, consumer) = (site().await?, site().await?, site().await?);
    update.stream("A", json!({"subjects": ["a"], "description": "new"}))?;
    create.stream("B", json!({}))?;
    consumer.consumer("A", "v", json!({"ack_policy": "explicit"}))?;
    tokio::try_join!(
        loses(&update, "STREAM.UPDATE.A"),
        loses(&create, "STREAM.CREATE.B"),
        loses(&consumer, "CONSUMER.CREATE.A.v")
    )?;
    for site in [update, create, consumer] {
        site.run("plan", &[])?.ended(0, &[]);
    }
    Ok(())
}

#[tokio::test]
async fn nothing_is_made_over_what_is_there() -> Result<()> {
    let site = site().await?;
    let client = site.client().await?;
    let mut heard = client.subscribe("$JS.API.>").await?;
    taken(&client).await?;
    site.run("apply", &[])?.ended(0, &["2 as declared"]);
    let reads = [".NAMES", ".INFO"];
    for (subject, _) in asked(&site, &mut heard).await? {
        ensure!(reads.iter().any(|read| subject.contains(read)), "{subject}");
    }
    site.stream("A", json!({"subjects": ["a"], "description": "new"}))?;
    site.consumer(
        "A",
        "w",
        json!({"ack_policy": "explicit", "description": "new"}),
    )?;
    site.run("apply", &[])?.ended(0, &["2 done"]);
    let writes = asked(&site, &mut heard).await?;
    let writes = writes
        .iter()
        .filter(|(subject, _)| !reads.iter().any(|read| subject.contains(read)));
    let writes: Vec<_> = writes
        .map(|(subject, body)| (subject.as_str(), body["action"].as_str()))
        .collect();
    assert_eq!(
        writes,
        [
            ("STREAM.UPDATE.A", None),
            ("CONSUMER.CREATE.A.w", Some("update"))
        ]
    );
    Ok(())
}
