//! What a change of each field means, by the word of the real server: the plan says it first, then the change is sent
//! as it is, and what the server did is compared. Run with `--nocapture` to see the table.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use cim_node::provision::api::Failure;
use cim_node::provision::defaults;
use cim_node::provision::tree::Tree;
use cim_spec::asset::{Consumer, Field, Stream};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::{Site, asset, merge, one};

/// What the plan must say of a change.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Says {
    InPlace,
    /// So many messages go.
    Lossy,
    /// About so many go.
    About,
    Impossible,
}

/// One change of one field.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub field: String,
    pub from: Value,
    pub to: Value,
    /// What both have beside; `@` stands for the asset's own name, `null` for nothing.
    #[serde(default = "nothing")]
    pub beside: Value,
    /// Messages that are stored before, over three subjects.
    #[serde(default)]
    pub stored: usize,
    pub plan: Says,
    #[serde(default)]
    pub messages: u64,
}

fn nothing() -> Value {
    json!({})
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cases {
    pub stream: Vec<Case>,
    pub consumer: Vec<Case>,
}

pub fn cases() -> Result<Cases> {
    serde_json::from_str(include_str!("transitions.json")).context("reading transitions.json")
}

/// Every field of the table has a case, but for those that another test changes.
fn complete(cases: &[Case], fields: &[Field], elsewhere: &[&str]) {
    let cases = cases.iter().map(|case| case.field.as_str());
    let cases: BTreeSet<_> = cases.chain(elsewhere.iter().copied()).collect();
    let table: BTreeSet<_> = fields.iter().map(|field| field.name).collect();
    assert_eq!(cases, table);
}

/// The configuration of an asset.
pub fn config(case: &Case, key: &str, name: &str, value: &Value) -> Result<Value> {
    let mut config = if key == "name" {
        json!({"subjects": ["@.>"]})
    } else {
        json!({})
    };
    merge(&mut config, case.beside.clone());
    merge(
        &mut config,
        json!({ key: name, case.field.as_str(): value }),
    );
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
        field == case.field.as_str()
            || (field == "filter_subjects" && case.field == "filter_subject")
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
    let cases = cases()?.stream;
    complete(
        &cases,
        Stream::FIELDS,
        &["name", "num_replicas", "placement"],
    );
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
    let aged = cases
        .iter()
        .position(|case| case.field == "max_age" && case.plan == Says::Lossy);
    old_enough(&site, &name(aged.context("no case of an age")?)).await?;
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
            // Old messages go a moment later.
            let _ = cim_testkit::until("old messages are gone", async || {
                let left = site.messages(&name(index)).await?;
                anyhow::ensure!(left + messages == before);
                Ok(())
            })
            .await;
        }
        let after = site.messages(&name(index)).await?;
        println!(
            "| {} | {} → {} | {} | {means} {messages} | {did}, {before} → {after} messages |",
            case.field, case.from, case.to, case.beside
        );
        holds(case, &config, &answer).with_context(|| case.field.clone())?;
        held_to(case, &means, messages, &answer, before, after).with_context(|| {
            format!(
                "{} {} → {}: {means} {messages}, {did}, {before} → {after}",
                case.field, case.from, case.to
            )
        })?;
    }
    Ok(())
}

/// Waits until everything in a stream is older than 120 ms by the server's clock, as a case of `max_age` wants.
async fn old_enough(site: &Site, stream: &str) -> Result<()> {
    let api = site.api().await?;
    cim_testkit::until("messages grow older than 120 ms", async || {
        let info = api
            .ask(&format!("STREAM.INFO.{stream}"), &Value::Null)
            .await;
        let info = info.map_err(|failure| anyhow::anyhow!("{failure}"))?;
        let moment = |value: &Value| {
            let rfc = &time::format_description::well_known::Rfc3339;
            Ok::<_, anyhow::Error>(time::OffsetDateTime::parse(
                value.as_str().context("a moment")?,
                rfc,
            )?)
        };
        let age = moment(&info["ts"])? - moment(&info["state"]["last_ts"])?;
        anyhow::ensure!(age > time::Duration::milliseconds(120), "{age}");
        Ok(())
    })
    .await
}

pub async fn store(site: &Site, case: &Case, subjects: &[&str]) -> Result<()> {
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
        held.get(&case.field) == wanted.get(&case.field),
        "it holds {:?}, not {:?}",
        held.get(&case.field),
        wanted.get(&case.field)
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
    let (took, says) = (answer.is_ok(), case.plan);
    let right = match says {
        Says::InPlace => means == "inPlace" && took && before == after,
        Says::Lossy => {
            means == "lossy" && took && messages == case.messages && before - gone == after
        }
        Says::About => {
            means == "lossy" && took && messages == case.messages && before - gone <= after
        }
        // It is taken and does nothing.
        Says::Impossible if case.field == "first_seq" => means == "impossible" && before == after,
        Says::Impossible => means == "impossible" && !took && before == after,
    };
    ensure!(right, "it should be {says:?} {}", case.messages);
    Ok(())
}

#[tokio::test]
async fn of_every_field_of_a_consumer() -> Result<()> {
    let cases = cases()?.consumer;
    complete(
        &cases,
        Consumer::FIELDS,
        &["durable_name", "name", "num_replicas", "pause_until"],
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
            case.field, case.from, case.to, case.beside
        );
        holds(case, &config, &answer).with_context(|| case.field.clone())?;
        held_to(case, &means, messages, &answer, 0, 0).with_context(|| {
            format!("{} {} → {}: {means}, {did}", case.field, case.from, case.to)
        })?;
    }
    Ok(())
}
