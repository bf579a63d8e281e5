//! Files that the build writes and node tools read; both sides use these types.

mod accounts;
mod watch;

use serde::{Deserialize, Serialize};

pub use accounts::{LimitKind, WatchedJwt, WatchedJwts, WatchedLimit};
pub use watch::{
    Level, Levels, Watch, WatchedBackup, WatchedCanary, WatchedFile, WatchedFileKind, WatchedFlow,
    WatchedJetstream, WatchedLeaf, WatchedLink,
};

/// `health.json`: what the running instance must look like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Health {
    /// Unit, user and state directory of the instance.
    pub unit: String,
    /// What `/varz` must give as `server_name`: another server on the port is not this one.
    pub server_name: String,
    /// URL of the monitoring listener.
    pub monitor: String,
    /// The config file that nats-server reads.
    pub config: String,
    /// What `/varz` must give as `config_digest`; `null` where the config holds secrets, so
    /// that only the host can compute it.
    pub config_digest: Option<String>,
    /// The file that holds the secrets that nats-server takes only inline, and what goes in.
    pub secrets: Option<Secrets>,
    /// Certificates that nats-server loads, by the `/varz` block that tells their expiry.
    pub certificates: Vec<Certificate>,
    /// What `cim-health` looks at.
    pub watch: Watch,
}

/// The file with secrets that stand in the config itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Secrets {
    /// Absolute path; included by the config.
    pub path: String,
    /// What it holds.
    pub entries: Vec<Secret>,
}

/// One variable of the secrets file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Secret {
    /// Name that the config refers to.
    pub variable: String,
    /// File that the value comes from: its content without white space around it, or its public half.
    pub file: String,
    /// What it must be.
    pub kind: SecretKind,
}

/// What a secret must be, so that a wrong file is refused before nats-server reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SecretKind {
    /// A user's nkey seed.
    NkeySeed,
    /// One line of text.
    Text,
    /// A user's nkey seed that is made where there is none; the value is its public key.
    HostKey,
}

/// The variable that stands for the public half of a key that the host makes: `<account>.<service>`. Letters and digits
/// stay, so that no two keys have one.
pub fn host_key_variable(key: &str) -> String {
    let spelled = key.bytes().map(|byte| match byte {
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("_{byte:02x}"),
    });
    format!("cim_key_{}", spelled.collect::<String>())
}

/// A certificate that nats-server loads from a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Certificate {
    /// Block of `/varz` whose `tls_cert_not_after` tells the loaded one; empty for clients'.
    pub block: String,
    /// The file.
    pub file: String,
}
