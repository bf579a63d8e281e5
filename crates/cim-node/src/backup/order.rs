//! In which order streams are taken: those that copy others before the ones that they copy.
//!
//! A mirror or a stream with sources asks its origin for what comes after the last message that it has. An origin that was
//! taken earlier than its copy would, once both are restored, give out again sequences that the copy believes to have.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Names of the streams that a configuration copies.
pub fn origins(config: &Value) -> Vec<String> {
    let mirror = config.get("mirror").and_then(named);
    mirror.into_iter().chain(sources(config)).collect()
}

/// Names of the streams that it has as sources.
pub fn sources(config: &Value) -> Vec<String> {
    let sources = config.get("sources").and_then(Value::as_array);
    sources.into_iter().flatten().filter_map(named).collect()
}

/// The name of a stream of the same account and domain.
fn named(source: &Value) -> Option<String> {
    let here = source.get("external").is_none_or(Value::is_null);
    let name = source.get("name").and_then(Value::as_str);
    name.filter(|_| here).map(str::to_owned)
}

/// The streams, copies first; `copies` says of each stream what it copies. Those in a circle come last, by name.
pub fn copies_first(copies: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let mut left: BTreeSet<&String> = copies.keys().collect();
    let mut order = Vec::new();
    loop {
        let copied: BTreeSet<&String> = left
            .iter()
            .filter_map(|name| copies.get(*name))
            .flatten()
            .collect();
        let free: Vec<&String> = left
            .iter()
            .copied()
            .filter(|name| !copied.contains(name))
            .collect();
        if free.is_empty() {
            order.extend(left.into_iter().cloned());
            return order;
        }
        for name in free {
            left.remove(name);
            order.push(name.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_come_before_origins_and_circles_last() {
        let copies = |list: &[(&str, &[&str])]| -> BTreeMap<String, Vec<String>> {
            let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
            list.iter()
                .map(|(name, of)| ((*name).to_owned(), owned(of)))
                .collect()
        };
        let chain = copies(&[("A", &[]), ("B", &["A"]), ("C", &["B", "elsewhere"])]);
        assert_eq!(copies_first(&chain), ["C", "B", "A"]);
        let circle = copies(&[("A", &["B"]), ("B", &["A"]), ("C", &["A"])]);
        assert_eq!(copies_first(&circle), ["C", "A", "B"]);
    }
}
