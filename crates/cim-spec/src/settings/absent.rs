//! Blocks in `settings` that would turn on what an instance has not.

use std::collections::BTreeMap;

use super::Value;
use crate::path::OptionPath;
use crate::problem::{Problems, Rule};

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
