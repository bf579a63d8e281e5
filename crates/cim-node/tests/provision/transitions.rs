//! What a change of each field means, by the word of the real server: the plan says it first, then the change is sent
//! as it is, and what the server did is compared. Run with `--nocapture` to see the table.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use cim_node::provision::api::Failure;
use cim_node::provision::defaults;
use cim_node::provision::tree::Tree;
use cim_spec::asset::{Consumer, Stream};
use serde_json::{Value, json};

use crate::support::{Site, asset, merge, one};

const SECOND: i64 = 1_000_000_000;

/// What the plan must say.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Says {
    InPlace,
    /// So many messages go.
    Lossy(u64),
    /// At most so many go.
    UpTo(u64),
    Impossible,
}
use Says::{Impossible, InPlace, Lossy, UpTo};

struct Case {
    field: &'static str,
    from: Value,
    to: Value,
    /// What both have beside.
    more: Value,
    /// Messages that are stored before, over three subjects.
    stored: usize,
    says: Says,
}

fn case(
    field: &'static str,
    from: Value,
    to: Value,
    more: Value,
    stored: usize,
    says: Says,
) -> Case {
    Case {
        field,
        from,
        to,
        more,
        stored,
        says,
    }
}

fn streams() -> Vec<Case> {
    let no = Value::Null;
    let flag =
        |field, from: bool, to: bool, says| case(field, json!(from), json!(to), json!({}), 6, says);
    let transform = json!({"src": "T", "dest": "x"});
    vec![
        case("description", no.clone(), json!("x"), json!({}), 6, InPlace),
        case(
            "subjects",
            json!(["@.>"]),
            json!(["@.>", "more.@"]),
            json!({}),
            6,
            InPlace,
        ),
        case(
            "subjects",
            json!(["@.>"]),
            json!(["@.k0", "@.k1"]),
            json!({}),
            6,
            Lossy(2),
        ),
        case(
            "subjects",
            json!(["@.>", "free.@"]),
            json!(["@.>"]),
            json!({}),
            6,
            InPlace,
        ),
        case(
            "subjects",
            json!(["@.>"]),
            json!(["@.*"]),
            json!({}),
            6,
            InPlace,
        ),
        case(
            "retention",
            json!("limits"),
            json!("interest"),
            json!({}),
            6,
            Lossy(6),
        ),
        case(
            "retention",
            json!("limits"),
            json!("interest"),
            json!({}),
            0,
            InPlace,
        ),
        case(
            "retention",
            json!("interest"),
            json!("limits"),
            json!({}),
            0,
            InPlace,
        ),
        case(
            "retention",
            json!("limits"),
            json!("workqueue"),
            json!({}),
            0,
            Impossible,
        ),
        case(
            "retention",
            json!("workqueue"),
            json!("limits"),
            json!({}),
            0,
            Impossible,
        ),
        case(
            "retention",
            json!("workqueue"),
            json!("interest"),
            json!({}),
            0,
            Impossible,
        ),
        case("max_consumers", json!(5), json!(2), json!({}), 0, InPlace),
        case("max_msgs", no.clone(), json!(4), json!({}), 6, Lossy(2)),
        case("max_msgs", json!(10), json!(6), json!({}), 6, InPlace),
        case("max_msgs", json!(10), no.clone(), json!({}), 6, InPlace),
        case(
            "max_msgs",
            no.clone(),
            json!(4),
            json!({"discard": "new"}),
            6,
            InPlace,
        ),
        case(
            "max_msgs",
            no.clone(),
            json!(4),
            json!({"storage": "memory"}),
            6,
            Lossy(2),
        ),
        case(
            "max_msgs",
            no.clone(),
            json!(4),
            json!({"discard": "new", "storage": "memory"}),
            6,
            InPlace,
        ),
        case("max_bytes", no.clone(), json!(100), json!({}), 6, UpTo(4)),
        case(
            "max_bytes",
            json!(1_000_000),
            json!(100_000),
            json!({}),
            6,
            InPlace,
        ),
        case(
            "max_bytes",
            no.clone(),
            json!(100),
            json!({"discard": "new"}),
            6,
            InPlace,
        ),
        case("max_age", no.clone(), json!(SECOND), json!({}), 6, InPlace),
        case(
            "max_age",
            no.clone(),
            json!(100_000_000),
            json!({"duplicate_window": 100_000_000}),
            6,
            Lossy(6),
        ),
        case(
            "max_age",
            json!(5 * SECOND),
            json!(3600 * SECOND),
            json!({}),
            6,
            InPlace,
        ),
        case(
            "max_msgs_per_subject",
            no.clone(),
            json!(1),
            json!({}),
            6,
            Lossy(3),
        ),
        case(
            "max_msgs_per_subject",
            no.clone(),
            json!(1),
            json!({"discard": "new"}),
            6,
            Lossy(3),
        ),
        case(
            "max_msgs_per_subject",
            no.clone(),
            json!(2),
            json!({}),
            6,
            InPlace,
        ),
        case(
            "max_msgs_per_subject",
            no.clone(),
            json!(1),
            json!({"discard": "new", "storage": "memory"}),
            6,
            Lossy(3),
        ),
        case("max_msg_size", no.clone(), json!(1), json!({}), 6, InPlace),
        case("discard", json!("old"), json!("new"), json!({}), 6, InPlace),
        case("discard", json!("new"), json!("old"), json!({}), 6, InPlace),
        case(
            "storage",
            json!("file"),
            json!("memory"),
            json!({}),
            6,
            Impossible,
        ),
        case(
            "storage",
            json!("memory"),
            json!("file"),
            json!({}),
            6,
            Impossible,
        ),
        flag("no_ack", false, true, InPlace),
        case(
            "duplicate_window",
            no.clone(),
            json!(SECOND),
            json!({}),
            6,
            InPlace,
        ),
        case(
            "mirror",
            json!({"name": "ORIGIN"}),
            no.clone(),
            json!({"subjects": null}),
            0,
            InPlace,
        ),
        case(
            "mirror",
            json!({"name": "ORIGIN"}),
            json!({"name": "OTHER"}),
            json!({"subjects": null}),
            0,
            Impossible,
        ),
        case(
            "mirror",
            no.clone(),
            json!({"name": "ORIGIN"}),
            json!({"subjects": null}),
            0,
            Impossible,
        ),
        case(
            "sources",
            no.clone(),
            json!([{"name": "ORIGIN"}]),
            json!({}),
            6,
            InPlace,
        ),
        case(
            "sources",
            json!([{"name": "ORIGIN"}]),
            no.clone(),
            json!({}),
            6,
            InPlace,
        ),
        case(
            "compression",
            json!("none"),
            json!("s2"),
            json!({}),
            6,
            InPlace,
        ),
        case(
            "first_seq",
            no.clone(),
            json!(100),
            json!({}),
            6,
            Impossible,
        ),
        case(
            "first_seq",
            json!(100),
            json!(200),
            json!({}),
            0,
            Impossible,
        ),
        case(
            "subject_transform",
            no.clone(),
            transform.clone(),
            json!({}),
            6,
            InPlace,
        ),
        case(
            "subject_transform",
            transform,
            no.clone(),
            json!({}),
            0,
            InPlace,
        ),
        case(
            "republish",
            no.clone(),
            json!({"src": "@.>", "dest": "r.@.>"}),
            json!({}),
            6,
            InPlace,
        ),
        flag("allow_direct", false, true, InPlace),
        flag("allow_direct", true, false, InPlace),
        flag("mirror_direct", false, true, InPlace),
        case(
            "discard_new_per_subject",
            json!(false),
            json!(true),
            json!({"discard": "new", "max_msgs_per_subject": 9}),
            6,
            InPlace,
        ),
        flag("sealed", false, true, Lossy(0)),
        flag("deny_delete", false, true, InPlace),
        flag("deny_delete", true, false, Impossible),
        flag("deny_purge", false, true, InPlace),
        flag("deny_purge", true, false, Impossible),
        flag("allow_rollup_hdrs", false, true, InPlace),
        flag("allow_rollup_hdrs", true, false, InPlace),
        case(
            "consumer_limits",
            no.clone(),
            json!({"max_ack_pending": 5}),
            json!({}),
            6,
            InPlace,
        ),
        flag("allow_msg_ttl", false, true, InPlace),
        flag("allow_msg_ttl", true, false, Impossible),
        case(
            "subject_delete_marker_ttl",
            no.clone(),
            json!(2 * SECOND),
            json!({"allow_msg_ttl": true}),
            6,
            InPlace,
        ),
        flag("allow_msg_counter", false, true, Impossible),
        case(
            "allow_msg_counter",
            json!(true),
            json!(false),
            json!({}),
            0,
            Impossible,
        ),
        flag("allow_atomic", false, true, InPlace),
        flag("allow_atomic", true, false, InPlace),
        flag("allow_msg_schedules", false, true, InPlace),
        flag("allow_msg_schedules", true, false, Impossible),
        case(
            "persist_mode",
            no.clone(),
            json!("async"),
            json!({}),
            6,
            Impossible,
        ),
        case(
            "persist_mode",
            json!("async"),
            no.clone(),
            json!({}),
            6,
            Impossible,
        ),
        flag("allow_batched", false, true, InPlace),
        flag("allow_batched", true, false, InPlace),
        case(
            "metadata",
            json!({"a": "1"}),
            json!({"b": "2"}),
            json!({}),
            6,
            InPlace,
        ),
    ]
}

