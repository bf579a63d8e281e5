//! The identity plan at the desk: read from a file, with whom each host's secrets are sealed for, and where.

use std::ops::Deref;
use std::path::Path;

use anyhow::{Context, Result};
pub use cim_identity::plan::{Bearer, Host, Need, Wish, is_name};

use crate::files;
use crate::sops::{Recipient, ssh_recipient};

/// What `lib.identity` writes.
#[derive(Debug)]
pub struct Plan(cim_identity::Plan);

impl Deref for Plan {
    type Target = cim_identity::Plan;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Plan {
    /// Reads a plan, and every name in it.
    ///
    /// # Errors
    /// As [`cim_identity::Plan::read`].
    pub fn read(bytes: &[u8]) -> Result<Self> {
        cim_identity::Plan::read(bytes).map(Self)
    }

    /// Reads a plan's file; `-`: what is piped in.
    ///
    /// # Errors
    /// A file that cannot be read, and what [`Plan::read`] says.
    pub fn open(path: &Path) -> Result<Self> {
        let bytes = if path == Path::new("-") {
            files::from(std::io::stdin()).context("reading what is piped in")?
        } else {
            files::read(path)?
        };
        Self::read(&bytes).with_context(|| format!("reading the plan in {}", path.display()))
    }

    /// The file of a host among the secrets.
    pub fn file_of(host: &str) -> String {
        format!("{host}.yaml")
    }

    /// Every host's age recipient, where its key is known.
    ///
    /// # Errors
    /// A key that is none, by its host.
    pub fn recipient(&self, host: &str) -> Result<Option<Recipient>> {
        let Some(line) = self.hosts.get(host).and_then(|host| host.host_key.as_ref()) else {
            return Ok(None);
        };
        let recipient = ssh_recipient(line).and_then(|text| text.parse());
        recipient
            .map(Some)
            .with_context(|| format!("services.cim.sops.hostKey of {host}, {line:?}"))
    }
}
