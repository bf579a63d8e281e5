//! A fleet on loopback: every server with its real config, addresses, ports, paths and keys mapped.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use cim_check::{Copy, Identities, Server};
use cim_render::places::Listener;
use cim_spec::Plan;
use cim_spec::artefact::Health;
use cim_spec::plan::Address;

use crate::keys::Keys;
use crate::peers::Peers;
use crate::ports::Held;
use crate::{Member, Ports, Wire};

/// A fleet of real nats-servers; all are killed when it is dropped.
pub struct Fleet {
    binary: PathBuf,
    identities: Identities,
    members: BTreeMap<String, Member>,
    pub(crate) keys: Keys,
    peers: Peers,
    _ports: Held,
}

impl Fleet {
    /// Prepares servers in `dir`, a folder for each; none runs yet.
    ///
    /// # Errors
    /// Ports that are taken, and what the cryptography library or the file system says.
    pub fn prepare(plans: Vec<Plan>, dir: &Path, binary: &Path, ports: Ports) -> Result<Self> {
        Self::with_files(plans, dir, binary, ports, BTreeMap::new())
    }

    /// The same for servers with files of their own: by server, what stands where its options name a path. Such a
    /// server gets nothing throwaway, and a path that is not named is one that it will not find.
    ///
    /// # Errors
    /// As [`Fleet::prepare`].
    pub fn with_files(
        plans: Vec<Plan>,
        dir: &Path,
        binary: &Path,
        ports: Ports,
        mut files: BTreeMap<String, BTreeMap<String, PathBuf>>,
    ) -> Result<Self> {
        let (chosen, held) = ports.choose(plans.len())?;
        let peers = Peers::new(&plans, &chosen);
        let identities = Identities::new()?;
        let mut keys = Keys::default();
        for plan in &plans {
            keys.learn(plan)?;
        }
        let mut members = BTreeMap::new();
        for (plan, ports) in plans.into_iter().zip(chosen) {
            let dir = dir.join(&plan.server_name);
            let member = Member {
                copy: Copy::alone(&plan, &dir)?
                    .on_ports(ports.clone())
                    .with_peers(peers.ports().clone()),
                dir,
                ports,
                server: None,
                seed: keys.own_seed(&plan)?,
                files: files.remove(&plan.server_name).unwrap_or_default(),
                plan,
            };
            if member.files.is_empty() {
                member.write(&keys, &identities)?;
            } else {
                create(&member.dir)?;
                member.write_config(&keys)?;
            }
            members.insert(member.plan.server_name.clone(), member);
        }
        Ok(Self {
            binary: binary.to_owned(),
            identities,
            members,
            keys,
            peers,
            _ports: held,
        })
    }

    /// Starts one server on the files in its folder and waits until it is ready.
    ///
    /// # Errors
    /// A server that does not come up, with its reason.
    pub fn start(&mut self, name: &str) -> Result<()> {
        let member = self.members.get_mut(name).context("no such server")?;
        let config = member.dir.join("nats.conf");
        let mut server =
            Server::start(&self.binary, &config).with_context(|| format!("starting {name}"))?;
        server
            .healthy()
            .with_context(|| format!("starting {name}"))?;
        member.server = Some(server);
        Ok(())
    }

    /// Starts all servers, in the order of their names.
    ///
    /// # Errors
    /// The first server that does not come up, with its reason.
    pub fn start_all(&mut self) -> Result<()> {
        for name in self.names() {
            self.start(&name)?;
        }
        Ok(())
    }

    /// Kills one server at once.
    ///
    /// # Errors
    /// A server that does not run.
    pub fn kill(&mut self, name: &str) -> Result<()> {
        let member = self.members.get_mut(name).context("no such server")?;
        let server = member.server.take();
        server
            .with_context(|| format!("{name} does not run"))?
            .kill()
    }

    /// Writes another plan's config for a server, as a deployment does; the server is not told.
    /// Certificates and the secrets file stay.
    ///
    /// # Errors
    /// A name that no member has, and what the file system says.
    pub fn rewrite(&mut self, name: &str, plan: Plan) -> Result<()> {
        self.keys.learn(&plan)?;
        self.peers.meet(&plan);
        let member = self
            .members
            .get_mut(name)
            .with_context(|| format!("no server {name}"))?;
        member.copy = member.copy.clone().with_peers(self.peers.ports().clone());
        member.plan = plan;
        member.write_config(&self.keys)
    }