fn consumers() -> Vec<Case> {
    let no = Value::Null;
    let c = |field, from: Value, to: Value, more: Value, says| case(field, from, to, more, 0, says);
    let push = json!({"deliver_subject": "push.@"});
    let beats = json!({"deliver_subject": "push.@", "idle_heartbeat": SECOND});
    let acks = json!({"ack_policy": "explicit"});
    vec![
        c("description", no.clone(), json!("x"), json!({}), InPlace),
        c(
            "deliver_policy",
            json!("all"),
            json!("new"),
            json!({}),
            Impossible,
        ),
        c(
            "opt_start_seq",
            json!(1),
            json!(2),
            json!({"deliver_policy": "by_start_sequence"}),
            Impossible,
        ),
        c(
            "opt_start_time",
            json!("2024-01-01T00:00:00Z"),
            json!("2025-01-01T00:00:00Z"),
            json!({"deliver_policy": "by_start_time"}),
            Impossible,
        ),
        c(
            "ack_policy",
            json!("explicit"),
            json!("all"),
            json!({}),
            Impossible,
        ),
        c(
            "ack_wait",
            no.clone(),
            json!(5 * SECOND),
            acks.clone(),
            InPlace,
        ),
        c("max_deliver", no.clone(), json!(5), acks.clone(), InPlace),
        c(
            "backoff",
            no.clone(),
            json!([SECOND]),
            acks.clone(),
            InPlace,
        ),
        c(
            "filter_subject",
            json!("o.a"),
            json!("o.b"),
            json!({}),
            InPlace,
        ),
        c(
            "filter_subject",
            json!("o.a"),
            no.clone(),
            json!({}),
            InPlace,
        ),
        c(
            "filter_subjects",
            json!(["o.a", "o.b"]),
            json!(["o.c"]),
            json!({}),
            InPlace,
        ),
        c(
            "replay_policy",
            json!("instant"),
            json!("original"),
            json!({}),
            Impossible,
        ),
        c(
            "rate_limit_bps",
            no.clone(),
            json!(100_000),
            push.clone(),
            InPlace,
        ),
        c(
            "sample_freq",
            no.clone(),
            json!("10"),
            acks.clone(),
            InPlace,
        ),
        c("max_waiting", json!(8), json!(9), json!({}), Impossible),
        c(
            "max_ack_pending",
            no.clone(),
            json!(5),
            acks.clone(),
            InPlace,
        ),
        c(
            "flow_control",
            json!(false),
            json!(true),
            beats.clone(),
            Impossible,
        ),
        c(
            "headers_only",
            json!(false),
            json!(true),
            json!({}),
            InPlace,
        ),
        c("max_batch", no.clone(), json!(5), json!({}), InPlace),
        c("max_expires", no.clone(), json!(SECOND), json!({}), InPlace),
        c("max_bytes", no.clone(), json!(500), json!({}), InPlace),
        c(
            "deliver_subject",
            json!("push.@"),
            json!("push.@.other"),
            json!({}),
            InPlace,
        ),
        c(
            "deliver_subject",
            no.clone(),
            json!("push.@"),
            json!({}),
            Impossible,
        ),
        c(
            "deliver_subject",
            json!("push.@"),
            no.clone(),
            json!({}),
            Impossible,
        ),
        c("deliver_group", no.clone(), json!("g"), push, InPlace),
        c(
            "idle_heartbeat",
            json!(SECOND),
            json!(2 * SECOND),
            json!({"deliver_subject": "push.@"}),
            Impossible,
        ),
        c(
            "inactive_threshold",
            no.clone(),
            json!(3600 * SECOND),
            json!({}),
            InPlace,
        ),
        c(
            "mem_storage",
            json!(false),
            json!(true),
            json!({}),
            Impossible,
        ),
        c(
            "metadata",
            json!({"a": "1"}),
            json!({"b": "2"}),
            json!({}),
            InPlace,
        ),
        c(
            "priority_groups",
            json!(["a"]),
            json!(["b"]),
            json!({"priority_policy": "overflow", "ack_policy": "explicit"}),
            InPlace,
        ),
        c(
            "priority_policy",
            json!("overflow"),
            json!("prioritized"),
            json!({"priority_groups": ["g"], "ack_policy": "explicit"}),
            InPlace,
        ),
        c(
            "priority_timeout",
            json!(SECOND),
            json!(2 * SECOND),
            json!({"priority_policy": "pinned_client", "priority_groups": ["g"], "ack_policy": "explicit"}),
            InPlace,
        ),
    ]
}

