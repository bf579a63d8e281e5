//! Streams as they are in a backup, in the order in which they are restored.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::Value;

use super::contents::Format;
use super::manifest::{Manifest, STREAM_FILES, STREAMS, Stream};
use super::problem::Problem;
use super::{order, stream};

/// A stream of a backup, read.
#[derive(Debug)]
pub struct Packed<'a> {
    /// Its name.
    pub name: &'a str,
    /// What the manifest says.
    pub stream: &'a Stream,
    /// The snapshot.
    pub data: PathBuf,
    /// Its configuration.
    pub config: Value,
    /// Its state.
    pub state: Value,
}

impl Packed<'_> {
    /// Whether a server of this version reads the snapshot.
    ///
    /// # Errors
    /// It is too old.
    pub fn understood(&self, version: &str) -> Result<(), String> {
        let mut numbers = version
            .split(['.', '-'])
            .map(|part| part.parse::<u64>().unwrap_or_default());
        let version_of = (
            numbers.next().unwrap_or_default(),
            numbers.next().unwrap_or_default(),
        );
        if self.stream.contents.format == Format::Archive && version_of < (2, 15) {
            return Err(format!(
                "nats-server {version} does not read snapshots of 2.15 or later: use such a server"
            ));
        }
        Ok(())
    }
}

/// Reads what the backup says of its streams: origins first, so that a copy finds them.
///
/// # Errors
/// A file that cannot be read.
pub fn packed<'a>(
    backup: &Path,
    manifest: &'a Manifest,
    chosen: &dyn Fn(&str) -> bool,
) -> Result<Vec<Packed<'a>>, Vec<Problem>> {
    let mut all = BTreeMap::new();
    for (name, stream) in manifest.streams.iter().filter(|(name, _)| chosen(name)) {
        let [description, data] =
            STREAM_FILES.map(|file| backup.join(STREAMS).join(name).join(file));
        let described = stream::read(&description)
            .with_context(|| format!("reading {}", description.display()));
        let (config, state) = described.map_err(|error| {
            let help = "take another backup; `cim-backup list` names them";
            vec![Problem::new(
                description.display().to_string(),
                format!("{error:#}"),
                help,
            )]
        })?;
        let one = Packed {
            name,
            stream,
            data,
            config,
            state,
        };
        all.insert(name.clone(), one);
    }
    let copies = all
        .iter()
        .map(|(name, one)| (name.clone(), order::origins(&one.config)));
    let order = order::copies_first(&copies.collect());
    Ok(order
        .iter()
        .rev()
        .filter_map(|name| all.remove(name))
        .collect())
}
