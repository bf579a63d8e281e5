//! A set of hosts, each at its address, that know each other's names.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::thread;

use anyhow::{Context, Result, anyhow};
use async_nats::{Client, ConnectOptions};
use cim_spec::Plan;
use cim_spec::plan::PrincipalKind;
use time::Duration;

use crate::command::write;
use crate::ground::{Ground, STATE};
use crate::host::Host;
use crate::identities::Authority;
use crate::net::Net;
use crate::secrets::{self, Secrets};
use crate::stage::{DeployRs, Stage};
use crate::{install, plans};

/// Of certificates: longer than what cim-health warns of.
const LIFE: Duration = Duration::days(30);

/// A lab; all of it goes when it is dropped.
pub struct Lab {
    // Before the ground: threads leave the networks before those go.
    hosts: BTreeMap<String, Host>,
    stage: Stage,
    authority: Authority,
    _ground: Ground,
}

impl Lab {
    /// Prepares hosts of a generation; none runs yet. `hosts` are their names, all of them where it is empty.
    ///
    /// # Errors
    /// A machine that can have no lab, and names that no host has.
    pub fn prepare(stage: Stage, generation: &str, hosts: &[&str]) -> Result<Self> {
        let ground = Ground::take()?;
        let built = stage.generation(generation)?.clone();
        let chosen = |name: &str| hosts.is_empty() || hosts.contains(&name);
        let mut lab = Self {
            hosts: BTreeMap::new(),
            authority: Authority::new()?,
            _ground: ground,
            stage,
        };
        for (index, (name, toplevel)) in built.hosts.iter().enumerate() {
            if !chosen(name) {
                continue;
            }
            let host = Host::create(
                name,
                Net::create(name, index)?,
                &lab.stage.root,
                Path::new(STATE).join(name),
                toplevel,
                plans::of_host(&built, name)?,
            )
            .with_context(|| format!("making {name}"))?;
            lab.hosts.insert(name.clone(), host);
        }
        for name in hosts {
            lab.host(name)?;
        }
        write(&lab.ca_file(), &lab.authority.certificate)?;
        lab.introduce()?;
        Ok(lab)
    }

    /// Names, addresses and secrets: what every host knows of itself and of the others.
    fn introduce(&self) -> Result<()> {
        let mut names = Vec::new();
        for host in self.hosts.values() {
            for plan in host.plans() {
                let advertised = plans::advertised(plan).into_iter();
                names.extend(advertised.map(|name| (name, host.net.address.clone())));
            }
        }
        for host in self.hosts.values() {
            install::name(&host.place("/"), &host.name, &names)?;
            self.certify(host, LIFE)?;
        }
        Ok(())
    }

