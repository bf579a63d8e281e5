//! Where a set of fields stands, in the options and in nats.conf.

use super::{Field, Kind};
use crate::version::Version;

include!(concat!(env!("OUT_DIR"), "/fields.rs"));
include!(concat!(env!("OUT_DIR"), "/asset-options.rs"));

/// Where a set of fields stands, in the options and in nats.conf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Block {
    /// Right under the instance; the top of nats.conf.
    Server,
    /// `cluster`.
    Cluster,
    /// `leafnodes` of a hub: its listener.
    Leafnodes,
    /// `leafnodes` of a leaf: what all its remotes have in common.
    Link,
    /// `remotes.<name>`: one of `leafnodes.remotes`.
    Remote,
    /// `websocket`.
    Websocket,
    /// `mqtt`.
    Mqtt,
    /// `gateway`.
    Gateway,
    /// `tls` of one kind of connection.
    Tls(Connection),
    /// `accounts.<name>`.
    Account,
    /// `users.<name>` of an account.
    User,
    /// `streams.<name>` of an account; like those below, no part of nats.conf.
    Stream,
    /// `consumers.<name>` of a stream.
    Consumer,
    /// `kv.<bucket>` of an account.
    KeyValue,
    /// `objectStores.<bucket>` of an account.
    ObjectStore,
    /// `mirror` and `sources` of a stream or bucket.
    Source,
}

impl Block {
    /// Blocks whose keys may stand in `settings` as far as no row has them.
    pub const TOP: [Block; 15] = [
        Block::Server,
        Block::Cluster,
        Block::Leafnodes,
        Block::Link,
        Block::Remote,
        Block::Websocket,
        Block::Mqtt,
        Block::Gateway,
        Block::Tls(Connection::Client),
        Block::Tls(Connection::Cluster),
        Block::Tls(Connection::Leafnodes),
        Block::Tls(Connection::Remote),
        Block::Tls(Connection::Gateway),
        Block::Tls(Connection::Websocket),
        Block::Tls(Connection::Mqtt),
    ];

    /// Its rows.
    pub fn fields(self) -> impl Iterator<Item = &'static Field> {
        let connection = match self {
            Block::Tls(connection) => connection.name(),
            _ => "",
        };
        let of_it = move |field: &&Field| {
            field.connections.is_empty() || field.connections.contains(&connection)
        };
        self.rows().iter().filter(of_it)
    }

    fn rows(self) -> &'static [Field] {
        match self {
            Block::Server => SERVER,
            Block::Cluster => CLUSTER,
            Block::Leafnodes => LEAFNODES,
            Block::Link => LINK,
            Block::Remote => REMOTE,
            Block::Websocket => WEBSOCKET,
            Block::Mqtt => MQTT,
            Block::Gateway => GATEWAY,
            Block::Tls(_) => TLS,
            Block::Account => ACCOUNT,
            Block::User => USER,
            Block::Stream => STREAM,
            Block::Consumer => CONSUMER,
            Block::KeyValue => KV,
            Block::ObjectStore => OBJECT_STORE,
            Block::Source => SOURCE,
        }
    }

    /// Where it stands in nats.conf, for the blocks of [`Block::TOP`].
    pub fn keys(self) -> &'static [&'static str] {
        match self {
            Block::Cluster => &["cluster"],
            Block::Leafnodes | Block::Link => &["leafnodes"],
            Block::Remote => &["leafnodes", "remotes"],
            Block::Websocket => &["websocket"],
            Block::Mqtt => &["mqtt"],
            Block::Gateway => &["gateway"],
            Block::Tls(connection) => connection.keys(),
            _ => &[],
        }
    }

    /// Where it stands in the options, under `{i}`, the instance.
    pub fn options(self) -> &'static str {
        match self {
            Block::Cluster => "{i}.cluster",
            Block::Leafnodes | Block::Link => "{i}.leafnodes",
            Block::Remote => "{i}.remotes.<name>",
            Block::Websocket => "{i}.websocket",
            Block::Mqtt => "{i}.mqtt",
            Block::Gateway => "{i}.gateway",
            Block::Tls(connection) => connection.options(),
            _ => "{i}",
        }
    }
}

/// What a `tls` block is for; not every field makes sense everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connection {
    /// From clients.
    Client,
    /// Between the nodes of a cluster.
    Cluster,
    /// From leaves.
    Leafnodes,
    /// To a hub.
    Remote,
    /// Between clusters.
    Gateway,
    /// From WebSocket clients.
    Websocket,
    /// From MQTT clients.
    Mqtt,
}

impl Connection {
    /// Its word in the rows.
    pub fn name(self) -> &'static str {
        match self {
            Connection::Client => "client",
            Connection::Cluster => "cluster",
            Connection::Leafnodes => "leafnodes",
            Connection::Remote => "remote",
            Connection::Gateway => "gateway",
            Connection::Websocket => "websocket",
            Connection::Mqtt => "mqtt",
        }
    }

    fn keys(self) -> &'static [&'static str] {
        match self {
            Connection::Client => &["tls"],
            Connection::Cluster => &["cluster", "tls"],
            Connection::Leafnodes => &["leafnodes", "tls"],
            Connection::Remote => &["leafnodes", "remotes", "tls"],
            Connection::Gateway => &["gateway", "tls"],
            Connection::Websocket => &["websocket", "tls"],
            Connection::Mqtt => &["mqtt", "tls"],
        }
    }

    fn options(self) -> &'static str {
        match self {
            Connection::Client => "{i}.tls",
            Connection::Cluster => "{i}.cluster.tls",
            Connection::Leafnodes => "{i}.leafnodes.tls",
            Connection::Remote => "{i}.remotes.<name>.tls",
            Connection::Gateway => "{i}.gateway.tls",
            Connection::Websocket => "{i}.websocket.tls",
            Connection::Mqtt => "{i}.mqtt.tls",
        }
    }
}
