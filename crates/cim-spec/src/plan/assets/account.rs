//! Everything that one account holds, and the rules among it.

use std::collections::BTreeMap;

use super::copies::{Declared, Others};
use super::{Asset, Made, consumer, read, stream, subjects};
use crate::asset::{Consumer, KeyValue, ObjectStore, Stream};
use crate::duration::Duration;
use crate::field::{Block, Fields};
use crate::path::OptionPath;
use crate::problem::{Problems, Rule, shown};
use crate::{size, spec};

/// Reads what an account holds and checks it by itself; `at` is the account's option.
pub(crate) fn of_account(
    declared: &spec::Assets,
    account: &str,
    at: &OptionPath,
    others: &Others<'_>,
    problems: &mut Problems,
) -> Vec<Asset> {
    let copies = Declared { account, others };
    let mut assets = Vec::new();
    for (name, stream) in &declared.streams {
        let at = match &stream.flow {
            Some(flow) => flow.clone(), // whose rules have looked at the name
            None => {
                let at = at.join("streams").join(name);
                self::name(name, false, &at, problems);
                at
            }
        };
        let asset = of_stream(name, stream, &copies, &at, problems);
        let mut consumers = consumers(name, stream, &at, problems);
        stream::check(&asset, problems);
        consumer::check(&consumers, &asset, problems);
        assets.push(asset);
        assets.append(&mut consumers);
    }
    for (name, bucket) in &declared.kv {
        let at = at.join("kv").join(name);
        self::name(name, true, &at, problems);
        let asset = of_bucket(name, bucket, &copies, &at, problems);
        stream::check(&asset, problems);
        assets.push(asset);
    }
    for (name, store) in &declared.object_stores {
        let at = at.join("objectStores").join(name);
        self::name(name, true, &at, problems);
        let mut made: ObjectStore = read::read(&store.fields, Block::ObjectStore, &at, problems);
        made.bucket = Some(name.clone());
        let consent = &store.allow_data_loss;
        let asset = asset(
            &at,
            Made::ObjectStore(made),
            consent,
            &store.fields,
            problems,
        );
        stream::check(&asset, problems);
        assets.push(asset);
    }
    subjects::apart(&assets, problems);
    copied_from_here(&assets, account, problems);
    assets
}

/// Refuses what nats-server or its clients would not take for a name.
pub(crate) fn name(name: &str, bucket: bool, at: &OptionPath, problems: &mut Problems) {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let bad =
        |c: char| c.is_whitespace() || c.is_control() || matches!(c, '.' | '*' | '>' | '/' | '\\');
    let wrong = name.is_empty()
        || name.len() > 255
        || match bucket {
            true => !name.chars().all(plain),
            false => name.contains(bad),
        };
    if wrong {
        let (what, help) = match bucket {
            true => (
                "a bucket",
                "write ASCII letters, digits, dashes and underscores, for example \"settings\"",
            ),
            false => (
                "a stream or consumer",
                "write up to 255 letters, digits, dashes and underscores, for example \"EVENTS\"",
            ),
        };
        let what = format!("{} cannot name {what}", shown(name));
        problems.add(Rule::AssetName, at, what, help);
    }
}

fn of_stream(
    name: &str,
    declared: &spec::Stream,
    copies: &Declared<'_>,
    at: &OptionPath,
    problems: &mut Problems,
) -> Asset {
    let mut made: Stream = read::read(&declared.fields, Block::Stream, at, problems);
    made.name = Some(name.to_owned());
    let copied = copies.read("", &declared.mirror, &declared.sources, at, problems);
    (made.mirror, made.sources) = (copied.mirror, copied.sources);
    let text = declared.longest_partition.as_deref();
    let partition_at = at.join("longestPartition");
    let partition = text.and_then(|text| {
        problems.parsed(Rule::Duration, &partition_at, text, Duration::parse(text))
    });
    let text = declared.rate.as_deref();
    let rate = text
        .and_then(|text| problems.parsed(Rule::Size, &at.join("rate"), text, size::parse(text)));
    if rate.is_some() && declared.longest_partition.is_none() {
        problems.add(
            Rule::AssetFields,
            &at.join("rate"),
            "is set, but nothing says for how long: longestPartition is null",
            "set longestPartition, for example \"7d\", or leave rate out",
        );
    }
    let consent = &declared.allow_data_loss;
    let mut asset = asset(at, Made::Stream(made), consent, &declared.fields, problems);
    asset.copies = copied.known;
    asset.partition = (partition, rate);
    asset.is_of_flow = declared.flow.is_some();
    asset
}

