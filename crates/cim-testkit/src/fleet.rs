//! A fleet on loopback: every server with its real config, addresses, ports, paths and keys mapped.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use async_nats::{Client, ConnectOptions};
use cim_check::{Copy, Identities, Server};
use cim_render::places::Listener;
use cim_spec::Plan;
use cim_spec::plan::{Address, Proof};
use nkeys::KeyPair;

use crate::Ports;

/// A fleet of real nats-servers; all are killed when it is dropped.
pub struct Fleet {
    dir: PathBuf,
    binary: PathBuf,
    identities: Identities,
    members: BTreeMap<String, Member>,
    /// Public nkey in the plans → the seed of the throwaway key that stands for it.
    seeds: BTreeMap<String, String>,
}

/// One server of a fleet.
pub struct Member {
    plan: Plan,
    copy: Copy,
    ports: BTreeMap<Listener, u16>,
    server: Option<Server>,
}

impl Fleet {
    /// Prepares servers in `dir`; none runs yet.
    ///
    /// # Errors
    /// Ports that are taken, and what the cryptography library says.
    pub fn prepare(plans: Vec<Plan>, dir: &Path, binary: &Path, ports: Ports) -> Result<Self> {
        let chosen = ports.choose(plans.len())?;
        let peers = peers(&plans, &chosen);
        let keys = throwaway_keys(&plans)?;
        let publics: BTreeMap<String, String> = keys
            .iter()
            .map(|(committed, (public, _))| (committed.clone(), public.clone()))
            .collect();
        let mut members = BTreeMap::new();
        for (plan, ports) in plans.into_iter().zip(chosen) {
            let mut copy = Copy::alone(&plan, &dir.join(&plan.server_name))?
                .on_ports(ports.clone())
                .with_peers(peers.clone())
                .with_nkeys(publics.clone());
            if let Some((_, seed)) = keys.get(&format!("leaf {}", plan.server_name)) {
                copy = copy.with_seed(seed);
            }
            let member = Member {
                copy,
                ports,
                server: None,
                plan,
            };
            members.insert(member.plan.server_name.clone(), member);
        }
        Ok(Self {
            dir: dir.to_owned(),
            binary: binary.to_owned(),
            identities: Identities::new()?,
            members,
            seeds: keys
                .into_iter()
                .map(|(committed, (_, seed))| (committed, seed))
                .collect(),
        })
    }

    /// Starts one server and waits until it is ready.
    ///
    /// # Errors
    /// A server that does not come up, with its reason.
    pub fn start(&mut self, name: &str) -> Result<()> {
        let member = self.members.get_mut(name).context("no such server")?;
        let config = member.copy.write(&member.plan, &self.identities)?;
        let mut server = Server::start(&self.binary, &config)
            .with_context(|| format!("starting {name}"))?;
        server.healthy().with_context(|| format!("starting {name}"))?;
        member.server = Some(server);
        Ok(())
    }

    /// Kills one server at once.
    ///
    /// # Errors
    /// A server that does not run.
    pub fn kill(&mut self, name: &str) -> Result<()> {
        let member = self.members.get_mut(name).context("no such server")?;
        let server = member.server.take();
        server.with_context(|| format!("{name} does not run"))?.kill()
    }

    /// Lets the servers run on when this value is dropped.
    pub fn leave_running(self) {
        for member in self.members.into_values() {
            if let Some(server) = member.server {
                std::mem::forget(server);
            }
        }
    }

    /// Names of all servers.
    pub fn names(&self) -> Vec<String> {
        self.members.keys().cloned().collect()
    }

    /// A server that runs.
    ///
    /// # Errors
    /// A name that no server has, or one that does not run.
    pub fn server(&self, name: &str) -> Result<&Server> {
        let member = self.member(name)?;
        member
            .server
            .as_ref()
            .with_context(|| format!("{name} does not run"))
    }

