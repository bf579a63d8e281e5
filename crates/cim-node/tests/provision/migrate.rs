//! `migrate`: what no update does, without a message lost.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::support::{Said, Site, one};

/// Runs `migrate` of an asset.
pub fn migrate(site: &Site, asset: &str, args: &[&str]) -> Result<Said> {
    Said::of(site.command("migrate").arg(asset).args(args).output()?)
}

/// The id that a run without consent prints.
pub fn id(site: &Site, asset: &str) -> Result<String> {
    let said = migrate(site, asset, &["--json"])?;
    let told: Value = serde_json::from_str(&said.out).with_context(|| format!("{said:?}"))?;
    Ok(told["id"]
        .as_str()
        .with_context(|| told.to_string())?
        .to_owned())
}

/// Migrates with consent.
pub fn done(site: &Site, asset: &str) -> Result<Said> {
    let id = id(site, asset)?;
    let said = migrate(site, asset, &["--confirm", &id])?;
    said.ended(0, &["done: "]);
    Ok(said)
}

/// What stays: sequences, subjects, headers, bodies and times.
pub async fn content(site: &Site, stream: &str) -> Result<Vec<Value>> {
    let api = site.api().await?;
    let mut all = Vec::new();
    let mut seq = 1;
    while let Ok(answer) = api
        .ask(
            &format!("STREAM.MSG.GET.{stream}"),
            &json!({"seq": seq, "next_by_subj": ">"}),
        )
        .await
    {
        let message = answer["message"].clone();
        seq = message["seq"].as_u64().context("a sequence")? + 1;
        all.push(message);
    }
    Ok(all)
}

/// The same once it is so many messages: what was acknowledged the server removes in its own time.
pub async fn kept(site: &Site, stream: &str, messages: usize) -> Result<Vec<Value>> {
    cim_testkit::until(&format!("{stream} keeps {messages}"), async || {
        let content = content(site, stream).await?;
        ensure!(content.len() == messages, "it has {}", content.len());
        Ok(content)
    })
    .await
}

/// Nothing of a migration is left, and everything is as declared.
pub async fn as_declared(site: &Site) -> Result<()> {
    let report = site.json("plan", &[])?;
    ensure!(report["exit"] == 0, "{report}");
    assert_eq!(report["undeclared"], json!([]));
    Ok(())
}

pub async fn acknowledge(site: &Site, stream: &str, consumer: &str, count: usize) -> Result<()> {
    let client = site.client().await?;
    let mut inbox = client.subscribe("inbox.test").await?;
    let next = format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}");
    client
        .publish_with_reply(next, "inbox.test", count.to_string().into())
        .await?;
    for _ in 0..count {
        let message = futures_util::StreamExt::next(&mut inbox)
            .await
            .context("a message")?;
        client
            .request(message.reply.context("a reply")?, "+ACK".into())
            .await?;
    }
    Ok(())
}

async fn delete(site: &Site, stream: &str, seqs: &[u64]) -> Result<()> {
    let api = site.api().await?;
    for seq in seqs {
        let gone = api
            .ask(&format!("STREAM.MSG.DELETE.{stream}"), &json!({"seq": seq}))
            .await;
        ensure!(gone.is_ok(), "{gone:?}");
    }
    Ok(())
}

pub async fn position(site: &Site, stream: &str, consumer: &str) -> Result<(u64, u64)> {
    let subject = format!("CONSUMER.INFO.{stream}.{consumer}");
    let info = site.api().await?.ask(&subject, &Value::Null).await;
    let info = info.map_err(|failure| anyhow::anyhow!("{failure}"))?;
    let number = |value: &Value| value.as_u64().unwrap_or_default();
    Ok((
        number(&info["ack_floor"]["stream_seq"]),
        number(&info["num_pending"]),
    ))
}

#[tokio::test]
async fn another_storage_keeps_messages_numbers_and_places() -> Result<()> {
    let site = one()?;
    let worker = json!({"ack_policy": "explicit", "ack_wait": 1_000_000_000});
    site.stream("A", json!({"subjects": ["a.>"], "max_msgs": 1000}))?;
    site.consumer("A", "w", worker.clone())?;
    site.applied()?;
    site.publish(&["a.x", "a.y"], 10).await?;
    acknowledge(&site, "A", "w", 7).await?;
    // Holes at the beginning, in the middle and at the end.
    delete(&site, "A", &[1, 9, 19, 20]).await?;
    let before = content(&site, "A").await?;
    site.stream(
        "A",
        json!({"subjects": ["a.>"], "max_msgs": 1000, "storage": "memory"}),
    )?;
    site.run("apply", &[])?
        .ended(2, &["cim-provision migrate FOLDER streams/A"]);
    migrate(&site, "streams/A", &[])?.ended(
        1,
        &[
            "16 messages",
            "1. a stream cim-migrate-A mirrors A",
            "--confirm ",
        ],
    );
    migrate(&site, "streams/A", &["--confirm", "0123456789ab"])?
        .ended(2, &["consents to another migration"]);
    let said = done(&site, "streams/A")?;
    println!("{}{}", said.err, said.out);
    as_declared(&site).await?;
    assert_eq!(content(&site, "A").await?, before);
    assert_eq!(site.held("A").await?["storage"], "memory");
    assert_eq!(position(&site, "A", "w").await?, (7, 10));
    // The next number is the one that it would have been.
    site.publish(&["a.z"], 1).await?;
    let after = content(&site, "A").await?;
    assert_eq!(after.last().context("one")?["seq"], 21);
    migrate(&site, "streams/A", &[])?.ended(2, &["nothing of it needs a migration"]);
    Ok(())
}

