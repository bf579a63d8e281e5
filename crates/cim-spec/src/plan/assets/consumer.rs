//! A stream's consumers: what nats-server refuses of each, and of several together.

use super::delivery;
use super::stream::labels;
use super::{Asset, Made, own_subjects};
use crate::asset::{Consumer, DeliverPolicy, Retention, Stream};
use crate::problem::{Problems, Rule};
use crate::subject::{check as is_subject, overlap};

/// Checks the consumers of a stream.
pub(super) fn check(consumers: &[Asset], stream_asset: &Asset, problems: &mut Problems) {
    let Made::Stream(stream) = &stream_asset.made else {
        return;
    };
    let all = consumers.iter().filter_map(|asset| match &asset.made {
        Made::Consumer(_, consumer) => Some((asset, consumer)),
        _ => None,
    });
    let all: Vec<(&Asset, &Consumer)> = all.collect();
    for (asset, consumer) in &all {
        labels(asset, problems);
        filters(asset, consumer, stream_asset, problems);
        starts(asset, consumer, problems);
        delivery::pushes(asset, consumer, stream_asset, problems);
        limits(asset, consumer, stream, problems);
        delivery::groups(asset, consumer, problems);
        replicas(asset, consumer, stream, problems);
    }
    if stream.retention == Some(Retention::WorkQueue) {
        delivery::queue(&all, problems);
    }
    if let Some(most) = stream.max_consumers
        && i64::try_from(all.len()).is_ok_and(|count| count > most)
    {
        let why = format!("is less than the {} consumers that are declared", all.len());
        stream_asset.wrong(
            problems,
            Rule::AssetLimit,
            "maxConsumers",
            &why,
            "write more, or leave it out",
        );
    }
}

/// What it wants, by the options that say so; nothing is everything.
pub(super) fn wanted(consumer: &Consumer) -> Vec<(String, &str)> {
    let one = consumer.filter_subject.iter();
    let one = one.map(|subject| ("filterSubject".to_owned(), subject.as_str()));
    let several = consumer.filter_subjects.iter().flatten().enumerate();
    let several =
        several.map(|(index, subject)| (format!("filterSubjects[{index}]"), subject.as_str()));
    one.chain(several)
        .filter(|(_, subject)| is_subject(subject).is_ok())
        .collect()
}

fn filters(asset: &Asset, consumer: &Consumer, stream: &Asset, problems: &mut Problems) {
    if consumer.filter_subject.is_some() && consumer.filter_subjects.is_some() {
        let why = "is set beside filterSubjects";
        asset.wrong(
            problems,
            Rule::ConsumerFilter,
            "filterSubject",
            why,
            "keep one of them",
        );
    }
    let filters = wanted(consumer);
    let at = |option: &str| match option.split_once('[') {
        Some((name, rest)) => {
            let index = rest.trim_end_matches(']').parse().unwrap_or_default();
            asset.at.join(name).index(index)
        }
        None => asset.at.join(option),
    };
    for (place, (option, filter)) in filters.iter().enumerate() {
        let mut before = filters[..place].iter();
        if let Some((_, first)) = before.find(|(_, first)| overlap(first, filter)) {
            problems.add(
                Rule::ConsumerFilter,
                &at(option),
                format!("{filter:?} overlaps {first:?}"),
                "keep the wider one",
            );
        }
        if let Some(stored) = stored(stream)
            && !stored.iter().any(|subject| overlap(subject, filter))
        {
            problems.add(
                Rule::ConsumerFilter,
                &at(option),
                format!("{filter:?} is nothing that the stream stores: the consumer would get no message"),
                format!("write a subject inside {}", stored.join(", ")),
            );
        }
    }
}

/// Subjects of what a stream holds, its own and those that it copies; `None`: not all are known here.
fn stored(asset: &Asset) -> Option<Vec<String>> {
    let stream = asset.stream()?;
    // What is stored then has other subjects.
    if stream.subject_transform.is_some() {
        return None;
    }
    let own = own_subjects(asset).into_iter().map(|(_, subject)| subject);
    let mut stored: Vec<String> = own.collect();
    for copy in stream.mirror.iter().chain(stream.sources.iter().flatten()) {
        match copy.subject_transforms.as_deref() {
            None | Some([]) => stored.push(copy.filter_subject.clone()?),
            Some(transforms) => {
                for transform in transforms {
                    stored.push(becomes(transform.dest.as_deref()?)?);
                }
            }
        }
    }
    (!stored.is_empty()).then_some(stored)
}

