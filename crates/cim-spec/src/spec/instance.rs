//! `services.cim.hub` and `services.cim.leaves.<name>`: what only the host itself knows.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::fleet::Account;
use super::{Assets, AuthCallout, HealthOptions, nullable};
use crate::field::Fields;
use crate::settings::Value;

/// Options of every nats-server. They stand right under the instance; the extra level exists
/// only in the spec, so that hub and leaf share one type.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServerOptions {
    /// Address that the client listener binds to. NATS: `host`.
    pub host: String,
    /// Port of the monitoring listener, on loopback only. NATS: `http_port`.
    pub http_port: u16,
    /// TLS of the client listener; `null`: none.
    #[serde(deserialize_with = "nullable")]
    pub tls: Option<Tls>,
    /// The client listener has no TLS although others than this host can reach it.
    pub plaintext: bool,
    /// Bounds on connections and messages.
    pub limits: LimitOptions,
    /// How a stop lets clients go.
    pub lame_duck: LameDuckOptions,
    /// What is logged.
    pub logging: LoggingOptions,
    /// Persistence.
    pub jetstream: JetstreamOptions,
    /// The listener for WebSocket clients, and leaves that come that way.
    pub websocket: ListenerOptions,
    /// The listener for MQTT clients.
    pub mqtt: ListenerOptions,
    /// When `cim-health` warns, and when it calls.
    pub health: HealthOptions,
    /// Which backups `cim-health` asks for.
    pub backup: BackupOptions,
    /// Keys of nats.conf that have no option of their own.
    pub settings: BTreeMap<String, Value>,
    /// Fields of nats.conf that pass straight through, by their options.
    pub fields: Fields,
    /// Warnings that the operator keeps, each with a reason.
    pub acknowledged: BTreeMap<String, String>,
}

/// `backup`: what `cim-health` must know of it; how backups are taken is the unit's business.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BackupOptions {
    /// Whether there are backups.
    pub enable: bool,
    /// Accounts that are backed up; `null`: those for which something is declared.
    #[serde(deserialize_with = "nullable")]
    pub accounts: Option<Vec<String>>,
    /// Whether each backup is then restored for proof.
    pub drill: bool,
}

/// `websocket` and `mqtt`. NATS: `websocket`, `mqtt`.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListenerOptions {
    /// Address that the listener binds to.
    pub host: String,
    /// Its port; `null`: none, or, for WebSocket on a hub, the one that the fleet gives the node.
    #[serde(deserialize_with = "nullable")]
    pub port: Option<u16>,
    /// TLS of the listener; `null`: none.
    #[serde(deserialize_with = "nullable")]
    pub tls: Option<Tls>,
    /// The listener has no TLS although others than this host can reach it.
    pub plaintext: bool,
    /// Fields of nats.conf that pass straight through, by their options.
    pub fields: Fields,
}

/// `tls`: files on the host. NATS: `tls { cert_file, key_file, ca_file }`.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tls {
    /// Certificate chain; `null` only where a side needs none (a remote).
    #[serde(deserialize_with = "nullable")]
    pub cert_file: Option<String>,
    /// Private key of the certificate.
    #[serde(deserialize_with = "nullable")]
    pub key_file: Option<String>,
    /// Authorities that the other side's certificate must come from; `null`: the system's.
    #[serde(deserialize_with = "nullable")]
    pub ca_file: Option<String>,
    /// Fields of nats.conf that pass straight through, by their options.
    pub fields: Fields,
}

/// `limits`. Sizes and durations are text.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LimitOptions {
    /// NATS: `max_connections`.
    pub max_connections: u64,
    /// Subscriptions of one connection; `null`: no limit. NATS: `max_subscriptions`.
    #[serde(deserialize_with = "nullable")]
    pub max_subscriptions: Option<u64>,
    /// Largest message, bytes. NATS: `max_payload`.
    pub max_payload: String,
    /// Bytes that may wait for one slow connection. NATS: `max_pending`.
    pub max_pending: String,
    /// Longest protocol line, bytes. NATS: `max_control_line`.
    pub max_control_line: String,
    /// How long a write to a connection may block. NATS: `write_deadline`.
    pub write_deadline: String,
    /// How often a silent peer is asked for life. NATS: `ping_interval`.
    pub ping_interval: String,
    /// Unanswered pings after which a peer is dead. NATS: `ping_max`.
    pub ping_max: u64,
}

/// `lameDuck`. NATS: `lame_duck_duration`, `lame_duck_grace_period`.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LameDuckOptions {
    /// Over how long clients are let go; at least 30 s.
    pub duration: String,
    /// How long clients may leave by themselves first.
    pub grace_period: String,
}

/// `logging`, to the journal.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LoggingOptions {
    /// NATS: `debug`.
    pub debug: bool,
    /// Every protocol line, payloads included. NATS: `trace`.
    pub trace: bool,
    /// A time stamp on each line; the journal has its own. NATS: `logtime`.
    pub logtime: bool,
    /// Every n-th failed first connect is logged. NATS: `connect_error_reports`.
    pub connect_error_reports: u64,
    /// Every n-th failed reconnect is logged. NATS: `reconnect_error_reports`.
    pub reconnect_error_reports: u64,
}

