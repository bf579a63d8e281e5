//! Documents as YAML and JSON texts. Errors name a line, never what stands there.

use std::fmt::Write;

use anyhow::{Result, anyhow, bail};
use serde_saphyr::{DuplicateKeyPolicy, MergeKeyPolicy};
use zeroize::Zeroizing;

use super::tree::Tree;

/// Reads JSON.
///
/// # Errors
/// A text that is not JSON, or one that goes on after its end.
pub fn from_json(bytes: &[u8]) -> Result<Tree> {
    serde_json::from_slice(bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        if error.is_eof() {
            anyhow!("the JSON ends too early, in line {line}: the file was cut")
        } else {
            anyhow!("line {line}, column {column}: this is not JSON")
        }
    })
}

/// Reads one YAML document, by the rules of YAML 1.2 for true and false.
///
/// # Errors
/// A text that is not YAML, more than one document, keys that stand twice, tags.
pub fn from_yaml(bytes: &[u8]) -> Result<Tree> {
    from_yaml_with(bytes, MergeKeyPolicy::Error)
}

/// As [`from_yaml`], with merge keys (`<<`) as people write them in settings.
///
/// # Errors
/// As [`from_yaml`].
pub fn from_settings(bytes: &[u8]) -> Result<Tree> {
    from_yaml_with(bytes, MergeKeyPolicy::Merge)
}

fn from_yaml_with(bytes: &[u8], merge_keys: MergeKeyPolicy) -> Result<Tree> {
    let options = serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: merge_keys,
        strict_booleans: true,
        reject_unsupported_tags: true,
        // An excerpt in a message could be a secret.
        with_snippet: false,
    };
    serde_saphyr::from_slice_with_options(bytes, options).map_err(|error| {
        let what = match error.without_snippet() {
            serde_saphyr::Error::DuplicateMappingKey { .. } => "a key stands there twice",
            serde_saphyr::Error::MultipleDocuments { .. } => "a second document begins",
            _ => "this is not YAML",
        };
        match error.location() {
            Some(at) => anyhow!("line {}, column {}: {what}", at.line(), at.column()),
            None => anyhow!("{what}"),
        }
    })
}

/// Writes JSON, indented as sops does.
///
/// # Errors
/// Values that are no texts.
pub fn to_json(tree: &Tree) -> Result<Zeroizing<String>> {
    let mut out = Out::new(tree, escaped_json);
    out.json(tree, 0)?;
    out.text.push('\n');
    Ok(out.text)
}

/// Writes YAML: blocks of double-quoted texts.
///
/// # Errors
/// Values that are no texts.
pub fn to_yaml(tree: &Tree) -> Result<Zeroizing<String>> {
    let mut out = Out::new(tree, escaped_yaml);
    if tree.is_empty() {
        out.text.push_str("{}\n");
    } else {
        out.yaml(tree, 0, false)?;
    }
    Ok(out.text)
}

struct Out {
    text: Zeroizing<String>,
    escaped: fn(char) -> Option<String>,
}

impl Out {
    /// Made large enough at once: a text that grows leaves copies of secrets behind.
    fn new(tree: &Tree, escaped: fn(char) -> Option<String>) -> Self {
        Self {
            text: Zeroizing::new(String::with_capacity(size(tree, 1))),
            escaped,
        }
    }

    fn quote(&mut self, text: &str) {
        self.text.push('"');
        for c in text.chars() {
            match (self.escaped)(c) {
                Some(escape) => self.text.push_str(&escape),
                None => self.text.push(c),
            }
        }
        self.text.push('"');
    }

    fn pad(&mut self, depth: usize) {
        self.text.extend(std::iter::repeat_n("    ", depth));
    }

    /// A value that stands on one line.
    fn scalar(&mut self, tree: &Tree) -> Result<()> {
        match tree {
            Tree::Text(text) => self.quote(text),
            Tree::Bool(value) => self.text.push_str(if *value { "true" } else { "false" }),
            Tree::List(_) => self.text.push_str("[]"),
            Tree::Map(_) => self.text.push_str("{}"),
            Tree::Other(what) => bail!("a value is {what}, not text"),
        }
        Ok(())
    }

