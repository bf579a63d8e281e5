//! Reads a generation: one spec, or a folder of them as `packages.specs` of the flake gives it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use cim_spec::settings::Role;
use cim_spec::version::Version;
use serde_json::Value;

/// The specs of some instances at one time.
#[derive(Debug)]
pub struct Generation {
    /// By server name.
    pub instances: BTreeMap<String, Instance>,
    /// The whole fleet, where it is there.
    pub fleet: Option<Value>,
    /// The render epoch of the release that made it, where it is there.
    pub epoch: Option<String>,
}

/// The spec of one instance.
#[derive(Debug)]
pub struct Instance {
    /// Hub or leaf.
    pub role: Role,
    /// The node of a hub, or the leaf.
    pub name: String,
    /// The server's name: a node's, or the leaf's own.
    pub server_name: String,
    /// The nats-server that it runs.
    pub version: Version,
    /// All of it, below `hub` or `leaf`.
    pub body: Value,
}

impl Generation {
    /// Reads a file or a folder.
    ///
    /// # Errors
    /// What cannot be read, and what is no spec.
    pub fn read(path: &Path) -> Result<Self> {
        if path.is_dir() {
            return folder(path);
        }
        let instance = Instance::of(json(path)?).with_context(|| reading(path))?;
        Ok(Self {
            instances: BTreeMap::from([(instance.server_name.clone(), instance)]),
            fleet: None,
            epoch: None,
        })
    }
}

fn folder(path: &Path) -> Result<Generation> {
    let folder = path.join("instances");
    ensure!(
        folder.is_dir(),
        "{} holds no folder `instances`: name a spec, or a folder as `nix build .#specs` makes it",
        path.display()
    );
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| reading(&folder))? {
        files.push(entry.with_context(|| reading(&folder))?.path());
    }
    // The first that is wrong is the one that is told.
    files.sort();
    let mut instances = BTreeMap::new();
    for file in files {
        let instance = Instance::of(json(&file)?).with_context(|| reading(&file))?;
        let name = instance.server_name.clone();
        if instances.insert(name.clone(), instance).is_some() {
            bail!("{}: two specs are for a server {name}", path.display());
        }
    }
    let optional = |name: &str| Some(path.join(name)).filter(|file| file.exists());
    let epoch =
        optional("epoch").map(|file| fs::read_to_string(&file).with_context(|| reading(&file)));
    Ok(Generation {
        instances,
        fleet: optional("fleet.json").map(|file| json(&file)).transpose()?,
        epoch: epoch.transpose()?,
    })
}

impl Instance {
    fn of(spec: Value) -> Result<Self> {
        let Value::Object(spec) = spec else {
            bail!("this is no spec of an instance");
        };
        let [(role, body)] = <[_; 1]>::try_from(Vec::from_iter(spec))
            .ok()
            .context("this is no spec of an instance: one has `hub` or `leaf`, and nothing else")?;
        let role = match role.as_str() {
            "hub" => Role::Hub,
            "leaf" => Role::Leaf,
            other => bail!("this is no spec of an instance: it is for a {other:?}"),
        };
        let text = |pointer: &str| {
            let text = body.pointer(pointer).and_then(Value::as_str);
            text.map(str::to_owned)
                .with_context(|| format!("this is no spec of an instance: there is no {pointer}"))
        };
        let name = text(match role {
            Role::Hub => "/node",
            Role::Leaf => "/name",
        })?;
        let version = text("/natsServerVersion")?;
        let Ok(version) = Version::parse(&version) else {
            bail!("{version:?} is not a nats-server version");
        };
        Ok(Self {
            role,
            server_name: text("/leaf/node").unwrap_or_else(|_| name.clone()),
            name,
            version,
            body,
        })
    }

    /// Where its options are.
    pub fn options(&self) -> String {
        super::option::root(self.role, &self.name)
            .as_str()
            .to_owned()
    }

    /// The names in a block of the spec; none where there is no such block.
    pub fn names(&self, pointer: &str) -> Vec<String> {
        let block = self.body.pointer(pointer).and_then(Value::as_object);
        block.map_or_else(Vec::new, |block| block.keys().cloned().collect())
    }
}

fn json(file: &Path) -> Result<Value> {
    let text = fs::read_to_string(file).with_context(|| reading(file))?;
    serde_json::from_str(&text).with_context(|| reading(file))
}

fn reading(path: &Path) -> String {
    format!("reading {}", path.display())
}
