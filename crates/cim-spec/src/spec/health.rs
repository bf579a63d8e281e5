//! `health`: when `cim-health` warns, and when it calls.

use serde::Deserialize;

use super::nullable;

/// `health`. Durations are text.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HealthOptions {
    /// How often the daemon looks at the server and its links.
    pub interval: String,
    /// How often it looks at streams, consumers, files and disk.
    pub slow_interval: String,
    /// Percent of `jetstream.maxFileStore`.
    pub storage: PercentLevels,
    /// Percent of `jetstream.maxMemoryStore`.
    pub memory: PercentLevels,
    /// Percent of the file system that holds the store.
    pub disk: PercentLevels,
    /// Percent of `limits.maxConnections`.
    pub connections: PercentLevels,
    /// Percent of `limits.maxSubscriptions` that one connection has.
    pub subscriptions: PercentLevels,
    /// Round trip of a link.
    pub rtt: TimeLevels,
    /// Time left to a certificate or a JWT: less is worse.
    pub expiry: TimeLevels,
    /// How long a source or mirror has not been heard of, or has brought nothing although more waits.
    pub sources: TimeLevels,
    /// How far the server's clock is from the host's.
    pub clock: TimeLevels,
    /// Age of an account's newest good backup.
    pub backup: TimeLevels,
    /// Age of the last drill of an account's backups.
    pub drill: TimeLevels,
    /// Connections a minute that were too slow.
    pub slow_consumers: CountLevels,
    /// Failed JetStream requests a minute.
    pub api_errors: CountLevels,
    /// Messages that a consumer has not delivered yet.
    pub pending: CountLevels,
    /// Messages of a consumer that were delivered more than once and not acknowledged.
    pub redeliveries: CountLevels,
}

/// Percent at which something is a warning, and critical.
#[derive(Debug, Clone, Copy, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PercentLevels {
    /// A warning from here.
    pub warning: u64,
    /// Critical from here.
    pub critical: u64,
}

/// Durations at which something is a warning, and critical.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TimeLevels {
    /// A warning from here.
    pub warning: String,
    /// Critical from here.
    pub critical: String,
}

/// Numbers at which something is a warning, and critical; `null`: never.
#[derive(Debug, Clone, Copy, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CountLevels {
    /// A warning from here.
    #[serde(deserialize_with = "nullable")]
    pub warning: Option<u64>,
    /// Critical from here.
    #[serde(deserialize_with = "nullable")]
    pub critical: Option<u64>,
}
