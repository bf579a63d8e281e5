//! A value as a Nix expression.

use std::fmt::Write;

use serde_json::Value;

/// The expression, with a line's end after it.
pub(super) fn expression(value: &Value) -> String {
    let mut text = String::new();
    write_value(&mut text, value, 0);
    text.push('\n');
    text
}

fn write_value(text: &mut String, value: &Value, depth: usize) {
    let indent = "  ".repeat(depth + 1);
    match value {
        Value::Object(tree) if tree.is_empty() => text.push_str("{ }"),
        Value::Object(tree) => {
            text.push_str("{\n");
            for (name, value) in tree {
                // Writing into a text cannot fail.
                let _ = write!(text, "{indent}{} = ", attribute(name));
                write_value(text, value, depth + 1);
                text.push_str(";\n");
            }
            let _ = write!(text, "{}}}", "  ".repeat(depth));
        }
        Value::Array(list) if list.is_empty() => text.push_str("[ ]"),
        Value::Array(list) => {
            text.push_str("[\n");
            for value in list {
                text.push_str(&indent);
                write_value(text, value, depth + 1);
                text.push('\n');
            }
            let _ = write!(text, "{}]", "  ".repeat(depth));
        }
        Value::String(string) => text.push_str(&quoted(string)),
        // Nix reads a list's `-1` as a subtraction.
        Value::Number(number) if number.as_i64().is_some_and(|number| number < 0) => {
            let _ = write!(text, "({number})");
        }
        other => text.push_str(&other.to_string()),
    }
}

fn attribute(name: &str) -> String {
    const WORDS: [&str; 12] = [
        "assert", "else", "false", "if", "in", "inherit", "let", "null", "or", "rec", "then",
        "with",
    ];
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    match plain && !WORDS.contains(&name) && name != "true" {
        true => name.to_owned(),
        false => quoted(name),
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' | '$' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
