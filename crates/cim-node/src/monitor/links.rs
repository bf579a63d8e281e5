//! `/leafz`, `/routez` and `/connz`: who is connected.

use cim_spec::artefact::WatchedLink;
use serde::{Deserialize, Deserializer};

/// `/leafz`. It lists only links that stand.
#[derive(Debug, Clone, Deserialize)]
pub struct Leafz {
    /// Links of leaf nodes.
    pub leafs: Vec<Leaf>,
}

impl Leafz {
    /// A link that was declared, where it stands.
    pub fn link(&self, link: &WatchedLink) -> Option<&Leaf> {
        self.leafs.iter().find(|leaf| leaf.is_link(link))
    }
}

/// One link of a leaf node.
#[derive(Debug, Clone, Deserialize)]
pub struct Leaf {
    /// The server at the other end.
    pub name: String,
    /// Number of the connection: another one after each dial.
    #[serde(default)]
    pub id: u64,
    /// Whether this server is the leaf.
    #[serde(default)]
    pub is_spoke: bool,
    /// The account that it is bound to here; on a hub in operator mode its public key.
    #[serde(default)]
    pub account: String,
    /// Address of the other end.
    #[serde(default)]
    pub ip: String,
    /// Its port.
    #[serde(default)]
    pub port: u16,
    /// Round trip, as Go writes durations; absent until it was measured.
    #[serde(default)]
    pub rtt: String,
    /// Messages received over this connection.
    #[serde(default)]
    pub in_msgs: u64,
    /// Messages sent over it.
    #[serde(default)]
    pub out_msgs: u64,
}

impl Leaf {
    /// Whether it is a link that was declared.
    pub fn is_link(&self, link: &WatchedLink) -> bool {
        self.is_spoke && self.account == link.account && link.servers.contains(&self.name)
    }
}

/// `/routez`.
#[derive(Debug, Clone, Deserialize)]
pub struct Routez {
    /// Connections to the other nodes; several to each.
    pub routes: Vec<Route>,
}

/// One connection to another node.
#[derive(Debug, Clone, Deserialize)]
pub struct Route {
    /// Name of the other server.
    #[serde(default)]
    pub remote_name: String,
}

/// `/connz`.
#[derive(Debug, Clone, Deserialize)]
pub struct Connz {
    /// Connections of clients; `null` in an account that nobody has used.
    #[serde(deserialize_with = "none_or_some")]
    pub connections: Vec<Connection>,
}

fn none_or_some<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Connection>, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// One connection of a client.
#[derive(Debug, Clone, Deserialize)]
pub struct Connection {
    /// Its number.
    pub cid: u64,
    /// What the client calls itself.
    #[serde(default)]
    pub name: String,
    /// Its subscriptions.
    #[serde(default)]
    pub subscriptions: u64,
}

impl Connection {
    /// As people find it again.
    pub fn who(&self) -> String {
        format!("connection {} ({:?})", self.cid, self.name)
    }
}
