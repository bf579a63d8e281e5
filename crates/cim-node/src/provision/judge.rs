//! What a difference means: taken over in place, to be measured, or impossible.

use cim_spec::asset::{Change, Consumer, Field, Stream};
use serde_json::Value;

use super::difference::Difference;
use super::subject::{collide, covers};
use super::tree::{Tree, number, text};

/// What one difference means, before anything was measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// The server takes it over; nothing stored goes.
    InPlace,
    /// What is stored decides.
    Measure(Measure),
    /// No update does it; why.
    Impossible(String),
}

/// What to measure to know how many messages a difference costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Measure {
    /// More messages than this go.
    Messages(u64),
    /// More bytes than this go.
    Bytes(u64),
    /// Messages go that are older than this many nanoseconds.
    Age(u64),
    /// Of each subject more messages than this go.
    PerSubject(u64),
    /// These subjects are stored no longer.
    Subjects(Vec<String>),
    /// Messages go that no consumer waits for.
    Interest,
    /// Messages go that only this consumer waited for.
    Filter,
    /// Nothing goes, and nothing comes either, for ever.
    Sealing,
    /// Nothing goes, but what was copied from a source is copied again.
    Again,
}

/// Judges a difference of a stream, of which the new configuration is `new`.
pub fn stream(difference: &Difference, new: &Tree) -> Judgement {
    let from = &difference.from;
    let limit = |measure: fn(u64) -> Measure| match (difference.to.as_u64(), from.as_u64()) {
        (Some(to), None) => Judgement::Measure(measure(to)),
        (Some(to), Some(from)) if to < from => Judgement::Measure(measure(to)),
        _ => Judgement::InPlace,
    };
    match difference.field {
        // With discard `new`, a full stream refuses what comes and keeps what it has.
        "max_msgs" | "max_bytes" if text(new, "discard") == "new" => Judgement::InPlace,
        "max_msgs" => limit(Measure::Messages),
        "max_bytes" => limit(Measure::Bytes),
        "max_age" => limit(Measure::Age),
        "max_msgs_per_subject" => limit(Measure::PerSubject),
        "discard" if difference.to.is_null() => full(new),
        "discard" => Judgement::InPlace,
        "subjects" => subjects(difference),
        "retention" => retention(difference),
        "sources" => sources(difference),
        "mirror" if difference.to.is_null() => Judgement::InPlace,
        "sealed" if difference.to == true => Judgement::Measure(Measure::Sealing),
        "deny_delete" | "deny_purge" | "allow_msg_ttl" | "allow_msg_schedules"
            if difference.to == true =>
        {
            Judgement::InPlace
        }
        _ => by_table(Stream::FIELDS, difference),
    }
}

/// Judges a difference of a consumer, on a stream of this configuration.
pub fn consumer(difference: &Difference, stream: &Tree) -> Judgement {
    match difference.field {
        "filter_subject" | "filter_subjects" if text(stream, "retention").is_empty() => {
            Judgement::InPlace
        }
        "filter_subject" | "filter_subjects" => Judgement::Measure(Measure::Filter),
        "deliver_subject" if difference.from.is_null() => {
            Judgement::Impossible("a pull consumer never becomes a push consumer".to_owned())
        }
        "deliver_subject" if difference.to.is_null() => {
            Judgement::Impossible("a push consumer never becomes a pull consumer".to_owned())
        }
        "deliver_subject" => Judgement::InPlace,
        _ => by_table(Consumer::FIELDS, difference),
    }
}

/// From `new` to `old`, a stream beyond its limits loses the oldest.
fn full(new: &Tree) -> Judgement {
    let limit = |name| {
        u64::try_from(number(new, name))
            .ok()
            .filter(|limit| *limit > 0)
    };
    match (limit("max_msgs"), limit("max_bytes")) {
        (Some(messages), _) => Judgement::Measure(Measure::Messages(messages)),
        (None, Some(bytes)) => Judgement::Measure(Measure::Bytes(bytes)),
        (None, None) => Judgement::InPlace,
    }
}

fn subjects(difference: &Difference) -> Judgement {
    let list = |value: &Value| -> Vec<String> {
        let texts = value
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    };
    let kept = list(&difference.to);
    let gone: Vec<_> = list(&difference.from)
        .into_iter()
        .filter(|subject| !kept.iter().any(|kept| covers(kept, subject)))
        .collect();
    match gone.is_empty() {
        true => Judgement::InPlace,
        false => Judgement::Measure(Measure::Subjects(gone)),
    }
}

/// A source is known by its filter and transforms too: with other ones it is another source, that starts at the
/// beginning (`composeIName` in stream.go). Where it starts is no part of that.
fn sources(difference: &Difference) -> Judgement {
    let list = |value: &Value| -> Vec<Tree> {
        let sources = value
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_object);
        let same = |source: &Tree| {
            let mut same = source.clone();
            same.retain(|name, _| !name.starts_with("opt_start"));
            same
        };
        sources.map(same).collect()
    };
    let old = list(&difference.from);
    let again = |source: &Tree| {
        !old.contains(source)
            && old.iter().any(|old| {
                ["name", "external"]
                    .iter()
                    .all(|part| old.get(*part) == source.get(*part))
                    && filters(old)
                        .iter()
                        .any(|a| filters(source).iter().any(|b| collide(a, b)))
            })
    };
    match list(&difference.to).iter().any(again) {
        true => Judgement::Measure(Measure::Again),
        false => Judgement::InPlace,
    }
}

/// The subjects that a source copies.
fn filters(source: &Tree) -> Vec<String> {
    let transforms = source.get("subject_transforms").and_then(Value::as_array);
    let mut filters: Vec<_> = transforms
        .into_iter()
        .flatten()
        .filter_map(|transform| {
            transform
                .get("src")
                .and_then(Value::as_str)
                .map(str::to_owned)
        })
        .collect();
    match text(source, "filter_subject") {
        "" if filters.is_empty() => filters.push(">".to_owned()),
        "" => {}
        filter => filters.push(filter.to_owned()),
    }
    filters
}

fn retention(difference: &Difference) -> Judgement {
    match (difference.from.as_str(), difference.to.as_str()) {
        (Some("workqueue"), _) => Judgement::Impossible(
            "a work queue stays one: the server refuses another retention".to_owned(),
        ),
        (_, Some("workqueue")) => Judgement::Impossible(
            "a stream never becomes a work queue: the server refuses it".to_owned(),
        ),
        (_, Some("interest")) => Judgement::Measure(Measure::Interest),
        _ => Judgement::InPlace,
    }
}

fn by_table(fields: &[Field], difference: &Difference) -> Judgement {
    match fields
        .iter()
        .find(|field| field.name == difference.field)
        .map(|field| field.change)
    {
        Some(Change::InPlace) => Judgement::InPlace,
        Some(Change::Impossible(why) | Change::Depends(why) | Change::Lossy(why)) => {
            Judgement::Impossible(why.to_owned())
        }
        _ => Judgement::Impossible("nothing is known of what a change of it does".to_owned()),
    }
}
