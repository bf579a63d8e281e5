//! A small fleet's plan, and a folder in which its identity is made.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use cim_admin::identity::{self, Outcome, Plan, Request};
use cim_admin::progress::Progress;
use cim_admin::sops::{Folder, Identities, Plain};
use regex::Regex;
use serde_json::{Value, json};
use tempfile::TempDir;
use time::OffsetDateTime;

use crate::tools::{done, run, tool};

/// Makes the identity of the fleet's plan with the operator's keys.
pub const MAKE: [&str; 7] = [
    "identity",
    "make",
    "--plan",
    "plan.json",
    "--keys",
    "keys.txt",
    "--json",
];

/// A folder with a plan, hosts' ssh keys and the operator's key.
pub struct Fleet {
    pub dir: TempDir,
    pub plan: Value,
}

/// What every secret that is made here has: a seed, a private key, an age key.
const SECRET: &str = r"\bS[A-Z][A-Z2-7]{56}\b|PRIVATE KEY|AGE-SECRET-KEY-1";

/// Files below a folder, by their paths.
pub type Files = BTreeMap<String, Vec<u8>>;

impl Fleet {
    /// Operator mode: a hub, a leaf on a host, a leaf elsewhere, two users.
    pub fn new() -> Result<Self> {
        let mut fleet = Self {
            dir: tempfile::tempdir()?,
            plan: json!({ "fleet": fleet(), "hosts": {} }),
        };
        fleet.host("hub-1", json!({
            "cim-hub-1.key": {
                "kind": "certificateKey", "certificate": "certificates/cim-hub-1.pem", "usage": "server",
                "commonName": "hub-1", "names": ["hub-1.example.com", "10.0.0.1"],
            },
            "cim-hub-1.store.key": { "kind": "storeKey" },
            "cim-hub-1.CIM.provision.creds": {
                "kind": "serviceCreds", "node": "hub-1", "account": "CIM", "service": "provision",
            },
        }))?;
        fleet.leaf("plant-a")?;
        fleet.plan["fleet"]["leaves"]["plant-b"] = leaf();
        Ok(fleet)
    }

    /// The same with accounts in nats.conf.
    pub fn of_static_accounts() -> Result<Self> {
        let mut fleet = Self::new()?;
        fleet.plan["fleet"]["operator"] = Value::Null;
        let hosts = &mut fleet.plan["hosts"];
        let hub = hosts["hub-1"]["secrets"]
            .as_object_mut()
            .context("secrets")?;
        hub.remove("cim-hub-1.CIM.provision.creds");
        let leaf = hosts["plant-a"]["secrets"]
            .as_object_mut()
            .context("secrets")?;
        leaf.remove("cim-plant-a.creds");
        leaf.insert(
            "cim-plant-a.nk".into(),
            json!({ "kind": "leafSeed", "leaf": "plant-a" }),
        );
        Ok(fleet)
    }

    /// A leaf on a host of its own.
    pub fn leaf(&mut self, name: &str) -> Result<()> {
        self.plan["fleet"]["leaves"][name] = leaf();
        self.host(
            name,
            json!({
                format!("cim-{name}.creds"): { "kind": "leafCreds", "leaf": name },
                format!("cim-{name}.key"): {
                    "kind": "certificateKey", "certificate": format!("certificates/cim-{name}.pem"),
                    "usage": "leaf", "commonName": name, "names": [],
                },
            }),
        )
    }

    /// A host with a new ssh key.
    pub fn host(&mut self, name: &str, secrets: Value) -> Result<()> {
        let key = self.host_key(name)?;
        self.plan["hosts"][name] = json!({ "hostKey": key, "secrets": secrets });
        Ok(())
    }