/// `jetstream`. NATS: `jetstream`.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JetstreamOptions {
    /// Whether the server persists at all.
    pub enable: bool,
    /// Where; under the unit's state directory. NATS: `store_dir`.
    pub store_dir: String,
    /// Bytes of memory. NATS: `max_memory_store`.
    pub max_memory_store: String,
    /// Bytes of disk. NATS: `max_file_store`.
    pub max_file_store: String,
    /// How often written data is forced to disk; `always`: before each acknowledgement.
    /// NATS: `sync_interval`.
    pub sync_interval: String,
    /// Encryption of the store; `null`: none.
    #[serde(deserialize_with = "nullable")]
    pub encryption: Option<EncryptionOptions>,
}

/// `jetstream.encryption`. NATS: `jetstream.key`, `prev_key`, `cipher`.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EncryptionOptions {
    /// File with the key.
    pub key_file: String,
    /// File with the key before, for the start that changes it; `null`: none.
    #[serde(deserialize_with = "nullable")]
    pub prev_key_file: Option<String>,
    /// `chachapoly` or `aes`.
    pub cipher: String,
}

/// `services.cim.hub`.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HubInstance {
    /// What every server has.
    pub server: ServerOptions,
    /// The listener for leaves.
    pub leafnodes: LeafListenerOptions,
    /// The listener for routes; used where the hub has several nodes.
    pub cluster: ClusterOptions,
    /// The listener for other hubs; used where the fleet gives the node a port for it.
    pub gateway: GatewayOptions,
}

/// `services.cim.hub.gateway`. NATS: `gateway`.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GatewayOptions {
    /// Address that the listener binds to.
    pub host: String,
    /// TLS between hubs, always mutual; `null`: none.
    #[serde(deserialize_with = "nullable")]
    pub tls: Option<Tls>,
    /// Hubs speak to each other without TLS.
    pub plaintext: bool,
    /// Fields of nats.conf that pass straight through, by their options.
    pub fields: Fields,
}

/// `services.cim.hub.leafnodes`. NATS: `leafnodes`.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LeafListenerOptions {
    /// Address that the listener binds to.
    pub host: String,
    /// TLS of the leaf link; `null`: none.
    #[serde(deserialize_with = "nullable")]
    pub tls: Option<Tls>,
    /// `compression` of what the hub sends.
    pub compression: String,
    /// Round-trip times from which it compresses more; empty: nats-server's own.
    pub rtt_thresholds: Vec<String>,
    /// Fields of nats.conf that pass straight through, by their options.
    pub fields: Fields,
}

/// `services.cim.hub.cluster`. NATS: `cluster`.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterOptions {
    /// Address that the listener binds to.
    pub host: String,
    /// TLS between the nodes, always mutual; `null`: none.
    #[serde(deserialize_with = "nullable")]
    pub tls: Option<Tls>,
    /// Routes have no TLS.
    pub plaintext: bool,
    /// `compression` of what is sent over routes; `null`: nats-server's own, `accept`.
    #[serde(deserialize_with = "nullable")]
    pub compression: Option<String>,
    /// Round-trip times from which it compresses more; empty: nats-server's own.
    pub rtt_thresholds: Vec<String>,
    /// Fields of nats.conf that pass straight through, by their options.
    pub fields: Fields,
}

/// `services.cim.leaves.<name>`.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LeafInstance {
    /// What every server has.
    pub server: ServerOptions,
    /// Which node of the leaf this is; `null`: the leaf is one server.
    #[serde(deserialize_with = "nullable")]
    pub node: Option<String>,
    /// Port for local clients.
    pub port: u16,
    /// The listener for routes; used where the leaf is a cluster.
    pub cluster: ClusterOptions,
    /// Accounts of the leaf itself, by name.
    pub accounts: BTreeMap<String, Account>,
    /// What those accounts hold, where they hold something.
    pub assets: BTreeMap<String, Assets>,
    /// Who is asked about clients that no account knows; `null`: nobody, they are refused.
    #[serde(deserialize_with = "nullable")]
    pub auth_callout: Option<AuthCallout>,
    /// The link's behaviour, the same for all remotes.
    pub leafnodes: LinkOptions,
    /// File with the seed of the leaf's nkey; `null`: the link is not authenticated by nkey.
    #[serde(deserialize_with = "nullable")]
    pub nkey_seed_file: Option<String>,
    /// This host's part of each remote, by the remote's name in the fleet.
    pub remotes: BTreeMap<String, RemoteOptions>,
}

/// `services.cim.leaves.<name>.leafnodes`. NATS: `leafnodes`.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LinkOptions {
    /// Delay before each redial, and so the time a fail-over takes. NATS: `reconnect`.
    pub reconnect: String,
    /// Fields of nats.conf that pass straight through, by their options.
    pub fields: Fields,
}

/// `services.cim.leaves.<name>.remotes.<name>`. NATS: `leafnodes.remotes[]`.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RemoteOptions {
    /// `compression` of what the leaf sends.
    pub compression: String,
    /// Round-trip times from which it compresses more; empty: nats-server's own.
    pub rtt_thresholds: Vec<String>,
    /// `.creds` file; `null`: the link is not authenticated by a JWT.
    #[serde(deserialize_with = "nullable")]
    pub credentials_file: Option<String>,
    /// Certificate, key and authorities of the link; `null`: system authorities, no certificate.
    #[serde(deserialize_with = "nullable")]
    pub tls: Option<Tls>,
    /// Fields of nats.conf that pass straight through, by their options.
    pub fields: Fields,
}
