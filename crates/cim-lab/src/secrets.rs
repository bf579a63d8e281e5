//! `/run/secrets` of a host, as sops-nix leaves it: one owner for each file, nobody else reads it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use cim_spec::Plan;
use cim_spec::plan::PrincipalKind;
use time::Duration;

use crate::command::{gone, names, write};
use crate::identities::Authority;
use crate::plans;

/// What a host's secrets are made of.
pub struct Secrets<'a> {
    /// Who signs.
    pub authority: &'a Authority,
    /// Seeds by their public halves.
    pub seeds: &'a BTreeMap<String, String>,
    /// Plans of the whole fleet: the hub knows the leaves' keys.
    pub fleet: &'a [Plan],
    /// The host's address.
    pub address: &'a str,
    /// Ids by the names of users.
    pub users: &'a BTreeMap<String, u32>,
    /// Where a path of the host is on this machine.
    pub place: &'a dyn Fn(&str) -> PathBuf,
}

impl Secrets<'_> {
    /// Writes every file that an instance's options name, with new certificates.
    pub fn write(&self, plan: &Plan, life: Duration) -> Result<()> {
        let owner = *self
            .users
            .get(&plan.unit)
            .with_context(|| format!("the host has no user {}", plan.unit))?;
        let names: Vec<String> = plans::advertised(plan).into_iter().collect();
        let addresses = ["127.0.0.1", self.address];
        let (certificate, key) =
            self.authority
                .certify(&plan.server_name, &names, &addresses, life)?;
        for files in plans::tls_files(plan) {
            if let Some((certificate_file, key_file)) = &files.identity {
                self.put(&certificate_file.path, &certificate, owner)?;
                self.put(&key_file.path, &key, owner)?;
            }
            if let Some(ca) = &files.ca {
                let place = (self.place)(&ca.path);
                write(&place, &self.authority.certificate)?;
            }
        }
        for file in plans::seed_files(plan) {
            let public = plans::nkey(self.fleet, PrincipalKind::Leaf, &plan.name)?;
            let seed = self.seeds.get(&public);
            let seed = seed.with_context(|| format!("no seed for {public}"))?;
            self.put(&file.path, seed, owner)?;
        }
        Ok(())
    }

    fn put(&self, path: &str, content: &str, owner: u32) -> Result<()> {
        let content = content.as_bytes().to_vec();
        put(&(self.place)(path), &Secret { content, owner })
    }
}

/// A secret as it lies there.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    content: Vec<u8>,
    owner: u32,
}

/// Every secret in a folder, by its file's name.
pub fn all(folder: &Path) -> Result<BTreeMap<String, Secret>> {
    let secret = |name: String| {
        let path = folder.join(&name);
        let read = || -> std::io::Result<Secret> {
            Ok(Secret {
                content: fs::read(&path)?,
                owner: fs::metadata(&path)?.uid(),
            })
        };
        let secret = read().with_context(|| format!("reading {}", path.display()))?;
        Ok((name, secret))
    };
    names(folder)?.into_iter().map(secret).collect()
}

/// Makes a folder hold exactly these secrets; gives the names of those that were other ones.
pub fn restore(folder: &Path, wanted: &BTreeMap<String, Secret>) -> Result<Vec<String>> {
    let found = all(folder)?;
    let mut differing = Vec::new();
    for (name, secret) in wanted {
        if found.get(name) != Some(secret) {
            put(&folder.join(name), secret)?;
            differing.push(name.clone());
        }
    }
    for name in found.into_keys().filter(|name| !wanted.contains_key(name)) {
        let path = folder.join(&name);
        gone(fs::remove_file(&path), &path)?;
        differing.push(name);
    }
    Ok(differing)
}

/// Puts a secret in the place of the one before, at once.
fn put(place: &Path, secret: &Secret) -> Result<()> {
    let beside = place.with_extension("new");
    write(&beside, &secret.content)?;
    let own = |path: &Path| -> std::io::Result<()> {
        fs::set_permissions(path, fs::Permissions::from_mode(0o400))?;
        chown(path, Some(secret.owner), Some(secret.owner))?;
        fs::rename(path, place)
    };
    own(&beside).with_context(|| format!("writing {}", place.display()))
}
