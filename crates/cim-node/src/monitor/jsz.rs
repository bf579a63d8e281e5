//! `/jsz` with accounts, streams and consumers: what JetStream holds on this server.

use serde::Deserialize;
use serde_json::{Map, Value};

/// `/jsz?accounts=true&streams=true&consumers=true&config=true`.
#[derive(Debug, Clone, Deserialize)]
pub struct Jsz {
    /// Of any answer of `/jsz`.
    pub server_id: String,
    /// Accounts with JetStream.
    #[serde(default)]
    pub account_details: Vec<Account>,
}

/// One account.
#[derive(Debug, Clone, Deserialize)]
pub struct Account {
    /// Its name; in operator mode the name in its JWT.
    pub name: String,
    /// Its name; in operator mode its public key.
    #[serde(default)]
    pub id: String,
    /// Its streams that have a copy on this server.
    #[serde(default)]
    pub stream_detail: Vec<Stream>,
}

/// One stream.
#[derive(Debug, Clone, Deserialize)]
pub struct Stream {
    /// Its name.
    pub name: String,
    /// When it was made.
    #[serde(default)]
    pub created: String,
    /// Where its copies are; `None`: it has one.
    pub cluster: Option<Group>,
    /// How it is configured.
    #[serde(default)]
    pub config: Map<String, Value>,
    /// What it holds.
    #[serde(default)]
    pub state: State,
    /// Its consumers.
    #[serde(default)]
    pub consumer_detail: Vec<Consumer>,
    /// What it mirrors.
    pub mirror: Option<Source>,
    /// What it copies from.
    #[serde(default)]
    pub sources: Vec<Source>,
}

/// Where the copies of a stream or consumer are.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Group {
    /// The server that leads; empty: none does.
    #[serde(default)]
    pub leader: String,
    /// The other copies, as the leader sees them.
    #[serde(default)]
    pub replicas: Vec<Replica>,
}

/// One copy.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Replica {
    /// Its server.
    pub name: String,
    /// Whether it has everything.
    #[serde(default)]
    pub current: bool,
    /// Whether its server is gone.
    #[serde(default)]
    pub offline: bool,
    /// Nanoseconds since it was heard of.
    #[serde(default)]
    pub active: i64,
    /// How many operations it is behind.
    #[serde(default)]
    pub lag: u64,
}

/// What a stream holds.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub struct State {
    /// Messages.
    #[serde(default)]
    pub messages: u64,
    /// Bytes.
    #[serde(default)]
    pub bytes: u64,
    /// Subjects.
    #[serde(default)]
    pub num_subjects: u64,
    /// Sequence of its last message.
    #[serde(default)]
    pub last_seq: u64,
}

/// One consumer. Its numbers are true on its leader only; other copies show 0.
#[derive(Debug, Clone, Deserialize)]
pub struct Consumer {
    /// Its name.
    pub name: String,
    /// When it was made.
    #[serde(default)]
    pub created: String,
    /// How it is configured.
    #[serde(default)]
    pub config: Map<String, Value>,
    /// Where its copies are; `None`: it has one.
    pub cluster: Option<Group>,
    /// Messages that it has not delivered yet.
    #[serde(default)]
    pub num_pending: u64,
    /// Messages that it has delivered and nobody has acknowledged.
    #[serde(default)]
    pub num_ack_pending: u64,
    /// Of those, how many were delivered more than once.
    #[serde(default)]
    pub num_redelivered: u64,
    /// Pull requests that wait.
    #[serde(default)]
    pub num_waiting: u64,
    /// The last delivery.
    #[serde(default)]
    pub delivered: Place,
    /// The last acknowledgement that left no gap.
    #[serde(default)]
    pub ack_floor: Place,
}

/// How far a consumer is.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Place {
    /// When it last moved, RFC 3339; absent: never.
    pub last_active: Option<String>,
}

/// A stream that is copied from. `lag` says 0 while it is cut off: only `active` tells.
#[derive(Debug, Clone, Deserialize)]
pub struct Source {
    /// Its name there.
    pub name: String,
    /// Messages that are still to come, beside the one or two that are on their way.
    #[serde(default)]
    pub lag: u64,
    /// Nanoseconds since it was heard of; -1: never.
    #[serde(default)]
    pub active: i64,
    /// Where it is, if not here.
    pub external: Option<External>,
}

/// Another JetStream.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct External {
    /// Prefix of its requests: `$JS.<domain>.API`.
    #[serde(default)]
    pub api: String,
}

impl Group {
    /// Whether `server` is who knows: it leads, or there is no other.
    pub fn led_by(group: Option<&Group>, server: &str) -> bool {
        group.is_none_or(|group| group.leader == server)
    }
}