    /// Writes all secrets of a host anew, with certificates that hold for so long.
    ///
    /// # Errors
    /// What the file system or the cryptography library says.
    pub fn certify(&self, host: &Host, life: Duration) -> Result<()> {
        let fleet: Vec<Plan> = self.hosts.values().flat_map(Host::plans).cloned().collect();
        let place = |path: &str| -> PathBuf { host.place(path) };
        let new = Secrets {
            authority: &self.authority,
            seeds: &self.stage.seeds,
            fleet: &fleet,
            address: &host.net.address,
            users: &host.users,
            place: &place,
        };
        for plan in host.plans() {
            new.write(plan, life)?;
        }
        let folder = host.dir.join("secrets");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o751))
            .with_context(|| format!("setting the mode of {}", folder.display()))?;
        *host.secrets.lock().unwrap_or_else(PoisonError::into_inner) = secrets::all(&folder)?;
        Ok(())
    }

    /// Starts hosts at the same time and waits until every unit of theirs is active.
    ///
    /// # Errors
    /// The first host that is not, with the reason.
    pub fn boot(&self, hosts: &[&str]) -> Result<()> {
        self.each(hosts, |host| {
            host.start()?;
            host.ready()
        })
    }

    /// Does something with several hosts at the same time.
    ///
    /// # Errors
    /// The first error.
    pub fn each(&self, hosts: &[&str], work: impl Fn(&Host) -> Result<()> + Sync) -> Result<()> {
        let hosts = hosts
            .iter()
            .map(|name| self.host(name))
            .collect::<Result<Vec<_>>>()?;
        let work = &work;
        thread::scope(|scope| {
            let threads: Vec<_> = hosts
                .iter()
                .map(|host| (host, scope.spawn(move || work(host))))
                .collect();
            let mut done = Ok(());
            for (host, thread) in threads {
                let one = thread
                    .join()
                    .map_err(|_| anyhow!("the thread stopped"))
                    .flatten()
                    .with_context(|| host.name.clone());
                done = done.and(one);
            }
            done
        })
    }

    /// A host.
    ///
    /// # Errors
    /// A name that no host has.
    pub fn host(&self, name: &str) -> Result<&Host> {
        self.hosts
            .get(name)
            .with_context(|| format!("no host {name}"))
    }

    /// All hosts.
    pub fn hosts(&self) -> impl Iterator<Item = &Host> {
        self.hosts.values()
    }

    /// The system that a generation has for a host.
    ///
    /// # Errors
    /// Names that are not there.
    pub fn toplevel(&self, generation: &str, host: &str) -> Result<&Path> {
        let hosts = &self.stage.generation(generation)?.hosts;
        let path = hosts
            .get(host)
            .with_context(|| format!("generation {generation} has no host {host}"))?;
        Ok(path)
    }

    /// What deploy-rs is tested with.
    ///
    /// # Errors
    /// A stage that was prepared without.
    pub fn deploy_rs(&self) -> Result<&DeployRs> {
        let deploy = self.stage.deploy.as_ref();
        deploy.context("the stage has nothing for deploy-rs: `cargo xtask test --only lab`")
    }

    /// The certificate of the authority that signs all others.
    pub fn ca_file(&self) -> PathBuf {
        Path::new(STATE).join("ca.pem")
    }

    /// What a user of an instance logs in with.
    ///
    /// # Errors
    /// A user who is not known by an nkey there.
    pub fn seed(&self, instance: &Plan, user: &str) -> Result<String> {
        let instance = std::slice::from_ref(instance);
        let public = plans::nkey(instance, PrincipalKind::User, user)?;
        let seed = self.stage.seeds.get(&public);
        seed.cloned()
            .with_context(|| format!("no seed for {public}"))
    }

    /// Connects as a user of a host's first instance, from inside that host. It knows no other server.
    ///
    /// # Errors
    /// A server that refuses.
    pub fn client(&self, host: &str, user: &str) -> Result<Client> {
        self.client_of(host, &[host], user)
    }

    /// Connects as a user from inside a host to any of several others' first instances, and to another when it is
    /// told to or loses one.
    ///
    /// # Errors
    /// Servers that refuse.
    pub fn client_of(&self, from: &str, servers: &[&str], user: &str) -> Result<Client> {
        let mut urls = Vec::new();
        let mut options = None;
        for name in servers {
            let host = self.host(name)?;
            let plan = host.plans().first().context("a host without an instance")?;
            let tls = plan.client.tls.is_some();
            let (scheme, address) = if tls {
                ("tls", host.net.address.as_str())
            } else {
                ("nats", "127.0.0.1")
            };
            urls.push(format!("{scheme}://{address}:{}", plan.client.port));
            options = Some((self.seed(plan, user)?, tls));
        }
        let (seed, tls) = options.context("a client needs a server")?;
        let mut options = ConnectOptions::with_nkey(seed)
            .name(user)
            .require_tls(tls)
            .ignore_discovered_servers();
        if tls {
            options = options.add_root_certificates(self.ca_file());
        }
        self.host(from)?
            .inside()
            .connect(options, urls)
            .with_context(|| format!("as {user} from {from}"))
    }
}
