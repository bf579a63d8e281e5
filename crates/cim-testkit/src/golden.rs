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
