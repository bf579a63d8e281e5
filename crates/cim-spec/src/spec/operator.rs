//! `services.cim.fleet.operator`: accounts are JWTs that an operator signed, instead of a list in nats.conf.
//! <https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_intro/jwt>.

use serde::Deserialize;

use super::nullable;

/// Operator mode of the hubs.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Operator {
    /// The operator's JWT, which is public; `null`: the desk has not made it yet.
    #[serde(deserialize_with = "nullable")]
    pub jwt: Option<String>,
    /// Where the hubs keep accounts' JWTs.
    pub resolver: Resolver,
}

/// `resolver`. NATS: `resolver`.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Resolver {
    /// `full`, `cache` or `memory`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether accounts can be deleted over the system account; only of `full`.
    pub allow_delete: bool,
    /// Most accounts that are kept; `null`: no limit.
    #[serde(deserialize_with = "nullable")]
    pub limit: Option<u64>,
    /// How long a JWT is kept that nobody asked for; only of `cache`; `null`: nats-server's own.
    #[serde(deserialize_with = "nullable")]
    pub ttl: Option<String>,
    /// How often nodes compare what they have; only of `full`; `null`: nats-server's own.
    #[serde(deserialize_with = "nullable")]
    pub interval: Option<String>,
    /// How long a node waits for another's answer; `null`: nats-server's own.
    #[serde(deserialize_with = "nullable")]
    pub timeout: Option<String>,
}
