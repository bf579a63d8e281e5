//! The rules that `settings` keep: nothing that an option owns, no secret, no store path.

use super::Value;
use super::owned::{self, OWNED};
use crate::field;
use crate::file::in_store;
use crate::password::is_bcrypt;
use crate::path::OptionPath;
use crate::problem::{Problems, Rule};
use crate::secret;

use std::collections::BTreeMap;

/// Which kind of instance the settings belong to: the owner of a key can differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// `services.cim.hub`.
    Hub,
    /// `services.cim.leaves.<name>`.
    Leaf,
}

impl Role {
    /// The role's word in the table of fields.
    pub fn name(self) -> &'static str {
        match self {
            Role::Hub => "hub",
            Role::Leaf => "leaf",
        }
    }

    fn other(self) -> Self {
        match self {
            Role::Hub => Role::Leaf,
            Role::Leaf => Role::Hub,
        }
    }
}

/// Checks `settings`; `instance` is the option path above them.
pub fn check(
    settings: &BTreeMap<String, Value>,
    instance: &OptionPath,
    role: Role,
    problems: &mut Problems,
) {
    let walk = Walk { instance, role };
    unique_keys(settings, &instance.join("settings"), problems);
    for (key, value) in settings {
        walk.value(
            &instance.join("settings").join(key),
            &mut vec![key],
            value,
            problems,
        );
    }
}

/// Why a key has no option; `None`: it has one, which may be above it, or nothing is known of it.
pub fn reason(keys: &[&str], role: Role) -> Option<String> {
    let (depth, owner) = closest(keys, role)?;
    // "set …" speaks for its own key alone: what stands inside needs options, or reasons, of its own.
    let speaks = depth == keys.len() || !owner.starts_with("set ");
    speaks.then_some(owner)
}

/// What the tables say most specially of a key, and how many of the keys they say it of.
fn closest(keys: &[&str], role: Role) -> Option<(usize, String)> {
    let rows = OWNED.iter().filter(|row| row.covers(keys));
    let rows = rows.map(|row| (row.path.len(), row.owner(role)));
    let tls = owned::tls(keys).map(|(depth, reason)| (depth, reason.to_owned()));
    // The last of equals: a row about that very block.
    tls.into_iter().chain(rows).max_by_key(|(depth, _)| *depth)
}

struct Walk<'a> {
    instance: &'a OptionPath,
    role: Role,
}

impl<'a> Walk<'a> {
    fn value(
        &self,
        at: &OptionPath,
        keys: &mut Vec<&'a str>,
        value: &'a Value,
        problems: &mut Problems,
    ) {
        if let Some(key) = keys.last() {
            is_key(key, at, problems);
        }
        match value {
            Value::Map(map) => {
                self.owned(at, keys, value, problems);
                unique_keys(map, at, problems);
                for (key, value) in map {
                    keys.push(key);
                    self.value(&at.join(key), keys, value, problems);
                    keys.pop();
                }
            }
            Value::List(list) if list.iter().any(|item| matches!(item, Value::Map(_))) => {
                for (index, value) in list.iter().enumerate() {
                    self.value(&at.index(index), keys, value, problems);
                }
            }
            Value::List(list) => {
                self.owned(at, keys, value, problems);
                for (index, value) in list.iter().enumerate() {
                    scalar(&at.index(index), keys, value, problems);
                }
            }
            _ => {
                self.owned(at, keys, value, problems);
                scalar(at, keys, value, problems);
            }
        }
    }

    /// Says who owns a key, unless a more special row speaks for something inside it.
    fn owned(&self, at: &OptionPath, keys: &[&str], value: &Value, problems: &mut Problems) {
        let row = closest(keys, self.role);
        let field = field::owner(keys, self.role.name());
        let owner = match (row, field) {
            (Some((depth, owner)), Some(field)) if field.depth < depth => owner,
            (_, Some(field)) => format!("set {}", field.option),
            (Some((_, owner)), None) => owner,
            (None, None) if field::owner(keys, self.role.other().name()).is_some() => {
                format!("it is for a {}: leave it out", self.role.other().name())
            }
            (None, None) => return self.block(at, keys, value, problems),
        };
        if matches!(value, Value::Map(map) if !map.is_empty()) {
            return; // its entries are walked, and each is covered by this row or a closer one
        }
        let why = if owner.starts_with("set ") {
            ": an option owns this key"
        } else {
            ""
        };
        problems.add(
            Rule::SettingsOwned,
            at,
            format!("{} cannot stand in settings{why}", show(keys, value)),
            owner.replace("{i}", self.instance.as_str()),
        );
    }

