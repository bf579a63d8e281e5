//! Reads specs. What is wrong with their shape is our bug, and says so with the field's path.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use cim_spec::Spec;
use cim_spec::spec::Fleet;
use serde::de::DeserializeOwned;

/// Reads the spec of one instance.
///
/// # Errors
/// A file that cannot be read, or whose fields are not exactly those of [`Spec`].
pub fn spec(path: &Path) -> Result<Spec> {
    read(path)
}

/// Reads a whole fleet.
///
/// # Errors
/// As [`spec`].
pub fn fleet(path: &Path) -> Result<Fleet> {
    read(path)
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    parse(&text).with_context(|| format!("reading {}", path.display()))
}

/// Reads JSON text into an exact type.
///
/// # Errors
/// Text that is no JSON, and fields that are missing or unknown, with their path.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T> {
    let mut json = serde_json::Deserializer::from_str(text);
    let parsed = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        anyhow!(
            "this is a bug in cim: the spec at {}: {}",
            error.path(),
            error.inner()
        )
    })?;
    json.end()
        .context("this is a bug in cim: the spec holds more than one value")?;
    Ok(parsed)
}
