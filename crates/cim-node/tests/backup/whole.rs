//! An account with every kind of stream and consumer comes back as it was.

use std::time::Instant;
use std::{env, fs};

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::{Value, json};

use crate::held::held;
use crate::support::{Site, asked, one, site, until};

/// How many messages there are; `cargo xtask soak backup` asks for more.
fn messages() -> Result<usize> {
    match env::var("CIM_SOAK_MESSAGES") {
        Ok(count) => count.parse().context("CIM_SOAK_MESSAGES"),
        Err(_) => Ok(10_000),
    }
}

/// How long each took, in seconds, for `cargo xtask soak backup`.
#[derive(Serialize)]
struct Took {
    messages: u64,
    create: f64,
    restore: f64,
    drill: f64,
}

fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<(T, f64)> {
    let since = Instant::now();
    Ok((work()?, since.elapsed().as_secs_f64()))
}

/// What the streams are, beside files with limits.
fn kinds() -> Vec<(&'static str, Value)> {
    vec![
        ("WORK", json!({"retention": "workqueue"})),
        ("INTEREST", json!({"retention": "interest"})),
        ("MEMORY", json!({"storage": "memory"})),
        ("PACKED", json!({"compression": "s2"})),
        ("AGED", json!({"max_age": 3_600_000_000_000_u64})),
        ("LAST", json!({"max_msgs_per_subject": 3})),
        ("LIVES", json!({"allow_msg_ttl": true})),
        (
            "KV_settings",
            json!({"subjects": ["$KV.settings.>"], "max_msgs_per_subject": 5, "allow_rollup_hdrs": true, "deny_delete": true, "allow_direct": true}),
        ),
        (
            "OBJ_files",
            json!({"subjects": ["$O.files.C.>", "$O.files.M.>"], "allow_rollup_hdrs": true}),
        ),
        (
            "TAGGED",
            json!({"metadata": {"owner": "plant"}, "description": "ours"}),
        ),
        (
            "MOVED",
            json!({"subject_transform": {"src": "MOVED.*", "dest": "MOVED.x.{{wildcard(1)}}"}}),
        ),
    ]
}

/// 20 streams, 50 consumers, and so many messages in all; deleted ones and acknowledged ones among them.
pub async fn fill(site: &Site, messages: usize) -> Result<()> {
    let each = messages / 20;
    let mut names = Vec::new();
    for (name, fields) in kinds() {
        site.stream(name, fields).await?;
        names.push(name.to_owned());
    }
    site.stream(
        "COPY",
        json!({"subjects": null, "mirror": {"name": "TAGGED"}}),
    )
    .await?;
    for number in names.len()..19 {
        let name = format!("S{number}");
        site.stream(&name, json!({})).await?;
        names.push(name);
    }
    for (place, name) in names.iter().enumerate() {
        let filter = match name.as_str() {
            "WORK" => json!({"filter_subject": "WORK.1"}),
            "KV_settings" | "OBJ_files" => json!({}),
            name => json!({"filter_subjects": [format!("{name}.1"), format!("{name}.2")]}),
        };
        site.consumer(name, "some", filter).await?;
        let all = if name == "WORK" {
            json!({"filter_subject": "WORK.2"})
        } else {
            json!({})
        };
        site.consumer(name, "all", all).await?;
        if place < 12 {
            let more = match name.as_str() {
                "WORK" => json!({"filter_subject": "WORK.3"}),
                _ => {
                    json!({"deliver_policy": "last_per_subject", "filter_subject": if name.contains('_') { ">".to_owned() } else { format!("{name}.>") }})
                }
            };
            site.consumer(name, "more", more).await?;
        }
    }
    for name in &names {
        if name.contains('_') {
            stored(site, name, each).await?;
        } else {
            site.publish(name, each, 40).await?;
        }
    }
    let api = site.api().await?;
    until(async || {
        let info = asked(&api, "STREAM.INFO.COPY", &Value::Null).await?;
        Ok((info["state"]["messages"] == each).then_some(()))
    })
    .await?;
    moved(site, &names).await
}