#[tokio::test]
async fn to_a_work_queue_and_back() -> Result<()> {
    let site = one()?;
    let worker = json!({"ack_policy": "explicit", "ack_wait": 1_000_000_000});
    site.stream("A", json!({"subjects": ["a.>"]}))?;
    site.consumer("A", "w", worker)?;
    site.applied()?;
    site.publish(&["a.x"], 10).await?;
    acknowledge(&site, "A", "w", 4).await?;
    site.stream("A", json!({"subjects": ["a.>"], "retention": "workqueue"}))?;
    done(&site, "streams/A")?;
    as_declared(&site).await?;
    assert_eq!(position(&site, "A", "w").await?, (4, 6));
    acknowledge(&site, "A", "w", 4).await?;
    let before = content(&site, "A").await?;
    let waits = |content: &[Value]| -> Vec<Value> {
        let all = content.iter();
        all.filter(|message| message["seq"].as_u64() > Some(8))
            .cloned()
            .collect()
    };
    assert_eq!(waits(&before).len(), 2);
    site.stream("A", json!({"subjects": ["a.>"]}))?;
    done(&site, "streams/A")?;
    as_declared(&site).await?;
    let after = content(&site, "A").await?;
    assert_eq!(waits(&after), waits(&before));
    // What was acknowledged before it was a work queue, the server forgets whenever it looks; nothing else comes.
    assert!(after.iter().all(|message| before.contains(message)));
    assert_eq!(position(&site, "A", "w").await?, (8, 2));
    Ok(())
}

#[tokio::test]
async fn an_empty_work_queue_goes_on_counting() -> Result<()> {
    let site = one()?;
    site.stream("A", json!({"subjects": ["a.>"], "retention": "workqueue"}))?;
    site.consumer("A", "w", json!({"ack_policy": "explicit"}))?;
    site.applied()?;
    site.publish(&["a.x"], 10).await?;
    acknowledge(&site, "A", "w", 10).await?;
    site.stream("A", json!({"subjects": ["a.>"]}))?;
    done(&site, "streams/A")?;
    as_declared(&site).await?;
    site.publish(&["a.x"], 1).await?;
    assert_eq!(content(&site, "A").await?[0]["seq"], 11);
    assert_eq!(position(&site, "A", "w").await?, (10, 1));
    Ok(())
}

#[tokio::test]
async fn an_interest_stream_keeps_what_its_consumers_wait_for() -> Result<()> {
    let site = one()?;
    let worker = json!({"ack_policy": "explicit", "ack_wait": 1_000_000_000});
    site.stream("A", json!({"subjects": ["a.>"], "retention": "interest"}))?;
    for name in ["fast", "slow"] {
        site.consumer("A", name, worker.clone())?;
    }
    site.applied()?;
    site.publish(&["a.x"], 10).await?;
    acknowledge(&site, "A", "fast", 8).await?;
    acknowledge(&site, "A", "slow", 3).await?;
    let before = kept(&site, "A", 7).await?;
    site.stream(
        "A",
        json!({"subjects": ["a.>"], "retention": "interest", "storage": "memory"}),
    )?;
    done(&site, "streams/A")?;
    as_declared(&site).await?;
    assert_eq!(content(&site, "A").await?, before);
    assert_eq!(position(&site, "A", "fast").await?, (8, 2));
    assert_eq!(position(&site, "A", "slow").await?, (3, 7));
    Ok(())
}

#[tokio::test]
async fn a_bucket_keeps_its_keys_and_their_history() -> Result<()> {
    let site = one()?;
    let bucket = |storage: &str| json!({"bucket": "b", "history": 3, "storage": storage, "limit_marker_ttl": 60_000_000_000_i64});
    site.declare("kv/b", &bucket("file"))?;
    site.applied()?;
    site.publish(&["$KV.b.one", "$KV.b.two"], 4).await?;
    let client = site.client().await?;
    let mut purge = async_nats::HeaderMap::new();
    purge.insert("KV-Operation", "PURGE");
    purge.insert("Nats-Rollup", "sub");
    client
        .request_with_headers("$KV.b.one", purge, "".into())
        .await?;
    let before = content(&site, "KV_b").await?;
    assert_eq!(before.len(), 4);
    site.declare("kv/b", &bucket("memory"))?;
    done(&site, "kv/b")?;
    as_declared(&site).await?;
    assert_eq!(content(&site, "KV_b").await?, before);
    Ok(())
}

