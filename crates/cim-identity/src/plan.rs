//! The identity plan: what a fleet's hosts need, as Nix evaluates it from their options.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use cim_spec::spec::Fleet;
use serde::Deserialize;

use crate::pki::{Address, CommonName, Usage};

/// What `lib.identity` writes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Plan {
    /// `services.cim.fleet`, whole.
    pub fleet: Fleet,
    /// The hosts that run a part of it, by name.
    pub hosts: BTreeMap<String, Host>,
}

/// A host, and the secrets that its options leave to cim.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Host {
    /// Its `ssh_host_ed25519_key.pub`; `null`: `.sops.yaml` says whom its file is sealed for.
    pub host_key: Option<String>,
    /// By their names in the host's file.
    pub secrets: BTreeMap<String, Need>,
}

/// What one secret is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Need {
    /// A leaf's creds, in operator mode.
    LeafCreds {
        /// The leaf.
        leaf: String,
    },
    /// The seed of a leaf's nkey, with static accounts.
    LeafSeed {
        /// The leaf.
        leaf: String,
    },
    /// What JetStream encrypts its files with.
    StoreKey,
    /// The creds of a program of ours beside a hub's node, in operator mode.
    ServiceCreds {
        /// The hub's node.
        node: String,
        /// The account that it logs in to.
        account: String,
        /// `provision`, `backup` or `health`.
        service: String,
    },
    /// The private key of a certificate in `identity/`.
    CertificateKey {
        /// Where the certificate stands below `identity/`.
        certificate: String,
        /// What it is for.
        usage: Bearer,
        /// Its common name.
        common_name: String,
        /// Where others reach it; empty: nobody dials it.
        names: Vec<String>,
    },
}

/// Whose certificate it is, which decides how long it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Bearer {
    /// A hub's server.
    Server,
    /// A leaf.
    Leaf,
}

/// A certificate that hosts need.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Where it stands below `identity/`.
    pub place: String,
    /// The hosts whose files have its key, and the key's name there: several where a leaf is a cluster.
    pub holders: Vec<(String, String)>,
    /// Whose it is.
    pub bearer: Bearer,
    /// What it is for: who is dialled is a server too.
    pub usage: Usage,
    /// Its common name.
    pub name: CommonName,
    /// Where others reach it.
    pub addresses: Vec<Address>,
}

impl Plan {
    /// Reads a plan, and every name in it.
    ///
    /// # Errors
    /// What is no plan, and names that cannot be a file's: all of those at once.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let mut json = serde_json::Deserializer::from_slice(bytes);
        let plan: Self = serde_path_to_error::deserialize(&mut json)
            .context("it is no identity plan: give what `nix run .#identity` evaluates")?;
        json.end().context("there is more after the plan")?;
        let problems = plan.problems();
        ensure!(problems.is_empty(), "{}", problems.join("\n"));
        Ok(plan)
    }

    /// Every certificate that hosts need.
    ///
    /// # Errors
    /// Names that no certificate can have, and hosts that disagree about one, by host and entry.
    pub fn certificates(&self) -> Result<Vec<Wish>> {
        let mut wishes: Vec<Wish> = Vec::new();
        for (host, entry, need) in self.needs() {
            let Some(wish) = wish(host, entry, need) else {
                continue;
            };
            let wish = wish.with_context(|| format!("{host}: {entry}"))?;
            match wishes.iter_mut().find(|known| known.place == wish.place) {
                Some(known) => known.join(wish)?,
                None => wishes.push(wish),
            }
        }
        Ok(wishes)
    }

    /// Every secret, with its host and its name there.
    pub fn needs(&self) -> impl Iterator<Item = (&str, &str, &Need)> {
        self.hosts.iter().flat_map(|(name, host)| {
            let secrets = host.secrets.iter();
            secrets.map(move |(entry, need)| (name.as_str(), entry.as_str(), need))
        })
    }

    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for name in self.hosts.keys() {
            if !is_name(name) || name == "operator" {
                problems.push(format!(
                    "hosts: {name:?} cannot name a host's file: write letters, digits, dashes, dots and underscores; operator.yaml is the operator's own"
                ));
            }
        }
        for (host, entry, need) in self.needs() {
            if !is_name(entry) {
                problems.push(format!(
                    "hosts.{host}.secrets: {entry:?} cannot name a secret: write letters, digits, dashes, dots and underscores"
                ));
            }
            if let Need::CertificateKey { certificate, .. } = need {
                let name = certificate
                    .strip_prefix("certificates/")
                    .and_then(|name| name.strip_suffix(".pem"));
                if !name.is_some_and(is_name) {
                    problems.push(format!(
                        "hosts.{host}.secrets.{entry}: {certificate:?} is no place of a certificate: write certificates/cim-hub-1.pem"
                    ));
                }
            }
        }
        problems
    }
}

fn wish(host: &str, entry: &str, need: &Need) -> Option<Result<Wish>> {
    let Need::CertificateKey {
        certificate,
        usage,
        common_name,
        names,
    } = need
    else {
        return None;
    };
    let read = || {
        let addresses = names.iter().map(|name| name.parse());
        let addresses = addresses.collect::<Result<Vec<Address>>>()?;
        ensure!(
            *usage == Bearer::Leaf || !addresses.is_empty(),
            "a server's certificate needs an address: clients look for it and not for its name"
        );
        Ok(Wish {
            place: certificate.clone(),
            holders: vec![(host.to_owned(), entry.to_owned())],
            bearer: *usage,
            usage: if addresses.is_empty() {
                Usage::Client
            } else {
                Usage::Server
            },
            name: CommonName::new(common_name)?,
            addresses,
        })
    };
    Some(read())
}

impl Wish {
    /// Another host has the same certificate.
    fn join(&mut self, other: Self) -> Result<()> {
        let host = |wish: &Self| wish.holders[0].0.clone();
        ensure!(
            self.name == other.name && self.bearer == other.bearer,
            "{}: {} wants it for {}, {} for {}: give each its own",
            self.place,
            host(self),
            self.name,
            host(&other),
            other.name
        );
        self.holders.extend(other.holders);
        for address in other.addresses {
            if !self.addresses.contains(&address) {
                self.addresses.push(address);
                self.usage = Usage::Server;
            }
        }
        Ok(())
    }
}

/// What a file or an entry may be called.
pub fn is_name(name: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.len() <= 200
        && name.chars().all(good)
}
