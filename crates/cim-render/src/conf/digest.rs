//! nats-server's digest of a config, computed by us: what `nats-server -t` prints and `/varz` shows.
//!
//! It is the SHA-256 of the parsed config as Go writes JSON: keys sorted, no white space,
//! `<`, `>`, `&` escaped, a newline at the end. Comments and order do not count; values do.

use std::collections::BTreeMap;
use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::{Document, Map, Node};

/// The digest, such as `sha256:2c26…`. `variables` are the entries of the included file;
/// `None` where the config refers to one that is not among them.
pub fn digest(document: &Document, variables: &BTreeMap<String, String>) -> Option<String> {
    let mut root = document.root.clone();
    for (name, value) in variables {
        root.put(name, value.as_str());
    }
    let mut json = String::new();
    map(&root, variables, &mut json)?;
    json.push('\n');
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(json) {
        let _ = write!(text, "{byte:02x}");
    }
    Some(text)
}

fn map(block: &Map, variables: &BTreeMap<String, String>, out: &mut String) -> Option<()> {
    let sorted: BTreeMap<&str, &Node> = block.iter().collect();
    out.push('{');
    for (index, (key, node)) in sorted.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        string(key, out);
        out.push(':');
        value(node, variables, out)?;
    }
    out.push('}');
    Some(())
}

fn value(node: &Node, variables: &BTreeMap<String, String>, out: &mut String) -> Option<()> {
    match node {
        Node::Str(text) => string(text, out),
        Node::Int(number) => out.push_str(&number.to_string()),
        Node::Float(number) => out.push_str(&number.to_string()),
        Node::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Node::Variable(name) => string(variables.get(name)?, out),
        Node::Map(block) => map(block, variables, out)?,
        Node::List(list) => {
            out.push('[');
            for (index, node) in list.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                value(node, variables, out)?;
            }
            out.push(']');
        }
    }
    Some(())
}

/// A text as Go's encoding/json writes it, HTML escapes included.
fn string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