/// Keys and objects, with headers.
async fn stored(site: &Site, name: &str, count: usize) -> Result<()> {
    let client = site.client().await?;
    for number in 0..count {
        let subject = match name {
            "OBJ_files" => format!("$O.files.C.{number}"),
            _ => format!("$KV.settings.key{}", number % (count / 4).max(1)),
        };
        let mut headers = async_nats::HeaderMap::new();
        headers.insert("Origin", format!("test {number}"));
        let body = vec![u8::try_from(number % 251)?; 100];
        client
            .publish_with_headers(subject, headers, body.into())
            .await?;
    }
    client.flush().await?;
    let api = site.api().await?;
    until(async || {
        let info = asked(&api, &format!("STREAM.INFO.{name}"), &Value::Null).await?;
        Ok((info["state"]["last_seq"] == count).then_some(()))
    })
    .await
}

/// Consumers get on, some with gaps; messages in the middle go; one is delivered twice.
async fn moved(site: &Site, names: &[String]) -> Result<()> {
    let api = site.api().await?;
    for name in names {
        if name.contains('_') || name == "MOVED" {
            continue;
        }
        site.consume(name, "all", 20, |place| place % 3 != 1)
            .await?;
        if name.starts_with('S') {
            site.consume(name, "some", 7, |place| place < 3).await?;
            asked(
                &api,
                &format!("STREAM.MSG.DELETE.{name}"),
                &json!({"seq": 30}),
            )
            .await?;
            asked(
                &api,
                &format!("STREAM.PURGE.{name}"),
                &json!({"filter": format!("{name}.9")}),
            )
            .await?;
        }
    }
    site.consumer("S12", "again", json!({"ack_wait": 1_000_000_000_u64}))
        .await?;
    site.consume("S12", "again", 3, |_| false).await?;
    until(async || {
        // What was not acknowledged comes again.
        let fetched = site.consume("S12", "again", 3, |_| false).await;
        Ok(fetched.ok())
    })
    .await?;
    asked(&api, "CONSUMER.CREATE.S12.again", &json!({"stream_name": "S12", "action": "update", "config": {"durable_name": "again", "ack_policy": "explicit", "deliver_policy": "all", "ack_wait": 3_600_000_000_000_u64}})).await.map(drop)
}

#[tokio::test]
async fn twenty_streams_and_fifty_consumers_come_back_equal() -> Result<()> {
    let source = one()?;
    fill(&source, messages()?).await?;
    let api = source.api().await?;
    let before = held(&api, "STREAM.NAMES").await?;
    assert_eq!(before.len(), 20);
    let consumers: usize = before
        .values()
        .map(|stream| stream[3].as_object().map_or(0, serde_json::Map::len))
        .sum();
    assert_eq!(consumers, 51);
    let (said, create) = timed(|| source.create(&[]))?;
    said.ended(0, &["20 streams, 51 consumers"]);
    let backup = cim_node::backup::folder::backups(&source.folder())?
        .pop()
        .unwrap_or_default();
    crate::support::run(&["check"], &backup)?.ended(0, &["whole, 20 streams"]);
    assert_eq!(
        held(&api, "STREAM.NAMES").await?,
        before,
        "a backup changes nothing"
    );

    // Into a server that encrypts what it stores.
    let target = site("", ", cipher: aes, key: \"made for this test\"")?;
    let (said, restore) = timed(|| target.restore(&backup, &[]))?;
    said.ended(0, &["20 streams restored"]);
    let after = held(&target.api().await?, "STREAM.NAMES").await?;
    for (name, stream) in &before {
        let mut expected = stream.clone();
        let mut found = after[name].clone();
        if name == "COPY" {
            // Where its origin is, it goes on.
            expected[0] = Value::Null;
            found[0] = Value::Null;
        }
        assert_eq!(found, expected, "{name}");
    }

    let (said, drill) = timed(|| source.drill(&[]))?;
    said.ended(0, &["20 of 20 streams came back whole"]);
    let counts = before.values().filter_map(|stream| stream[1][0].as_u64());
    let took = Took {
        messages: counts.sum(),
        create,
        restore,
        drill,
    };
    if let Some(file) = env::var_os("CIM_SOAK_REPORT") {
        fs::write(file, serde_json::to_string(&took)?)?;
    }
    Ok(())
}
