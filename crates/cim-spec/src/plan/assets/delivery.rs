//! How a consumer's messages reach clients: pushed or pulled, by groups, each to one consumer of a work queue.

use super::consumer::wanted;
use super::{Asset, own_subjects};
use crate::asset::{AckPolicy, Consumer, DeliverPolicy, PriorityPolicy};
use crate::problem::{Problems, Rule};
use crate::subject::{check as is_subject, has_wildcard, overlap};

/// Shorter heartbeats nats-server does not take.
const SHORTEST: i64 = 100_000_000;

/// What only consumers that push, or only those that are pulled from, may have.
pub(super) fn pushes(asset: &Asset, consumer: &Consumer, stream: &Asset, problems: &mut Problems) {
    let on = |flag: Option<bool>| flag == Some(true);
    let Some(subject) = &consumer.deliver_subject else {
        for (option, set) in [
            ("rateLimitBps", consumer.rate_limit_bps.is_some()),
            ("flowControl", on(consumer.flow_control)),
            ("idleHeartbeat", consumer.idle_heartbeat.is_some()),
            ("deliverGroup", consumer.deliver_group.is_some()),
        ] {
            if set {
                let why = "is for consumers that push, and deliverSubject is null";
                asset.wrong(
                    problems,
                    Rule::AssetFields,
                    option,
                    why,
                    "leave it out: clients that pull take what they can",
                );
            }
        }
        return;
    };
    for (option, set) in [
        ("maxWaiting", consumer.max_waiting.is_some()),
        ("maxBatch", consumer.max_batch.is_some()),
        ("maxExpires", consumer.max_expires.is_some()),
        ("maxBytes", consumer.max_bytes.is_some()),
        ("priorityGroups", consumer.priority_groups.is_some()),
    ] {
        if set {
            let why = "is for consumers that are pulled from, and deliverSubject is set";
            asset.wrong(
                problems,
                Rule::AssetFields,
                option,
                why,
                "leave one of them out",
            );
        }
    }
    if on(consumer.flow_control) && consumer.idle_heartbeat.is_none() {
        let why = "needs idleHeartbeat";
        asset.wrong(
            problems,
            Rule::AssetFields,
            "flowControl",
            why,
            "set idleHeartbeat, for example \"5s\"",
        );
    }
    if consumer
        .idle_heartbeat
        .is_some_and(|beat| beat > 0 && beat < SHORTEST)
    {
        let why = "is too short: nats-server takes no heartbeat below 100 ms";
        asset.wrong(
            problems,
            Rule::AssetLimit,
            "idleHeartbeat",
            why,
            "write at least \"100ms\"",
        );
    }
    if is_subject(subject).is_err() {
        return; // its own rule has said so
    }
    if has_wildcard(subject) {
        let why = "has a wildcard: messages go to one subject";
        asset.wrong(
            problems,
            Rule::AssetFields,
            "deliverSubject",
            why,
            "write it without `*` and `>`",
        );
    } else if own_subjects(stream)
        .iter()
        .any(|(_, own)| overlap(own, subject))
    {
        let why = "is a subject that the stream stores: it would store what it delivers, for ever";
        asset.wrong(
            problems,
            Rule::AssetFields,
            "deliverSubject",
            why,
            "write a subject of its own",
        );
    }
}

/// Which client of a group is served.
pub(super) fn groups(asset: &Asset, consumer: &Consumer, problems: &mut Problems) {
    let policy = consumer.priority_policy.unwrap_or(PriorityPolicy::None);
    let named = consumer
        .priority_groups
        .as_ref()
        .is_some_and(|groups| !groups.is_empty());
    if named && policy == PriorityPolicy::None {
        let why = "is set, but priorityPolicy says not who is served";
        asset.wrong(
            problems,
            Rule::AssetFields,
            "priorityGroups",
            why,
            "set priorityPolicy, for example \"overflow\"",
        );
    }
    if !named && policy != PriorityPolicy::None {
        let why = "needs priorityGroups";
        asset.wrong(
            problems,
            Rule::AssetFields,
            "priorityPolicy",
            why,
            "name a group, for example [ \"workers\" ]",
        );
    }
    if consumer.priority_timeout.is_some() && policy != PriorityPolicy::PinnedClient {
        let why = "is for priorityPolicy = \"pinned_client\"";
        asset.wrong(
            problems,
            Rule::AssetFields,
            "priorityTimeout",
            why,
            "leave it out",
        );
    }
}

/// Each message of a work queue is for one consumer.
pub(super) fn queue(all: &[(&Asset, &Consumer)], problems: &mut Problems) {
    for (place, (asset, consumer)) in all.iter().enumerate() {
        if !matches!(consumer.ack_policy, Some(AckPolicy::Explicit)) {
            let why = "cannot be: a work queue forgets what is acknowledged, message by message";
            asset.wrong(
                problems,
                Rule::WorkQueue,
                "ackPolicy",
                why,
                "write \"explicit\"",
            );
        }
        if !matches!(consumer.deliver_policy, None | Some(DeliverPolicy::All)) {
            let why = "cannot be: a work queue's consumer takes all there is";
            asset.wrong(
                problems,
                Rule::WorkQueue,
                "deliverPolicy",
                why,
                "leave it out",
            );
        }
        let own = wanted(consumer);
        let both = |other: &Consumer| {
            let theirs = wanted(other);
            own.is_empty()
                || theirs.is_empty()
                || own
                    .iter()
                    .any(|(_, own)| theirs.iter().any(|(_, other)| overlap(own, other)))
        };
        if let Some((first, _)) = all[..place].iter().find(|(_, other)| both(other)) {
            problems.add(
                Rule::WorkQueue,
                &asset.at,
                format!(
                    "wants messages that {} wants too, and each is for one consumer",
                    first.at
                ),
                "give them filters that do not overlap, or let clients share one consumer",
            );
        }
    }
}
