//! Specs of a fleet of any size, grown from those that Nix wrote for a small one: each leaf is the first by another name.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Map, Value};

use super::Bench;
use crate::process;

/// The leaf that stands for all.
const FIRST: &str = "leaf-1";

/// What Nix wrote.
pub struct Small {
    fleet: Value,
    instances: Map<String, Value>,
}

impl Bench<'_> {
    /// Evaluates a fleet of one leaf.
    pub fn small_specs(&self) -> Result<Small> {
        let read = |attribute: &str| {
            let text = process::output(&mut self.eval(attribute, 1)?)?;
            serde_json::from_str::<Value>(&text).context("reading what nix evaluated")
        };
        let specs = read("specs")?;
        Ok(Small {
            fleet: read("fleet")?,
            instances: specs.as_object().context("the specs are no set")?.clone(),
        })
    }
}

impl Small {
    /// Writes the files of a fleet; gives the fleet's own and those of the instances.
    pub fn grow(&self, folder: &Path, leaves: u32) -> Result<(PathBuf, Vec<PathBuf>)> {
        if folder.exists() {
            fs::remove_dir_all(folder).context("removing the specs of the last run")?;
        }
        fs::create_dir_all(folder).context("creating a folder for specs")?;
        let write = |name: &str, text: String| {
            let file = folder.join(format!("{name}.json"));
            fs::write(&file, text).with_context(|| format!("writing {}", file.display()))?;
            Ok::<_, anyhow::Error>(file)
        };
        let fleet = write("fleet", grown(&self.fleet, "/leaves", leaves)?.to_string())?;
        let mut files = Vec::new();
        for (name, spec) in &self.instances {
            if name == FIRST {
                for number in 1..=leaves {
                    files.push(write(&leaf(number), renamed(spec, number))?);
                }
                continue;
            }
            let spec = grown(spec, "/hub/fleet/leaves", leaves)?;
            files.push(write(name, spec.to_string())?);
        }
        Ok((fleet, files))
    }
}

fn leaf(number: u32) -> String {
    format!("leaf-{number}")
}

/// The value as another leaf has it: its name, domain, certificate and subjects.
fn renamed(value: &Value, number: u32) -> String {
    value.to_string().replace(FIRST, &leaf(number))
}

/// The value with so many leaves in the set at a path.
fn grown(value: &Value, path: &str, leaves: u32) -> Result<Value> {
    let mut value = value.clone();
    let set = value.pointer_mut(path).and_then(Value::as_object_mut);
    let set = set.with_context(|| format!("a spec has no {path}"))?;
    let first = set.get(FIRST).cloned();
    let first = first.with_context(|| format!("{path} has no {FIRST}"))?;
    for number in 1..=leaves {
        let entry = serde_json::from_str(&renamed(&first, number)).context("growing a fleet")?;
        set.insert(leaf(number), entry);
    }
    Ok(value)
}
