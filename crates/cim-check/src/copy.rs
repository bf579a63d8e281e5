//! A copy of an instance on loopback: the real config, only addresses, ports, paths and keys mapped.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use cim_render::conf::{self, Document};
use cim_render::nats_conf;
use cim_render::places::{Listener, Places};
use cim_render::{artefacts, conf::Map};
use cim_spec::Plan;
use cim_spec::artefact::SecretKind;
use cim_spec::file::{File, FileKind};
use cim_spec::plan::Address;
use nkeys::{KeyPair, KeyPairType};
use sha2::{Digest, Sha256};

use crate::identities::{Identities, nkey, put};
use crate::loopback;

/// Ports from here on stand for servers that are not there: nobody listens so low.
const NOBODY: u16 = 1;

/// What encrypts the store of a copy, which holds nothing.
pub const STORE_KEY: &str = "the-key-of-a-throwaway-copy";

/// Where a copy stands and whom it reaches.
#[derive(Debug, Clone)]
pub struct Copy {
    dir: PathBuf,
    ports: BTreeMap<Listener, u16>,
    peers: BTreeMap<(Listener, Address), u16>,
    nkeys: BTreeMap<String, String>,
    seed: String,
}

impl Copy {
    /// A copy of `plan` in `dir` that listens on ports of its own choice and finds nobody.
    ///
    /// # Errors
    /// What the cryptography library says.
    pub fn alone(plan: &Plan, dir: &Path) -> Result<Self> {
        let (_, seed) = nkey()?;
        Ok(Self {
            dir: dir.to_owned(),
            ports: BTreeMap::new(),
            // Each has a port of its own: nats-server refuses a url that stands twice.
            peers: peers(plan).zip(NOBODY..).collect(),
            nkeys: BTreeMap::new(),
            seed,
        })
    }

    /// Gives listeners fixed ports.
    #[must_use]
    pub fn on_ports(mut self, ports: BTreeMap<Listener, u16>) -> Self {
        self.ports = ports;
        self
    }

    /// Says where the other servers' listeners stand on loopback.
    #[must_use]
    pub fn with_peers(mut self, peers: BTreeMap<(Listener, Address), u16>) -> Self {
        self.peers = peers;
        self
    }

    /// Replaces public nkeys, by whose seeds nobody here could log in.
    #[must_use]
    pub fn with_nkeys(mut self, nkeys: BTreeMap<String, String>) -> Self {
        self.nkeys = nkeys;
        self
    }

    /// Sets the seed of the leaf's own nkey.
    #[must_use]
    pub fn with_seed(mut self, seed: &str) -> Self {
        seed.clone_into(&mut self.seed);
        self
    }

    /// The copy's tree of nats.conf.
    ///
    /// # Errors
    /// As [`artefacts::document`].
    pub fn document(&self, plan: &Plan) -> Result<Document> {
        let document = artefacts::document(plan, self)?;
        Ok(Document {
            root: loopback::mapped(&document.root, plan, &|kind| self.own(kind)),
            ..document
        })
    }

    /// The digest that nats-server must give for the copy.
    ///
    /// # Errors
    /// A variable that the secrets file of the copy lacks: a bug of ours.
    pub fn digest(&self, plan: &Plan, document: &Document) -> Result<String> {
        conf::digest(document, &self.variables(plan)?)
            .context("this is a bug in cim: the config refers to an unknown variable")
    }

    /// Writes the copy's config, secrets and identity; gives the path of `nats.conf`.
    ///
    /// # Errors
    /// What the file system or the cryptography library says.
    pub fn write(&self, plan: &Plan, identities: &Identities) -> Result<PathBuf> {
        std::fs::create_dir_all(&self.dir)
            .with_context(|| format!("creating {}", self.dir.display()))?;
        identities.write(&self.dir, &plan.server_name)?;
        let document = self.document(plan)?;
        if document.include.is_some() {
            let mut secrets = Map::new();
            for (variable, value) in self.variables(plan)? {
                secrets.put(&variable, value);
            }
            for secret in nats_conf::secrets(plan) {
                if secret.kind == SecretKind::HostKey {
                    let seed = self.host_key(&secret.variable)?.seed()?;
                    put(&self.host_key_file(&secret.file), &seed)?;
                }
            }
            let secrets = Document {
                include: None,
                root: secrets,
            };
            put(&self.dir.join("secrets.conf"), &conf::write(&secrets)?)?;
        }
        let path = self.dir.join("nats.conf");
        put(&path, &artefacts::text(plan, &document)?)?;
        Ok(path)
    }

