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
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Flow, A::Error> {
        let FullFlow {
            subject,
            prefix,
            to,
        } = FullFlow::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Flow {
            subject,
            prefix,
            to,
        })
    }
}

impl Flow {
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
        };
        assert_eq!(flow(None, None).arrives_as(), "orders.*.>");
        assert_eq!(flow(Some("leaf.a"), None).arrives_as(), "leaf.a.orders.*.>");
        assert_eq!(flow(None, Some("a.$1.b.>")).arrives_as(), "a.*.b.>");
    }
}
