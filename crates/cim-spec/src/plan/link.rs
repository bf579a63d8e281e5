//! A leaf's links: whom it dials, and how it logs in there.

use super::leaf::names;
use super::server::{self, Plaintext};
use super::{Address, Compression, TlsFiles, compression, tls};
use crate::duration::Duration;
use crate::field::{Block, Connection, Setting};
use crate::file::{File, FileKind};
use crate::path::OptionPath;
use crate::problem::{Problems, Rule};
use crate::spec::{self, Flow, Hub, Leaf, LeafSpec, RemoteOptions};

/// A leaf's links.
#[derive(Debug, Clone)]
pub struct Link {
    /// Delay before each redial.
    pub reconnect: Duration,
    /// One connection each.
    pub remotes: Vec<Remote>,
    /// What may come from the hub.
    pub imports: Vec<Flow>,
    /// What may go to the hub.
    pub exports: Vec<Flow>,
    /// Fields that pass straight through.
    pub fields: Vec<Setting>,
}

/// A link to one hub, through any of its nodes.
#[derive(Debug, Clone)]
pub struct Remote {
    /// Its name in the fleet.
    pub name: String,
    /// Nodes of the hub.
    pub nodes: Vec<Address>,
    /// The hub's JetStream domain.
    pub hub_domain: String,
    /// The hub's account it is bound to.
    pub hub_account: String,
    /// The leaf's account it is bound to.
    pub account: String,
    /// The leaf's account in which its `cim-health` speaks over it.
    pub health_account: String,
    /// How the leaf logs in.
    pub login: Login,
    /// `None`: no TLS, as the fleet says out loud.
    pub tls: Option<TlsFiles>,
    /// How it compresses what it sends.
    pub compression: Compression,
    /// Whether it goes over WebSocket.
    pub websocket: bool,
    /// Fields that pass straight through.
    pub fields: Vec<Setting>,
}

/// How a leaf logs in at a hub.
#[derive(Debug, Clone)]
pub enum Login {
    /// With the seed in this file.
    NkeySeed(File),
    /// With the JWT and seed in this file.
    Credentials(File),
    /// With the certificate of its TLS.
    Certificate,
}

pub(super) fn plan(
    spec: &LeafSpec,
    member: &Leaf,
    at: &OptionPath,
    problems: &mut Problems,
) -> Option<Link> {
    let remotes_at = at.join("remotes");
    for name in spec.leaf.remotes.keys() {
        if !member.remotes.contains_key(name) {
            problems.add(
                Rule::KnownRemote,
                &remotes_at.join(name),
                format!("the fleet gives leaf {:?} no remote {name:?}", spec.name),
                format!("use one of: {}", names(member.remotes.keys())),
            );
        }
    }
    let mut remotes = Vec::new();
    for (name, remote) in &member.remotes {
        let at = remotes_at.join(name);
        let Some(options) = spec.leaf.remotes.get(name) else {
            problems.add(
                Rule::KnownRemote,
                &at,
                format!(
                    "is not set, but the fleet has leaf {:?} dial hub {:?} by it",
                    spec.name, remote.hub
                ),
                format!("declare it: {at}.tls.caFile = \"/etc/ssl/certs/cim-ca.pem\", for example"),
            );
            continue;
        };
        let Some(hub) = spec.fleet.hubs.get(&remote.hub) else {
            continue; // the fleet's own rule has said so
        };
        remotes.extend(plan_remote(
            name, spec, member, hub, remote, options, problems,
        ));
    }
    let reconnect = server::duration(
        &spec.leaf.leafnodes.reconnect,
        &at.join("leafnodes").join("reconnect"),
        problems,
    )?;
    Some(Link {
        reconnect,
        remotes,
        imports: member.imports.clone(),
        exports: member.exports.clone(),
        fields: spec
            .leaf
            .leafnodes
            .fields
            .plan(Block::Link, &at.join("leafnodes"), problems),
    })
}

