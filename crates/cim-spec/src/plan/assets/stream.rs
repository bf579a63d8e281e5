//! One stream by itself: limits and combinations that nats-server refuses.

use super::{Asset, Made, own_subjects, read};
use crate::asset::{CONSENT_LABEL, Discard, PersistMode, Retention, Storage, Stream};
use crate::problem::{Problems, Rule};
use crate::subject;

const SECOND: i64 = 1_000_000_000;
/// Shorter ages and windows nats-server does not take.
const SHORTEST: i64 = SECOND / 10;

/// Checks a stream, bucket or object store.
pub(super) fn check(asset: &Asset, problems: &mut Problems) {
    labels(asset, problems);
    ages(asset, problems);
    if let Made::Stream(stream) = &asset.made {
        copies(asset, stream, problems);
        combinations(asset, stream, problems);
        modes(asset, stream, problems);
        renamed(asset, stream, problems);
    }
}

/// Names that start with `_nats.` are the server's own, and one is `cim-provision`'s.
pub(super) fn labels(asset: &Asset, problems: &mut Problems) {
    let labels = match &asset.made {
        Made::Stream(stream) => &stream.metadata,
        Made::Consumer(_, consumer) => &consumer.metadata,
        Made::KeyValue(bucket) => &bucket.metadata,
        Made::ObjectStore(store) => &store.metadata,
    };
    for name in labels.iter().flatten().map(|(name, _)| name) {
        let whose = match name.as_str() {
            CONSENT_LABEL => (
                "is cim-provision's own",
                "leave it out: it notes which consent was used",
            ),
            name if name.starts_with("_nats.") => {
                ("is nats-server's own", "leave it out: the server writes it")
            }
            _ => continue,
        };
        let at = asset.at.join("metadata").join(name);
        problems.add(Rule::AssetFields, &at, whose.0, whose.1);
    }
}

fn ages(asset: &Asset, problems: &mut Problems) {
    let found = asset.stream();
    let Some(stream) = &found else {
        return;
    };
    let (age, marker) = match asset.made {
        Made::KeyValue(_) => ("ttl", "limitMarkerTtl"),
        _ => ("maxAge", "subjectDeleteMarkerTtl"),
    };
    let short =
        |value: Option<i64>, least: i64| value.is_some_and(|value| value > 0 && value < least);
    if short(stream.max_age, SHORTEST) {
        let why = "is too short: nats-server takes no age below 100 ms";
        asset.wrong(
            problems,
            Rule::AssetLimit,
            age,
            why,
            "write at least \"100ms\"",
        );
    }
    if short(stream.subject_delete_marker_ttl, SECOND) {
        let why = "is too short: markers stand for a second at least";
        asset.wrong(
            problems,
            Rule::AssetLimit,
            marker,
            why,
            "write at least \"1s\"",
        );
    }
    let Made::Stream(stream) = &asset.made else {
        return;
    };
    if short(stream.duplicate_window, SHORTEST) {
        let why = "is too short: nats-server takes no window below 100 ms";
        asset.wrong(
            problems,
            Rule::AssetLimit,
            "duplicateWindow",
            why,
            "write at least \"100ms\"",
        );
    }
    if let (Some(window), Some(age)) = (stream.duplicate_window, stream.max_age)
        && window > age
    {
        let why = format!(
            "is longer than maxAge, {}: messages are gone before",
            asset.said("maxAge")
        );
        asset.wrong(
            problems,
            Rule::AssetLimit,
            "duplicateWindow",
            &why,
            "write at most maxAge",
        );
    }
}

/// A mirror is another stream's copy, and nothing of its own.
fn copies(asset: &Asset, stream: &Stream, problems: &mut Problems) {
    let Some(_) = &stream.mirror else {
        if stream.mirror_direct == Some(true) {
            let why = "is for mirrors, and this stream is none";
            asset.wrong(
                problems,
                Rule::Copy,
                "mirrorDirect",
                why,
                "leave it out, or set mirror",
            );
        }
        return;
    };
    let set = [
        ("subjects", stream.subjects.is_some()),
        ("sources", stream.sources.is_some()),
        ("firstSeq", stream.first_seq.is_some()),
        ("subjectTransform", stream.subject_transform.is_some()),
        ("allowMsgCounter", stream.allow_msg_counter == Some(true)),
        (
            "allowMsgSchedules",
            stream.allow_msg_schedules == Some(true),
        ),
        (
            "subjectDeleteMarkerTtl",
            stream.subject_delete_marker_ttl.is_some(),
        ),
        ("duplicateWindow", stream.duplicate_window.is_some()),
    ];
    for (option, _) in set.iter().filter(|(_, set)| *set) {
        problems.add(
            Rule::Copy,
            &asset.at.join(option),
            "is set beside mirror: a mirror has what the stream has that it copies, and nothing else",
            "leave it out, or collect the stream with sources",
        );
    }
}

