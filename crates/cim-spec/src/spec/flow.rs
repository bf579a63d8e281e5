//! `imports` and `exports` of a leaf: subjects that may cross its links.

use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};

/// A subject that may cross a leaf link, and what it is called at the other end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// The subject at the end where messages are published, with wildcards.
    pub subject: String,
    /// What stands before it, and a dot, at the end where they arrive; `None`: nothing.
    pub prefix: Option<String>,
    /// What it is called there instead, `$1` for its first `*`; `None`: as it is.
    pub to: Option<String>,
    /// How it is stored until it has crossed; `None`: it is not, and what finds the link cut is gone.
    pub durable: Option<Durable>,
}

/// A flow in full. One that is nothing but a subject is written as that text.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct FullFlow {
    /// The subject at the end where messages are published, with wildcards.
    subject: String,
    /// What stands before it, and a dot, at the end where they arrive; `null`: nothing.
    #[serde(deserialize_with = "super::nullable")]
    prefix: Option<String>,
    /// What it is called there instead, `$1` for its first `*`; `null`: as it is.
    #[serde(deserialize_with = "super::nullable")]
    to: Option<String>,
    /// How it is stored until it has crossed; `null`: it is not.
    #[serde(deserialize_with = "super::nullable")]
    durable: Option<Durable>,
}

/// `durable` of a flow: streams at both ends, so that a cut link delays messages and loses none.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Durable {
    /// How long the link may be cut.
    pub longest_partition: String,
    /// Bytes that come in each second at most, as the store counts them.
    pub rate: String,
    /// Name of the streams that are made; `null`: after the subject.
    #[serde(deserialize_with = "super::nullable")]
    pub name: Option<String>,
    /// The hub's declared stream that gathers it, or holds it; `null`: one is made.
    #[serde(deserialize_with = "super::nullable")]
    pub stream: Option<String>,
    /// The hub at the other end; `null`: the only one that the leaf dials.
    #[serde(deserialize_with = "super::nullable")]
    pub hub: Option<String>,
    /// How old messages get in the streams that are made; `null`: from `longestPartition`.
    #[serde(deserialize_with = "super::nullable")]
    pub max_age: Option<String>,
    /// How many bytes each of them holds; `null`: from `rate` and `maxAge`.
    #[serde(deserialize_with = "super::nullable")]
    pub max_bytes: Option<String>,
}

impl<'de> Deserialize<'de> for Flow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Either)
    }
}

struct Either;

impl<'de> Visitor<'de> for Either {
    type Value = Flow;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a subject, or a flow")
    }

    fn visit_str<E>(self, subject: &str) -> Result<Flow, E> {
        Ok(Flow {
            subject: subject.to_owned(),
            prefix: None,
            to: None,
            durable: None,
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Flow, A::Error> {
        let FullFlow {
            subject,
            prefix,
            to,
            durable,
        } = FullFlow::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Flow {
            subject,
            prefix,
            to,
            durable,
        })
    }
}

impl Flow {
    /// Whether messages cross as they are published; else a stream has them first.
    pub fn is_core(&self) -> bool {
        self.durable.is_none()
    }

    /// Whether it has another name at the end where it arrives.
    pub fn is_renamed(&self) -> bool {
        self.prefix.is_some() || self.to.is_some()
    }

    /// What it is called at the end where it arrives, with wildcards.
    pub fn arrives_as(&self) -> String {
        match (&self.prefix, &self.to) {
            (Some(prefix), _) => format!("{prefix}.{}", self.subject),
            (None, Some(to)) => {
                let tokens = to.split('.');
                let tokens = tokens.map(|token| if token.starts_with('$') { "*" } else { token });
                tokens.collect::<Vec<_>>().join(".")
            }
            (None, None) => self.subject.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_at_the_other_end() {
        let flow = |prefix: Option<&str>, to: Option<&str>| Flow {
            subject: "orders.*.>".to_owned(),
            prefix: prefix.map(str::to_owned),
            to: to.map(str::to_owned),
            durable: None,
        };
        assert_eq!(flow(None, None).arrives_as(), "orders.*.>");
        assert_eq!(flow(Some("leaf.a"), None).arrives_as(), "leaf.a.orders.*.>");
        assert_eq!(flow(None, Some("a.$1.b.>")).arrives_as(), "a.*.b.>");
    }
}