    /// The copy's own file of a key that the host makes.
    pub fn host_key_file(&self, on_host: &str) -> PathBuf {
        self.dir
            .join(Path::new(on_host).file_name().unwrap_or_default())
    }

    /// The values of the copy's secrets.
    fn variables(&self, plan: &Plan) -> Result<BTreeMap<String, String>> {
        let values = nats_conf::secrets(plan).into_iter().map(|secret| {
            let value = match secret.kind {
                SecretKind::NkeySeed => self.seed.clone(),
                SecretKind::Text => STORE_KEY.to_owned(),
                SecretKind::HostKey => self.host_key(&secret.variable)?.public_key(),
            };
            Ok((secret.variable, value))
        });
        values.collect()
    }

    /// The key that stands for one that the host makes: another for each, and always the same.
    fn host_key(&self, variable: &str) -> Result<KeyPair> {
        let raw = Sha256::new()
            .chain_update(&self.seed)
            .chain_update(variable)
            .finalize();
        let pair = KeyPair::new_from_raw(KeyPairType::User, raw.into());
        pair.context("making a throwaway key")
    }

    /// The copy's own file of a kind.
    fn own(&self, kind: FileKind) -> String {
        self.inside(match kind {
            FileKind::Certificate => "cert.pem",
            FileKind::Key => "key.pem",
            FileKind::Ca => "ca.pem",
            FileKind::Credentials => "leaf.creds",
            FileKind::NkeySeed => "leaf.nk",
            FileKind::StoreKey => "store.key",
        })
    }

    fn inside(&self, name: &str) -> String {
        self.dir.join(name).to_string_lossy().into_owned()
    }
}

/// The servers that a plan dials.
fn peers(plan: &Plan) -> impl Iterator<Item = (Listener, Address)> {
    let routes = plan.cluster.iter().flat_map(|cluster| &cluster.routes);
    let remotes = plan.link.iter().flat_map(|link| &link.remotes);
    let nodes: BTreeSet<(Listener, &Address)> = remotes
        .flat_map(|remote| {
            let listener = match remote.websocket {
                true => Listener::Websocket,
                false => Listener::Leafnodes,
            };
            remote.nodes.iter().map(move |node| (listener, node))
        })
        .collect();
    let gateways = plan.gateway.iter().flat_map(|gateway| &gateway.gateways);
    let others = gateways.flat_map(|(_, nodes)| nodes);
    routes
        .map(|route| (Listener::Cluster, route))
        .chain(nodes)
        .chain(others.map(|node| (Listener::Gateway, node)))
        .map(|(listener, node)| (listener, node.clone()))
}

impl Places for Copy {
    fn file(&self, file: &File) -> String {
        self.own(file.kind)
    }

    fn path(&self, configured: &str) -> String {
        self.inside(&configured.replace('/', "-"))
    }

    fn listen(&self, listener: Listener, _: Address) -> Address {
        Address {
            host: "127.0.0.1".to_owned(),
            port: self.ports.get(&listener).copied().unwrap_or(0),
        }
    }

    fn dial(&self, listener: Listener, peer: &Address) -> Address {
        Address {
            host: "127.0.0.1".to_owned(),
            port: self
                .peers
                .get(&(listener, peer.clone()))
                .copied()
                .unwrap_or(NOBODY),
        }
    }

    fn nkey(&self, public: &str) -> String {
        self.nkeys
            .get(public)
            .cloned()
            .unwrap_or_else(|| public.to_owned())
    }

    fn secrets_include(&self, _: &Plan) -> String {
        "secrets.conf".to_owned()
    }

    fn ports_file_dir(&self) -> Option<String> {
        Some(self.inside(""))
    }
}
