//! What accounts share: exports and imports.
//!
//! Upstream: nats-io/jwt v2.8.2, `exports.go` and `imports.go`.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::body::revocations::Revocations;
use crate::json::is_zero;

/// Whether messages or requests cross.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExportType {
    /// The importer receives messages.
    Stream,
    /// The importer makes requests.
    Service,
}

/// How a service answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ResponseType {
    /// With one message; what an absent type means.
    Singleton,
    /// With many messages.
    Stream,
    /// With one answer in many messages.
    Chunked,
}

/// Which requests are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampling {
    /// Those whose headers ask for it.
    Headers,
    /// This percentage of them, 1 to 100.
    Percent(u8),
}

/// Measuring of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceLatency {
    /// Which requests.
    pub sampling: Sampling,
    /// Subject of the results, without wildcards.
    pub results: String,
}

/// What an account offers to others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Export {
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Subject, wildcards included.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// Stream or service.
    #[serde(rename = "type")]
    pub kind: ExportType,
    /// Only accounts with an activation JWT may import it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub token_req: bool,
    /// Accounts whose activations are refused.
    #[serde(default, skip_serializing_if = "Revocations::is_empty")]
    pub revocations: Revocations,
    /// How the service answers; absent: with one message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_type: Option<ResponseType>,
    /// Nanoseconds in which the service should answer; 0: nats-server's default.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub response_threshold: i64,
    /// Measuring; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_latency: Option<ServiceLatency>,
    /// Which token of the subject, counted from 1, must be the importer's public key; 0: none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub account_token_position: u32,
    /// Listed for others to see.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub advertise: bool,
    /// Traces of messages cross, services only (nats-server 2.11).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub allow_trace: bool,
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub info_url: String,
}

/// What an account takes from another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Subject as the publisher uses it: the exporter for a stream, the importer for a service…
    /// unless `local_subject` is set; then it is the exporter's in both cases.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// Public key of the exporting account.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub account: String,
    /// Activation JWT, where the export needs one; empty: none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub token: String,
    /// Deprecated: use `local_subject`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub to: String,
    /// Subject in this account, where `$1` is the first wildcard of `subject`; empty: the same.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub local_subject: String,
    /// Stream or service.
    #[serde(rename = "type")]
    pub kind: ExportType,
    /// The exporter learns who asks, for measuring; services only.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub share: bool,
    /// Traces of messages cross, streams only (nats-server 2.11).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub allow_trace: bool,
}

impl Export {
    /// A public export of `subject`.
    pub fn new(kind: ExportType, subject: impl Into<String>) -> Self {
        Self {
            name: String::new(),
            subject: subject.into(),
            kind,
            token_req: false,
            revocations: Revocations::default(),
            response_type: None,
            response_threshold: 0,
            service_latency: None,
            account_token_position: 0,
            advertise: false,
            allow_trace: false,
            description: String::new(),
            info_url: String::new(),
        }
    }
}

impl Import {
    /// An import of `subject` from `account`.
    pub fn new(kind: ExportType, account: impl Into<String>, subject: impl Into<String>) -> Self {
        Self {
            name: String::new(),
            subject: subject.into(),
            account: account.into(),
            token: String::new(),
            to: String::new(),
            local_subject: String::new(),
            kind,
            share: false,
            allow_trace: false,
        }
    }
}

impl Serialize for Sampling {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Sampling::Headers => serializer.serialize_str("headers"),
            Sampling::Percent(percent) => serializer.serialize_u8(*percent),
        }
    }
}

impl<'de> Deserialize<'de> for Sampling {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Number(u8),
            Text(String),
        }
        match Either::deserialize(deserializer)? {
            Either::Number(0) => Ok(Sampling::Headers),
            Either::Number(percent @ 1..=100) => Ok(Sampling::Percent(percent)),
            Either::Text(text) if text.eq_ignore_ascii_case("headers") => Ok(Sampling::Headers),
            _ => Err(D::Error::custom("sampling is 1 to 100 or \"headers\"")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sampling_is_headers_or_a_percentage() {
        let read = |text| serde_json::from_str::<Sampling>(text).ok();
        assert_eq!(read("\"Headers\""), Some(Sampling::Headers));
        assert_eq!(read("0"), Some(Sampling::Headers));
        assert_eq!(read("100"), Some(Sampling::Percent(100)));
        assert_eq!(read("101"), None);
        assert_eq!(read("\"all\""), None);
    }
}