    /// Makes a host's ssh key with the real ssh-keygen; gives its public half.
    pub fn host_key(&self, name: &str) -> Result<String> {
        let place = format!("ssh-{name}");
        let _ = fs::remove_file(self.path(&place));
        run(
            "ssh-keygen",
            self.dir.path(),
            &["-q", "-t", "ed25519", "-N", "", "-f", &place],
        )?;
        Ok(fs::read_to_string(self.path(&format!("{place}.pub")))?
            .trim()
            .to_owned())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn read(&self, name: &str) -> Result<String> {
        fs::read_to_string(self.path(name)).with_context(|| name.to_owned())
    }

    /// Runs the program in the folder, whose `tmp` is its temporary folder; it never shows a secret.
    pub fn run(&self, args: &[&str]) -> Result<Output> {
        let output = self.command(args)?.output().context("running cim-admin")?;
        let said = [&output.stdout[..], &output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        ensure!(
            !Regex::new(SECRET)?.is_match(&said),
            "{args:?} shows a secret"
        );
        Ok(output)
    }

    /// The program with these arguments, not yet run.
    pub fn command(&self, args: &[&str]) -> Result<Command> {
        fs::write(self.path("plan.json"), serde_json::to_vec(&self.plan)?)?;
        fs::create_dir_all(self.path("tmp"))?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_cim-admin"));
        command
            .current_dir(self.dir.path())
            .env_clear()
            .env("HOME", self.dir.path())
            .env("TMPDIR", self.path("tmp"))
            .args(args);
        Ok(command)
    }

    /// Makes the identity with the program; gives its report.
    pub fn make(&self, more: &[&str]) -> Result<Value> {
        let output = self.run(&[&MAKE[..], more].concat())?;
        let said = String::from_utf8(output.stderr)?;
        ensure!(output.status.success() && said.is_empty(), "{said}");
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// Makes the identity at another time.
    pub fn make_at(&self, now: OffsetDateTime) -> Result<Outcome> {
        let made = identity::make(
            Request {
                plan: &Plan::read(&serde_json::to_vec(&self.plan)?)?,
                identity: &self.path("identity"),
                secrets: &self.path("secrets"),
                keys: &self.keys()?,
                now,
            },
            &Progress::silent(),
        )?;
        made.batch.commit()?;
        Ok(made.outcome)
    }

    /// The operator's keys, made if need be.
    pub fn keys(&self) -> Result<Identities> {
        let place = self.path("keys.txt");
        if !place.exists() {
            fs::write(&place, Identities::generate().text().as_bytes())?;
        }
        Identities::read(&place)
    }

    /// Both folders.
    pub fn files(&self) -> Result<Files> {
        let mut files = Files::new();
        for folder in ["identity", "secrets"] {
            walk(&self.path(folder), folder, &mut files)?;
        }
        Ok(files)
    }

    /// A sealed file, opened with the operator's keys.
    pub fn opened(&self, file: &str) -> Result<Plain> {
        let folder = Folder::open(&self.path("secrets"))?;
        folder.read(file, &self.keys()?)?.context(file.to_owned())
    }

    /// An entry of a sealed file.
    pub fn entry(&self, file: &str, name: &str) -> Result<String> {
        match self.opened(file)? {
            Plain::Tree(tree) => {
                let text = tree.get(name).and_then(|text| text.as_text());
                Ok(text.with_context(|| format!("{file}: {name}"))?.to_owned())
            }
            Plain::Bytes(_) => anyhow::bail!("{file} is one secret"),
        }
    }

    /// What the real sops makes of a sealed file at a host: sops-nix converts its ssh key to an age key first.
    pub fn opened_by(&self, host: &str, file: &str) -> Result<Vec<u8>> {
        let keys = Identities::read(&self.path(&format!("ssh-{host}")))?;
        let place = self.path("host-keys.txt");
        fs::write(&place, keys.text().as_bytes())?;
        let mut sops = Command::new(tool("sops")?);
        sops.current_dir(self.path("secrets"))
            .env("HOME", self.path("tmp"))
            .env("XDG_CONFIG_HOME", self.path("tmp"))
            .env("SOPS_AGE_KEY_FILE", place)
            .args(["decrypt", "--output-type", "json", file]);
        done(sops.output()?)
    }
}

/// Names of the files that differ, added and removed ones too.
pub fn changed(before: &Files, after: &Files) -> Vec<String> {
    let names = before.keys().chain(after.keys());
    let mut names: Vec<String> = names
        .filter(|name| before.get(*name) != after.get(*name))
        .cloned()
        .collect();
    names.sort();
    names.dedup();
    names
}

pub fn walk(folder: &Path, below: &str, files: &mut Files) -> Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().context("a name")?.to_string_lossy();
        let name = format!("{below}/{name}");
        let found = fs::symlink_metadata(&path)?;
        if found.is_dir() {
            walk(&path, &name, files)?;
        } else if found.is_symlink() {
            let link = fs::read_link(&path)?;
            files.insert(name, link.into_os_string().into_encoded_bytes());
        } else {
            files.insert(name, fs::read(&path)?);
        }
    }
    Ok(())
}

fn fleet() -> Value {
    json!({
        "systemAccount": "SYS",
        "accounts": { "SYS": account(false, &[]), "CIM": account(true, &["alchemist", "smith"]) },
        "operator": { "jwt": null, "resolver": {
            "type": "full", "allowDelete": false, "limit": null, "ttl": null, "interval": null, "timeout": null,
        } },
        "authCallout": null,
        "hubs": { "hub": {
            "domain": "hub",
            "nodes": { "hub-1": {
                "address": "hub-1.example.com", "port": 4222, "leafnodesPort": 7422, "clusterPort": 6222,
                "websocketPort": null, "gatewayPort": null,
            } },
            "leafnodes": {
                "plaintext": false, "verify": false, "verifyAndMap": false, "isolateInterest": null,
            },
        } },
        "leaves": {},
        "gateways": {},
        "lifetimes": { "server": "720h", "leaf": "365d", "device": "168h", "user": "365d" },
        "expiryHorizon": "14d",
        "assets": { "accounts": {}, "hubs": ["hub"] },
        "acknowledged": {},
    })
}

fn account(jetstream: bool, users: &[&str]) -> Value {
    let user = json!({
        "nkey": null, "passwordHash": null, "certificate": null, "permissions": null, "fields": {},
    });
    let users: serde_json::Map<String, Value> = users
        .iter()
        .map(|name| ((*name).to_owned(), user.clone()))
        .collect();
    json!({
        "users": users, "jwt": null, "exports": [], "imports": [], "mappings": {},
        "jetstream": { "enable": jetstream, "maxMemory": null, "maxFile": null },
        "defaultPermissions": null, "fields": {},
    })
}

fn leaf() -> Value {
    json!({
        "account": "CIM", "localAccount": "CIM", "domain": "leaf", "nodes": {}, "nkey": null, "certificate": null,
        "imports": ["commands.>"], "exports": ["metrics.>"],
        "remotes": { "hub": { "hub": "hub", "websocket": false } },
        "streams": { "toHub": [], "toLeaf": [] },
    })
}
