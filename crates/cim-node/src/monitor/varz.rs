//! `/varz`: the server itself.

use serde::Deserialize;

/// What `/varz` tells. Fields without which it is no answer of nats-server have no default.
#[derive(Debug, Clone, Deserialize)]
pub struct Varz {
    /// Server name.
    pub server_name: String,
    /// Digest of the running config; since 2.11.
    #[serde(default)]
    pub config_digest: String,
    /// When it was loaded.
    pub config_load_time: String,
    /// When the server started.
    #[serde(default)]
    pub start: String,
    /// Its clock.
    #[serde(default)]
    pub now: String,
    /// Its version.
    #[serde(default)]
    pub version: String,
    /// Connections of clients, at present.
    #[serde(default)]
    pub connections: u64,
    /// How many it lets in.
    #[serde(default)]
    pub max_connections: u64,
    /// Subscriptions that one connection may have; absent: any number.
    #[serde(default)]
    pub max_subscriptions: u64,
    /// Messages received since the start.
    #[serde(default)]
    pub in_msgs: u64,
    /// Messages sent since the start.
    #[serde(default)]
    pub out_msgs: u64,
    /// Connections that could not keep up, since the start.
    #[serde(default)]
    pub slow_consumers: u64,
    /// JWTs of the operators whose accounts it takes; none without operator mode.
    #[serde(default)]
    pub trusted_operators_jwt: Vec<String>,
    /// Expiry of the clients' certificate, RFC 3339.
    pub tls_cert_not_after: Option<String>,
    /// The cluster listener.
    #[serde(default)]
    pub cluster: Block,
    /// The leaf listener.
    #[serde(default)]
    pub leaf: Block,
    /// The gateway listener.
    #[serde(default)]
    pub gateway: Block,
    /// The WebSocket listener.
    #[serde(default)]
    pub websocket: Block,
    /// The MQTT listener.
    #[serde(default)]
    pub mqtt: Block,
    /// JetStream.
    #[serde(default)]
    pub jetstream: JetStream,
}

/// JetStream in `/varz`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct JetStream {
    /// Its configuration; `None` where it is off.
    pub config: Option<JetStreamConfig>,
    /// What it uses; `None` where it is off.
    pub stats: Option<JetStreamStats>,
    /// The group that knows where streams are; `None` outside a cluster.
    pub meta: Option<Meta>,
}

/// JetStream's configuration in `/varz`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct JetStreamConfig {
    /// Its domain; absent: it has none.
    pub domain: Option<String>,
    /// Bytes of memory that it may use.
    #[serde(default)]
    pub max_memory: i64,
    /// Bytes of disk that it may use.
    #[serde(default)]
    pub max_storage: i64,
}

/// What JetStream uses.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct JetStreamStats {
    /// Bytes of memory.
    #[serde(default)]
    pub memory: u64,
    /// Bytes of disk.
    #[serde(default)]
    pub storage: u64,
    /// Requests.
    #[serde(default)]
    pub api: Api,
}

/// Requests to JetStream.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub struct Api {
    /// How many, since the start.
    #[serde(default)]
    pub total: u64,
    /// How many failed.
    #[serde(default)]
    pub errors: u64,
}

/// The meta group, as this server sees it.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Meta {
    /// Its leader; absent or empty: none, so nothing can be made or moved.
    #[serde(default)]
    pub leader: String,
    /// How many servers are in it.
    #[serde(default)]
    pub cluster_size: u64,
}

/// A listener in `/varz`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Block {
    /// Expiry of its certificate, RFC 3339.
    pub tls_cert_not_after: Option<String>,
}

impl Varz {
    /// Expiry of the certificate that a listener has loaded; `block` as in `health.json`. `None`: the server does not
    /// tell (before 2.12).
    pub fn certificate_not_after(&self, block: &str) -> Option<&str> {
        let block = match block {
            "cluster" => &self.cluster,
            "leaf" => &self.leaf,
            "gateway" => &self.gateway,
            "websocket" => &self.websocket,
            "mqtt" => &self.mqtt,
            _ => return self.tls_cert_not_after.as_deref(),
        };
        block.tls_cert_not_after.as_deref()
    }

    /// The JetStream domain; `None`: none, or no JetStream.
    pub fn domain(&self) -> Option<&str> {
        self.jetstream.config.as_ref()?.domain.as_deref()
    }
}
