//! `services.cim.fleet`: everything that two ends must agree on.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{AuthCallout, Export, Flow, Import, Lifetimes, Mappings, Operator, nullable};
use crate::field::Fields;

/// `services.cim.fleet`, whole or a slice of it.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fleet {
    /// Name of the account that carries server events. NATS: `system_account`.
    pub system_account: String,
    /// Accounts of the hubs, by name.
    pub accounts: BTreeMap<String, Account>,
    /// Operator mode of the hubs; `null`: their accounts stand in nats.conf.
    #[serde(deserialize_with = "nullable")]
    pub operator: Option<Operator>,
    /// Who is asked about clients that no account of the hubs knows; `null`: nobody, they are refused.
    #[serde(deserialize_with = "nullable")]
    pub auth_callout: Option<AuthCallout>,
    /// Hubs, by cluster name.
    pub hubs: BTreeMap<String, Hub>,
    /// Leaves, by server name.
    pub leaves: BTreeMap<String, Leaf>,
    /// Of a slice: nodes of the other hubs that have a gateway, by hub. Empty in the whole.
    pub gateways: BTreeMap<String, BTreeMap<String, Node>>,
    /// How long what the desk issues holds; `null` in a slice: no server reads it, and none restarts for it.
    #[serde(deserialize_with = "nullable")]
    pub lifetimes: Option<Lifetimes>,
    /// What ends within this counts as ending; `null` in a slice.
    #[serde(deserialize_with = "nullable")]
    pub expiry_horizon: Option<String>,
    /// Warnings that the operator keeps, each with a reason.
    pub acknowledged: BTreeMap<String, String>,
}

/// `accounts.<name>`: a subject space of its own. NATS: `accounts`.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Account {
    /// Who may log in, by name.
    pub users: BTreeMap<String, User>,
    /// Its JWT, which is public; `null`: none, it is not one of an operator's.
    #[serde(deserialize_with = "nullable")]
    pub jwt: Option<String>,
    /// What the account may store.
    pub jetstream: AccountJetstream,
    /// What other accounts may have of this one's subjects.
    pub exports: Vec<Export>,
    /// What this account has of others' subjects.
    pub imports: Vec<Import>,
    /// Where messages go instead of the subject they are published to.
    pub mappings: Mappings,
    /// What users may do who have no permissions of their own; `null`: everything.
    #[serde(deserialize_with = "nullable")]
    pub default_permissions: Option<Permissions>,
    /// Fields of nats.conf that pass straight through, by their options.
    pub fields: Fields,
}

/// `accounts.<name>.jetstream`. NATS: `accounts.*.jetstream`.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccountJetstream {
    /// Whether the account may use JetStream where the server has it.
    pub enable: bool,
    /// Bytes of memory reserved for it; `null`: no limit of its own.
    #[serde(deserialize_with = "nullable")]
    pub max_memory: Option<String>,
    /// Bytes of disk reserved for it; `null`: no limit of its own.
    #[serde(deserialize_with = "nullable")]
    pub max_file: Option<String>,
}

/// `accounts.<name>.users.<name>`: a principal, known by exactly one of its proofs.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct User {
    /// Public nkey (`U…`); `null`: not known by an nkey.
    #[serde(deserialize_with = "nullable")]
    pub nkey: Option<String>,
    /// bcrypt hash of a password; `null`: not known by a password.
    #[serde(deserialize_with = "nullable")]
    pub password_hash: Option<String>,
    /// Name in its certificate; `null`: not known by its certificate.
    #[serde(deserialize_with = "nullable")]
    pub certificate: Option<String>,
    /// What the user may publish and subscribe to; `null`: the account's default.
    #[serde(deserialize_with = "nullable")]
    pub permissions: Option<Permissions>,
    /// Fields of nats.conf that pass straight through, by their options.
    pub fields: Fields,
}

