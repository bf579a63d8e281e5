//! A fleet whose identity is made: its two folders, its hosts, and the operator's key; and its servers on loopback with
//! exactly these files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};
use cim_render::input;
use cim_spec::{Plan, fleet};
use cim_testkit::{Fleet, Identity, Ports};
use serde_json::Value;

use crate::hosts::Hosts;

/// What an operator has after the one command.
pub struct Estate {
    /// The hosts, by the names of their sealed files.
    pub hosts: Hosts,
    /// The folder that holds `identity` and `secrets`.
    pub folder: PathBuf,
    /// The operator's own key file.
    pub keys: PathBuf,
}

impl Estate {
    /// Where a public file of the identity is.
    pub fn public(&self, place: &str) -> PathBuf {
        self.folder.join("identity").join(place)
    }

    /// What every client trusts.
    pub fn ca(&self) -> PathBuf {
        self.public("ca.pem")
    }

    /// Opens a file that is sealed for the operator alone.
    pub fn creds(&self, place: &str) -> Result<String> {
        let sealed = self.folder.join("secrets").join(place);
        self.hosts.decrypt(&self.keys, &sealed, "binary")
    }

    /// Opens a host's file with that host's key; gives where each entry lies.
    pub fn open(&self, host: &str) -> Result<BTreeMap<String, PathBuf>> {
        self.hosts.open(host, &self.sealed(host))
    }

    /// Fails where a host's key opens another one's file.
    pub fn refuses(&self, host: &str, other: &str) -> Result<()> {
        ensure!(
            self.hosts.open(host, &self.sealed(other)).is_err(),
            "the ssh key of {host} opens {}",
            self.sealed(other).display()
        );
        Ok(())
    }

    fn sealed(&self, host: &str) -> PathBuf {
        self.folder.join("secrets").join(format!("{host}.yaml"))
    }

    /// The specs with the JWTs that are committed, as modules/identity.nix puts them there, and the fleet's value.
    pub fn fill(&self, whole: &mut Value, specs: &mut BTreeMap<String, Value>) -> Result<()> {
        let identity = Identity::read(&self.folder.join("identity"))?;
        identity.put_into(whole)?;
        for spec in specs.values_mut() {
            if let Some(fleet) = spec.pointer_mut("/hub/fleet") {
                identity.put_into(fleet)?;
            }
        }
        Ok(())
    }

    /// The servers, each with what its host opened and what is committed. None runs yet. `names` are the hosts.
    pub fn fleet(
        &self,
        plans: Vec<Plan>,
        names: &[String],
        dir: &Path,
        nats_server: &Path,
        ports: Ports,
    ) -> Result<Fleet> {
        let mut entries = BTreeMap::new();
        for host in names {
            entries.append(&mut self.open(host)?);
        }
        let files = plans
            .iter()
            .map(|plan| (plan.server_name.clone(), self.files(plan, &entries)))
            .collect();
        let fleet = Fleet::with_files(plans, dir, nats_server, ports, files)?;
        for name in fleet.names() {
            let health = fleet.health(&name)?;
            if let Some(mut secrets) = health.secrets {
                // On a host it is in /run, which is memory.
                let memory = self.hosts.folder().join(format!("{name}.conf"));
                let place = std::mem::replace(&mut secrets.path, memory.display().to_string());
                cim_node::secrets::write(&secrets)?;
                std::os::unix::fs::symlink(&memory, &place)
                    .with_context(|| format!("linking {place}"))?;
            }
        }
        Ok(fleet)
    }

    /// What stands where modules/sops.nix says.
    fn files(&self, plan: &Plan, entries: &BTreeMap<String, PathBuf>) -> BTreeMap<String, PathBuf> {
        let certificate = format!("certificates/{}.pem", plan.unit);
        let own = format!("{}.", plan.unit);
        entries
            .iter()
            .filter(|(entry, _)| entry.starts_with(&own))
            .map(|(entry, file)| (format!("/run/secrets/{entry}"), file.clone()))
            .chain([
                (format!("/etc/cim/{}/ca.pem", plan.name), self.ca()),
                (
                    format!("/etc/cim/{}/tls.crt", plan.name),
                    self.public(&certificate),
                ),
            ])
            .collect()
    }
}

/// Every rule over specs that are values, those between hosts too. `dir` gets them as files.
pub fn plans(whole: &Value, specs: &BTreeMap<String, Value>, dir: &Path) -> Result<Vec<Plan>> {
    fs::create_dir_all(dir).with_context(|| format!("creating {}", dir.display()))?;
    let put = |name: &str, value: &Value| {
        let file = dir.join(format!("{name}.json"));
        fs::write(&file, value.to_string())
            .with_context(|| format!("writing {}", file.display()))?;
        Ok::<_, anyhow::Error>(file)
    };
    let whole = input::fleet(&put("fleet", whole)?)?;
    let specs = specs
        .iter()
        .map(|(name, spec)| input::spec(&put(name, spec)?))
        .collect::<Result<Vec<_>>>()?;
    fleet::plans(&whole, &specs).map_err(|problems| anyhow!("the fleet cannot work:\n{problems}"))
}
