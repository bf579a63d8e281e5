//! Values and steps in words.

use cim_spec::asset::Kind;
use serde_json::Value;

use super::asset::Asset;
use super::loss::Loss;
use super::plan::{Action, Changed, Means, Step};

/// A value as people read it.
pub fn value(kind: Kind, value: &Value) -> String {
    match (kind, value) {
        (Kind::Limit, Value::Null) => "no limit".to_owned(),
        (Kind::Positive, Value::Null) => "1".to_owned(),
        (Kind::Flag, Value::Null) => "false".to_owned(),
        (Kind::Choice(words), Value::Null) => words.first().map_or("none", |word| word).to_owned(),
        (_, Value::Null) => "none".to_owned(),
        (Kind::Duration, Value::Number(nanos)) => duration(nanos.as_i64().unwrap_or_default()),
        (Kind::Choice(_), Value::String(word)) => word.clone(),
        (_, value) => value.to_string(),
    }
}

/// Nanoseconds in the largest unit that divides them.
fn duration(nanos: i64) -> String {
    const UNITS: [(&str, i64); 6] = [
        ("d", 86_400_000_000_000),
        ("h", 3_600_000_000_000),
        ("m", 60_000_000_000),
        ("s", 1_000_000_000),
        ("ms", 1_000_000),
        ("ns", 1),
    ];
    let unit = UNITS.iter().find(|(_, size)| nanos % size == 0);
    let (unit, size) = unit.copied().unwrap_or(("ns", 1));
    format!("{}{unit}", nanos / size)
}

/// The option of a field, or its file and name.
pub fn place(step: &Step, field: &str) -> String {
    match &step.option {
        Some(option) => format!("{option}.{}", camel(field)),
        None => format!("{}.json: {field}", step.asset),
    }
}

/// The option of an asset, or its file.
pub fn asset_place(step: &Step) -> String {
    match &step.option {
        Some(option) => option.clone(),
        None => format!("{}.json", step.asset),
    }
}

/// `max_msgs` as an option spells it, `maxMsgs`.
pub fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |done, word| {
        let (head, tail) = word.split_at(word.len().min(1));
        format!("{done}{}{tail}", head.to_uppercase())
    })
}

/// `max_msgs: no limit → 10`.
pub fn change(changed: &Changed) -> String {
    let difference = &changed.difference;
    format!(
        "{} → {}",
        value(changed.kind, &difference.from),
        value(changed.kind, &difference.to)
    )
}

/// Why a step is not carried out, and what to do: one message for each field that stands in the way.
pub fn refusals(step: &Step) -> Vec<String> {
    let kind = step.asset.kind();
    let asset = &step.asset;
    match &step.action {
        Action::None | Action::Create | Action::Update | Action::Lose => Vec::new(),
        Action::Unknown(why) => vec![format!(
            "{}: nobody knows what the server has of it: {why}\n  help: nothing was done to it; run again once the server answers",
            asset_place(step)
        )],
        Action::Refused(list) => list
            .iter()
            .map(|(what, help)| format!("{}: {what}\n  help: {help}", asset_place(step)))
            .collect(),
        Action::Impossible => step
            .changes
            .iter()
            .filter_map(|changed| match &changed.means {
                Means::Impossible(why) => Some(format!(
                    "{}: {} cannot be on the {kind} {}, {}: {why}\n  help: {}",
                    place(step, changed.field),
                    change(changed),
                    name(asset),
                    stake(step),
                    migration(asset)
                )),
                _ => None,
            })
            .collect(),
        Action::Lossy(given) => lossy(step, given.as_deref()),
    }
}

fn lossy(step: &Step, given: Option<&str>) -> Vec<String> {
    let id = step.plan_id.as_deref().unwrap_or_default();
    let consent = match &step.option {
        Some(option) => format!("write {option}.allowDataLoss = \"{id}\""),
        None => format!("say --allow-data-loss {}={id}", step.asset),
    };
    let other = match given {
        Some(why) => format!("; {why}"),
        None => String::new(),
    };
    let said = step
        .changes
        .iter()
        .filter_map(|changed| match &changed.means {
            Means::Lossy(loss) => Some(format!(
                "{}\n  help: to accept exactly this, {consent}{other}",
                costs(step, changed, loss)
            )),
            _ => None,
        });
    said.collect()
}

