//! `authCallout`: who is asked about a client that no account knows.
//! <https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_callout>.

use serde::Deserialize;

use super::nullable;

/// `services.cim.fleet.authCallout` of hubs, `authCallout` of a leaf. NATS: `authorization.auth_callout`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuthCallout {
    /// Public account nkey whose signature on an answer counts.
    pub issuer: String,
    /// Account in which the service answers.
    pub account: String,
    /// Public curve key that requests are encrypted for; `null`: they are not.
    #[serde(deserialize_with = "nullable")]
    pub xkey: Option<String>,
    /// Accounts whose clients the service is asked about, which does not bind its answers; empty: all.
    pub allowed_accounts: Vec<String>,
}
