//! Permissions and limits of users and of scoped signing keys' templates.
//!
//! Upstream: nats-io/jwt v2.8.2, `types.go` and `user_claims.go`.

use std::net::IpAddr;

use serde::{Deserialize, Deserializer, Serialize};

use crate::body::limits::NO_LIMIT;
use crate::body::subject;
use crate::encode::EncodeError;
use crate::json::is_zero;

/// Values of [`UserPermissionLimits::allowed_connection_types`].
pub mod connection_type {
    /// NATS clients over TCP.
    pub const STANDARD: &str = "STANDARD";
    /// NATS clients over WebSocket.
    pub const WEBSOCKET: &str = "WEBSOCKET";
    /// Leaf nodes over TCP.
    pub const LEAFNODE: &str = "LEAFNODE";
    /// Leaf nodes over WebSocket.
    pub const LEAFNODE_WS: &str = "LEAFNODE_WS";
    /// MQTT clients over TCP.
    pub const MQTT: &str = "MQTT";
    /// MQTT clients over WebSocket.
    pub const MQTT_WS: &str = "MQTT_WS";
    /// Clients in the server's own process.
    pub const IN_PROCESS: &str = "IN_PROCESS";
}

/// Subjects that may and may not be used. Both empty: all may.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Permission {
    /// Only these; empty: all. For subscriptions a queue may follow after a space.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<String>,
    /// Not these, even where `allow` has them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deny: Vec<String>,
}

/// Leave to answer on the reply subject of a message that was received.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResponsePermission {
    /// Answers to one message; 0: nats-server's default (1), -1: any number.
    pub max: i64,
    /// Nanoseconds in which to answer; 0: nats-server's default (2 minutes), -1: for ever.
    pub ttl: i64,
}

/// Permissions alone, as an account gives its users by default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Permissions {
    /// Publishing.
    #[serde(rename = "pub")]
    pub publish: Permission,
    /// Subscribing.
    #[serde(rename = "sub")]
    pub subscribe: Permission,
    /// Answering; absent: only where `publish` allows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resp: Option<ResponsePermission>,
}

/// A part of the day in which a user may be connected.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TimeRange {
    /// `15:04:05`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub start: String,
    /// `15:04:05`; before `start`: on the next day.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub end: String,
}

/// What a user may do. `Default` allows everything, as nats-io/jwt's `NewUserClaims`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserPermissionLimits {
    /// Subjects.
    #[serde(flatten)]
    pub permissions: Permissions,
    /// CIDRs from which the user may connect; empty: from anywhere.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "cidrs"
    )]
    pub src: Vec<String>,
    /// When the user may be connected; empty: always.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub times: Vec<TimeRange>,
    /// Time zone of `times` (`Europe/Berlin`); empty: the server's.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub times_location: String,
    /// Subscriptions of a connection; -1: any number.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub subs: i64,
    /// Bytes; nats-server never enforces it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub data: i64,
    /// Bytes of one message; -1: what the account allows.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub payload: i64,
    /// The JWT alone logs in, without a proof of the key: the JWT is then a secret.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub bearer_token: bool,
    /// Only through a trusted proxy (nats-server 2.12).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub proxy_required: bool,
    /// See [`connection_type`]; empty: any. nats-server ignores names that it does not know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_connection_types: Vec<String>,
}

impl Permissions {
    pub(crate) fn check(&self) -> Result<(), EncodeError> {
        let each = |field, permission: &Permission, queue| {
            let mut subjects = permission.allow.iter().chain(&permission.deny);
            subjects.try_for_each(|name| subject::check_permission(field, name, queue))
        };
        each("pub", &self.publish, false)?;
        each("sub", &self.subscribe, true)
    }
}