/// `permissions`: <https://docs.nats.io/running-a-nats-service/configuration/securing_nats/authorization>.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Permissions {
    /// Subjects it may publish to.
    pub publish: Rules,
    /// Subjects it may subscribe to.
    pub subscribe: Rules,
    /// Answers to the requests it receives, wherever the reply goes; `null`: none beyond `publish`.
    #[serde(deserialize_with = "nullable")]
    pub allow_responses: Option<Responses>,
}

/// `permissions.allowResponses`. NATS: `allow_responses`.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Responses {
    /// Answers to one request.
    pub max: u32,
    /// How long after it.
    pub expires: String,
}

/// An allow list and the exceptions from it. An empty allow list allows nothing.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rules {
    /// Subjects allowed.
    pub allow: Vec<String>,
    /// Subjects refused although `allow` covers them.
    pub deny: Vec<String>,
}

/// `hubs.<name>`: one server or a cluster; the name is the cluster's.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Hub {
    /// JetStream domain of the hub. NATS: `jetstream.domain`.
    pub domain: String,
    /// Its servers, by server name.
    pub nodes: BTreeMap<String, Node>,
    /// What both ends of a leaf link agree on.
    pub leafnodes: HubLeafnodes,
}

/// `hubs.<name>.nodes.<name>`: one server, at the address where others reach it.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Node {
    /// Host name or IP address.
    pub address: String,
    /// Port for clients.
    pub port: u16,
    /// Port for leaf nodes.
    pub leafnodes_port: u16,
    /// Port for routes of the cluster.
    pub cluster_port: u16,
    /// Port for WebSocket; `null`: none.
    #[serde(deserialize_with = "nullable")]
    pub websocket_port: Option<u16>,
    /// Port for other hubs; `null`: none.
    #[serde(deserialize_with = "nullable")]
    pub gateway_port: Option<u16>,
}

/// `hubs.<name>.leafnodes`.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HubLeafnodes {
    /// The link has no TLS: whoever is on the path reads and changes messages.
    pub plaintext: bool,
    /// Leaves must present a certificate. NATS: `leafnodes.tls.verify`.
    pub verify: bool,
    /// Leaves are known by their certificate. NATS: `leafnodes.tls.verify_and_map`.
    pub verify_and_map: bool,
    /// Leaves never learn of each other's interest; `null`: where no flow goes from leaf to leaf.
    #[serde(deserialize_with = "nullable")]
    pub isolate_interest: Option<bool>,
}

/// `leaves.<name>`: a leaf as its hubs see it; the name is its server name.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Leaf {
    /// Account of the hub that its link is bound to.
    pub account: String,
    /// Account of the leaf that its link is bound to. NATS: `remotes[].account`.
    pub local_account: String,
    /// JetStream domain of the leaf.
    pub domain: String,
    /// Its servers by name, where it is a cluster; empty: one, of the leaf's name.
    pub nodes: BTreeMap<String, LeafNode>,
    /// Public nkey by which the hub knows it; `null`: not by nkey.
    #[serde(deserialize_with = "nullable")]
    pub nkey: Option<String>,
    /// Name in its certificate by which the hub knows it; `null`: not by certificate.
    #[serde(deserialize_with = "nullable")]
    pub certificate: Option<String>,
    /// Subjects that may cross from the hub to the leaf.
    pub imports: Vec<Flow>,
    /// Subjects that may cross from the leaf to the hub.
    pub exports: Vec<Flow>,
    /// Its links, by name.
    pub remotes: BTreeMap<String, Remote>,
}

/// `leaves.<name>.nodes.<name>`: one server of a leaf that is a cluster.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LeafNode {
    /// Host name or IP address at which the others reach it.
    pub address: String,
    /// Port for routes.
    pub cluster_port: u16,
}

/// `leaves.<name>.remotes.<name>`: a link to one hub, through any of its nodes.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Remote {
    /// The hub it leads to.
    pub hub: String,
    /// It goes over the hub's WebSocket port.
    pub websocket: bool,
}