fn combinations(asset: &Asset, stream: &Stream, problems: &mut Problems) {
    let on = |flag: Option<bool>| flag == Some(true);
    let rolls = [
        ("allowRollupHdrs", on(stream.allow_rollup_hdrs)),
        (
            "subjectDeleteMarkerTtl",
            stream.subject_delete_marker_ttl.is_some(),
        ),
        ("allowMsgSchedules", on(stream.allow_msg_schedules)),
    ];
    for (option, _) in rolls
        .iter()
        .filter(|(_, rolls)| *rolls && on(stream.deny_purge))
    {
        let why = "lets messages replace others, which denyPurge forbids";
        asset.wrong(
            problems,
            Rule::AssetFields,
            option,
            why,
            "leave one of them out",
        );
    }
    if on(stream.discard_new_per_subject) {
        if stream.discard != Some(Discard::New) {
            let why = "needs discard = \"new\"";
            let help = "set it, or leave discardNewPerSubject out";
            asset.wrong(
                problems,
                Rule::AssetFields,
                "discardNewPerSubject",
                why,
                help,
            );
        }
        if stream.max_msgs_per_subject.is_none() {
            let why = "needs maxMsgsPerSubject";
            let help = "set it, or leave discardNewPerSubject out";
            asset.wrong(
                problems,
                Rule::AssetFields,
                "discardNewPerSubject",
                why,
                help,
            );
        }
    }
    let own = own_subjects(asset);
    let own: Vec<&str> = own.iter().map(|(_, subject)| subject.as_str()).collect();
    if let Some(again) = &stream.republish {
        let dest = again.dest.as_deref();
        match dest {
            None => problems.add(
                Rule::AssetFields,
                &asset.at.descend("republish.dest"),
                "is null, but other fields of republish are set",
                "write what the subjects become, for example \"stored.>\"",
            ),
            Some(dest) if circles(&own, dest) => asset.wrong(
                problems,
                Rule::AssetFields,
                "republish.dest",
                "is a subject that the stream stores: it would store what it publishes, for ever",
                "write a subject of its own, for example \"stored.>\"",
            ),
            Some(_) => {}
        }
    }
}

/// Whether what is published is stored again; what is no plain subject is left to nats-server.
fn circles(own: &[&str], dest: &str) -> bool {
    subject::check(dest).is_ok() && own.iter().any(|own| subject::overlap(own, dest))
}

/// Streams of a special kind, which need others of their fields to be so or not.
fn modes(asset: &Asset, stream: &Stream, problems: &mut Problems) {
    let on = |flag: Option<bool>| flag == Some(true);
    let mut clash = |option: &str, what: &str, clashes: &[(&str, bool)]| {
        for (other, _) in clashes.iter().filter(|(_, clashes)| *clashes) {
            problems.add(
                Rule::AssetFields,
                &asset.at.join(option),
                format!(
                    "{} cannot be beside {}: {what}",
                    asset.said(option),
                    match asset.written.get(other) {
                        Some(value) => format!("{other} = {}", value.shown()),
                        None => (*other).to_owned(),
                    }
                ),
                "leave one of them out",
            );
        }
    };
    if on(stream.allow_msg_counter) {
        clash(
            "allowMsgCounter",
            "a counter keeps its messages",
            &[
                ("discard", stream.discard == Some(Discard::New)),
                ("allowMsgTtl", on(stream.allow_msg_ttl)),
                (
                    "retention",
                    !matches!(stream.retention, None | Some(Retention::Limits)),
                ),
                ("allowMsgSchedules", on(stream.allow_msg_schedules)),
            ],
        );
    }
    if on(stream.allow_msg_schedules) {
        let what = "what is copied is not scheduled again";
        clash(
            "allowMsgSchedules",
            what,
            &[("sources", stream.sources.is_some())],
        );
    }
    if stream.persist_mode == Some(PersistMode::Async) {
        clash(
            "persistMode",
            "only one server's disk is written to later",
            &[
                ("storage", stream.storage == Some(Storage::Memory)),
                (
                    "numReplicas",
                    stream.num_replicas.is_some_and(|number| number > 1),
                ),
                ("allowAtomic", on(stream.allow_atomic)),
                ("allowBatched", on(stream.allow_batched)),
            ],
        );
    }
}

fn renamed(asset: &Asset, stream: &Stream, problems: &mut Problems) {
    let transform = stream.subject_transform.as_ref();
    read::whole(transform, &asset.at, "subjectTransform", problems);
}
