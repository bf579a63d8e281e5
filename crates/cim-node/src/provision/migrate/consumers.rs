//! Consumers of a stream that is made again: where they were, and back to there.

use std::collections::BTreeMap;

use anyhow::{Result, anyhow, ensure};
use cim_spec::asset::Consumer;
use serde_json::{Value, json};

use super::note::Kept;
use crate::provision::api::Api;
use crate::provision::subject::collide;
use crate::provision::tree::{Tree, canonical, number, text, texts};

/// How long clients have for acknowledging what they hold, in nanoseconds.
const SETTLE: i64 = 5_000_000_000;

/// A consumer's answer to `CONSUMER.INFO`.
pub async fn info(api: &Api, stream: &str, name: &str) -> Result<Option<Value>> {
    let info = api
        .find(&format!("CONSUMER.INFO.{stream}.{name}"), &Value::Null)
        .await;
    info.map_err(|failure| anyhow!("asking for the consumer {name} of {stream}: {failure}"))
}

/// A stream's durable consumers with their place, and how many others it has.
///
/// # Errors
/// A server that does not answer.
pub async fn kept(api: &Api, stream: &str) -> Result<(Vec<Kept>, usize)> {
    let names = api
        .names(&format!("CONSUMER.NAMES.{stream}"), "consumers")
        .await;
    let (mut kept, mut others) = (Vec::new(), 0);
    for name in
        names.map_err(|failure| anyhow!("asking for the consumers of {stream}: {failure}"))?
    {
        // The server's own, of mirrors and sources.
        if name.starts_with("JS_MIRROR_") || name.starts_with("JS_SOURCE_") {
            continue;
        }
        let Some(info) = info(api, stream, &name).await? else {
            continue;
        };
        let config = info["config"].as_object().cloned().unwrap_or_default();
        let mut config = canonical(Consumer::FIELDS, &config);
        if !config.contains_key("durable_name") {
            others += 1;
            continue;
        }
        config.remove("pause_until");
        kept.push(Kept {
            name,
            position: position(&info),
            config,
        });
    }
    Ok((kept, others))
}

/// The last sequence that a consumer needs no more.
pub fn position(info: &Value) -> u64 {
    let of = match info["config"]["ack_policy"].as_str() {
        Some("none") | None => "delivered",
        _ => "ack_floor",
    };
    info[of]["stream_seq"].as_u64().unwrap_or_default()
}

/// Stops deliveries for an hour at most, and waits until what was delivered is acknowledged, or comes again anyway.
///
/// # Errors
/// A server that does not answer.
pub async fn pause(api: &Api, stream: &str, kept: &[Kept]) -> Result<()> {
    let until = time::OffsetDateTime::now_utc() + time::Duration::hours(1);
    let until = until.format(&time::format_description::well_known::Rfc3339)?;
    for consumer in kept {
        let subject = format!("CONSUMER.PAUSE.{stream}.{}", consumer.name);
        let body = json!({ "pause_until": until });
        let paused = api.find(&subject, &body).await;
        paused.map_err(|failure| anyhow!("pausing {} of {stream}: {failure}", consumer.name))?;
    }
    let wait = kept
        .iter()
        .map(|consumer| number(&consumer.config, "ack_wait"))
        .max();
    let wait = u64::try_from(wait.unwrap_or_default().min(SETTLE)).unwrap_or_default();
    let mut pauses = crate::provision::api::Pauses::new(std::time::Duration::from_nanos(wait));
    loop {
        let mut open = 0;
        for consumer in kept {
            if let Some(info) = info(api, stream, &consumer.name).await? {
                open += info["num_ack_pending"].as_u64().unwrap_or_default();
            }
        }
        if open == 0 || !pauses.next().await {
            return Ok(());
        }
    }
}

/// Lets consumers of a stream that stays go on.
///
/// # Errors
/// A server that does not answer.
pub async fn resume(api: &Api, stream: &str, kept: &[Kept]) -> Result<()> {
    for consumer in kept {
        let subject = format!("CONSUMER.PAUSE.{stream}.{}", consumer.name);
        let resumed = api.find(&subject, &json!({})).await;
        resumed.map_err(|failure| anyhow!("resuming {} of {stream}: {failure}", consumer.name))?;
    }
    Ok(())
}

/// Makes a consumer and puts it where it was, unless it is there already.
///
/// # Errors
/// The server's refusal.
pub async fn restore(
    api: &Api,
    stream: &str,
    kept: &Kept,
    declared: &BTreeMap<String, Tree>,
) -> Result<()> {
    let name = &kept.name;
    let config = declared.get(name).unwrap_or(&kept.config);
    let body = json!({ "stream_name": stream, "config": config, "action": "create" });
    let subject = format!("CONSUMER.CREATE.{stream}.{name}");
    let held = match info(api, stream, name).await? {
        Some(info) => info,
        None => api
            .ask(&subject, &body)
            .await
            .map_err(|failure| anyhow!("making the consumer {name} of {stream}: {failure}"))?,
    };
    if position(&held) < kept.position {
        let body = json!({ "seq": kept.position + 1 });
        let reset = api
            .ask(&format!("CONSUMER.RESET.{stream}.{name}"), &body)
            .await;
        reset.map_err(|failure| {
            anyhow!(
                "putting the consumer {name} of {stream} behind {}, where it was: {failure}",
                kept.position
            )
        })?;
    }
    Ok(())
}

/// Whether a consumer of this configuration can be put at any place: nats-server resets only these.
pub fn can_be_placed(config: &Tree) -> bool {
    matches!(
        text(config, "deliver_policy"),
        "" | "all" | "by_start_sequence" | "by_start_time"
    )
}

/// What a work queue would say to these consumers, before there is one.
///
/// # Errors
/// The first that it would not take.
pub fn fit_work_queue(configs: &[(&String, &Tree)]) -> Result<()> {
    let filters = |tree: &Tree| -> Vec<String> {
        let mut list: Vec<String> = texts(tree, "filter_subjects")
            .into_iter()
            .map(str::to_owned)
            .collect();
        match text(tree, "filter_subject") {
            "" if list.is_empty() => list.push(">".to_owned()),
            "" => {}
            filter => list.push(filter.to_owned()),
        }
        list
    };
    for (index, (name, config)) in configs.iter().enumerate() {
        ensure!(
            text(config, "ack_policy") == "explicit"
                && matches!(text(config, "deliver_policy"), "" | "all"),
            "a work queue takes only consumers with ack_policy explicit and deliver_policy all, and {name} is another"
        );
        for (other, theirs) in &configs[..index] {
            let both = filters(theirs)
                .iter()
                .any(|a| filters(config).iter().any(|b| collide(a, b)));
            ensure!(
                !both,
                "a work queue gives each message to one consumer, and {other} and {name} want the same subjects"
            );
        }
    }
    Ok(())
}