/// A configuration: `@` stands for the asset's own name, `null` for nothing.
fn config(case: &Case, key: &str, name: &str, value: &Value) -> Result<Value> {
    let mut config = if key == "name" {
        json!({"subjects": ["@.>"]})
    } else {
        json!({})
    };
    merge(&mut config, case.more.clone());
    merge(&mut config, json!({ key: name, case.field: value }));
    let mut config: Value = serde_json::from_str(&config.to_string().replace('@', name))?;
    if let Some(config) = config.as_object_mut() {
        config.retain(|_, value| !value.is_null());
    }
    Ok(config)
}

fn held_against(planned: &Value, case: &Case) -> Result<(String, u64)> {
    let changes = planned["changes"].as_array().context("no changes")?;
    let change = changes.iter().find(|change| {
        let field = change["field"].as_str().unwrap_or_default();
        field == case.field || (field == "filter_subjects" && case.field == "filter_subject")
    });
    let change = change.with_context(|| format!("no change of {} in {planned}", case.field))?;
    let messages = change["messages"].as_u64().unwrap_or_default();
    Ok((
        change["means"].as_str().unwrap_or_default().to_owned(),
        messages,
    ))
}

#[tokio::test]
async fn of_every_field_of_a_stream() -> Result<()> {
    let cases = streams();
    let fields: BTreeSet<_> = cases.iter().map(|case| case.field).collect();
    let table: BTreeSet<_> = Stream::FIELDS.iter().map(|field| field.name).collect();
    let elsewhere = ["name", "num_replicas", "placement"];
    assert_eq!(&fields | &elsewhere.into(), table, "every field has a case");

    let site = one()?;
    for origin in ["ORIGIN", "OTHER"] {
        site.stream(origin, json!({}))?;
    }
    let name = |index: usize| format!("T{index}");
    for (index, case) in cases.iter().enumerate() {
        site.declare(
            &format!("streams/T{index}"),
            &config(case, "name", &name(index), &case.from)?,
        )?;
    }
    site.applied()?;
    for (index, case) in cases.iter().enumerate() {
        let subjects: Vec<_> = (0..case.stored.min(3))
            .map(|k| format!("T{index}.k{k}"))
            .collect();
        let subjects: Vec<_> = subjects.iter().map(String::as_str).collect();
        if case.stored > 0 && case.field != "no_ack" {
            store(&site, case, &subjects).await?;
        }
        site.declare(
            &format!("streams/T{index}"),
            &config(case, "name", &name(index), &case.to)?,
        )?;
    }
    tokio::time::sleep(std::time::Duration::from_millis(120)).await; // messages grow older than 100 ms
    let report = site.json("plan", &[])?;
    let api = site.api().await?;
    println!(
        "| stream field | from → to | beside | plan | nats-server {} |",
        api.server()
    );
    for (index, case) in cases.iter().enumerate() {
        let planned = asset(&report, &format!("streams/T{index}"))?;
        let (means, messages) = held_against(planned, case)?;
        let before = site.messages(&name(index)).await?;
        let config = config(case, "name", &name(index), &case.to)?;
        let answer = api.ask(&format!("STREAM.UPDATE.T{index}"), &config).await;
        let did = did(&answer);
        if case.field == "max_age" {
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        }
        let after = site.messages(&name(index)).await?;
        println!(
            "| {} | {} → {} | {} | {means} {messages} | {did}, {before} → {after} messages |",
            case.field, case.from, case.to, case.more
        );
        holds(case, &config, &answer).with_context(|| case.field)?;
        held_to(case, &means, messages, &answer, before, after).with_context(|| {
            format!(
                "{} {} → {}: {means} {messages}, {did}, {before} → {after}",
                case.field, case.from, case.to
            )
        })?;
    }
    Ok(())
}

