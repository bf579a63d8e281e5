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
        let pushed = [
            ("rateLimitBps", consumer.rate_limit_bps.is_some()),
            ("flowControl", on(consumer.flow_control)),
            ("idleHeartbeat", consumer.idle_heartbeat.is_some()),
            ("deliverGroup", consumer.deliver_group.is_some()),
        ];
        let why = "is for consumers that push, and deliverSubject is null";
        let help = "leave it out: clients that pull take what they can";
        none_of(&pushed, asset, why, help, problems);
        return;
    };
    let pulled = [
        ("maxWaiting", consumer.max_waiting.is_some()),
        ("maxBatch", consumer.max_batch.is_some()),
        ("maxExpires", consumer.max_expires.is_some()),
        ("maxBytes", consumer.max_bytes.is_some()),
        ("priorityGroups", consumer.priority_groups.is_some()),
    ];
    let why = "is for consumers that are pulled from, and deliverSubject is set";
    none_of(&pulled, asset, why, "leave one of them out", problems);
    if on(consumer.flow_control) && consumer.idle_heartbeat.is_none() {
        asset.wrong(
            problems,
            Rule::AssetFields,
            "flowControl",
            "needs idleHeartbeat",
            "set idleHeartbeat, for example \"5s\"",
        );
    }
    if consumer
        .idle_heartbeat
        .is_some_and(|beat| beat > 0 && beat < SHORTEST)
    {
        asset.wrong(
            problems,
            Rule::AssetLimit,
            "idleHeartbeat",
            "is too short: nats-server takes no heartbeat below 100 ms",
            "write at least \"100ms\"",
        );
    }
    if is_subject(subject).is_ok() {
        delivered_to(subject, asset, stream, problems); // otherwise its own rule has said so
    }
}

/// Refuses each of these options that is set.
fn none_of(
    options: &[(&str, bool)],
    asset: &Asset,
    why: &str,
    help: &str,
    problems: &mut Problems,
) {
    for (option, _) in options.iter().filter(|(_, set)| *set) {
        asset.wrong(problems, Rule::AssetFields, option, why, help);
    }
}

/// Where a consumer pushes to: one subject, and none that comes back to its stream.
fn delivered_to(subject: &str, asset: &Asset, stream: &Asset, problems: &mut Problems) {
    let stored = own_subjects(stream);
    let (why, help) = if has_wildcard(subject) {
        (
            "has a wildcard: messages go to one subject",
            "write it without `*` and `>`",
        )
    } else if stored.iter().any(|(_, own)| overlap(own, subject)) {
        (
            "is a subject that the stream stores: it would store what it delivers, for ever",
            "write a subject of its own",
        )
    } else {
        return;
    };
    asset.wrong(problems, Rule::AssetFields, "deliverSubject", why, help);
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
