//! JSON as Go's `encoding/json` writes it, and what reading it with our types would lose.
//!
//! The jti is a digest of that very text, so `<`, `>`, `&`, U+2028 and U+2029 are escaped as Go does.

use std::io;

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::Formatter;

/// Go's text of a value.
pub fn go<T: Serialize>(value: &T) -> serde_json::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(512);
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, Go);
    value.serialize(&mut serializer)?;
    Ok(bytes)
}

struct Go;

impl Formatter for Go {
    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        let mut from = 0;
        for (at, symbol) in fragment.char_indices() {
            let escape = match symbol {
                '<' => "\\u003c",
                '>' => "\\u003e",
                '&' => "\\u0026",
                '\u{2028}' => "\\u2028",
                '\u{2029}' => "\\u2029",
                _ => continue,
            };
            writer.write_all(&fragment.as_bytes()[from..at])?;
            writer.write_all(escape.as_bytes())?;
            from = at + symbol.len_utf8();
        }
        writer.write_all(&fragment.as_bytes()[from..])
    }
}

/// Removes what Go does not look at: a member that is `null` is as good as absent.
pub fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

/// Dotted paths of the members of `original` that `read` no longer has, such as
/// `nats.limits.new_limit`. Members that say nothing (`0`, `""`, `false`, `[]`, `{}`) do not count.
pub fn lost(original: &Value, read: &Value) -> Vec<String> {
    let mut paths = Vec::new();
    compare("", original, read, &mut paths);
    paths
}

fn compare(path: &str, original: &Value, read: &Value, paths: &mut Vec<String>) {
    match (original, read) {
        (Value::Object(members), Value::Object(kept)) => {
            for (name, member) in members {
                let at = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                match kept.get(name) {
                    Some(kept) => compare(&at, member, kept, paths),
                    None if says_nothing(member) => {}
                    None => paths.push(at),
                }
            }
        }
        (Value::Array(items), Value::Array(kept)) => {
            let mut items: Vec<&Value> = items.iter().collect();
            if path == "nats.signing_keys" {
                // A set, which is kept in the order of its keys.
                items.sort_by_key(|item| signing_key(item));
                items.dedup_by_key(|item| signing_key(item));
            }
            for (index, (item, kept)) in items.into_iter().zip(kept).enumerate() {
                compare(&format!("{path}[{index}]"), item, kept, paths);
            }
        }
        _ => {}
    }
}

fn signing_key(item: &Value) -> &str {
    let key = match item {
        Value::Object(scope) => scope.get("key"),
        plain => Some(plain),
    };
    key.and_then(Value::as_str).unwrap_or_default()
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.values().all(says_nothing),
    }
}

/// `skip_serializing_if` for Go's `omitempty` on numbers.
pub fn is_zero<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_go_escapes_is_escaped() {
        let text = go(&"a<b>&\u{2028}\u{2029}\"\\\u{8}\u{c}\u{1}\u{7f}ü").unwrap();
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "\"a\\u003cb\\u003e\\u0026\\u2028\\u2029\\\"\\\\\\b\\f\\u0001\u{7f}ü\""
        );
    }

    #[test]
    fn a_lost_member_is_named_unless_it_says_nothing() {
        let original = json!({"sub": "A", "nats": {"new": 1, "list": [{"x": 1, "y": {"z": [true]}}], "zero": 0}});
        let read = json!({"sub": "A", "nats": {"list": [{"y": {"z": []}}]}});
        assert_eq!(lost(&original, &read), ["nats.list[0].x", "nats.new"]);
    }

    #[test]
    fn signing_keys_are_compared_as_a_set() {
        let scope = json!({"kind": "user_scope", "key": "A", "new": 1});
        let original = json!({"nats": {"signing_keys": ["B", scope, "B"]}});
        let read = json!({"nats": {"signing_keys": [{"kind": "user_scope", "key": "A"}, "B"]}});
        assert_eq!(lost(&original, &read), ["nats.signing_keys[0].new"]);
    }

    proptest! {
        #[test]
        fn the_text_reads_back(text in "\\PC*") {
            let written = go(&text).unwrap();
            prop_assert_eq!(serde_json::from_slice::<String>(&written).unwrap(), text);
        }
    }
}