    /// Has `file` stand where the options of a server name `path`; other paths have the copy's
    /// own certificate, key, authority and seed. Takes effect with the next rewrite.
    ///
    /// # Errors
    /// A name that no member has.
    pub fn stand_in(&mut self, name: &str, path: &str, file: PathBuf) -> Result<()> {
        let member = self
            .members
            .get_mut(name)
            .with_context(|| format!("no server {name}"))?;
        member.files.insert(path.to_owned(), file);
        Ok(())
    }

    /// Says where a server that is not one of these stands on loopback: those of these that dial its
    /// address find it. Takes effect with the next start.
    ///
    /// # Errors
    /// What the file system says.
    pub fn outside(&mut self, listener: Listener, address: Address, port: u16) -> Result<()> {
        self.peers.place(listener, address, port);
        for member in self.members.values_mut() {
            member.copy = member.copy.clone().with_peers(self.peers.ports().clone());
            member.write_config(&self.keys)?;
        }
        Ok(())
    }

    /// Puts a certificate and its key for whomever into a folder, as `cert.pem` and `key.pem`, with the
    /// authority's `ca.pem`.
    ///
    /// # Errors
    /// What the file system or the cryptography library says.
    pub fn identify(&self, dir: &Path, common_name: &str) -> Result<()> {
        create(dir)?;
        self.identities.write(dir, common_name)
    }

    /// Gives a leaf a new key, whose seed is written to its file; hubs learn the public half with
    /// their next rewrite.
    ///
    /// # Errors
    /// A leaf that is not known by an nkey.
    pub fn renew_key(&mut self, leaf: &str) -> Result<()> {
        self.keys.renew(leaf)?;
        let seed = self
            .keys
            .leaf_seed(leaf)
            .context("a key was just made")?
            .to_owned();
        let member = self
            .members
            .get_mut(leaf)
            .with_context(|| format!("no server {leaf}"))?;
        member.seed = Some(seed);
        member.write_config(&self.keys)
    }

    /// Puts a seed into a leaf's file and secrets file, whoever it belongs to.
    ///
    /// # Errors
    /// A name that no member has, and what the file system says.
    pub fn put_seed(&mut self, leaf: &str, seed: &str) -> Result<()> {
        let member = self
            .members
            .get_mut(leaf)
            .with_context(|| format!("no server {leaf}"))?;
        member.seed = Some(seed.to_owned());
        member.write(&self.keys, &self.identities)
    }

    /// Writes a new certificate for a server, in the name of whomever.
    ///
    /// # Errors
    /// What the file system or the cryptography library says.
    pub fn certify(&self, name: &str, common_name: &str) -> Result<()> {
        self.identities.write(&self.member(name)?.dir, common_name)
    }

    /// What `health.json` says of a server here, for the plan that was written last.
    ///
    /// # Errors
    /// A name that no member has.
    pub fn health(&self, name: &str) -> Result<Health> {
        self.member(name)?.health(&self.keys)
    }

    /// Puts a wire before a hub's node: whoever dials it for a leaf link, and was not started yet, does so by the wire.
    ///
    /// # Errors
    /// A node that takes no leaves, and what the system says of sockets and files.
    pub fn wire(&mut self, node: &str) -> Result<Wire> {
        let member = self.member(node)?;
        let listener = member
            .plan
            .leafnodes
            .as_ref()
            .context("it takes no leaves")?;
        let address = listener.advertise.clone();
        let wire = Wire::to(member.port(Listener::Leafnodes))?;
        // Also where the node tells its leaves to come back to: else they would go round the wire.
        self.outside(Listener::Leafnodes, address, wire.port())?;
        Ok(wire)
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
        self.members
            .get(name)
            .with_context(|| format!("no server {name}"))
    }

    /// The authority that all certificates come from.
    pub fn ca_file(&self) -> PathBuf {
        let member = self.members.values().next();
        member
            .map(|member| member.dir.join("ca.pem"))
            .unwrap_or_default()
    }
}

fn create(dir: &Path) -> Result<()> {
    std::fs::create_dir_all(dir).with_context(|| format!("creating {}", dir.display()))
}
