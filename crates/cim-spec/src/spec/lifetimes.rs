//! `services.cim.fleet.lifetimes`: how long what the desk issues holds.

use serde::Deserialize;

use super::nullable;

/// How long certificates and JWTs hold, as text.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Lifetimes {
    /// Certificates of hosts, and JWTs of services on them.
    pub server: String,
    /// JWTs of leaves, and their certificates; `null`: the JWTs do not expire, certificates are as a host's.
    #[serde(deserialize_with = "nullable")]
    pub leaf: Option<String>,
    /// Certificates of devices.
    pub device: String,
    /// JWTs of users; `null`: they do not expire.
    #[serde(deserialize_with = "nullable")]
    pub user: Option<String>,
}