/// The subjects that a transform's destination makes; `None`: that depends on the message.
fn becomes(dest: &str) -> Option<String> {
    let tokens = dest.split('.').map(|token| match token.strip_prefix("{{") {
        None if token.starts_with('$') => Some("*"),
        None => Some(token),
        Some(made) => made.to_lowercase().starts_with("wildcard(").then_some("*"),
    });
    Some(tokens.collect::<Option<Vec<_>>>()?.join("."))
}

fn starts(asset: &Asset, consumer: &Consumer, problems: &mut Problems) {
    let policy = consumer.deliver_policy.unwrap_or(DeliverPolicy::All);
    for (option, set, with, word) in [
        (
            "optStartSeq",
            consumer.opt_start_seq.is_some(),
            DeliverPolicy::ByStartSequence,
            "by_start_sequence",
        ),
        (
            "optStartTime",
            consumer.opt_start_time.is_some(),
            DeliverPolicy::ByStartTime,
            "by_start_time",
        ),
    ] {
        if set && policy != with {
            let why = format!("is for deliverPolicy = {word:?}");
            asset.wrong(
                problems,
                Rule::AssetFields,
                option,
                &why,
                "leave one of them out",
            );
        }
        if !set && policy == with {
            let why = format!("needs {option}");
            asset.wrong(
                problems,
                Rule::AssetFields,
                "deliverPolicy",
                &why,
                &format!("set {option}"),
            );
        }
    }
    if policy == DeliverPolicy::LastPerSubject && wanted(consumer).is_empty() {
        let why = "needs a filter that says which subjects";
        asset.wrong(
            problems,
            Rule::AssetFields,
            "deliverPolicy",
            why,
            "set filterSubject, for example to the stream's subject",
        );
    }
}

fn limits(asset: &Asset, consumer: &Consumer, stream: &Stream, problems: &mut Problems) {
    let tries = consumer.max_deliver.filter(|most| *most > 0);
    let waits = consumer.backoff.as_ref().map_or(0, Vec::len);
    if let Some(most) = tries
        && i64::try_from(waits).is_ok_and(|waits| waits > most)
    {
        let why = format!("is less than the {waits} steps of backoff");
        asset.wrong(
            problems,
            Rule::AssetLimit,
            "maxDeliver",
            &why,
            "write at least as many, or fewer steps",
        );
    }
    if let Some(text) = &consumer.sample_freq
        && !text
            .trim_end_matches('%')
            .parse::<u8>()
            .is_ok_and(|percent| percent <= 100)
    {
        let why = "is no share of a hundred";
        asset.wrong(
            problems,
            Rule::AssetLimit,
            "sampleFreq",
            why,
            "write a number up to 100 as text, for example \"50\"",
        );
    }
    let Some(most) = &stream.consumer_limits else {
        return;
    };
    let over = |own: Option<i64>, most: Option<i64>| match (own, most) {
        (Some(own), Some(most)) => own > most || own < 0,
        _ => false,
    };
    for (option, over) in [
        (
            "maxAckPending",
            over(consumer.max_ack_pending, most.max_ack_pending),
        ),
        (
            "inactiveThreshold",
            over(consumer.inactive_threshold, most.inactive_threshold),
        ),
    ] {
        if over {
            let why = "is more than the stream's consumerLimits allow";
            asset.wrong(
                problems,
                Rule::AssetLimit,
                option,
                why,
                "write less, or raise the stream's limit",
            );
        }
    }
}

/// A consumer's state lives where its stream does.
fn replicas(asset: &Asset, consumer: &Consumer, stream: &Stream, problems: &mut Problems) {
    let (Some(own), theirs) = (consumer.num_replicas, stream.num_replicas.unwrap_or(1)) else {
        return;
    };
    if own > theirs {
        let why = format!("is more than the stream's, {theirs}");
        asset.wrong(
            problems,
            Rule::Replicas,
            "numReplicas",
            &why,
            "leave it out: it is as the stream's then",
        );
    } else if own != theirs && Asset::keeps_for_consumers(stream) {
        let why = format!("is not the stream's, {theirs}, whose messages go when consumers say so");
        asset.wrong(
            problems,
            Rule::Replicas,
            "numReplicas",
            &why,
            "leave it out: it is as the stream's then",
        );
    }
}