    fn json(&mut self, tree: &Tree, depth: usize) -> Result<()> {
        let (open, close) = match tree {
            Tree::Map(_) => ('{', '}'),
            _ => ('[', ']'),
        };
        let mut first = true;
        let mut next = |out: &mut Self| {
            out.text.push_str(if first { "\n" } else { ",\n" });
            out.pad(depth + 1);
            first = false;
        };
        match tree {
            Tree::Map(entries) if !entries.is_empty() => {
                self.text.push(open);
                for (key, value) in entries {
                    next(self);
                    self.quote(key);
                    self.text.push_str(": ");
                    self.json(value, depth + 1)?;
                }
            }
            Tree::List(list) if !list.is_empty() => {
                self.text.push(open);
                for value in list {
                    next(self);
                    self.json(value, depth + 1)?;
                }
            }
            scalar => return self.scalar(scalar),
        }
        self.text.push('\n');
        self.pad(depth);
        self.text.push(close);
        Ok(())
    }

    /// A block; `inline` when its first line has been begun, by a dash.
    fn yaml(&mut self, tree: &Tree, depth: usize, inline: bool) -> Result<()> {
        match tree {
            Tree::Map(entries) => {
                for (index, (key, value)) in entries.iter().enumerate() {
                    if index > 0 || !inline {
                        self.pad(depth);
                    }
                    self.quote(key);
                    self.text.push(':');
                    self.yaml_value(value, depth, false)?;
                }
            }
            Tree::List(list) => {
                for (index, value) in list.iter().enumerate() {
                    if index > 0 || !inline {
                        self.pad(depth);
                    }
                    self.text.push_str("-  ");
                    self.yaml_value(value, depth, true)?;
                }
            }
            scalar => self.scalar(scalar)?,
        }
        Ok(())
    }

    fn yaml_value(&mut self, value: &Tree, depth: usize, dashed: bool) -> Result<()> {
        let block = matches!(value, Tree::Map(_) | Tree::List(_)) && !value.is_empty();
        self.text.push(if block && !dashed { '\n' } else { ' ' });
        if block {
            return self.yaml(value, depth + 1, dashed);
        }
        self.scalar(value)?;
        self.text.push('\n');
        Ok(())
    }
}

/// At least the bytes that a tree is written in, unless it is mostly escapes.
fn size(tree: &Tree, depth: usize) -> usize {
    let line = depth * 4 + 16;
    match tree {
        Tree::Text(text) => text.len() + text.len() / 4 + line,
        Tree::List(list) => list.iter().map(|v| size(v, depth + 1)).sum::<usize>() + 2 * line,
        Tree::Map(entries) => {
            let entry =
                |(key, value): &(String, Tree)| key.len() * 2 + line + size(value, depth + 1);
            entries.iter().map(entry).sum::<usize>() + 2 * line
        }
        Tree::Bool(_) | Tree::Other(_) => line,
    }
}

fn escaped_json(c: char) -> Option<String> {
    short(c).or_else(|| (c < ' ' || c == '\u{7f}').then(|| format!("\\u{:04x}", u32::from(c))))
}

/// YAML readers refuse raw control characters, take some separators for line ends, and know no
/// surrogate pairs.
fn escaped_yaml(c: char) -> Option<String> {
    let code = u32::from(c);
    short(c).or_else(|| match code {
        0..=0x1f | 0x7f..=0xa0 => Some(format!("\\x{code:02x}")),
        0x2028 | 0x2029 | 0xfeff | 0xfdd0..=0xfdef | 0xfffe | 0xffff => {
            Some(format!("\\u{code:04x}"))
        }
        0x1_0000.. => {
            let mut text = String::new();
            // Writing to a String cannot fail.
            let _ = write!(text, "\\U{code:08x}");
            Some(text)
        }
        _ => None,
    })
}

fn short(c: char) -> Option<String> {
    let escape = match c {
        '"' => "\\\"",
        '\\' => "\\\\",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        _ => return None,
    };
    Some(escape.to_owned())
}