async fn store(site: &Site, case: &Case, subjects: &[&str]) -> Result<()> {
    let client = site.client().await?;
    for _ in 0..case.stored / 3 {
        for subject in subjects {
            let mut headers = async_nats::HeaderMap::new();
            if case.field == "allow_msg_counter" && case.from == true {
                headers.insert("Nats-Incr", "1");
            }
            client
                .request_with_headers((*subject).to_owned(), headers, "x".into())
                .await?;
        }
    }
    Ok(())
}

fn did(answer: &Result<Value, Failure>) -> String {
    match answer {
        Ok(_) => "took it".to_owned(),
        Err(Failure::Refused(refusal)) => format!("refused: {} ({})", refusal.words, refusal.code),
        Err(other) => other.to_string(),
    }
}

/// Where the server took a change, it holds it.
fn holds(case: &Case, config: &Value, answer: &Result<Value, Failure>) -> Result<()> {
    let Ok(answer) = answer else {
        return Ok(());
    };
    let tree = |config: &Value| -> Result<Tree> {
        let config = config.as_object().context("no config")?;
        Ok(match config.contains_key("durable_name") {
            true => defaults::consumer(config, &Tree::new()),
            false => defaults::stream(config),
        })
    };
    let (wanted, held) = (tree(config)?, tree(&answer["config"])?);
    anyhow::ensure!(
        held.get(case.field) == wanted.get(case.field),
        "it holds {:?}, not {:?}",
        held.get(case.field),
        wanted.get(case.field)
    );
    Ok(())
}