impl UserPermissionLimits {
    /// A user JWT in which this fails lets nobody in.
    pub(crate) fn check(&self) -> Result<(), EncodeError> {
        self.permissions.check()?;
        if let Some(cidr) = self.src.iter().find(|cidr| !is_cidr(cidr)) {
            return Err(EncodeError::field(
                "src",
                format!("has {cidr:?}, which is no CIDR"),
                "write an address and the length of its prefix, such as 10.0.0.0/8",
            ));
        }
        let times = self
            .times
            .iter()
            .flat_map(|range| [&range.start, &range.end]);
        if let Some(time) = times.into_iter().find(|time| !is_time(time)) {
            return Err(EncodeError::field(
                "times",
                format!("have {time:?}, which is no time of day"),
                "write hours, minutes and seconds, such as 08:00:00",
            ));
        }
        Ok(())
    }

    /// Says nothing at all: what a user of a scoped signing key must have. Elsewhere its zeros
    /// are limits.
    pub fn empty() -> Self {
        Self {
            permissions: Permissions::default(),
            src: Vec::new(),
            times: Vec::new(),
            times_location: String::new(),
            subs: 0,
            data: 0,
            payload: 0,
            bearer_token: false,
            proxy_required: false,
            allowed_connection_types: Vec::new(),
        }
    }

    /// Whether it says nothing at all.
    pub fn is_empty(&self) -> bool {
        *self == Self::empty()
    }
}

impl Default for UserPermissionLimits {
    fn default() -> Self {
        Self {
            subs: NO_LIMIT,
            data: NO_LIMIT,
            payload: NO_LIMIT,
            ..Self::empty()
        }
    }
}

fn is_cidr(text: &str) -> bool {
    text.split_once('/').is_some_and(|(address, length)| {
        let bits = match address.parse() {
            Ok(IpAddr::V4(_)) => 32,
            Ok(IpAddr::V6(_)) => 128,
            Err(_) => return false,
        };
        number(length).is_some_and(|length| length <= bits)
    })
}

/// `15:04:05`.
fn is_time(text: &str) -> bool {
    let parts: Vec<_> = text.split(':').collect();
    let fits = |part: &str, below| part.len() == 2 && number(part).is_some_and(|n| n < below);
    matches!(parts[..], [h, m, s] if fits(h, 24) && fits(m, 60) && fits(s, 60))
}

/// Digits alone: Rust's parser would take `+8` too.
fn number(text: &str) -> Option<u8> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}

/// A list, or one text with commas, as nats-io/jwt reads both.
fn cidrs<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        List(Vec<String>),
        Text(String),
    }
    Ok(match Either::deserialize(deserializer)? {
        Either::List(list) => list,
        Either::Text(text) => text
            .split(',')
            .map(|cidr| cidr.trim().to_lowercase())
            .filter(|cidr| !cidr.is_empty())
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_a_list_or_a_text() {
        for text in [
            r#"{"src":["10.0.0.0/8","::1/128"]}"#,
            r#"{"src":"10.0.0.0/8, ::1/128,"}"#,
        ] {
            let limits: UserPermissionLimits = serde_json::from_str(text).unwrap();
            assert_eq!(limits.src, ["10.0.0.0/8", "::1/128"]);
        }
    }

    #[test]
    fn what_lets_nobody_in_is_refused() {
        let with = |change: fn(&mut UserPermissionLimits)| {
            let mut limits = UserPermissionLimits::default();
            change(&mut limits);
            limits.check().map_err(|error| error.to_string())
        };
        assert_eq!(with(|limits| limits.src.push("::1/128".to_owned())), Ok(()));
        assert!(with(|limits| limits.src.push("10.0.0.0/+8".to_owned())).is_err());
        let error = with(|limits| limits.src.push("10.0.0.0/33".to_owned())).unwrap_err();
        assert!(error.starts_with("src has"), "{error}");
        let error = with(|limits| {
            limits.times.push(TimeRange {
                start: "08:00:00".to_owned(),
                end: "8:00".to_owned(),
            });
        });
        assert!(error.unwrap_err().starts_with("times have \"8:00\""));
        let error = with(|limits| limits.permissions.publish.allow.push("a q".to_owned()));
        assert!(error.unwrap_err().starts_with("pub has"));
    }

    #[test]
    fn what_is_absent_is_zero() {
        let limits: UserPermissionLimits = serde_json::from_str("{}").unwrap();
        assert!(limits.is_empty());
        assert!(!UserPermissionLimits::default().is_empty());
    }
}
