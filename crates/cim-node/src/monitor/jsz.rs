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

impl Jsz {
    /// In the order of names, at each level: nats-server tells streams, consumers and sources in another one each time.
    pub fn in_order(mut self) -> Self {
        self.account_details
            .sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        for account in &mut self.account_details {
            account.stream_detail.sort_by(|a, b| a.name.cmp(&b.name));
            for stream in &mut account.stream_detail {
                stream.consumer_detail.sort_by(|a, b| a.name.cmp(&b.name));
                stream.sources.sort_by(|a, b| a.place().cmp(&b.place()));
                let copies = stream.cluster.as_mut().map(|group| &mut group.replicas);
                if let Some(copies) = copies {
                    copies.sort_by(|a, b| a.name.cmp(&b.name));
                }
            }
        }
        self
    }
}

impl Source {
    /// Its name, and where that is.
    fn place(&self) -> (&str, &str) {
        let external = self.external.as_ref();
        (&self.name, external.map_or("", |external| &external.api))
    }
}

impl Group {
    /// Whether `server` is who knows: it leads, or there is no other.
    pub fn led_by(group: Option<&Group>, server: &str) -> bool {
        group.is_none_or(|group| group.leader == server)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_server_s_order_is_not_seen() {
        let names = |names: [&str; 2]| names.map(|name| json!({ "name": name }));
        let of = |order: [usize; 2]| {
            let two = |of: [&str; 2]| names(order.map(|at| of[at]));
            let sources = ["B", "A"].map(|domain| {
                let api = format!("$JS.{domain}.API");
                json!({ "name": "S", "external": { "api": api } })
            });
            let streams = two(["S", "T"]).map(|mut stream| {
                stream["consumer_detail"] = json!(two(["c", "d"]));
                stream["sources"] = json!(order.map(|at| &sources[at]));
                stream["cluster"] = json!({ "replicas": two(["hub-1", "hub-2"]) });
                stream
            });
            let accounts = two(["APP", "SYS"]).map(|mut account| {
                account["stream_detail"] = json!(streams);
                account
            });
            let jsz = json!({ "server_id": "N", "account_details": accounts });
            let jsz: Jsz = serde_json::from_value(jsz).unwrap();
            format!("{:?}", jsz.in_order())
        };
        assert_eq!(of([0, 1]), of([1, 0]));
        assert!(of([1, 0]).find("hub-1") < of([1, 0]).find("hub-2"));
    }
}
