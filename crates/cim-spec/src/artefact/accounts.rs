//! `health.json`: what `cim-health` holds a server's accounts against.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A limit of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WatchedLimit {
    /// The account.
    pub account: String,
    /// What nats-server's pages call it: its public key in operator mode, else its name.
    pub account_id: String,
    /// Of what.
    pub kind: LimitKind,
    /// The most; 0: none at all.
    pub most: u64,
    /// The option that sets it.
    pub option: String,
}

/// What an account has a limit of; as the option is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LimitKind {
    /// Clients and leaf links, over all nodes of a cluster.
    #[serde(rename = "maxConnections")]
    Connections,
    /// Leaf links, over all nodes of a cluster.
    #[serde(rename = "maxLeafnodes")]
    Leafnodes,
    /// Subscriptions of one connection.
    #[serde(rename = "maxSubscriptions")]
    Subscriptions,
}

impl LimitKind {
    /// Every one.
    pub const ALL: [LimitKind; 3] = [Self::Connections, Self::Leafnodes, Self::Subscriptions];

    /// The option, below `limits`.
    pub fn option(self) -> &'static str {
        match self {
            Self::Connections => "maxConnections",
            Self::Leafnodes => "maxLeafnodes",
            Self::Subscriptions => "maxSubscriptions",
        }
    }
}

impl fmt::Display for LimitKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.option())
    }
}

/// JWTs of the accounts of a hub in operator mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WatchedJwts {
    /// The resolver's folder, with a file `<public key>.jwt` for each account; `null`: it keeps them in memory.
    pub dir: Option<String>,
    /// The accounts.
    pub accounts: Vec<WatchedJwt>,
}

/// The JWT of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WatchedJwt {
    /// The account.
    pub account: String,
    /// Its public key.
    pub nkey: String,
    /// The JWT that the server starts with, where the resolver has no folder; else `null`.
    pub preload: Option<String>,
}
