//! Fields of nats.conf that pass straight through from an option: what a row of `fields/*.json` says of each.
//!
//! One table serves the options (their types, texts and examples), the checks here, the rendering, the
//! question whether a change can be reloaded, and whose a key in `settings` is.

mod plan;

use std::collections::BTreeMap;

use serde::Deserialize;

pub use plan::{Setting, SettingValue};

use crate::settings::Value;
use crate::version::Version;

include!(concat!(env!("OUT_DIR"), "/fields.rs"));

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
            Block::Server | Block::Account | Block::User => &[],
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
            Block::Server | Block::Account | Block::User => "{i}",
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

/// One field of nats.conf with the option that holds it.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// The option's path under its block's, with dots between.
    pub option: &'static str,
    /// Its path in nats.conf under its block's; `a|b` are names for the same key, the first is written.
    pub path: &'static [&'static str],
    /// What it takes.
    pub kind: Kind,
    /// The first nats-server that knows it; 0.0.0: all that are supported.
    pub since: Version,
    /// The first nats-server that takes every change of it over on reload; `None`: it needs a restart.
    pub hot: Option<Version>,
    /// `hub`, `leaf`: where it makes sense; empty: on both.
    pub roles: &'static [&'static str],
    /// Of `tls`: the connections on which it makes sense; empty: all.
    pub connections: &'static [&'static str],
}

/// What a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`.
    Bool,
    /// A whole number from the first to the second, both included.
    Int(i64, i64),
    /// A size as text; bytes in nats.conf.
    Size,
    /// A duration as text; Go's notation in nats.conf.
    Duration,
    /// A text.
    Text,
    /// A release of nats-server: `2.12.0`.
    Version,
    /// Texts.
    Texts,
    /// A subject, wildcards allowed.
    Subject,
    /// Subjects.
    Subjects,
    /// One of these words; `true` and `false` are no texts in nats.conf.
    Enum(&'static [&'static str]),
    /// Some of these words.
    Enums(&'static [&'static str]),
    /// Texts by name.
    TextMap,
    /// `true` or `false` by name.
    BoolMap,
    /// The absolute path of a file or folder on the host.
    File,
    /// A public nkey that starts with this letter.
    Nkey(char),
}

/// What is set in one block, by the options' paths; what is not there is nats-server's own default.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Fields(BTreeMap<String, Value>);

impl Fields {
    /// What an option is set to; `None`: nothing.
    pub fn get(&self, option: &str) -> Option<&Value> {
        self.0.get(option)
    }

    /// The text that an option is set to.
    pub fn text(&self, option: &str) -> Option<&str> {
        match self.get(option) {
            Some(Value::Str(text)) => Some(text),
            _ => None,
        }
    }

    /// Whether an option is set to `true`.
    pub fn is_true(&self, option: &str) -> bool {
        self.get(option) == Some(&Value::Bool(true))
    }
}

/// The option that owns a key of nats.conf.
#[derive(Debug, PartialEq, Eq)]
pub struct Owner {
    /// Its path, with `{i}` for the instance: `{i}.limits.maxSubTokens`.
    pub option: String,
    /// How many of the keys its row speaks for.
    pub depth: usize,
}

/// Who owns a key of nats.conf on a hub or a leaf; `None`: no row has it.
pub fn owner(keys: &[&str], role: &str) -> Option<Owner> {
    fields_of(role)
        .filter(|(block, field)| {
            below(block.keys(), keys).is_some_and(|keys| below(field.path, keys).is_some())
        })
        .map(|(block, field)| Owner {
            option: format!("{}.{}", block.options(), field.option),
            depth: block.keys().len() + field.path.len(),
        })
        .max_by_key(|owner| owner.depth)
}

/// Whether some row is about a key inside this one.
pub fn is_inside(keys: &[&str], role: &str) -> bool {
    fields_of(role).any(|(block, field)| {
        let path = [block.keys(), field.path].concat();
        keys.len() < path.len() && below(&path[..keys.len()], keys).is_some()
    })
}

/// The rows that a hub or a leaf has, but those of accounts and users.
fn fields_of(role: &str) -> impl Iterator<Item = (Block, &'static Field)> {
    let has = move |block: &Block| match block {
        Block::Leafnodes | Block::Gateway => role == "hub",
        Block::Tls(Connection::Leafnodes | Connection::Gateway) => role == "hub",
        Block::Link | Block::Remote | Block::Tls(Connection::Remote) => role == "leaf",
        _ => true,
    };
    let blocks = Block::TOP.into_iter().filter(has);
    blocks.flat_map(move |block| {
        let fields = block.fields();
        let of_role = fields.filter(move |f| f.roles.is_empty() || f.roles.contains(&role));
        of_role.map(move |field| (block, field))
    })
}

/// What is left of `keys` below `path`; `None`: they go another way.
fn below<'a, 'k>(path: &[&str], keys: &'a [&'k str]) -> Option<&'a [&'k str]> {
    let agrees = path.len() <= keys.len()
        && path
            .iter()
            .zip(keys)
            .all(|(names, key)| names.split('|').any(|name| name.eq_ignore_ascii_case(key)));
    agrees.then(|| &keys[path.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_belong_to_the_options_of_their_rows() {
        let option = |keys: &[&str], role| owner(keys, role).map(|owner| owner.option);
        assert_eq!(
            option(&["max_subscription_tokens"], "leaf").as_deref(),
            Some("{i}.limits.maxSubTokens")
        );
        assert_eq!(
            option(&["JetStream", "strict"], "hub").as_deref(),
            Some("{i}.jetstream.strict")
        );
        assert_eq!(
            option(&["leafnodes", "remotes", "tls", "first"], "leaf").as_deref(),
            Some("{i}.remotes.<name>.tls.handshakeFirst")
        );
        assert_eq!(option(&["jetstream"], "hub"), None);
    }
}
