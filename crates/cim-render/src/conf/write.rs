//! The one writer of nats.conf: every key and text quoted, integers only, nothing breaks out.

use std::collections::BTreeSet;
use std::fmt::{self, Write};

use super::{Document, Map, Node};

/// What cannot be written, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteError {
    /// Keys from the top, joined by dots.
    pub path: String,
    /// Why.
    pub why: String,
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nats.conf cannot hold {}: {}", self.path, self.why)
    }
}

impl std::error::Error for WriteError {}

/// Writes a document. The same tree gives the same bytes.
///
/// # Errors
/// Keys that cannot be quoted, keys that stand twice, numbers that are not finite.
pub fn write(document: &Document) -> Result<String, WriteError> {
    let mut out = String::new();
    if let Some(include) = &document.include {
        out.push_str("include ");
        string(include, &mut out);
        out.push('\n');
    }
    entries(&document.root, "", 0, &mut out)?;
    Ok(out)
}

fn entries(map: &Map, path: &str, depth: usize, out: &mut String) -> Result<(), WriteError> {
    let mut seen = BTreeSet::new();
    for (name, node) in map.iter() {
        let path = if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        };
        if !seen.insert(name.to_ascii_lowercase()) {
            return fail(
                &path,
                "the key stands twice, and nats-server would take the last one",
            );
        }
        indent(depth, out);
        key(name, &path, out)?;
        out.push_str(": ");
        value(node, &path, depth, out)?;
        out.push('\n');
    }
    Ok(())
}

/// Quoted keys know no escapes at all: pick the quote that the key does not hold.
fn key(key: &str, path: &str, out: &mut String) -> Result<(), WriteError> {
    let unwritable = key.is_empty()
        || key.chars().any(char::is_control)
        || (key.contains('"') && key.contains('\''));
    if unwritable {
        return fail(
            path,
            "a key is not empty and has no control characters and at most one kind of quote",
        );
    }
    let quote = if key.contains('"') { '\'' } else { '"' };
    out.push(quote);
    out.push_str(key);
    out.push(quote);
    Ok(())
}

fn value(node: &Node, path: &str, depth: usize, out: &mut String) -> Result<(), WriteError> {
    match node {
        Node::Str(text) => string(text, out),
        Node::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Node::Int(value) => out.push_str(&value.to_string()),
        Node::Float(value) => float(*value, path, out)?,
        Node::Variable(name) => variable(name, path, out)?,
        Node::List(list) if list.is_empty() => out.push_str("[]"),
        Node::List(list) => {
            // A newline before `]`: nats-server reads `[1,2]` as one text.
            out.push_str("[\n");
            for (index, node) in list.iter().enumerate() {
                indent(depth + 1, out);
                value(node, &format!("{path}[{index}]"), depth + 1, out)?;
                out.push('\n');
            }
            indent(depth, out);
            out.push(']');
        }
        Node::Map(map) if map.is_empty() => out.push_str("{}"),
        Node::Map(map) => {
            out.push_str("{\n");
            entries(map, path, depth + 1, out)?;
            indent(depth, out);
            out.push('}');
        }
    }
    Ok(())
}

/// nats.conf reads no exponents, and Go prints some numbers with one: keep to the plain range.
fn float(value: f64, path: &str, out: &mut String) -> Result<(), WriteError> {
    let plain = value == 0.0 || (1e-6..1e21).contains(&value.abs());
    if !plain {
        return fail(
            path,
            "the number is not finite, or too large or small to write without exponent",
        );
    }
    let text = value.to_string();
    out.push_str(&text);
    if !text.contains('.') {
        out.push_str(".0");
    }
    Ok(())
}

fn variable(name: &str, path: &str, out: &mut String) -> Result<(), WriteError> {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !plain {
        return fail(path, "a variable is letters, digits and underscores");
    }
    out.push('$');
    out.push_str(name);
    Ok(())
}

fn string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_ascii_control() => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

fn indent(depth: usize, out: &mut String) {
    out.push_str(&"  ".repeat(depth));
}

fn fail<T>(path: &str, why: &str) -> Result<T, WriteError> {
    Err(WriteError {
        path: path.to_owned(),
        why: why.to_owned(),
    })
}
