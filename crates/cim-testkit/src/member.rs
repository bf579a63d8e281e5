//! One server of a fleet: its plan, its copy on loopback, and what a node tool must find of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use cim_check::{Copy, Identities, STORE_KEY, Server};
use cim_render::conf::{self, Document};
use cim_render::places::{Listener, Places};
use cim_render::{Artefacts, artefacts};
use cim_spec::Plan;
use cim_spec::artefact::{Health, SecretKind, WatchedFileKind};
use cim_spec::file::{File, FileKind};
use cim_spec::plan::Address;

use crate::keys::Keys;

/// One server of a fleet.
pub struct Member {
    pub(crate) plan: Plan,
    pub(crate) dir: PathBuf,
    pub(crate) copy: Copy,
    pub(crate) ports: BTreeMap<Listener, u16>,
    pub(crate) server: Option<Server>,
    /// The seed in the leaf's file.
    pub(crate) seed: Option<String>,
    /// Files that stand for single paths of the options.
    pub(crate) files: BTreeMap<String, PathBuf>,
}

impl Member {
    /// URL for clients.
    pub fn url(&self) -> String {
        let scheme = if self.plan.client.tls.is_some() {
            "tls"
        } else {
            "nats"
        };
        format!("{scheme}://127.0.0.1:{}", self.port(Listener::Client))
    }

    /// Its plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Its folder: `nats.conf`, `cert.pem`, `key.pem`, `ca.pem`, and for a leaf `leaf.nk`.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The port of a listener.
    pub fn port(&self, listener: Listener) -> u16 {
        self.ports.get(&listener).copied().unwrap_or_default()
    }

    /// What a program beside the server logs in to an account with: the key that the host made, or in operator mode the
    /// creds that the desk made.
    pub fn login_file(&self, account: &str, service: &str) -> PathBuf {
        let kind = match self.plan.operator {
            Some(_) => "creds",
            None => "nk",
        };
        self.dir.join(format!("{account}.{service}.{kind}"))
    }

    /// Writes everything anew, with a new certificate.
    pub(crate) fn write(&self, keys: &Keys, identities: &Identities) -> Result<()> {
        self.keyed(keys).write(&self.plan, identities)?;
        put(&self.dir.join("store.key"), STORE_KEY)?;
        self.write_config(keys)
    }

    /// Writes the config and the seed's file; not the secrets file, which is the node tools' to write.
    pub(crate) fn write_config(&self, keys: &Keys) -> Result<()> {
        if let Some(seed) = &self.seed {
            put(&self.dir.join("leaf.nk"), seed)?;
        }
        let document = self.document(keys)?;
        put(
            &self.dir.join("nats.conf"),
            &artefacts::text(&self.plan, &document)?,
        )
    }

    /// `health.json` as the host has it, with the copy's paths.
    pub(crate) fn health(&self, keys: &Keys) -> Result<Health> {
        let artefacts = Artefacts::render(&self.plan)?;
        let text = artefacts
            .files
            .get("health.json")
            .context("no health.json")?;
        let mut health: Health = serde_json::from_str(text).context("reading health.json")?;
        let copy = self.keyed(keys);
        let placed = Placed {
            copy: &copy,
            files: &self.files,
        };
        let file = |path: &str, kind| {
            placed.file(&File {
                path: path.to_owned(),
                kind,
            })
        };
        health.monitor = format!("http://127.0.0.1:{}", self.port(Listener::Monitor));
        health.config = self.dir.join("nats.conf").to_string_lossy().into_owned();
        health.config_digest = conf::digest(&self.document(keys)?, &BTreeMap::new());
        for certificate in &mut health.certificates {
            certificate.file = file(&certificate.file, FileKind::Certificate);
        }
        if let Some(secrets) = &mut health.secrets {
            secrets.path = self.dir.join("secrets.conf").to_string_lossy().into_owned();
            for entry in &mut secrets.entries {
                entry.file = match entry.kind {
                    SecretKind::NkeySeed => file(&entry.file, FileKind::NkeySeed),
                    SecretKind::Text => file(&entry.file, FileKind::StoreKey),
                    SecretKind::HostKey => {
                        let own = copy.host_key_file(&entry.file);
                        own.to_string_lossy().into_owned()
                    }
                };
            }
        }
        for watched in &mut health.watch.files {
            let kind = match watched.kind {
                WatchedFileKind::Certificate => FileKind::Certificate,
                WatchedFileKind::Authority => FileKind::Ca,
                WatchedFileKind::Credentials => FileKind::Credentials,
            };
            watched.file = file(&watched.file, kind);
        }
        let jwts = health.watch.jwts.as_mut();
        if let Some(dir) = jwts.and_then(|jwts| jwts.dir.as_mut()) {
            *dir = placed.path(dir);
        }
        if let Some(jetstream) = &mut health.watch.jetstream {
            jetstream.store_dir = placed.path(&jetstream.store_dir);
            jetstream.assets = self
                .dir
                .join("jetstream-assets")
                .to_string_lossy()
                .into_owned();
        }
        Ok(health)
    }

    fn document(&self, keys: &Keys) -> Result<Document> {
        let copy = self.keyed(keys);
        artefacts::document(
            &self.plan,
            &Placed {
                copy: &copy,
                files: &self.files,
            },
        )
    }

    fn keyed(&self, keys: &Keys) -> Copy {
        let copy = self.copy.clone().with_nkeys(keys.publics());
        match &self.seed {
            Some(seed) => copy.with_seed(seed),
            None => copy,
        }
    }
}

/// A copy in which some paths have a file of their own.
struct Placed<'a> {
    copy: &'a Copy,
    files: &'a BTreeMap<String, PathBuf>,
}

impl Places for Placed<'_> {
    fn file(&self, file: &File) -> String {
        match self.files.get(&file.path) {
            Some(path) => path.to_string_lossy().into_owned(),
            None => self.copy.file(file),
        }
    }

    fn listen(&self, listener: Listener, bind: Address) -> Address {
        self.copy.listen(listener, bind)
    }

    fn dial(&self, listener: Listener, peer: &Address) -> Address {
        self.copy.dial(listener, peer)
    }

    fn path(&self, configured: &str) -> String {
        self.copy.path(configured)
    }

    fn nkey(&self, public: &str) -> String {
        self.copy.nkey(public)
    }

    fn secrets_include(&self, plan: &Plan) -> String {
        self.copy.secrets_include(plan)
    }

    fn ports_file_dir(&self) -> Option<String> {
        self.copy.ports_file_dir()
    }
}

fn put(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}