    /// What holds owned keys is a block: anything else would stand in for all of them.
    fn block(&self, at: &OptionPath, keys: &[&str], value: &Value, problems: &mut Problems) {
        let is_block = match value {
            Value::Map(_) => true,
            Value::List(list) => list.iter().any(|item| matches!(item, Value::Map(_))),
            _ => false,
        };
        let holds_owned =
            OWNED.iter().any(|row| row.is_inside(keys)) || field::is_inside(keys, self.role.name());
        if !is_block && holds_owned {
            problems.add(
                Rule::SettingsOwned,
                at,
                format!(
                    "{} cannot stand in settings: this is a block",
                    show(keys, value)
                ),
                "write the keys of the block that no option owns, or leave it out",
            );
        }
    }
}

/// Quoted keys know no escapes, and nats-server lowers some other letters to ASCII ones.
pub(crate) fn is_key(key: &str, at: &OptionPath, problems: &mut Problems) {
    let plain = |c: char| c.is_ascii() && !c.is_ascii_control() && !matches!(c, '"' | '\'');
    if key.is_empty() || !key.chars().all(plain) {
        problems.add(
            Rule::SettingsValue,
            at,
            format!("{key:?} cannot be a key of nats.conf"),
            "write ASCII without quotes; fields have nats-server's own names, such as \"max_traced_msg_len\"",
        );
    }
}

/// Keys compare without case: nats-server would take the last of two silently.
fn unique_keys(map: &BTreeMap<String, Value>, at: &OptionPath, problems: &mut Problems) {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for key in map.keys() {
        if let Some(first) = seen.insert(key.to_ascii_lowercase(), key) {
            problems.add(
                Rule::SettingsValue,
                &at.join(key),
                format!("is the same key as {first:?}, which stands beside it: nats-server reads both without case"),
                "leave one of them out",
            );
        }
    }
}

fn scalar(at: &OptionPath, keys: &[&str], value: &Value, problems: &mut Problems) {
    match value {
        Value::Null => problems.add(
            Rule::SettingsValue,
            at,
            "null cannot stand in nats.conf, which would read the text \"null\"",
            "leave the key out",
        ),
        _ if is_secret(keys, value) => problems.add(
            Rule::SettingsSecret,
            at,
            "holds a secret in plain text, which every user of the host can read in the Nix store",
            "make a new one, and name a file with it where there is an option or field for that; of a password, write the bcrypt hash (`nats server passwd`)",
        ),
        Value::Float(number) if *number != 0.0 && !(1e-6..1e21).contains(&number.abs()) => problems.add(
            Rule::SettingsValue,
            at,
            format!("{number:e} cannot stand in nats.conf, which knows no exponents"),
            "write a number between 0.000001 and 1e21",
        ),
        Value::Str(text) if in_store(text) => problems.add(
            Rule::SettingsStorePath,
            at,
            format!("{text:?} is in the Nix store, which every user of the host can read"),
            "write the path of a file that is put on the host at run time, for example \"/run/secrets/x.pem\"",
        ),
        Value::Str(text) if text.contains('\0') => problems.add(
            Rule::ControlCharacter,
            at,
            format!("{text:?} holds a NUL character"),
            "leave it out",
        ),
        _ => {}
    }
}

/// Whether a value must never be shown: by what it is, or by the key it stands under.
fn is_secret(keys: &[&str], value: &Value) -> bool {
    let key = keys.last().map(|key| key.to_ascii_lowercase());
    let names_a_secret = matches!(
        key.as_deref(),
        Some(
            "password"
                | "pass"
                | "token"
                | "secret"
                | "seed"
                | "key"
                | "ek"
                | "encryption_key"
                | "prev_key"
                | "prev_ek"
                | "prev_encryption_key"
                | "encryption_password"
                | "srk_password"
        )
    );
    match value {
        Value::Str(text) => {
            let public = text.len() == 56
                && text
                    .chars()
                    .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
            secret::is_in(text) || (names_a_secret && !is_bcrypt(text) && !public)
        }
        Value::Int(_) | Value::Float(_) => names_a_secret,
        _ => false,
    }
}

fn show(keys: &[&str], value: &Value) -> String {
    if is_secret(keys, value) {
        return "a value".to_owned();
    }
    value.shown()
}
