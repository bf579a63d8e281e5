//! What the server has.

use futures_util::{StreamExt, stream};
use serde::Deserialize;
use serde_json::Value;

use super::api::{Api, Failure};
use super::asset::Asset;
use super::tree::Tree;

/// A stream on the server.
#[derive(Debug, Clone, Deserialize)]
pub struct FoundStream {
    /// Its configuration.
    pub config: Tree,
    /// When it was made: another stream of the same name has another moment.
    pub created: String,
    /// What it holds.
    pub state: State,
    /// The server's clock, since 2.10.
    #[serde(default)]
    pub ts: Option<String>,
}

/// What a stream holds.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct State {
    /// How many messages.
    pub messages: u64,
    /// How many bytes.
    pub bytes: u64,
    /// Sequence of the first.
    pub first_seq: u64,
    /// Time of the first.
    pub first_ts: String,
    /// Sequence of the last.
    pub last_seq: u64,
    /// Time of the last.
    pub last_ts: String,
    /// How many between were deleted.
    #[serde(default)]
    pub num_deleted: u64,
    /// How many consumers the stream has.
    pub consumer_count: u64,
}

/// A consumer on the server.
#[derive(Debug, Clone, Deserialize)]
pub struct FoundConsumer {
    /// Its configuration.
    pub config: Tree,
    /// When it was made.
    pub created: String,
    /// How many messages it has not delivered yet.
    #[serde(default)]
    pub num_pending: u64,
    /// How many it has delivered and that were not acknowledged.
    #[serde(default)]
    pub num_ack_pending: u64,
}

/// Looks for a stream.
///
/// # Errors
/// The server's refusal, or silence: then nobody knows whether it is there.
pub async fn stream(api: &Api, name: &str) -> Result<Option<FoundStream>, Failure> {
    api.find_as(&format!("STREAM.INFO.{name}"), &Value::Null)
        .await
}

/// Looks for a consumer.
///
/// # Errors
/// As [`stream`].
pub async fn consumer(api: &Api, of: &str, name: &str) -> Result<Option<FoundConsumer>, Failure> {
    api.find_as(&format!("CONSUMER.INFO.{of}.{name}"), &Value::Null)
        .await
}

/// What the server has and nobody declared: of these streams, and of the consumers of declared ones.
///
/// # Errors
/// As [`Api::ask`].
pub async fn undeclared(
    api: &Api,
    streams: Vec<String>,
    declared: impl Fn(&Asset) -> bool,
    more_consumers: Vec<String>,
    at_once: usize,
) -> Result<Vec<Asset>, Failure> {
    let mut found: Vec<Asset> = streams
        .iter()
        .filter(|name| !declared(&Asset::Stream((*name).clone())))
        .map(|name| Asset::of_stream(name))
        .filter(|asset| !declared(asset))
        .collect();
    let lists = stream::iter(more_consumers).map(async |of| {
        let names = api
            .names(&format!("CONSUMER.NAMES.{of}"), "consumers")
            .await?;
        let consumers = names.into_iter().map(|name| Asset::Consumer {
            stream: of.clone(),
            name,
        });
        Ok::<Vec<Asset>, Failure>(consumers.collect())
    });
    let lists: Vec<_> = lists.buffered(at_once.max(1)).collect().await;
    for list in lists {
        found.extend(list?.into_iter().filter(|asset| !declared(asset)));
    }
    found.sort();
    Ok(found)
}