#[tokio::test]
async fn what_is_only_set_when_a_stream_is_made_needs_an_empty_one() -> Result<()> {
    let site = one()?;
    site.stream("A", json!({"subjects": ["a"]}))?;
    site.applied()?;
    site.publish(&["a"], 3).await?;
    site.stream("A", json!({"subjects": ["a"], "first_seq": 100}))?;
    migrate(&site, "streams/A", &[])?.ended(2, &["it holds 3 messages"]);
    delete(&site, "A", &[1, 2, 3]).await?;
    done(&site, "streams/A")?;
    as_declared(&site).await?;
    site.publish(&["a"], 1).await?;
    assert_eq!(content(&site, "A").await?[0]["seq"], 100);
    Ok(())
}

#[tokio::test]
async fn what_the_server_would_not_take_is_found_out_before_anything_is_done() -> Result<()> {
    let site = one()?;
    site.stream("A", json!({"subjects": ["a"]}))?;
    site.consumer("A", "w", json!({"ack_policy": "explicit"}))?;
    site.applied()?;
    site.publish(&["a"], 3).await?;
    let before = site.held("A").await?;
    site.stream(
        "A",
        json!({"subjects": ["a"], "storage": "memory", "num_replicas": 3}),
    )?;
    let confirm = id(&site, "streams/A")?;
    migrate(&site, "streams/A", &["--confirm", &confirm])?.ended(
        3,
        &[
            "nothing was done, for the server would not take what is declared",
            "replicas",
        ],
    );
    assert_eq!(site.held("A").await?, before);
    as_left(&site).await
}

/// No stream of ours is left.
async fn as_left(site: &Site) -> Result<()> {
    let names = site.api().await?.names("STREAM.NAMES", "streams").await;
    ensure!(names.is_ok_and(|names| names == ["A"]), "something is left");
    Ok(())
}

#[tokio::test]
async fn a_mirror_of_another_stream_where_that_has_everything() -> Result<()> {
    let site = one()?;
    site.stream("X", json!({"subjects": ["x"]}))?;
    site.stream("Y", json!({"mirror": {"name": "X"}}))?;
    site.stream("Z", json!({"subjects": ["z"]}))?;
    site.stream("M", json!({"mirror": {"name": "X"}}))?;
    site.applied()?;
    site.publish(&["x"], 5).await?;
    for name in ["M", "Y"] {
        cim_testkit::until("it is copied", async || {
            ensure!(site.messages(name).await? == 5);
            Ok(())
        })
        .await?;
    }
    let before = content(&site, "M").await?;
    site.stream("M", json!({"mirror": {"name": "Z"}}))?;
    migrate(&site, "streams/M", &[])?.ended(2, &["5 of its 5 messages are not in Z"]);
    site.stream("M", json!({"mirror": {"name": "Y"}}))?;
    done(&site, "streams/M")?;
    cim_testkit::until("it is copied again", async || {
        ensure!(site.messages("M").await? == 5);
        Ok(())
    })
    .await?;
    assert_eq!(content(&site, "M").await?, before);
    as_declared(&site).await
}

#[tokio::test]
async fn a_consumer_is_made_again_at_its_place() -> Result<()> {
    let site = one()?;
    for (stream, retention, left) in [
        ("L", "limits", 6),
        ("I", "interest", 4),
        ("W", "workqueue", 4),
    ] {
        let subject = stream.to_lowercase();
        site.stream(
            stream,
            json!({"subjects": [subject], "retention": retention}),
        )?;
        site.consumer(
            stream,
            "c",
            json!({"ack_policy": "explicit", "ack_wait": 1_000_000_000}),
        )?;
        site.applied()?;
        site.publish(&[&subject], 6).await?;
        acknowledge(&site, stream, "c", 2).await?;
        let before = kept(&site, stream, left).await?;
        site.consumer(
            stream,
            "c",
            json!({"ack_policy": "explicit", "ack_wait": 1_000_000_000, "max_waiting": 7}),
        )?;
        let consumer = format!("consumers/{stream}/c");
        site.run("apply", &[])?
            .ended(2, &[&format!("cim-provision migrate FOLDER {consumer}")]);
        done(&site, &consumer)?;
        as_declared(&site).await?;
        assert_eq!(position(&site, stream, "c").await?, (2, 4), "{stream}");
        assert_eq!(content(&site, stream).await?, before, "{stream}");
    }
    site.consumer(
        "L",
        "c",
        json!({"ack_policy": "explicit", "deliver_policy": "new"}),
    )?;
    migrate(&site, "consumers/L/c", &[])?.ended(2, &["declare deliver_policy all"]);
    Ok(())
}
