//! Where assets live and what they reserve: servers of the cluster, the account's quota, the server's store.

use super::{AccountAssets, Asset, Made, Server};
use crate::asset::{Placement, Storage};
use crate::field::SettingValue;
use crate::path::OptionPath;
use crate::plan::{Account, Jetstream};
use crate::problem::{Problems, Rule};

/// Checks where one asset lives, and the versions of what it copies by.
pub(super) fn of_asset(asset: &Asset, server: &Server<'_>, problems: &mut Problems) {
    for copied in &asset.copies {
        let settings = copied.fields().plan(
            crate::field::Block::Source,
            &copied.at,
            &mut Problems::new(),
        );
        for setting in settings {
            setting.known_to(server.version, problems);
        }
    }
    let Some(stream) = asset.stream() else {
        return;
    };
    if let Some(replicas) = stream.num_replicas.filter(|number| *number > 1) {
        if !matches!(replicas, 3 | 5) {
            let why = "survives no more failures than one less";
            asset.wrong(
                problems,
                Rule::Replicas,
                "numReplicas",
                why,
                "write 1, 3 or 5",
            );
        } else if usize::try_from(replicas).is_ok_and(|replicas| replicas > server.servers) {
            let why = match server.servers {
                1 => "is more than the one server there is".to_owned(),
                servers => format!("is more than the {servers} servers there are"),
            };
            asset.wrong(
                problems,
                Rule::Replicas,
                "numReplicas",
                &why,
                "write less, or give the hub or leaf more nodes",
            );
        }
    }
    if let Some(placement) = &stream.placement {
        placed(asset, placement, server, problems);
    }
}

fn placed(asset: &Asset, placement: &Placement, server: &Server<'_>, problems: &mut Problems) {
    let Some(cluster) = server.cluster else {
        problems.add(
            Rule::Placement,
            &asset.at.join("placement"),
            "is set, but the server is on its own: there is nowhere to choose from",
            "leave it out",
        );
        return;
    };
    if placement
        .cluster
        .as_deref()
        .is_some_and(|name| name != cluster)
    {
        let why = format!("is not {cluster:?}, the cluster that makes it");
        asset.wrong(
            problems,
            Rule::Placement,
            "placement.cluster",
            &why,
            "leave it out",
        );
    }
}

/// Bytes that an asset reserves: of disk, or of memory.
fn reserves(asset: &Asset) -> Option<(bool, u64)> {
    let stream = asset.stream()?;
    let bytes = stream
        .max_bytes
        .and_then(|bytes| u64::try_from(bytes).ok())?;
    Some((stream.storage == Some(Storage::Memory), bytes))
}

/// To nats-server each copy counts.
fn sum(assets: &[Asset], memory: bool) -> u64 {
    let reserved = assets.iter().filter_map(|asset| {
        let (kind, bytes) = reserves(asset)?;
        let copies = asset.stream()?.num_replicas.unwrap_or(1);
        let copies = u64::try_from(copies).unwrap_or(1).max(1);
        (kind == memory).then_some(bytes.saturating_mul(copies))
    });
    reserved.fold(0, u64::saturating_add)
}

/// What one account's assets reserve fits its quota, and what that asks of each.
pub(super) fn reserved(
    all: &AccountAssets,
    account: &Account,
    at: &OptionPath,
    problems: &mut Problems,
) {
    let quota = account.jetstream.unwrap_or_default();
    for (memory, most, option) in [
        (false, quota.max_file, "jetstream.maxFile"),
        (true, quota.max_memory, "jetstream.maxMemory"),
    ] {
        let sum = sum(&all.assets, memory);
        if let Some(most) = most.filter(|most| sum > *most) {
            problems.add(
                Rule::Reservation,
                &at.descend(option),
                format!("{most} bytes are less than the {sum} that maxBytes of the account's streams and buckets reserve, each copy of them"),
                "give the account more, or its streams less",
            );
        }
    }
    let streams: Vec<&Asset> = all
        .assets
        .iter()
        .filter(|asset| !matches!(asset.made, Made::Consumer(..)))
        .collect();
    sizes(&streams, account, problems);
    if let Some(most) = number(account, "jetstream.maxStreams")
        && usize::try_from(most).is_ok_and(|most| most < streams.len())
    {
        problems.add(
            Rule::Reservation,
            &at.descend("jetstream.maxStreams"),
            format!(
                "{most} is less than the {} streams and buckets that are declared",
                streams.len()
            ),
            "write more, or leave it out",
        );
    }
}

/// Each has a size where its account asks for one, and none above the account's limit of one stream.
fn sizes(streams: &[&Asset], account: &Account, problems: &mut Problems) {
    if set(account, "jetstream.maxBytesRequired") == Some(&SettingValue::Bool(true)) {
        for asset in streams.iter().filter(|asset| reserves(asset).is_none()) {
            problems.add(
                Rule::Reservation,
                &asset.at.join("maxBytes"),
                "is not set, but the account's jetstream.maxBytesRequired asks for it",
                "write a size, for example \"1GiB\"",
            );
        }
    }
    for (memory, option) in [
        (false, "jetstream.diskMaxStreamBytes"),
        (true, "jetstream.memMaxStreamBytes"),
    ] {
        let most = number(account, option).and_then(|most| u64::try_from(most).ok());
        for asset in streams {
            let over = reserves(asset)
                .zip(most)
                .is_some_and(|((kind, bytes), most)| kind == memory && bytes > most);
            if over {
                let why = format!("is more than the account's {option}");
                let help = "write less, or raise the account's limit";
                asset.wrong(problems, Rule::Reservation, "maxBytes", &why, help);
            }
        }
    }
}

/// What an account says of a field that passes straight through.
fn set<'a>(account: &'a Account, option: &str) -> Option<&'a SettingValue> {
    let mut fields = account.fields.iter();
    let found = fields.find(|setting| setting.field.option == option);
    found.map(|setting| &setting.value)
}

fn number(account: &Account, option: &str) -> Option<i64> {
    match set(account, option) {
        Some(SettingValue::Int(number)) => Some(*number),
        _ => None,
    }
}

/// What all accounts reserve fits the stores of all servers.
pub(super) fn reserved_together(
    accounts: &[AccountAssets],
    server: &Jetstream,
    servers: usize,
    at: &OptionPath,
    problems: &mut Problems,
) {
    for (memory, most, option) in [
        (false, server.max_file_store, "maxFileStore"),
        (true, server.max_memory_store, "maxMemoryStore"),
    ] {
        let sum = accounts
            .iter()
            .map(|all| sum(&all.assets, memory))
            .fold(0, u64::saturating_add);
        let servers = u64::try_from(servers).unwrap_or(1);
        if sum > most.saturating_mul(servers) {
            let whose = match servers {
                1 => String::new(),
                servers => format!(" of {servers} servers"),
            };
            problems.add(
                Rule::Reservation,
                at,
                format!("maxBytes of all streams and buckets together is {sum} bytes, more than jetstream.{option}{whose}, {most}"),
                format!("give streams less, or the server more {option}"),
            );
        }
    }
}
