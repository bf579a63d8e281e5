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
    /// The one of its subjects that its canary goes by, where messages are published; `None`: the canary goes beside it.
    pub canary: Option<String>,
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
    /// The one of its subjects that its canary goes by, where messages are published; `null`: the canary goes beside it.
    #[serde(deserialize_with = "super::nullable")]
    canary: Option<String>,
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
            canary: None,
            durable: None,
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Flow, A::Error> {
        let FullFlow {
            subject,
            prefix,
            to,
            canary,
            durable,
        } = FullFlow::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Flow {
            subject,
            prefix,
            to,
            canary,
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

    /// What one of its subjects, which has no wildcards, is called at the end where it arrives.
    pub fn name_there(&self, subject: &str) -> String {
        match (&self.prefix, &self.to) {
            (Some(prefix), _) => format!("{prefix}.{subject}"),
            (None, Some(to)) => self.renamed(to, subject),
            (None, None) => subject.to_owned(),
        }
    }

    fn renamed(&self, to: &str, subject: &str) -> String {
        let both = || self.subject.split('.').zip(subject.split('.'));
        let starred = both().filter(|(own, _)| *own == "*");
        let starred: Vec<&str> = starred.map(|(_, token)| token).collect();
        let plain = self.subject.split('.').filter(|own| *own != ">").count();
        let rest: Vec<&str> = subject.split('.').skip(plain).collect();
        let tokens = to.split('.').flat_map(|token| match token {
            ">" => rest.clone(),
            token => {
                let number = token
                    .strip_prefix('$')
                    .and_then(|n| n.parse::<usize>().ok());
                let of = number.and_then(|n| starred.get(n.checked_sub(1)?));
                vec![of.copied().unwrap_or(token)]
            }
        });
        tokens.collect::<Vec<_>>().join(".")
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
            canary: None,
            durable: None,
        };
        for (prefix, to, all, one) in [
            (None, None, "orders.*.>", "orders.eu.x.y"),
            (
                Some("leaf.a"),
                None,
                "leaf.a.orders.*.>",
                "leaf.a.orders.eu.x.y",
            ),
            (None, Some("a.$1.b.>"), "a.*.b.>", "a.eu.b.x.y"),
        ] {
            assert_eq!(flow(prefix, to).arrives_as(), all);
            assert_eq!(flow(prefix, to).name_there("orders.eu.x.y"), one);
        }
        let swapped = Flow {
            subject: "orders.*.*".to_owned(),
            ..flow(None, Some("$2.from.$1"))
        };
        assert_eq!(swapped.name_there("orders.eu.7"), "7.from.eu");
    }
}
