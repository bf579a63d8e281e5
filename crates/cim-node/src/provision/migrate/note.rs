//! What a migration writes down on the server, so that whoever runs next goes on where it stopped.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::provision::found::FoundStream;
use crate::provision::tree::Tree;

/// What the names of our interim streams and consumers begin with.
const PREFIX: &str = "cim-migrate-";

/// The label that holds the note; on a new stream, the id alone.
pub const LABEL: &str = "cim.migrate";

/// How many bytes a note may have: nats-server takes 128 KiB of labels on a stream.
pub const LONGEST: usize = 120 * 1024;

/// How a stream gets there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Way {
    /// Its messages are copied to the interim stream and back.
    Copy,
    /// It has none, or another stream has all of them.
    Refill,
}

/// The note on the interim stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// What was consented to.
    pub id: String,
    /// When the old stream was made: another one of that name is not it.
    pub created: String,
    /// Digest of what is declared: the migration ends there or nowhere.
    pub target: String,
    /// How.
    pub way: Way,
    /// The old stream's configuration.
    pub config: Tree,
    /// Its durable consumers and where they are.
    pub consumers: Vec<Kept>,
    /// From where on, and up to where, a copy took over that is known to hold messages under the same numbers, but not yet
    /// what they are. Absent: nothing took over, or by a run of before this field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<(u64, u64)>,
}

/// A consumer to make again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// Its name.
    pub name: String,
    /// Its configuration.
    pub config: Tree,
    /// The last sequence that it needs no more; 0: none.
    pub position: u64,
}

impl Note {
    /// The note of an interim stream; `None`: it has none.
    ///
    /// # Errors
    /// A note that nobody of ours wrote.
    pub fn of(interim: &FoundStream) -> Result<Option<Self>> {
        let Some(text) = label(&interim.config) else {
            return Ok(None);
        };
        let note = serde_json::from_str(text);
        note.map(Some)
            .context("reading the note of a migration in the labels of its interim stream")
    }

    /// Writes the note into a configuration.
    ///
    /// # Errors
    /// None that is known.
    pub fn written(&self, mut config: Tree) -> Result<Tree> {
        let text = serde_json::to_string(self)?;
        config.insert("metadata".to_owned(), json!({ LABEL: text }));
        Ok(config)
    }
}

/// What stands in our label.
pub fn label(config: &Tree) -> Option<&str> {
    config.get("metadata")?.get(LABEL)?.as_str()
}

/// The interim stream, or consumer, of one.
pub fn interim(name: &str) -> String {
    format!("{PREFIX}{name}")
}

/// The stream or consumer that shows, and is removed at once, whether the server takes what is declared. One that a
/// killed run left is removed by the next.
pub fn trial(name: &str) -> String {
    format!("cim-trial-{name}")
}

/// What an interim stream or consumer is the interim of.
pub fn of_interim(name: &str) -> Option<&str> {
    name.strip_prefix(PREFIX)
}

/// A subject that nobody publishes to: of the old stream, the interim one and the trial each another.
pub fn closed(stream: &str, which: &str) -> String {
    format!("cim-migrate.{which}.{stream}")
}

/// The digest of what is declared.
pub fn digest(value: &Value) -> String {
    let digest = Sha256::digest(value.to_string());
    digest
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