fn consumers(
    stream: &str,
    declared: &spec::Stream,
    at: &OptionPath,
    problems: &mut Problems,
) -> Vec<Asset> {
    let at = at.join("consumers");
    let consumers = declared.consumers.iter().map(|(name, consumer)| {
        let at = at.join(name);
        self::name(name, false, &at, problems);
        let mut made: Consumer = read::read(&consumer.fields, Block::Consumer, &at, problems);
        made.durable_name = Some(name.clone());
        let consent = &consumer.allow_data_loss;
        let made = Made::Consumer(stream.to_owned(), made);
        asset(&at, made, consent, &consumer.fields, problems)
    });
    consumers.collect()
}

fn of_bucket(
    name: &str,
    declared: &spec::KeyValue,
    copies: &Declared<'_>,
    at: &OptionPath,
    problems: &mut Problems,
) -> Asset {
    let mut made: KeyValue = read::read(&declared.fields, Block::KeyValue, at, problems);
    made.bucket = Some(name.to_owned());
    let copied = copies.read("KV_", &declared.mirror, &declared.sources, at, problems);
    (made.mirror, made.sources) = (copied.mirror, copied.sources);
    let consent = &declared.allow_data_loss;
    let mut asset = asset(
        at,
        Made::KeyValue(made),
        consent,
        &declared.fields,
        problems,
    );
    asset.copies = copied.known;
    asset
}

fn asset(
    at: &OptionPath,
    made: Made,
    consent: &Option<String>,
    fields: &Fields,
    problems: &mut Problems,
) -> Asset {
    if let Some(id) = consent
        && !is_plan_id(id)
    {
        problems.add(
            Rule::Consent,
            &at.join("allowDataLoss"),
            format!("{} is no plan id", shown(id)),
            "write what `cim-provision plan` prints for the change, for example \"9f86d081884c-5-20\", or null",
        );
    }
    Asset {
        at: at.clone(),
        made,
        consent: consent.clone(),
        copies: Vec::new(),
        crosses: Vec::new(),
        partition: (None, None),
        is_of_flow: false,
        written: fields.clone(),
    }
}

/// A digest, how many messages are at stake, and the stream's last sequence.
fn is_plan_id(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let number = |text: &str| text.parse::<u64>().is_ok();
    match parts[..] {
        [digest, stake, last] => {
            let hex = digest.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
            digest.len() == 12 && hex && number(stake) && number(last)
        }
        _ => false,
    }
}

/// What is copied within the account is there, and no stream is copied by itself.
fn copied_from_here(assets: &[Asset], account: &str, problems: &mut Problems) {
    let streams = assets
        .iter()
        .filter_map(|asset| Some((asset.stream_name(), asset.stream()?)));
    let streams: BTreeMap<String, Stream> = streams.collect();
    for asset in assets {
        let own = asset.stream_name();
        for copied in asset.copies.iter().filter(|copied| copied.here) {
            if copied.stream == own {
                problems.add(
                    Rule::CopyTarget,
                    &copied.at,
                    format!("{own:?} is this very stream"),
                    "name another one, or the leaf or hub that has it",
                );
            } else if !streams.contains_key(&copied.stream) {
                let there: Vec<&str> = streams.keys().map(String::as_str).collect();
                problems.add(
                    Rule::CopyTarget,
                    &copied.at,
                    format!(
                        "{:?} is not declared in account {account:?} of this server",
                        copied.stream
                    ),
                    format!(
                        "declare it, say which leaf or hub has it, or name one of {}",
                        there.join(", ")
                    ),
                );
            }
        }
    }
}

/// Subjects that a stream stores, with the option that says so; a stream without any has its own name.
pub(crate) fn own_subjects(asset: &Asset) -> Vec<(OptionPath, String)> {
    let Some(stream) = asset.stream() else {
        return Vec::new();
    };
    match (&asset.made, &stream.subjects) {
        (Made::Stream(_), Some(subjects)) if !asset.is_of_flow => {
            let at = asset.at.join("subjects");
            let own = subjects.iter().enumerate();
            own.map(|(index, subject)| (at.index(index), subject.clone()))
                .collect()
        }
        (Made::Stream(_), None) if stream.mirror.is_none() && stream.sources.is_none() => {
            vec![(asset.at.clone(), stream.name.unwrap_or_default())]
        }
        (_, Some(subjects)) => subjects
            .iter()
            .map(|s| (asset.at.clone(), s.clone()))
            .collect(),
        (_, None) => Vec::new(),
    }
}