/// What one change costs, at its option.
fn costs(step: &Step, changed: &Changed, loss: &Loss) -> String {
    format!(
        "{}: {}: {} messages of the {} {} {}",
        place(step, changed.field),
        change(changed),
        loss.number(),
        step.asset.kind(),
        name(&step.asset),
        loss.what
    )
}

/// What a step costs that was consented to: said before it is done.
pub fn losses(step: &Step) -> Vec<String> {
    let consented = step.action == Action::Lose;
    let lossy = step
        .changes
        .iter()
        .filter_map(|changed| match &changed.means {
            Means::Lossy(loss) if consented => Some(format!(
                "{}, as was consented to",
                costs(step, changed, loss)
            )),
            _ => None,
        });
    lossy.collect()
}

/// What to do about what the server said no to, by its error number.
pub fn remedy(why: &str) -> &'static str {
    const REMEDIES: [(u64, &str); 12] = [
        (
            10074,
            "declare one replica, or make the server a node of a cluster",
        ),
        (
            10123,
            "change num_replicas first and placement in another run, or the other way round",
        ),
        (
            10065,
            "another stream has one of these subjects: `nats stream ls` and `nats stream info` tell which; take it away there first",
        ),
        (
            10005,
            "fewer servers are up, or have the tags and space, than there are replicas: see `nats server report jetstream`",
        ),
        (
            10047,
            "its max_bytes, with those of the other streams, exceed what the server or account may store: lower it, or raise the limit",
        ),
        (
            10028,
            "its max_bytes, with those of the other streams, exceed the memory of the server or account: lower it, or raise the limit",
        ),
        (
            10023,
            "the server or account has no room for it: lower max_bytes, or raise the limit",
        ),
        (
            10002,
            "the account has no room for it: lower its max_bytes, or raise the account's jetstream limits",
        ),
        (
            10027,
            "the account has as many streams as it may: raise its limit, or remove one that nobody needs (`cim-provision prune`)",
        ),
        (
            10026,
            "the stream has as many consumers as it may: raise its max_consumers, or the account's limit",
        ),
        (
            10013,
            "somebody is subscribed to the consumer's subject: stop that client first",
        ),
        (10076, "switch JetStream on for the server"),
    ];
    let number = REMEDIES
        .iter()
        .find(|(code, _)| why.ends_with(&format!("(error {code})")));
    number.map_or(
        "change what stands in the way, and run again: nothing was lost",
        |(_, help)| help,
    )
}

/// What is at stake in an asset that is there.
fn stake(step: &Step) -> String {
    match step.asset {
        Asset::Consumer { .. } => format!("which {} messages wait for", step.stored),
        _ => format!("which holds {} messages", step.stored),
    }
}

fn name(asset: &Asset) -> String {
    match asset {
        Asset::Stream(name) | Asset::KeyValue(name) | Asset::ObjectStore(name) => name.clone(),
        Asset::Consumer { stream, name } => format!("{name} of {stream}"),
    }
}

/// How to get there without losing a message.
fn migration(asset: &Asset) -> String {
    let what = match asset {
        Asset::Consumer { .. } => "makes it again at its place",
        _ => "makes it again with every message it has",
    };
    format!(
        "`cim-provision migrate FOLDER {asset}` {what}: it says each step first, and begins with consent; or go back to what the server has"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_durations_as_operators_write_them() {
        assert_eq!(camel("max_msgs_per_subject"), "maxMsgsPerSubject");
        assert_eq!(duration(86_400_000_000_000), "1d");
        assert_eq!(duration(90_000_000_000), "90s");
        assert_eq!(duration(1), "1ns");
    }
}
