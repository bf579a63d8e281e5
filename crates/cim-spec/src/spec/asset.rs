//! What accounts' JetStream holds: streams with their consumers, key-value buckets, object stores.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::nullable;
use crate::field::Fields;
use crate::path::OptionPath;

/// Assets of the hubs, by account; of a slice: those that one hub makes.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HubAssets {
    /// Names of all hubs of the fleet.
    pub hubs: Vec<String>,
    /// What accounts hold, where they hold something.
    pub accounts: BTreeMap<String, Assets>,
}

/// What one account holds.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Assets {
    /// Streams, by name.
    pub streams: BTreeMap<String, Stream>,
    /// Key-value buckets, by name.
    pub kv: BTreeMap<String, KeyValue>,
    /// Object stores, by name.
    pub object_stores: BTreeMap<String, ObjectStore>,
}

/// `streams.<name>`.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Stream {
    /// The hub that holds it; `null`: the fleet's only one, or it is a leaf's.
    #[serde(deserialize_with = "nullable")]
    pub hub: Option<String>,
    /// Consent to one change that costs messages: its plan id; `null`: none.
    #[serde(deserialize_with = "nullable")]
    pub allow_data_loss: Option<String>,
    /// How long the link may be cut over which it is read or filled; `null`: not said.
    #[serde(deserialize_with = "nullable")]
    pub longest_partition: Option<String>,
    /// Bytes that come in each second; `null`: not said.
    #[serde(deserialize_with = "nullable")]
    pub rate: Option<String>,
    /// The stream that this one copies; `null`: none.
    #[serde(deserialize_with = "nullable")]
    pub mirror: Option<Source>,
    /// Streams that this one collects.
    pub sources: Vec<Source>,
    /// Its durable consumers, by name.
    pub consumers: BTreeMap<String, Consumer>,
    /// Its fields, by their options.
    pub fields: Fields,
    /// Not in a spec: the durable flow that it is made for; `None`: it is declared.
    #[serde(skip)]
    pub flow: Option<OptionPath>,
}

/// `mirror` and `sources[]`.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Source {
    /// The stream or bucket.
    pub name: String,
    /// The leaf that has it; `null`: none.
    #[serde(deserialize_with = "nullable")]
    pub leaf: Option<String>,
    /// The hub that has it; `null`: this server, or the leaf.
    #[serde(deserialize_with = "nullable")]
    pub hub: Option<String>,
    /// Its fields, by their options.
    pub fields: Fields,
    /// Not in a spec: the durable flow that it is made for; `None`: it is declared.
    #[serde(skip)]
    pub flow: Option<OptionPath>,
}

/// `consumers.<name>` of a stream.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Consumer {
    /// Consent to one change that costs messages: its plan id; `null`: none.
    #[serde(deserialize_with = "nullable")]
    pub allow_data_loss: Option<String>,
    /// Its fields, by their options.
    pub fields: Fields,
}

/// `kv.<bucket>`.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyValue {
    /// The hub that holds it; `null`: the fleet's only one, or it is a leaf's.
    #[serde(deserialize_with = "nullable")]
    pub hub: Option<String>,
    /// Consent to one change that costs messages: its plan id; `null`: none.
    #[serde(deserialize_with = "nullable")]
    pub allow_data_loss: Option<String>,
    /// The bucket that this one copies; `null`: none.
    #[serde(deserialize_with = "nullable")]
    pub mirror: Option<Source>,
    /// Buckets that this one collects.
    pub sources: Vec<Source>,
    /// Its fields, by their options.
    pub fields: Fields,
}

/// `objectStores.<bucket>`.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ObjectStore {
    /// The hub that holds it; `null`: the fleet's only one, or it is a leaf's.
    #[serde(deserialize_with = "nullable")]
    pub hub: Option<String>,
    /// Consent to one change that costs messages: its plan id; `null`: none.
    #[serde(deserialize_with = "nullable")]
    pub allow_data_loss: Option<String>,
    /// Its fields, by their options.
    pub fields: Fields,
}

/// `services.cim.fleet.leaves.<name>.streams`: streams that may be copied over a leaf's links.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SharedStreams {
    /// Streams of the leaf that its hubs may copy.
    pub to_hub: Vec<String>,
    /// Streams of its hubs that the leaf may copy.
    pub to_leaf: Vec<String>,
}
