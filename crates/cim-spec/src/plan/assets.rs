//! What the accounts of a server hold in JetStream, and the rules that it keeps: what nats-server would refuse when it is
//! made, and what it would take and not do as meant.

mod account;
mod consumer;
mod copies;
mod delivery;
mod read;
mod store;
mod stream;
mod subjects;

use std::collections::BTreeMap;

pub(crate) use account::{name, of_account, own_subjects};
pub use copies::Far;
pub(crate) use copies::Others;

use super::{Account, Jetstream};
use crate::asset::{self, Retention};
use crate::duration::Duration;
use crate::field::Fields;
use crate::path::OptionPath;
use crate::problem::{Problems, Rule};
use crate::spec;
use crate::version::Version;

/// What one account of a server holds.
#[derive(Debug, Clone)]
pub struct AccountAssets {
    /// The account.
    pub account: String,
    /// Streams with their consumers, then buckets, then object stores, each by name.
    pub assets: Vec<Asset>,
}

/// One stream, consumer, bucket or object store.
#[derive(Debug, Clone)]
pub struct Asset {
    /// The option that declares it.
    pub at: OptionPath,
    /// Its configuration as upstream's tools read it.
    pub made: Made,
    /// Consent to one change that costs messages; `None`: there is none.
    pub consent: Option<String>,
    /// Streams that it copies: the mirror, or each source.
    pub copies: Vec<Copied>,
    /// Leaves or hubs that may copy it over a leaf link.
    pub crosses: Vec<String>,
    /// How long the link may be cut over which it is read or filled, and the bytes of each second meanwhile; `None`:
    /// not said.
    pub partition: (Option<Duration>, Option<u64>),
    /// Whether it is made for a durable flow, whose option `at` is then.
    pub is_of_flow: bool,
    written: Fields,
}

/// What an asset is.
#[derive(Debug, Clone)]
pub enum Made {
    /// A stream.
    Stream(asset::Stream),
    /// A consumer of the stream that is named first.
    Consumer(String, asset::Consumer),
    /// A key-value bucket.
    KeyValue(asset::KeyValue),
    /// An object store.
    ObjectStore(asset::ObjectStore),
}

/// A stream that another one copies.
#[derive(Debug, Clone)]
pub struct Copied {
    /// The option that says so.
    pub at: OptionPath,
    /// The stream's name on its server.
    pub stream: String,
    /// Where it is; `None`: in the same account of the same server, or nowhere that is known.
    pub far: Option<Far>,
    here: bool,
    written: Fields,
}

/// The server that assets are made on.
pub(crate) struct Server<'a> {
    /// Where its accounts are declared.
    pub at: OptionPath,
    /// Its version.
    pub version: Version,
    /// Its store; `None`: none.
    pub jetstream: Option<&'a Jetstream>,
    /// How many servers it and its cluster are.
    pub servers: usize,
    /// The cluster's name; `None`: it is on its own.
    pub cluster: Option<&'a str>,
    /// Its accounts.
    pub accounts: &'a [Account],
    /// What it knows of others.
    pub others: copies::Others<'a>,
}

/// Plans what the accounts of a server hold.
pub(super) fn plan(
    declared: &BTreeMap<String, spec::Assets>,
    server: &Server<'_>,
    problems: &mut Problems,
) -> Vec<AccountAssets> {
    let mut planned = Vec::new();
    for (name, assets) in declared {
        let at = server.at.join(name);
        if name.contains('/') || matches!(name.as_str(), "." | "..") {
            problems.add(
                Rule::AssetName,
                &at,
                format!(
                    "{name:?} cannot be the name of a folder, which what it holds is written to"
                ),
                "give the account another name, for example \"CIM\"",
            );
        }
        let mut assets = of_account(assets, name, &at, &server.others, problems);
        for asset in &mut assets {
            if asset.stream().is_some() {
                asset.crosses = server.others.may_copy(name, &asset.stream_name());
            }
        }
        let found = server.accounts.iter().find(|account| account.name == *name);
        let usable = server.jetstream.is_some() && found.is_some_and(|a| a.jetstream.is_some());
        if !usable {
            let flows = assets.iter().all(|asset| asset.is_of_flow);
            let flow = assets.first().filter(|_| flows);
            problems.add(
                Rule::NeedsJetstream,
                flow.map_or(&at, |flow| &flow.at),
                match flow {
                    Some(_) => format!("has streams in account {name:?}, which may not use JetStream on this server"),
                    None => "holds streams or buckets, but may not use JetStream on this server".to_owned(),
                },
                format!("set {at}.jetstream.enable = true and the server's jetstream.enable, or leave them out"),
            );
        }
        let all = AccountAssets {
            account: name.clone(),
            assets,
        };
        for asset in &all.assets {
            asset.known_to(server.version, problems);
            store::of_asset(asset, server, problems);
        }
        if let Some(account) = found {
            store::reserved(&all, account, &at, problems);
        }
        planned.push(all);
    }
    if let Some(jetstream) = server.jetstream {
        store::reserved_together(&planned, jetstream, server.servers, &server.at, problems);
    }
    planned
}

impl Asset {
    /// Its stream as the server takes it; `None`: it is a consumer.
    pub fn stream(&self) -> Option<asset::Stream> {
        match &self.made {
            Made::Stream(stream) => Some(stream.clone()),
            Made::KeyValue(bucket) => Some(bucket.stream()),
            Made::ObjectStore(store) => Some(store.stream()),
            Made::Consumer(..) => None,
        }
    }

    /// The name of its stream on the server.
    pub fn stream_name(&self) -> String {
        match &self.made {
            Made::Stream(stream) => stream.name.clone().unwrap_or_default(),
            Made::Consumer(stream, _) => stream.clone(),
            Made::KeyValue(bucket) => {
                format!("KV_{}", bucket.bucket.as_deref().unwrap_or_default())
            }
            Made::ObjectStore(store) => {
                format!("OBJ_{}", store.bucket.as_deref().unwrap_or_default())
            }
        }
    }

    /// Its name among the files that declare assets: `streams/EVENTS`.
    pub fn file(&self) -> String {
        let text = |name: &Option<String>| name.clone().unwrap_or_default();
        match &self.made {
            Made::Stream(stream) => format!("streams/{}", text(&stream.name)),
            Made::Consumer(stream, consumer) => {
                format!("consumers/{stream}/{}", text(&consumer.durable_name))
            }
            Made::KeyValue(bucket) => format!("kv/{}", text(&bucket.bucket)),
            Made::ObjectStore(store) => format!("object-stores/{}", text(&store.bucket)),
        }
    }

    /// Whether messages go once every consumer, or one, has acknowledged them.
    fn keeps_for_consumers(stream: &asset::Stream) -> bool {
        !matches!(stream.retention, None | Some(Retention::Limits))
    }

    /// An option's value as it was written.
    pub(crate) fn said(&self, option: &str) -> String {
        let value = self.written.get(option);
        value.map_or_else(|| "null".to_owned(), crate::settings::Value::shown)
    }

    fn wrong(&self, problems: &mut Problems, rule: Rule, option: &str, why: &str, help: &str) {
        let what = format!("{} {why}", self.said(option));
        problems.add(rule, &self.at.descend(option), what, help);
    }
}
