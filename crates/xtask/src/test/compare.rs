//! Two JSON values side by side: where they differ, and how.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use serde_json::Value;

/// More of a value would not help to see the difference.
const SHOWN: usize = 400;

/// Fails with every place where `found` is not what was expected; `what` says what is compared.
pub fn equal(what: &str, expected: &Value, found: &Value) -> Result<()> {
    let differences = differences(expected, found);
    if !differences.is_empty() {
        bail!(
            "{what}: {} differ\n{}",
            differences.len(),
            differences.join("\n")
        );
    }
    Ok(())
}

/// One text for each place where the values differ: its path and both values.
pub fn differences(expected: &Value, found: &Value) -> Vec<String> {
    let mut differences = Vec::new();
    collect(&mut Vec::new(), expected, found, &mut differences);
    differences
}

fn collect<'a>(
    path: &mut Vec<&'a str>,
    expected: &'a Value,
    found: &'a Value,
    differences: &mut Vec<String>,
) {
    if let (Value::Object(left), Value::Object(right)) = (expected, found) {
        let names: BTreeSet<_> = left.keys().chain(right.keys()).collect();
        for name in names {
            path.push(name);
            match (left.get(name), right.get(name)) {
                (Some(left), Some(right)) => collect(path, left, right, differences),
                (left, right) => differences.push(difference(path, left, right)),
            }
            path.pop();
        }
    } else if expected != found {
        differences.push(difference(path, Some(expected), Some(found)));
    }
}

fn difference(path: &[&str], expected: Option<&Value>, found: Option<&Value>) -> String {
    format!(
        "  {}\n    expected {}\n    found    {}",
        path.join(" / "),
        shown(expected),
        shown(found)
    )
}

fn shown(value: Option<&Value>) -> String {
    let text = value.map_or_else(|| "nothing".to_owned(), Value::to_string);
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn says_where_values_differ() {
        let expected = json!({ "a": { "b": 1, "c": [1] }, "gone": null });
        let found = json!({ "a": { "b": 2, "c": [1] }, "new": null });
        let said = differences(&expected, &found);
        assert_eq!(
            said,
            [
                "  a / b\n    expected 1\n    found    2",
                "  gone\n    expected null\n    found    nothing",
                "  new\n    expected nothing\n    found    null",
            ]
        );
        assert!(equal("x", &expected, &expected).is_ok());
    }
}
