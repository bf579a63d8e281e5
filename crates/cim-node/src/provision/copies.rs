//! Streams that copy another one.

use anyhow::{Result, anyhow};
use futures_util::{StreamExt, stream};
use serde_json::Value;

use super::api::Api;
use super::found;
use super::tree::{Tree, text};

/// A stream that copies another one of the same JetStream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    /// Its name.
    pub stream: String,
    /// Whether it mirrors it; else it has it as a source.
    pub is_mirror: bool,
}

/// Streams of this JetStream that copy one.
///
/// # Errors
/// A server that does not answer.
pub async fn of(api: &Api, origin: &str, at_once: usize) -> Result<Vec<Copy>> {
    let names = api.names("STREAM.NAMES", "streams").await;
    let names = names.map_err(|failure| anyhow!("asking what the server has: {failure}"))?;
    let all = stream::iter(names).map(async |name| (found::stream(api, &name).await, name));
    let all: Vec<_> = all.buffered(at_once.max(1)).collect().await;
    let mut copies = Vec::new();
    for (found, stream) in all {
        let found = found.map_err(|failure| anyhow!("asking for {stream}: {failure}"))?;
        let Some(found) = found else {
            continue;
        };
        if origins(&found.config).iter().any(|of| of == origin) {
            let is_mirror = found.config.contains_key("mirror");
            copies.push(Copy { stream, is_mirror });
        }
    }
    Ok(copies)
}

/// Streams of this very JetStream that a stream copies.
pub fn origins(config: &Tree) -> Vec<String> {
    let sources = config.get("sources").and_then(Value::as_array);
    let all = config
        .get("mirror")
        .into_iter()
        .chain(sources.into_iter().flatten());
    all.filter_map(Value::as_object)
        .filter(|source| !source.contains_key("external"))
        .map(|source| text(source, "name").to_owned())
        .collect()
}
