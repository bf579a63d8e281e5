//! Every field is set and read back.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use cim_spec::asset::{Consumer, Field, KeyValue, ObjectStore, Stream};
use serde_json::{Value, json};

use crate::support::{Site, merge, one};

/// Set in `cluster.rs`, where there is more than one server to choose from.
const OF_CLUSTERS: [&str; 2] = ["placement", "num_replicas"];

const SECOND: i64 = 1_000_000_000;

/// A field, its value, and what else that value needs.
type Row = (&'static str, Value, Value);

fn stream_rows() -> Vec<Row> {
    let transform = json!({"src": "F_t", "dest": "out.t"});
    let source = json!({"name": "ORIGIN", "opt_start_time": "2024-01-01T00:00:00Z", "subject_transforms": [{"src": "o.a", "dest": "copy.a"}, {"src": "o.b", "dest": "copy.b"}]});
    let far = json!({"name": "FAR", "opt_start_seq": 7, "filter_subject": "f.>", "external": {"api": "$JS.far.API", "deliver": "far.deliver"}});
    let durable = json!({"name": "ORIGIN", "consumer": {"name": "copier", "deliver_subject": "copier.deliver"}});
    vec![
        ("name", json!("F_name"), json!({})),
        ("description", json!("für Leute"), json!({})),
        ("subjects", json!(["s.one", "s.two.>"]), json!({})),
        ("retention", json!("workqueue"), json!({})),
        ("max_consumers", json!(3), json!({})),
        ("max_msgs", json!(10), json!({})),
        ("max_bytes", json!(1_048_576), json!({})),
        ("max_age", json!(60 * SECOND), json!({})),
        ("max_msgs_per_subject", json!(5), json!({})),
        ("max_msg_size", json!(1000), json!({})),
        ("discard", json!("new"), json!({})),
        ("storage", json!("memory"), json!({})),
        ("no_ack", json!(true), json!({})),
        ("duplicate_window", json!(SECOND), json!({})),
        ("mirror", far.clone(), json!({})),
        ("sources", json!([source, far, durable]), json!({})),
        ("compression", json!("s2"), json!({})),
        ("first_seq", json!(100), json!({})),
        ("subject_transform", transform, json!({"subjects": ["F_t"]})),
        (
            "republish",
            json!({"src": "F_r", "dest": "again.r", "headers_only": true}),
            json!({"subjects": ["F_r"]}),
        ),
        ("allow_direct", json!(true), json!({})),
        (
            "mirror_direct",
            json!(true),
            json!({"mirror": {"name": "FAR", "external": {"api": "$JS.far.API"}}}),
        ),
        (
            "discard_new_per_subject",
            json!(true),
            json!({"discard": "new", "max_msgs_per_subject": 1}),
        ),
        ("deny_delete", json!(true), json!({})),
        ("deny_purge", json!(true), json!({})),
        ("allow_rollup_hdrs", json!(true), json!({})),
        (
            "consumer_limits",
            json!({"inactive_threshold": 9 * SECOND, "max_ack_pending": 77}),
            json!({}),
        ),
        ("allow_msg_ttl", json!(true), json!({})),
        ("subject_delete_marker_ttl", json!(2 * SECOND), json!({})),
        ("allow_msg_counter", json!(true), json!({})),
        ("allow_atomic", json!(true), json!({})),
        ("allow_msg_schedules", json!(true), json!({})),
        ("persist_mode", json!("async"), json!({})),
        ("allow_batched", json!(true), json!({})),
        ("metadata", json!({"owner": "cim"}), json!({})),
    ]
}

fn consumer_rows() -> Vec<Row> {
    let push = |more: Value| {
        let mut push = json!({"deliver_subject": "push.here", "idle_heartbeat": SECOND});
        merge(&mut push, more);
        push
    };
    vec![
        ("durable_name", json!("f_durable_name"), json!({})),
        ("name", json!("f_name"), json!({})),
        ("description", json!("für Leute"), json!({})),
        (
            "deliver_policy",
            json!("last_per_subject"),
            json!({"filter_subject": "o.a"}),
        ),
        (
            "opt_start_seq",
            json!(7),
            json!({"deliver_policy": "by_start_sequence"}),
        ),
        (
            "opt_start_time",
            json!("2024-01-01T00:00:00Z"),
            json!({"deliver_policy": "by_start_time"}),
        ),
        ("ack_policy", json!("all"), json!({})),
        (
            "ack_wait",
            json!(9 * SECOND),
            json!({"ack_policy": "explicit"}),
        ),
        ("max_deliver", json!(4), json!({"ack_policy": "explicit"})),
        (
            "backoff",
            json!([SECOND, 2 * SECOND]),
            json!({"ack_policy": "explicit", "max_deliver": 3}),
        ),
        ("filter_subject", json!("o.a"), json!({})),
        ("filter_subjects", json!(["o.a", "o.b"]), json!({})),
        ("replay_policy", json!("original"), json!({})),
        ("rate_limit_bps", json!(1_000_000), push(json!({}))),
        (
            "sample_freq",
            json!("50"),
            json!({"ack_policy": "explicit"}),
        ),
        ("max_waiting", json!(8), json!({})),
        (
            "max_ack_pending",
            json!(-1),
            json!({"ack_policy": "explicit"}),
        ),
        ("flow_control", json!(true), push(json!({}))),
        ("headers_only", json!(true), json!({})),
        ("max_batch", json!(50), json!({})),
        ("max_expires", json!(SECOND), json!({})),
        ("max_bytes", json!(4096), json!({})),
        ("deliver_subject", json!("push.there"), json!({})),
        ("deliver_group", json!("group"), push(json!({}))),
        ("idle_heartbeat", json!(2 * SECOND), push(json!({}))),
        ("inactive_threshold", json!(3600 * SECOND), json!({})),
        ("mem_storage", json!(true), json!({})),
        ("metadata", json!({"owner": "cim"}), json!({})),
        ("pause_until", json!("2099-01-01T00:00:00Z"), json!({})),
        (
            "priority_groups",
            json!(["g"]),
            json!({"priority_policy": "overflow", "ack_policy": "explicit"}),
        ),
        (
            "priority_policy",
            json!("prioritized"),
            json!({"priority_groups": ["g"], "ack_policy": "explicit"}),
        ),
        (
            "priority_timeout",
            json!(30 * SECOND),
            json!({"priority_policy": "pinned_client", "priority_groups": ["g"], "ack_policy": "explicit"}),
        ),
    ]
}

fn kv_rows() -> Vec<Row> {
    vec![
        ("bucket", json!("f_bucket"), json!({})),
        ("description", json!("für Leute"), json!({})),
        ("max_value_size", json!(1000), json!({})),
        ("history", json!(9), json!({})),
        ("ttl", json!(60 * SECOND), json!({})),
        ("max_bytes", json!(1_048_576), json!({})),
        ("storage", json!("memory"), json!({})),
        (
            "republish",
            json!({"src": ">", "dest": "kv.again.>"}),
            json!({}),
        ),
        ("mirror", json!({"name": "f_bucket"}), json!({})),
        (
            "sources",
            json!([{"name": "f_bucket"}, {"name": "KV_f_history", "external": {"api": "$JS.far.API"}}]),
            json!({}),
        ),
        ("compression", json!(true), json!({})),
        ("limit_marker_ttl", json!(5 * SECOND), json!({})),
        ("metadata", json!({"owner": "cim"}), json!({})),
    ]
}

fn object_rows() -> Vec<Row> {
    vec![
        ("bucket", json!("f_bucket"), json!({})),
        ("description", json!("für Leute"), json!({})),
        ("max_age", json!(60 * SECOND), json!({})),
        ("max_bytes", json!(1_048_576), json!({})),
        ("storage", json!("memory"), json!({})),
        ("compression", json!(true), json!({})),
        ("metadata", json!({"owner": "cim"}), json!({})),
    ]
}

/// The rows are every field, once each.
fn complete(rows: &[Row], fields: &[Field], elsewhere: &[&str]) {
    let rows: BTreeSet<_> = rows
        .iter()
        .map(|(field, ..)| *field)
        .chain(elsewhere.iter().copied())
        .collect();
    let fields: BTreeSet<_> = fields.iter().map(|field| field.name).collect();
    assert_eq!(rows, fields);
}

/// All in one run: each field has an asset of its own.
fn declare(site: &Site, folder: &str, key: &str, prefix: &str, rows: &[Row]) -> Result<()> {
    for (field, value, more) in rows {
        let name = format!("{prefix}{field}");
        let mut config = json!({ key: name });
        merge(&mut config, more.clone());
        merge(&mut config, json!({ *field: value }));
        site.declare(&format!("{folder}/{name}"), &config)?;
    }
    site.applied()?;
    site.run("plan", &[])?.ended(0, &[" 0 to do, 0 refused"]);
    Ok(())
}

#[tokio::test]
async fn of_a_stream() -> Result<()> {
    let rows = stream_rows();
    // A stream cannot be made sealed: `transitions.rs` seals one.
    complete(
        &rows,
        Stream::FIELDS,
        &[OF_CLUSTERS.as_slice(), &["sealed"]].concat(),
    );
    let site = one()?;
    site.stream("ORIGIN", json!({"subjects": ["o.>"]}))?;
    declare(&site, "streams", "name", "F_", &rows)?;
    for (field, value, _) in &rows {
        let held = site.held(&format!("F_{field}")).await?;
        same(field, &held[field], value);
    }
    Ok(())
}

#[tokio::test]
async fn of_a_consumer() -> Result<()> {
    let rows = consumer_rows();
    complete(&rows, Consumer::FIELDS, &["num_replicas"]);
    let site = one()?;
    site.stream("ORIGIN", json!({"subjects": ["o.>"]}))?;
    declare(&site, "consumers/ORIGIN", "durable_name", "f_", &rows)?;
    for (field, value, _) in &rows {
        let subject = format!("CONSUMER.INFO.ORIGIN.f_{field}");
        let info = site.api().await?.find(&subject, &Value::Null).await;
        let info = info.ok().flatten().context("no such consumer")?;
        same(field, &info["config"][field], value);
    }
    Ok(())
}

#[tokio::test]
async fn of_a_bucket() -> Result<()> {
    let rows = kv_rows();
    complete(&rows, KeyValue::FIELDS, &OF_CLUSTERS);
    let site = one()?;
    declare(&site, "kv", "bucket", "f_", &rows)?;
    for (field, value, _) in &rows {
        let held = site.held(&format!("KV_f_{field}")).await?;
        of_its_stream(KeyValue::FIELDS, field, &held, value);
    }
    let sources = &site.held("KV_f_sources").await?["sources"];
    assert_eq!(sources[0]["name"], "KV_f_bucket");
    assert_eq!(
        sources[0]["subject_transforms"][0]["dest"],
        "$KV.f_sources.>"
    );
    assert_eq!(
        site.held("KV_f_mirror").await?["mirror"]["name"],
        "KV_f_bucket"
    );
    Ok(())
}

#[tokio::test]
async fn of_an_object_store() -> Result<()> {
    let rows = object_rows();
    complete(&rows, ObjectStore::FIELDS, &OF_CLUSTERS);
    let site = one()?;
    declare(&site, "object-stores", "bucket", "f_", &rows)?;
    for (field, value, _) in &rows {
        let held = site.held(&format!("OBJ_f_{field}")).await?;
        of_its_stream(ObjectStore::FIELDS, field, &held, value);
    }
    Ok(())
}

fn of_its_stream(fields: &[Field], field: &str, held: &Value, value: &Value) {
    let of = fields.iter().find(|f| f.name == field).map(|f| f.change);
    match of {
        Some(cim_spec::asset::Change::Stream("compression")) => {
            assert_eq!(held["compression"], "s2")
        }
        Some(cim_spec::asset::Change::Stream("mirror" | "sources")) => {}
        Some(cim_spec::asset::Change::Stream(of)) => same(of, &held[of], value),
        _ => assert!(
            held["name"]
                .as_str()
                .is_some_and(|name| name.ends_with("f_bucket"))
        ),
    }
}

/// The server's value has all that ours has; it adds its own labels and empty parts.
fn same(field: &str, held: &Value, value: &Value) {
    match (held, value) {
        (Value::Object(held), Value::Object(value)) => {
            for (name, value) in value {
                same(
                    &format!("{field}.{name}"),
                    held.get(name).unwrap_or(&Value::Null),
                    value,
                );
            }
        }
        (Value::Array(held), Value::Array(value)) => {
            assert_eq!(held.len(), value.len(), "{field}");
            for (held, value) in held.iter().zip(value) {
                same(field, held, value);
            }
        }
        _ => assert_eq!(held, value, "{field}"),
    }
}
