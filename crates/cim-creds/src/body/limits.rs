//! Limits of accounts: connections, JetStream, and JetStream by tier.
//!
//! Upstream: nats-io/jwt v2.8.2, `account_claims.go`. An absent limit is 0, which for
//! connections means none at all: start from `Default`, which limits nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::encode::EncodeError;
use crate::json::is_zero;

/// No limit.
pub const NO_LIMIT: i64 = -1;

/// What an operator allows an account. `Default` limits nothing and leaves JetStream off, as
/// nats-io/jwt's `NewAccountClaims`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorLimits {
    /// Subscriptions of a connection; -1: any number.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub subs: i64,
    /// Bytes; nats-server never enforces it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub data: i64,
    /// Bytes of one message; -1: what the server allows.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub payload: i64,
    /// Imports; -1: any number.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub imports: i64,
    /// Exports; -1: any number.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub exports: i64,
    /// Whether exports may have wildcards.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub wildcards: bool,
    /// Bearer tokens are refused.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub disallow_bearer: bool,
    /// Client connections on all servers together; -1: any number, 0: none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub conn: i64,
    /// Leaf node connections on all servers together; -1: any number, 0: none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub leaf: i64,
    /// JetStream without tiers; all zero: JetStream is off, or has tiers.
    #[serde(flatten)]
    pub jetstream: JetStreamLimits,
    /// JetStream by tier (`R1`, `R3`, …); nats-server then ignores `jetstream`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tiered_limits: BTreeMap<String, JetStreamLimits>,
}

/// What an account may use of JetStream, or of one tier of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct JetStreamLimits {
    /// Bytes in memory, of all streams together; -1: unlimited, 0: none.
    #[serde(skip_serializing_if = "is_zero")]
    pub mem_storage: i64,
    /// Bytes on disk, of all streams together; -1: unlimited, 0: none.
    #[serde(skip_serializing_if = "is_zero")]
    pub disk_storage: i64,
    /// Streams; -1 or 0: any number.
    #[serde(skip_serializing_if = "is_zero")]
    pub streams: i64,
    /// Consumers; -1 or 0: any number.
    #[serde(skip_serializing_if = "is_zero")]
    pub consumer: i64,
    /// Unacknowledged messages of one consumer; -1 or 0: any number.
    #[serde(skip_serializing_if = "is_zero")]
    pub max_ack_pending: i64,
    /// Bytes of one stream in memory; -1 or 0: any number.
    #[serde(skip_serializing_if = "is_zero")]
    pub mem_max_stream_bytes: i64,
    /// Bytes of one stream on disk; -1 or 0: any number.
    #[serde(skip_serializing_if = "is_zero")]
    pub disk_max_stream_bytes: i64,
    /// Every stream must say its `max_bytes`.
    #[serde(skip_serializing_if = "is_zero")]
    pub max_bytes_required: bool,
}

impl OperatorLimits {
    /// All zero, which is what an absent object means.
    pub(crate) fn none() -> Self {
        Self {
            subs: 0,
            data: 0,
            payload: 0,
            imports: 0,
            exports: 0,
            wildcards: false,
            disallow_bearer: false,
            conn: 0,
            leaf: 0,
            jetstream: JetStreamLimits::default(),
            tiered_limits: BTreeMap::new(),
        }
    }

    pub(crate) fn check(&self) -> Result<(), EncodeError> {
        if self.tiered_limits.is_empty() {
            return Ok(());
        }
        let refuse = |what, help| Err(EncodeError::field("tiered_limits", what, help));
        if self.jetstream != JetStreamLimits::default() {
            return refuse(
                "stand beside JetStream limits without a tier, which nats-server would ignore",
                "set only one of the two",
            );
        }
        if self.tiered_limits.contains_key("") {
            return refuse("have a tier without a name", "name it R1, R3 or R5");
        }
        Ok(())
    }
}

impl Default for OperatorLimits {
    fn default() -> Self {
        Self {
            subs: NO_LIMIT,
            data: NO_LIMIT,
            payload: NO_LIMIT,
            imports: NO_LIMIT,
            exports: NO_LIMIT,
            wildcards: true,
            conn: NO_LIMIT,
            leaf: NO_LIMIT,
            ..Self::none()
        }
    }
}
