//! The rules that `settings` keep: nothing that an option owns, no secret, no store path.

use super::owned::OWNED;
use super::Value;
use crate::file::in_store;
use crate::password::is_bcrypt;
use crate::path::OptionPath;
use crate::problem::{Problems, Rule};
use crate::nkey;

use std::collections::BTreeMap;

/// Which kind of instance the settings belong to: the owner of a key can differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// `services.cim.hub`.
    Hub,
    /// `services.cim.leaves.<name>`.
    Leaf,
}

/// A port that `settings` open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// The key that holds it.
    pub at: OptionPath,
    /// The port.
    pub port: u16,
}

/// Checks `settings`; `instance` is the option path above them.
pub fn check(
    settings: &BTreeMap<String, Value>,
    instance: &OptionPath,
    role: Role,
    problems: &mut Problems,
) {
    let walk = Walk { instance, role };
    for (key, value) in settings {
        walk.value(
            &instance.join("settings").join(key),
            &mut vec![key],
            value,
            problems,
        );
    }
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
        self.key(at, keys, problems);
        match value {
            Value::Map(map) => {
                self.owned(at, keys, value, problems);
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
        let Some(row) = OWNED
            .iter()
            .filter(|row| row.covers(keys).is_some())
            .max_by_key(|row| row.path.len())
        else {
            return;
        };
        if matches!(value, Value::Map(map) if !map.is_empty()) {
            return; // its entries are walked, and each is covered by this row or a closer one
        }
        let owner = match self.role {
            Role::Hub => row.hub,
            Role::Leaf => row.leaf,
        };
        let shown = if is_secret(keys, value) {
            "a value".to_owned()
        } else {
            show(value)
        };
        problems.add(
            Rule::SettingsOwned,
            at,
            format!("{shown} cannot stand in settings: a typed option owns this key"),
            owner.replace("{i}", self.instance.as_str()),
        );
    }

    fn key(&self, at: &OptionPath, keys: &[&str], problems: &mut Problems) {
        let Some(key) = keys.last() else { return };
        if key.is_empty() || key.chars().any(|c| c.is_control() || matches!(c, '"' | '\'')) {
            problems.add(
                Rule::SettingsValue,
                at,
                format!("{key:?} cannot be a key of nats.conf"),
                "write nats-server's own name of the field, such as \"max_traced_msg_len\"",
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
        Value::Float(number) if !number.is_finite() => problems.add(
            Rule::SettingsValue,
            at,
            format!("{number} cannot stand in nats.conf"),
            "write a finite number",
        ),
        Value::Str(_) if is_secret(keys, value) => problems.add(
            Rule::SettingsSecret,
            at,
            "holds a secret in plain text, which every user of the host can read in the Nix store",
            "use an option that names a file, or the bcrypt hash of a password (`nats server passwd`)",
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
    let Value::Str(text) = value else {
        return false;
    };
    let key = keys.last().map(|key| key.to_ascii_lowercase());
    let names_a_secret = matches!(
        key.as_deref(),
        Some(
            "password" | "pass" | "token" | "secret" | "seed" | "key" | "ek" | "encryption_key"
                | "prev_key" | "prev_ek" | "prev_encryption_key" | "encryption_password" | "srk_password"
        )
    );
    let public = text.len() == 56 && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    nkey::looks_like_seed(text)
        || text.contains("PRIVATE KEY-----")
        || has_userinfo_password(text)
        || (names_a_secret && !is_bcrypt(text) && !public)
}

/// `scheme://user:password@host`.
fn has_userinfo_password(text: &str) -> bool {
    text.split_once("://").is_some_and(|(_, rest)| {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
        authority
            .rsplit_once('@')
            .is_some_and(|(user, _)| user.contains(':'))
    })
}

fn show(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        Value::Str(value) => format!("{value:?}"),
        Value::List(_) => "a list".to_owned(),
        Value::Map(_) => "a block".to_owned(),
    }
}

/// The ports that `settings` open, so that they are held against those of the typed options.
pub fn listeners(settings: &BTreeMap<String, Value>, at: &OptionPath) -> Vec<Listener> {
    let mut found = Vec::new();
    for (key, value) in settings {
        if let (true, Some(port)) = (key.eq_ignore_ascii_case("prof_port"), port(value)) {
            found.push(Listener {
                at: at.join(key),
                port,
            });
        }
        let Value::Map(block) = value else { continue };
        for (field, value) in block {
            let names_port =
                field.eq_ignore_ascii_case("listen") || field.eq_ignore_ascii_case("port");
            if let (true, Some(port)) = (names_port, port(value)) {
                found.push(Listener {
                    at: at.join(key).join(field),
                    port,
                });
            }
        }
    }
    found
}

fn port(value: &Value) -> Option<u16> {
    match value {
        Value::Int(port) => u16::try_from(*port).ok(),
        Value::Str(text) => text.rsplit_once(':')?.1.parse().ok(),
        _ => None,
    }
}