fn plan_remote(
    name: &str,
    spec: &LeafSpec,
    member: &Leaf,
    hub: &Hub,
    remote: &spec::Remote,
    options: &RemoteOptions,
    problems: &mut Problems,
) -> Option<Remote> {
    let hub_name = remote.hub.as_str();
    let fleet_at = OptionPath::new("services.cim.fleet.leaves");
    let fleet_at = fleet_at.join(&spec.name).join("remotes").join(name);
    let leaf_at = OptionPath::new("services.cim.leaves").join(&spec.name);
    let at = leaf_at.join("remotes").join(name);
    let compression =
        compression::plan(&options.compression, &options.rtt_thresholds, &at, problems);
    let tls_at = at.join("tls");
    let agreed = OptionPath::new("services.cim.fleet.hubs")
        .join(hub_name)
        .join("leafnodes");
    Plaintext {
        tls: (&tls_at, options.tls.is_some()),
        said: (&agreed.join("plaintext"), hub.leafnodes.plaintext),
        what: "the leaf link",
    }
    .check(problems);
    let tls = options
        .tls
        .as_ref()
        .map(|tls| tls::plan(tls, Connection::Remote, &tls_at, problems));
    let presents = options
        .tls
        .as_ref()
        .is_some_and(|tls| tls.cert_file.is_some());
    let verifies = hub.leafnodes.verify || hub.leafnodes.verify_and_map;
    if (verifies || member.certificate.is_some()) && !presents {
        problems.add(
            Rule::ClientCertificate,
            &tls_at.join("certFile"),
            format!("is null, but hub {hub_name:?} asks this leaf for a certificate"),
            "set certFile and keyFile, for example \"/run/secrets/leaf.pem\" and \"/run/secrets/leaf.key\"",
        );
    }
    let login = login(spec, member, options, &leaf_at, &at, problems)?;
    let tls = match tls {
        Some(files) => Some(files?), // what is wrong with them has been said
        None => None,
    };
    Some(Remote {
        name: name.to_owned(),
        nodes: nodes(hub, hub_name, remote, &fleet_at, problems),
        hub_domain: hub.domain.clone(),
        hub_account: member.account.clone(),
        account: member.local_account.clone(),
        health_account: member.local_account.clone(),
        login,
        tls,
        compression,
        websocket: remote.websocket,
        fields: options.fields.plan(Block::Remote, &at, problems),
    })
}

/// The addresses of a hub that a remote dials.
fn nodes(
    hub: &Hub,
    hub_name: &str,
    remote: &spec::Remote,
    at: &OptionPath,
    problems: &mut Problems,
) -> Vec<Address> {
    let mut addresses = Vec::new();
    for (name, node) in &hub.nodes {
        let port = match remote.websocket {
            true => node.websocket_port,
            false => Some(node.leafnodes_port),
        };
        let Some(port) = port else {
            problems.add(
                Rule::RemotePort,
                &at.join("websocket"),
                format!("is true, but node {name:?} of hub {hub_name:?} has no WebSocket port"),
                format!("set services.cim.fleet.hubs.{hub_name}.nodes.{name}.websocketPort, for example to 443"),
            );
            continue;
        };
        addresses.push(Address {
            host: node.address.clone(),
            port,
        });
    }
    addresses
}

/// The files on this host must fit the identity that the fleet gives the leaf.
fn login(
    spec: &LeafSpec,
    member: &Leaf,
    options: &RemoteOptions,
    leaf_at: &OptionPath,
    at: &OptionPath,
    problems: &mut Problems,
) -> Option<Login> {
    let seed_at = leaf_at.join("nkeySeedFile");
    let creds_at = at.join("credentialsFile");
    let seed = spec.leaf.nkey_seed_file.as_deref();
    let creds = options.credentials_file.as_deref();
    let fleet_says = |what: &str| format!("services.cim.fleet.leaves.{} {what}", spec.name);
    let mut refuse = |at: &OptionPath, what: String, help: &str| {
        problems.add(Rule::LinkIdentity, at, what, help);
    };
    match (&member.nkey, &member.certificate) {
        (Some(_), _) => {
            if creds.is_some() {
                refuse(
                    &creds_at,
                    format!("is set, but {}", fleet_says("is known by its nkey")),
                    "leave it out, or remove nkey from the fleet",
                );
            }
            let Some(seed) = seed else {
                refuse(
                    &seed_at,
                    format!("is null, but {}", fleet_says("has an nkey")),
                    "name the file that holds its seed, for example \"/run/secrets/leaf.nk\"",
                );
                return None;
            };
            server::file(seed, FileKind::NkeySeed, &seed_at, problems).map(Login::NkeySeed)
        }
        (None, certificate) => {
            if let Some(seed) = seed {
                refuse(
                    &seed_at,
                    format!("{seed:?} is set, but {}", fleet_says("has no nkey")),
                    "put the public nkey into the fleet, or leave it out",
                );
            }
            match (creds, certificate) {
                (Some(_), Some(_)) => {
                    refuse(
                        &creds_at,
                        format!("is set, but {}", fleet_says("is known by its certificate")),
                        "leave it out, or remove certificate from the fleet",
                    );
                    None
                }
                (Some(creds), None) => {
                    server::file(creds, FileKind::Credentials, &creds_at, problems)
                        .map(Login::Credentials)
                }
                (None, Some(_)) => Some(Login::Certificate),
                (None, None) if spec.fleet.operator => {
                    refuse(
                        &creds_at,
                        "is null, but the hubs are in operator mode, where a leaf is known by its JWT".to_owned(),
                        "name the .creds file, for example \"/run/secrets/leaf.creds\"",
                    );
                    None
                }
                (None, None) => {
                    refuse(
                        &creds_at,
                        format!(
                            "is null, and {}",
                            fleet_says("has neither nkey nor certificate")
                        ),
                        "name a .creds file, or give the leaf an nkey or a certificate in the fleet",
                    );
                    None
                }
            }
        }
    }
}
