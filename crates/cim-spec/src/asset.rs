//! JetStream assets as files: the JSON that `nats stream add --config` reads, one file an asset.
//!
//! Field names, values and units are upstream's (durations in nanoseconds, sizes in bytes); a field
//! that is absent or `null` has the server's default. `assets/*.json` is the one table of what
//! exists, since when, what an operator calls it, and what a change of it means for what is stored;
//! types, their `FIELDS`, options and checks are made of it. It follows nats-server's `StreamConfig`
//! and `ConsumerConfig` and nats.go's `KeyValueConfig` and `ObjectStoreConfig`; a test holds it
//! against their fields in `asset/upstream.json`.

mod bucket;
mod choice;
mod field;
mod types;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use bucket::MAX_HISTORY;
pub use choice::{
    AckPolicy, Compression, DeliverPolicy, Discard, PersistMode, PriorityPolicy, ReplayPolicy,
    Retention, Storage,
};
pub use field::{Change, Field, Kind};
pub use types::{
    Consumer, ConsumerLimits, External, KeyValue, ObjectStore, Placement, Republish, Source,
    SourceConsumer, Stream, SubjectTransform,
};

/// A span of time in nanoseconds, as JetStream's API counts it.
pub type Nanoseconds = i64;

/// Name and value pairs; those that start with `_nats.` are the server's own.
pub type Labels = BTreeMap<String, String>;

/// The label on a stream or consumer that notes which consent to a loss was used last: an id is good once.
pub const CONSENT_LABEL: &str = "cim.consent";

/// `provision.json`: what stands beside the files of the assets. Assets are named by their file, without `.json`:
/// `streams/EVENTS`, `consumers/EVENTS/worker`, `kv/settings`, `object-stores/bundles`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Provision {
    /// The option that declares an asset; one that is not here is named by its file.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
    /// Consent to one lossy difference of an asset: the plan id that `cim-provision plan` prints for it.
    #[serde(default)]
    pub allow_data_loss: BTreeMap<String, String>,
    /// Leaves or hubs that may copy an asset over a leaf link; one that is not here crosses none.
    #[serde(default)]
    pub crosses: BTreeMap<String, Vec<String>>,
}
