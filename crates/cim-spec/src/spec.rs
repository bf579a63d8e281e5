//! What Nix writes for one nats-server: the same tree as the options, exact and without secrets.
//!
//! No field has a default and none may be absent: defaults stand in the options. A field that
//! is missing or unknown here is a bug in the modules, never the operator's mistake.

mod asset;
mod callout;
mod fleet;
mod flow;
mod health;
mod instance;
mod lifetimes;
mod operator;
mod sharing;

use serde::{Deserialize, Deserializer};

pub use asset::{
    Assets, Consumer, HubAssets, KeyValue, ObjectStore, SharedStreams, Source, Stream,
};
pub use callout::AuthCallout;
pub use fleet::{
    Account, AccountJetstream, Fleet, Hub, HubLeafnodes, Leaf, LeafNode, Node, Permissions, Remote,
    Responses, Rules, User,
};
#[cfg(feature = "schema")]
pub(crate) use flow::FullFlow;
pub use flow::{Durable, Flow};
pub use health::{CountLevels, HealthOptions, PercentLevels, TimeLevels};
pub use instance::{
    BackupOptions, ClusterOptions, EncryptionOptions, GatewayOptions, HubInstance,
    JetstreamOptions, LameDuckOptions, LeafInstance, LeafListenerOptions, LimitOptions,
    LinkOptions, ListenerOptions, LoggingOptions, RemoteOptions, ServerOptions, Tls,
};
pub use lifetimes::Lifetimes;
pub use operator::{Operator, Resolver};
pub use sharing::{Destination, Export, Exported, Import, Latency, Mappings};

/// The spec of one instance: the slice of the fleet that it sees, and its own options.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Spec {
    /// `services.cim.hub` of one host.
    Hub(Box<HubSpec>),
    /// `services.cim.leaves.<name>` of one host.
    Leaf(Box<LeafSpec>),
}

impl Spec {
    /// The instance's name: a node of a hub, or a leaf.
    pub fn name(&self) -> &str {
        match self {
            Spec::Hub(spec) => &spec.node,
            Spec::Leaf(spec) => &spec.name,
        }
    }

    /// The server's name: the instance's, or that of a leaf's node.
    pub fn server_name(&self) -> &str {
        match self {
            Spec::Hub(spec) => &spec.node,
            Spec::Leaf(spec) => spec.leaf.node.as_deref().unwrap_or(&spec.name),
        }
    }
}

/// One hub server. It sees its own hub, all accounts, and the leaves that dial its hub.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HubSpec {
    /// `services.cim.hub.node`: which node of which hub this is.
    pub node: String,
    /// Version of the nats-server package that the unit runs.
    pub nats_server_version: String,
    /// The fleet, cut down to what this hub sees; `hubs` has at most one entry.
    pub fleet: Fleet,
    /// The options under `services.cim.hub`.
    pub hub: HubInstance,
}

/// One leaf. It sees itself and its hubs, so that no other leaf's change reaches it.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LeafSpec {
    /// `<name>` in `services.cim.leaves.<name>`.
    pub name: String,
    /// Version of the nats-server package that the unit runs.
    pub nats_server_version: String,
    /// The fleet, cut down to what this leaf sees.
    pub fleet: LeafView,
    /// The options under `services.cim.leaves.<name>`.
    pub leaf: LeafInstance,
}

impl LeafSpec {
    /// Which node of its leaf this is; `None`: the leaf is one server, or has no such node.
    pub fn own_node(&self) -> Option<&LeafNode> {
        let leaf = self.fleet.leaf.as_ref()?;
        leaf.nodes.get(self.leaf.node.as_ref()?)
    }
}

/// What a leaf sees of its fleet.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LeafView {
    /// The hubs that its remotes name, as far as they exist.
    pub hubs: std::collections::BTreeMap<String, Hub>,
    /// Whether its hubs are in operator mode.
    pub operator: bool,
    /// Those of the accounts it names that exist.
    pub accounts: Vec<String>,
    /// Its own entry in the fleet; `null` where the fleet has no such leaf.
    #[serde(deserialize_with = "nullable")]
    pub leaf: Option<Leaf>,
}

/// Lets `null` be written but not left out: serde takes a missing `Option` for `None` otherwise.
pub(crate) fn nullable<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer)
}
