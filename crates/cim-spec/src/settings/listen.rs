//! What `settings` turn on: ports, and blocks that an instance has not.

use std::collections::BTreeMap;

use super::Value;
use crate::path::OptionPath;
use crate::problem::{Problems, Rule};

/// A port that `settings` open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// The key that holds it.
    pub at: OptionPath,
    /// The port.
    pub port: u16,
}

/// Blocks whose listeners belong to typed options, which say so themselves.
const TYPED: &[&str] = &["cluster", "leafnodes"];

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
        if TYPED.iter().any(|typed| typed.eq_ignore_ascii_case(key)) {
            continue;
        }
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

/// Refuses a block that would turn on what the instance has not.
pub fn absent(
    settings: &BTreeMap<String, Value>,
    block: &str,
    instance: &OptionPath,
    why: &str,
    help: &str,
    problems: &mut Problems,
) {
    for key in settings
        .keys()
        .filter(|key| key.eq_ignore_ascii_case(block))
    {
        problems.add(
            Rule::SettingsOwned,
            &instance.join("settings").join(key),
            format!("cannot stand in settings: {why}"),
            help,
        );
    }
}
