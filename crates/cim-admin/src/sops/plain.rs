//! What a file holds once it is open, and the formats it may have.

use std::fmt;
use std::path::Path;

use anyhow::{Result, bail, ensure};
use zeroize::Zeroizing;

use super::METADATA;
use super::text::{from_json, from_yaml, to_json, to_yaml};
use super::tree::Tree;

/// How a file is written, by its name's ending as with sops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `.yaml`, `.yml`: texts by name.
    Yaml,
    /// `.json`: texts by name.
    Json,
    /// Any other: one secret.
    Binary,
}

/// What a file holds. `Debug` shows names only.
#[derive(Clone, PartialEq, Eq)]
pub enum Plain {
    /// Texts by name.
    Tree(Tree),
    /// One secret.
    Bytes(Zeroizing<Vec<u8>>),
}

impl Format {
    /// The format of a file by its name.
    ///
    /// # Errors
    /// `.env` and `.ini`: values with line ends or `;` do not survive them.
    pub fn of(file: &Path) -> Result<Self> {
        match file.extension().and_then(|ending| ending.to_str()) {
            Some("yaml" | "yml") => Ok(Format::Yaml),
            Some("json") => Ok(Format::Json),
            Some(ending @ ("env" | "ini")) => bail!(
                ".{ending} files lose parts of values in sops: use .yaml, or any other ending for one secret a file"
            ),
            _ => Ok(Format::Binary),
        }
    }
}

impl Plain {
    /// Reads what is to be sealed.
    ///
    /// # Errors
    /// YAML and JSON that cannot be read, hold other values than texts, or are sealed already.
    pub fn read(bytes: &[u8], format: Format) -> Result<Self> {
        let tree = match format {
            Format::Yaml => from_yaml(bytes)?,
            Format::Json => from_json(bytes)?,
            Format::Binary => return Ok(Plain::Bytes(Zeroizing::new(bytes.to_vec()))),
        };
        ensure!(
            tree.get(METADATA).is_none(),
            "it has an entry `sops`: it is sealed already"
        );
        tree.check()?;
        Ok(Plain::Tree(tree))
    }

    /// The text or bytes of it, a secret.
    ///
    /// # Errors
    /// A tree for a binary file.
    pub fn write(&self, format: Format) -> Result<Zeroizing<Vec<u8>>> {
        let text = match (self, format) {
            (Plain::Bytes(bytes), _) => return Ok(bytes.clone()),
            (Plain::Tree(tree), Format::Json) => to_json(tree)?,
            (Plain::Tree(tree), _) => to_yaml(tree)?,
        };
        Ok(Zeroizing::new(text.as_bytes().to_vec()))
    }
}

impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Plain::Tree(tree) => tree.fmt(f),
            Plain::Bytes(_) => f.write_str("…"),
        }
    }
}
