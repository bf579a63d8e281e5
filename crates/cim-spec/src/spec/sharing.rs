//! What accounts of one server let each other have: exports, imports, mappings.
//! <https://docs.nats.io/running-a-nats-service/configuration/securing_nats/accounts>.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::nullable;

/// `accounts.<name>.exports[]`: subjects that other accounts may import.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Export {
    /// Messages that flow out; exactly one of this and `service`.
    #[serde(deserialize_with = "nullable")]
    pub stream: Option<String>,
    /// Requests that are answered here.
    #[serde(deserialize_with = "nullable")]
    pub service: Option<String>,
    /// Who may import it; `null`: everybody.
    #[serde(deserialize_with = "nullable")]
    pub accounts: Option<Vec<String>>,
    /// Which token of the subject, counted from 1, is the importing account's name; `null`: none.
    #[serde(deserialize_with = "nullable")]
    pub account_token_position: Option<usize>,
    /// `single`, `stream` or `chunked`; `null`: nats-server's own, single.
    #[serde(deserialize_with = "nullable")]
    pub response_type: Option<String>,
    /// How long the answers of a stream may pause; `null`: nats-server's own.
    #[serde(deserialize_with = "nullable")]
    pub threshold: Option<String>,
    /// Measuring of answers; `null`: none.
    #[serde(deserialize_with = "nullable")]
    pub latency: Option<Latency>,
    /// Whether traces of messages go into this account; `null`: nats-server's own, they do not.
    #[serde(deserialize_with = "nullable")]
    pub allow_trace: Option<bool>,
}

/// `latency` of a service export.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Latency {
    /// `headers`, or a percentage as text (`"10%"`).
    pub sampling: String,
    /// Where the figures are published.
    pub subject: String,
}

/// `accounts.<name>.imports[]`: subjects of another account.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Import {
    /// Messages that flow in; exactly one of this and `service`.
    #[serde(deserialize_with = "nullable")]
    pub stream: Option<Exported>,
    /// Requests that are answered there.
    #[serde(deserialize_with = "nullable")]
    pub service: Option<Exported>,
    /// What stands before the subject here; `null`: nothing.
    #[serde(deserialize_with = "nullable")]
    pub prefix: Option<String>,
    /// What the subject is called here, `$1` for its first `*`; `null`: the same.
    #[serde(deserialize_with = "nullable")]
    pub to: Option<String>,
    /// Whether the answering service learns who asks; `null`: nats-server's own, it does not.
    #[serde(deserialize_with = "nullable")]
    pub share: Option<bool>,
    /// Whether traces of messages go on in the other account; `null`: nats-server's own, they do not.
    #[serde(deserialize_with = "nullable")]
    pub allow_trace: Option<bool>,
}

/// A subject of another account of the same server.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Exported {
    /// The account that exports it.
    pub account: String,
    /// The subject, as it is called there.
    pub subject: String,
}

/// `accounts.<name>.mappings.<subject>[]`: where messages go instead.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Destination {
    /// The subject they get.
    pub destination: String,
    /// How many of a hundred messages go there.
    pub weight: u8,
    /// Only on servers of this cluster; `null`: everywhere.
    #[serde(deserialize_with = "nullable")]
    pub cluster: Option<String>,
}

/// `accounts.<name>.mappings`: by the subject that is published.
pub type Mappings = BTreeMap<String, Vec<Destination>>;
