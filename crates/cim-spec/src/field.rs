//! Fields that pass straight through from an option: what a row of `fields/*.json` says of each of nats.conf, and one of
//! `assets/*.json` of those of JetStream assets.
//!
//! One table serves the options (their types, texts and examples), the checks here, the rendering, the
//! question whether a change can be reloaded, and whose a key in `settings` is.

mod block;
mod plan;

use std::collections::BTreeMap;

use serde::Deserialize;

pub use block::{Block, Connection};
pub use plan::{Setting, SettingValue};

use crate::settings::Value;
use crate::version::Version;

/// One field of nats.conf with the option that holds it.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// The option's path under its block's, with dots between.
    pub option: &'static str,
    /// Its path in nats.conf under its block's; `a|b` are names for the same key, the first is written.
    pub path: &'static [&'static str],
    /// What it takes.
    pub kind: Kind,
    /// The first nats-server that knows it; 0.0.0: all that are supported.
    pub since: Version,
    /// The first nats-server that takes every change of it over on reload; `None`: it needs a restart.
    pub hot: Option<Version>,
    /// `hub`, `leaf`: where it makes sense; empty: on both.
    pub roles: &'static [&'static str],
    /// Of `tls`: the connections on which it makes sense; empty: all.
    pub connections: &'static [&'static str],
}

/// What a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`.
    Bool,
    /// A whole number from the first to the second, both included.
    Int(i64, i64),
    /// A size as text; bytes in nats.conf.
    Size,
    /// A duration as text; Go's notation in nats.conf.
    Duration,
    /// A text.
    Text,
    /// A release of nats-server: `2.12.0`.
    Version,
    /// Texts.
    Texts,
    /// A subject, wildcards allowed.
    Subject,
    /// Subjects.
    Subjects,
    /// One of these words; `true` and `false` are no texts in nats.conf.
    Enum(&'static [&'static str]),
    /// Some of these words.
    Enums(&'static [&'static str]),
    /// Texts by name.
    TextMap,
    /// `true` or `false` by name.
    BoolMap,
    /// The absolute path of a file or folder on the host.
    File,
    /// A public nkey that starts with this letter.
    Nkey(char),
    /// A duration as text; nanoseconds in an asset.
    Nanoseconds,
    /// Such durations.
    NanosecondsList,
    /// A moment, RFC 3339.
    Time,
    /// Names and texts, for tools.
    Labels,
    /// Subjects that become others: `src` and `dest` of each.
    Transforms,
}

/// What is set in one block, by the options' paths; what is not there is nats-server's own default.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Fields(BTreeMap<String, Value>);

impl Fields {
    /// Fields that are set to these values, by option.
    pub(crate) fn of<const N: usize>(set: [(&str, Value); N]) -> Self {
        let set = set.map(|(option, value)| (option.to_owned(), value));
        Self(BTreeMap::from(set))
    }

    /// Sets one more.
    pub(crate) fn set(&mut self, option: &str, value: Value) {
        self.0.insert(option.to_owned(), value);
    }

    /// What an option is set to; `None`: nothing.
    pub fn get(&self, option: &str) -> Option<&Value> {
        self.0.get(option)
    }

    /// The text that an option is set to.
    pub fn text(&self, option: &str) -> Option<&str> {
        match self.get(option) {
            Some(Value::Str(text)) => Some(text),
            _ => None,
        }
    }

    /// Whether an option is set to `true`.
    pub fn is_true(&self, option: &str) -> bool {
        self.get(option) == Some(&Value::Bool(true))
    }
}

/// The option that owns a key of nats.conf.
#[derive(Debug, PartialEq, Eq)]
pub struct Owner {
    /// Its path, with `{i}` for the instance: `{i}.limits.maxSubTokens`.
    pub option: String,
    /// How many of the keys its row speaks for.
    pub depth: usize,
}

/// Who owns a key of nats.conf on a hub or a leaf; `None`: no row has it.
pub fn owner(keys: &[&str], role: &str) -> Option<Owner> {
    fields_of(role)
        .filter(|(block, field)| {
            below(block.keys(), keys).is_some_and(|keys| below(field.path, keys).is_some())
        })
        .map(|(block, field)| Owner {
            option: format!("{}.{}", block.options(), field.option),
            depth: block.keys().len() + field.path.len(),
        })
        .max_by_key(|owner| owner.depth)
}

/// Whether some row is about a key inside this one.
pub fn is_inside(keys: &[&str], role: &str) -> bool {
    fields_of(role).any(|(block, field)| {
        let path = [block.keys(), field.path].concat();
        keys.len() < path.len() && below(&path[..keys.len()], keys).is_some()
    })
}

/// The rows that a hub or a leaf has, but those of accounts and users.
fn fields_of(role: &str) -> impl Iterator<Item = (Block, &'static Field)> {
    let has = move |block: &Block| match block {
        Block::Leafnodes | Block::Gateway => role == "hub",
        Block::Tls(Connection::Leafnodes | Connection::Gateway) => role == "hub",
        Block::Link | Block::Remote | Block::Tls(Connection::Remote) => role == "leaf",
        _ => true,
    };
    let blocks = Block::TOP.into_iter().filter(has);
    blocks.flat_map(move |block| {
        let fields = block.fields();
        let of_role = fields.filter(move |f| f.roles.is_empty() || f.roles.contains(&role));
        of_role.map(move |field| (block, field))
    })
}

/// What is left of `keys` below `path`; `None`: they go another way.
fn below<'a, 'k>(path: &[&str], keys: &'a [&'k str]) -> Option<&'a [&'k str]> {
    let agrees = path.len() <= keys.len()
        && path
            .iter()
            .zip(keys)
            .all(|(names, key)| names.split('|').any(|name| name.eq_ignore_ascii_case(key)));
    agrees.then(|| &keys[path.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_belong_to_the_options_of_their_rows() {
        let option = |keys: &[&str], role| owner(keys, role).map(|owner| owner.option);
        assert_eq!(
            option(&["max_subscription_tokens"], "leaf").as_deref(),
            Some("{i}.limits.maxSubTokens")
        );
        assert_eq!(
            option(&["JetStream", "strict"], "hub").as_deref(),
            Some("{i}.jetstream.strict")
        );
        assert_eq!(
            option(&["leafnodes", "remotes", "tls", "first"], "leaf").as_deref(),
            Some("{i}.remotes.<name>.tls.handshakeFirst")
        );
        assert_eq!(option(&["jetstream"], "hub"), None);
    }
}
