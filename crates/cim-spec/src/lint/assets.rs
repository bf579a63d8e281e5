//! Lints of what an account holds: streams that lose what nobody expects them to lose, or store what they should not.

use super::{Lints, id};
use crate::asset::{Discard, Retention, Storage, Stream};
use crate::path::OptionPath;
use crate::plan::{Account, Asset, Import, Jetstream, Made, Plan, Shared, Sync, assets};
use crate::spec::Flow;
use crate::subject::{check as is_subject, overlap};

/// Tokens by which people call what is answered.
const REQUESTS: [&str; 12] = [
    "cmd", "cmds", "command", "commands", "query", "queries", "req", "request", "requests", "rpc",
    "service", "services",
];

/// What is known of an account beside what it holds.
struct Around<'a> {
    /// Subjects that are answered in the account, or asked for.
    services: Vec<&'a str>,
    /// Subjects that come from other accounts of the server, by their names here.
    imported: Vec<String>,
    /// Subjects that somebody may publish; `None`: nobody can tell.
    published: Option<Vec<String>>,
}

/// The lints of what the accounts of a server hold.
pub fn of_plan(plan: &Plan, lints: &mut Lints<'_>) {
    let always = |jetstream: &Jetstream| jetstream.sync_interval == Sync::Always;
    let unwritten = plan.cluster.is_some() && !plan.jetstream.as_ref().is_some_and(always);
    for held in &plan.assets {
        if let Some(account) = plan.accounts.iter().find(|a| a.name == held.account) {
            check(&held.assets, &around(plan, account), lints);
        }
        if unwritten {
            single(&held.assets, lints);
        }
    }
}

fn around<'a>(plan: &'a Plan, account: &'a Account) -> Around<'a> {
    let exports = account.exports.iter();
    let exports = exports.filter(|export| export.shared == Shared::Service);
    let imports = account.imports.iter();
    let imports = imports.filter(|import| import.shared == Shared::Service);
    let services = exports.map(|export| export.subject.as_str());
    let services = services.chain(imports.map(|import| import.from.subject.as_str()));
    Around {
        services: services.collect(),
        imported: account
            .imports
            .iter()
            .filter(|import| import.shared == Shared::Stream)
            .map(Import::arrives_as)
            .collect(),
        published: published(plan, account),
    }
}

/// What users, leaves, hubs and other accounts may publish in an account.
fn published(plan: &Plan, account: &Account) -> Option<Vec<String>> {
    let elsewhere = plan.operator.is_some() || plan.callout.is_some();
    if elsewhere || !account.mappings.is_empty() {
        return None;
    }
    let everything = || vec![">".to_owned()];
    let users = account.principals.iter().flat_map(|user| {
        let own = user
            .permissions
            .as_ref()
            .or(account.default_permissions.as_ref());
        own.map_or_else(everything, |own| own.publish.allow.clone())
    });
    let imports = account.imports.iter().flat_map(|import| {
        match import.prefix.is_some() || import.to.is_some() {
            true => everything(),
            false => vec![import.from.subject.clone()],
        }
    });
    let link = plan.link.as_ref();
    let bound = link.filter(|link| {
        link.remotes
            .iter()
            .any(|remote| remote.account == account.name)
    });
    let flows = bound
        .into_iter()
        .flat_map(|link| &link.imports)
        .filter(|flow| flow.is_core())
        .map(Flow::arrives_as);
    Some(users.chain(imports).chain(flows).collect())
}

/// The lints of an account's assets.
fn check(held: &[Asset], around: &Around<'_>, lints: &mut Lints<'_>) {
    for asset in held {
        let Made::Stream(stream) = &asset.made else {
            continue;
        };
        requests(asset, stream, around, lints);
        imported(asset, stream, around, lints);
        unheard(asset, stream, around, lints);
        interest(asset, stream, held, lints);
        partition(asset, stream, lints);
        collects(asset, stream, lints);
    }
}

/// A stream answers whoever publishes; who asks takes that for the answer.
fn requests(asset: &Asset, stream: &Stream, around: &Around<'_>, lints: &mut Lints<'_>) {
    if stream.no_ack == Some(true) {
        return;
    }
    for (at, subject) in assets::own_subjects(asset) {
        // A durable flow is meant to be stored, whatever it is called.
        let mut tokens = subject.split('.').filter(|_| !asset.is_of_flow);
        let named = tokens.find(|token| REQUESTS.contains(token));
        let service = around.services.iter().find(|service| {
            is_subject(service).is_ok()
                && is_subject(&subject).is_ok()
                && overlap(service, &subject)
        });
        let what = match (service, named) {
            (Some(service), _) => format!("{subject:?} stores requests of the service {service:?}"),
            (None, Some(token)) => {
                format!("{subject:?} has {token:?} in it, and so seems to store requests")
            }
            (None, None) => continue,
        };
        lints.add(
            id::REQUESTS_STORED,
            &by_subject(&at, asset, &subject),
            format!("{what}: the stream's acknowledgement reaches who asks before the answer does"),
            "store events only, or set noAck = true where the stream is a record",
        );
    }
}