    /// One member.
    ///
    /// # Errors
    /// A name that no member has.
    pub fn member(&self, name: &str) -> Result<&Member> {
        self.members.get(name).with_context(|| format!("no server {name}"))
    }

    /// The authority that all certificates come from.
    pub fn ca_file(&self) -> PathBuf {
        self.members
            .keys()
            .next()
            .map(|name| self.dir.join(name).join("ca.pem"))
            .unwrap_or_default()
    }

    /// The seed that stands for a user of a server's accounts.
    ///
    /// # Errors
    /// A user who is not there, or is not known by an nkey.
    pub fn seed(&self, server: &str, user: &str) -> Result<&str> {
        let principals = self.member(server)?.plan.accounts.iter();
        let proof = principals
            .flat_map(|account| &account.principals)
            .find(|principal| principal.name == user)
            .map(|principal| &principal.proof);
        let Some(Proof::Nkey(public)) = proof else {
            anyhow::bail!("{server} has no user {user} with an nkey");
        };
        self.seeds
            .get(public)
            .map(String::as_str)
            .with_context(|| format!("{user} has no throwaway key"))
    }

    /// Connects as a user of a server's accounts. The client does not reconnect elsewhere.
    ///
    /// # Errors
    /// A server that refuses.
    pub async fn client(&self, server: &str, user: &str) -> Result<Client> {
        let member = self.member(server)?;
        let tls = member.plan.client.tls.is_some();
        let mut options = ConnectOptions::with_nkey(self.seed(server, user)?.to_owned())
            .name(user)
            .require_tls(tls)
            .ignore_discovered_servers();
        if tls {
            options = options.add_root_certificates(self.ca_file());
        }
        options
            .connect(member.url())
            .await
            .with_context(|| format!("connecting to {server} as {user}"))
    }
}

impl Member {
    /// URL for clients.
    pub fn url(&self) -> String {
        let scheme = if self.plan.client.tls.is_some() { "tls" } else { "nats" };
        format!("{scheme}://127.0.0.1:{}", self.port(Listener::Client))
    }

    /// Its plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The port of a listener.
    pub fn port(&self, listener: Listener) -> u16 {
        self.ports.get(&listener).copied().unwrap_or_default()
    }
}

/// Where each advertised address stands on loopback.
fn peers(
    plans: &[Plan],
    ports: &[BTreeMap<Listener, u16>],
) -> BTreeMap<(Listener, Address), u16> {
    let mut peers = BTreeMap::new();
    for (plan, ports) in plans.iter().zip(ports) {
        let advertised = [
            (Listener::Client, plan.client.advertise.as_ref()),
            (Listener::Cluster, plan.cluster.as_ref().map(|c| &c.advertise)),
            (Listener::Leafnodes, plan.leafnodes.as_ref().map(|l| &l.advertise)),
        ];
        for (listener, address) in advertised {
            if let (Some(address), Some(port)) = (address, ports.get(&listener)) {
                peers.insert((listener, address.clone()), *port);
            }
        }
    }
    peers
}

/// A throwaway key for every public nkey in the plans; a leaf's also under `leaf <name>`.
fn throwaway_keys(plans: &[Plan]) -> Result<BTreeMap<String, (String, String)>> {
    let mut keys = BTreeMap::new();
    let principals = plans
        .iter()
        .flat_map(|plan| &plan.accounts)
        .flat_map(|account| &account.principals);
    for principal in principals {
        let Proof::Nkey(committed) = &principal.proof else {
            continue;
        };
        let pair = match keys.get(committed) {
            Some(pair) => Clone::clone(pair),
            None => {
                let pair = KeyPair::new_user();
                (pair.public_key(), pair.seed().context("making a key")?)
            }
        };
        if principal.kind == cim_spec::plan::PrincipalKind::Leaf {
            keys.insert(format!("leaf {}", principal.name), pair.clone());
        }
        keys.insert(committed.clone(), pair);
    }
    Ok(keys)
}
