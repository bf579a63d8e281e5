//! The committed specs that tests start from.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use cim_spec::{Plan, Spec};
use serde_json::Value;

/// Reads every spec in a folder that holds `<case>/spec.json`, by the folder's name.
///
/// # Errors
/// A folder without cases: an empty loop must not be green.
pub fn cases(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut cases: Vec<PathBuf> = std::fs::read_dir(folder)
        .with_context(|| format!("reading {}", folder.display()))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.is_dir())
        .collect();
    cases.sort();
    ensure!(!cases.is_empty(), "{} has no cases", folder.display());
    Ok(cases)
}

/// The spec of a golden case of `cim-render`, as a tree to change.
///
/// # Errors
/// A case that is not there.
pub fn golden(case: &str) -> Result<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../cim-render/tests/golden")
        .join(case)
        .join("spec.json");
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("reading {}", path.display()))
}

/// The plan of a spec.
///
/// # Errors
/// A tree that is no spec, and every rule it breaks.
pub fn plan(spec: &Value) -> Result<Plan> {
    let spec: Spec = cim_render::input::parse(&spec.to_string())?;
    match Plan::from_spec(&spec) {
        Ok(plan) => Ok(plan),
        Err(problems) => bail!("{problems}"),
    }
}

/// A value in which each block with a `$like` is a copy of what stands at that path, with its other entries written over
/// it: a new user, without every field that users have.
///
/// # Errors
/// A path at which nothing stands.
pub fn like(spec: &Value, value: Value) -> Result<Value> {
    let Value::Object(entries) = value else {
        return Ok(value);
    };
    let mut copy = match entries.get("$like").and_then(Value::as_str) {
        None => Value::Object(Default::default()),
        Some(path) => {
            let found = spec.pointer(&format!("/{}", path.replace('.', "/")));
            found
                .with_context(|| format!("nothing stands at {path}"))?
                .clone()
        }
    };
    for (name, value) in entries.into_iter().filter(|(name, _)| name != "$like") {
        copy[name] = like(spec, value)?;
    }
    Ok(copy)
}