/// The plan said what the case expects, and the server did what the plan said.
fn held_to(
    case: &Case,
    means: &str,
    messages: u64,
    answer: &Result<Value, Failure>,
    before: u64,
    after: u64,
) -> Result<()> {
    use anyhow::ensure;
    // Beside a removed subject nothing goes: it is stored no longer.
    let gone = if case.field == "subjects" {
        0
    } else {
        messages
    };
    match case.says {
        InPlace => ensure!(means == "inPlace" && answer.is_ok() && before == after),
        Lossy(lost) => ensure!(
            means == "lossy" && messages == lost && answer.is_ok() && before - gone == after
        ),
        UpTo(lost) => ensure!(
            means == "lossy" && messages == lost && answer.is_ok() && before - gone <= after
        ),
        // first_seq is taken and does nothing.
        Impossible if case.field == "first_seq" => {
            ensure!(means == "impossible" && before == after)
        }
        Impossible => ensure!(means == "impossible" && answer.is_err() && before == after),
    }
    Ok(())
}

#[tokio::test]
async fn of_every_field_of_a_consumer() -> Result<()> {
    let cases = consumers();
    let fields: BTreeSet<_> = cases.iter().map(|case| case.field).collect();
    let table: BTreeSet<_> = Consumer::FIELDS.iter().map(|field| field.name).collect();
    assert_eq!(
        &fields | &["durable_name", "name", "num_replicas", "pause_until"].into(),
        table,
        "every field has a case"
    );

    let site = one()?;
    site.stream("ORIGIN", json!({"subjects": ["o.>"]}))?;
    for (index, case) in cases.iter().enumerate() {
        site.declare(
            &format!("consumers/ORIGIN/c{index}"),
            &config(case, "durable_name", &format!("c{index}"), &case.from)?,
        )?;
    }
    site.applied()?;
    site.publish(&["o.a"], 3).await?;
    for (index, case) in cases.iter().enumerate() {
        site.declare(
            &format!("consumers/ORIGIN/c{index}"),
            &config(case, "durable_name", &format!("c{index}"), &case.to)?,
        )?;
    }
    let report = site.json("plan", &[])?;
    let api = site.api().await?;
    println!(
        "| consumer field | from → to | beside | plan | nats-server {} |",
        api.server()
    );
    for (index, case) in cases.iter().enumerate() {
        let (means, messages) =
            held_against(asset(&report, &format!("consumers/ORIGIN/c{index}"))?, case)?;
        let config = config(case, "durable_name", &format!("c{index}"), &case.to)?;
        let body = json!({"stream_name": "ORIGIN", "config": config, "action": "update"});
        let answer = api
            .ask(&format!("CONSUMER.CREATE.ORIGIN.c{index}"), &body)
            .await;
        let did = did(&answer);
        println!(
            "| {} | {} → {} | {} | {means} | {did} |",
            case.field, case.from, case.to, case.more
        );
        holds(case, &config, &answer).with_context(|| case.field)?;
        held_to(case, &means, messages, &answer, 0, 0).with_context(|| {
            format!("{} {} → {}: {means}, {did}", case.field, case.from, case.to)
        })?;
    }
    Ok(())
}