/// Streams between accounts carry messages one way, and no acknowledgement back.
fn imported(asset: &Asset, stream: &Stream, around: &Around<'_>, lints: &mut Lints<'_>) {
    if stream.no_ack == Some(true) {
        return;
    }
    for (at, subject) in assets::own_subjects(asset) {
        let comes = |import: &&String| {
            is_subject(import).is_ok() && is_subject(&subject).is_ok() && overlap(import, &subject)
        };
        if let Some(import) = around.imported.iter().find(comes) {
            lints.add(
                id::UNACKNOWLEDGED,
                &by_subject(&at, asset, &subject),
                format!("{subject:?} stores {import:?}, which another account publishes: no acknowledgement reaches its users"),
                "keep the stream in the account that publishes, or set noAck = true",
            );
        }
    }
}

/// A place in a list moves; the subject does not.
fn by_subject(at: &OptionPath, asset: &Asset, subject: &str) -> OptionPath {
    match at == &asset.at {
        true => at.clone(),
        false => asset.at.join("subjects").join(subject),
    }
}

fn unheard(asset: &Asset, stream: &Stream, around: &Around<'_>, lints: &mut Lints<'_>) {
    let Some(published) = &around.published else {
        return;
    };
    if stream.subject_transform.is_some() {
        return;
    }
    for (at, subject) in assets::own_subjects(asset) {
        let may = |published: &String| {
            is_subject(published).is_ok()
                && is_subject(&subject).is_ok()
                && overlap(published, &subject)
        };
        if !published.iter().any(may) {
            lints.add(
                id::NOBODY_PUBLISHES,
                &by_subject(&at, asset, &subject),
                format!("{subject:?} is nothing that a user, leaf or import of the account may publish: it stays empty"),
                "let somebody publish it, or leave it out",
            );
        }
    }
}

fn interest(asset: &Asset, stream: &Stream, held: &[Asset], lints: &mut Lints<'_>) {
    let name = asset.stream_name();
    let consumed = held
        .iter()
        .any(|other| matches!(&other.made, Made::Consumer(stream, _) if *stream == name));
    if stream.retention == Some(Retention::Interest) && !consumed {
        lints.add(
            id::INTEREST_WITHOUT_CONSUMERS,
            &asset.at.join("retention"),
            "\"interest\" on a stream without a declared consumer: what comes in while there is none goes at once",
            "declare its consumers, or keep messages by limits with maxAge",
        );
    }
}

/// What comes in while the link is cut fits, and nothing goes before it crossed.
fn partition(asset: &Asset, stream: &Stream, lints: &mut Lints<'_>) {
    let (Some(partition), rate) = asset.partition else {
        return;
    };
    let millis = |nanos: i64| u64::try_from(nanos).unwrap_or_default() / 1_000_000;
    if let Some(age) = stream.max_age.map(millis)
        && age < partition.as_millis()
    {
        lints.add(
            id::OFFLINE_WINDOW,
            &asset.at.join("maxAge"),
            format!(
                "{} s are shorter than longestPartition, {} s: messages go before the link is back",
                age / 1000,
                partition.as_millis() / 1000
            ),
            "write at least longestPartition, or leave it out",
        );
    }
    let needed = rate.map(|rate| u128::from(rate) * u128::from(partition.as_millis()) / 1000);
    if let (Some(bytes), Some(needed)) = (
        stream
            .max_bytes
            .and_then(|bytes| u128::try_from(bytes).ok()),
        needed,
    ) && bytes < needed
    {
        lints.add(
            id::OFFLINE_WINDOW,
            &asset.at.join("maxBytes"),
            format!(
                "{bytes} bytes hold less than the {needed} that rate and longestPartition make"
            ),
            format!("write at least \"{needed}\", or less for rate"),
        );
    }
    let bounded = stream.max_bytes.is_some()
        || stream.max_msgs.is_some()
        || stream.max_msgs_per_subject.is_some();
    if bounded && stream.discard != Some(Discard::New) {
        lints.add(
            id::DISCARD_OLD,
            &asset.at.join("discard"),
            "\"old\" drops the oldest messages when the stream is full, also those that did not cross yet",
            "write \"new\": then publishers are told",
        );
    }
}

/// Ids of messages are their publishers' own, so two origins may have the same; behind one source there may be several.
fn collects(asset: &Asset, stream: &Stream, lints: &mut Lints<'_>) {
    if stream.sources.is_some() && stream.duplicate_window.is_some() {
        lints.add(
            id::DUPLICATE_WINDOW,
            &asset.at.join("duplicateWindow"),
            format!(
                "{} on a stream with sources: of what two of them acknowledged under one Nats-Msg-Id within it, only the first is stored",
                asset.said("duplicateWindow")
            ),
            "leave it out, and publish what must not come twice to the sources, each of which has a window of its own",
        );
    }
}

/// A stream on one disk of a cluster that acknowledges before it is written.
fn single(held: &[Asset], lints: &mut Lints<'_>) {
    for asset in held {
        let Some(stream) = asset.stream() else {
            continue;
        };
        let one = stream.num_replicas.unwrap_or(1) <= 1 && stream.storage != Some(Storage::Memory);
        if one && stream.mirror.is_none() {
            lints.add(
                id::SINGLE_REPLICA,
                &asset.at.join("numReplicas"),
                "1 in a cluster whose syncInterval is not \"always\": a power cut of one server loses what it acknowledged",
                "write 3, or jetstream.syncInterval = \"always\"",
            );
        }
    }
}
