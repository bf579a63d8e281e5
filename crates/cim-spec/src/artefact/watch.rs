//! `health.json`: what `cim-health` holds a running instance against.

use serde::{Deserialize, Serialize};

use super::{WatchedJwts, WatchedLimit};
use crate::implied::{Direction, Ends};

/// What the instance must have, and from where on something is not well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Watch {
    /// What the fleet calls the instance: a node of a hub, or a leaf, whichever of its nodes this is.
    pub instance: String,
    /// Accounts in which `cim-health` speaks over leaf links: on a leaf the one that they are bound to.
    pub accounts: Vec<String>,
    /// What may cross each link, a canary each; none on a hub.
    pub flows: Vec<WatchedFlow>,
    /// Milliseconds between two looks at the server and its links.
    pub interval: u64,
    /// Milliseconds between two looks at streams, consumers, files and disk.
    pub slow_interval: u64,
    /// From where on what is a warning, or critical.
    pub levels: Levels,
    /// Its JetStream; `null`: none.
    pub jetstream: Option<WatchedJetstream>,
    /// Links to hubs that must stand; none on a hub.
    pub links: Vec<WatchedLink>,
    /// Leaves that must be linked here; only on a hub.
    pub leaves: Vec<WatchedLeaf>,
    /// Server names of the other nodes of its cluster.
    pub peers: Vec<String>,
    /// Files that it logs in with elsewhere, and authorities.
    pub files: Vec<WatchedFile>,
    /// Accounts that are backed up; none where backups are not enabled.
    pub backups: Vec<WatchedBackup>,
    /// Limits of accounts; none where no account has one.
    pub limits: Vec<WatchedLimit>,
    /// JWTs of accounts; `null`: the server is not in operator mode.
    pub jwts: Option<WatchedJwts>,
}

/// From where on what is not well; names are those of the options `health.*`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Levels {
    /// Percent.
    pub storage: Level,
    /// Percent.
    pub memory: Level,
    /// Percent.
    pub disk: Level,
    /// Percent.
    pub connections: Level,
    /// Percent.
    pub subscriptions: Level,
    /// Milliseconds.
    pub rtt: Level,
    /// Milliseconds that are left: less is worse.
    pub expiry: Level,
    /// Milliseconds.
    pub sources: Level,
    /// Milliseconds.
    pub clock: Level,
    /// Milliseconds.
    pub backup: Level,
    /// Milliseconds.
    pub drill: Level,
    /// A minute.
    pub slow_consumers: Level,
    /// A minute.
    pub api_errors: Level,
    /// Messages.
    pub pending: Level,
    /// Messages.
    pub redeliveries: Level,
}

/// Where a warning begins, and where it is critical; `null`: never.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Level {
    /// A warning from here.
    pub warning: Option<u64>,
    /// Critical from here.
    pub critical: Option<u64>,
}

/// JetStream of the instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WatchedJetstream {
    /// Directory of the store.
    pub store_dir: String,
    /// Folder with a folder for each account whose streams are declared, as `cim-provision` reads it; it need not exist.
    pub assets: String,
}

/// A link to a hub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WatchedLink {
    /// The remote's name in the fleet.
    pub remote: String,
    /// The account here that it is bound to.
    pub account: String,
    /// Server names of the hub's nodes: any of them will do.
    pub servers: Vec<String>,
    /// The hub's JetStream domain.
    pub domain: String,
}

/// A flow of a leaf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WatchedFlow {
    /// Its name in the subject of its canary.
    pub name: String,
    /// Which way it goes.
    pub direction: Direction,
    /// Its subject, at the end where messages are published.
    pub subject: String,
    /// The one of its subjects that its canary goes by; `null`: the canary goes beside it.
    pub within: Option<Ends>,
}

/// A canary of a leaf that goes by a subject of its flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WatchedCanary {
    /// Which way its flow goes.
    pub direction: Direction,
    /// The subject, as the hub calls it.
    pub subject: String,
}

/// A leaf that the fleet has dial this hub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WatchedLeaf {
    /// Its name in the fleet.
    pub leaf: String,
    /// The account here that it is bound to.
    pub account: String,
    /// What `/leafz` calls that account: its public key in operator mode, else its name.
    pub account_id: String,
    /// Server names of its servers: each of them links.
    pub servers: Vec<String>,
    /// Its JetStream domain.
    pub domain: String,
    /// Its canaries that go by subjects of their flows.
    pub canaries: Vec<WatchedCanary>,
}

/// Backups of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WatchedBackup {
    /// The account.
    pub account: String,
    /// The file that `cim-backup --status` writes: counts and moments. It is not there before the first backup.
    pub status: String,
    /// Whether each backup is then restored for proof.
    pub drill: bool,
}

/// A file whose content expires.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WatchedFile {
    /// What is in it.
    pub kind: WatchedFileKind,
    /// Absolute path.
    pub file: String,
}

/// What a watched file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum WatchedFileKind {
    /// A certificate chain, the first of which counts.
    Certificate,
    /// Authorities, of which the one that lives longest counts.
    Authority,
    /// A user's JWT and seed.
    Credentials,
}
