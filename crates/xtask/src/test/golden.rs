//! Committed files that hold what is made today: compared, or rewritten where UPDATE_GOLDEN is set.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::compare;
use crate::mirror::Mirror;

/// Compares the files of a folder with `made`, by name; a file that is in only one of them differs.
pub fn folder(folder: &Path, made: &BTreeMap<String, String>) -> Result<()> {
    let mut differing = Vec::new();
    let committed = committed(folder)?;
    for (name, text) in made {
        match committed.get(name) {
            Some(old) if old == text => {}
            Some(old) => differing.push(format!("{name}\n{}", lines(old, text))),
            None => differing.push(format!("{name}: there is no such file")),
        }
    }
    let stale = committed.keys().filter(|name| !made.contains_key(*name));
    differing.extend(stale.map(|name| format!("{name}: nothing is made for it any more")));
    if !differing.is_empty() {
        bail!(
            "what is made is not what stands in {}; if that is meant, run this step with UPDATE_GOLDEN=1\n{}",
            folder.display(),
            differing.join("\n")
        );
    }
    Ok(())
}

/// Makes the folder hold `made`, if UPDATE_GOLDEN is set.
pub fn update_folder(folder: &Path, made: &BTreeMap<String, String>) -> Result<()> {
    if !is_update() {
        return Ok(());
    }
    let mut mirror = Mirror::at(folder);
    for (name, text) in made {
        mirror.write(Path::new(name), text.as_bytes(), false)?;
    }
    mirror.finish()
}

/// Writes a file, if UPDATE_GOLDEN is set.
pub fn update_text(file: &Path, text: &str) -> Result<()> {
    if !is_update() {
        return Ok(());
    }
    fs::write(file, text).with_context(|| format!("writing {}", file.display()))
}

/// Compares a JSON file with what was found.
pub fn json(file: &Path, found: &Value) -> Result<()> {
    let text = fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let expected =
        serde_json::from_str(&text).with_context(|| format!("reading {}", file.display()))?;
    let what = format!(
        "{} (if what was found is meant, run this step with UPDATE_GOLDEN=1)",
        file.display()
    );
    compare::equal(&what, &expected, found)
}

/// Writes what was found into the JSON file, if UPDATE_GOLDEN is set.
pub fn update_json(file: &Path, found: &Value) -> Result<()> {
    update_text(file, &pretty(found)?)
}

/// JSON as it is committed: indented, with a line break at the end.
pub fn pretty(value: &Value) -> Result<String> {
    let text = serde_json::to_string_pretty(value).context("writing JSON")?;
    Ok(format!("{text}\n"))
}

fn is_update() -> bool {
    env::var_os("UPDATE_GOLDEN").is_some_and(|value| !value.is_empty())
}

fn committed(folder: &Path) -> Result<BTreeMap<String, String>> {
    let context = || format!("reading {}", folder.display());
    let mut files = BTreeMap::new();
    if !folder.exists() {
        return Ok(files);
    }
    for entry in fs::read_dir(folder).with_context(context)? {
        let entry = entry.with_context(context)?;
        let text = fs::read_to_string(entry.path()).with_context(context)?;
        files.insert(entry.file_name().to_string_lossy().into_owned(), text);
    }
    Ok(files)
}

/// The lines that are only in one of two texts: enough to see what happened to a file of settings.
fn lines(old: &str, new: &str) -> String {
    let only = |text: &str, other: &str, sign: char| {
        let other: Vec<_> = other.lines().collect();
        let mut shown = Vec::new();
        for line in text.lines().filter(|line| !other.contains(line)) {
            shown.push(format!("  {sign} {line}"));
        }
        shown
    };
    let mut shown = only(old, new, '-');
    shown.extend(only(new, old, '+'));
    if shown.is_empty() {
        shown.push("  the same lines in another order or number".to_owned());
    }
    shown.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_that_differs_is_named() {
        let scratch = tempfile::tempdir().unwrap();
        fs::write(scratch.path().join("same"), "1\n").unwrap();
        fs::write(scratch.path().join("other"), "A=1\nB=1\n").unwrap();
        fs::write(scratch.path().join("stale"), "1\n").unwrap();
        let made = [("same", "1\n"), ("other", "A=1\nB=2\n"), ("new", "1\n")]
            .map(|(name, text)| (name.to_owned(), text.to_owned()));
        let said = folder(scratch.path(), &BTreeMap::from(made))
            .unwrap_err()
            .to_string();
        assert!(said.contains("other\n  - B=1\n  + B=2\n"), "{said}");
        assert!(said.contains("new: there is no such file"), "{said}");
        assert!(said.contains("stale: nothing is made"), "{said}");
        assert!(!said.contains("same:"), "{said}");
    }
}
