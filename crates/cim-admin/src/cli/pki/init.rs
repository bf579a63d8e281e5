//! `cim-admin pki init`: a root CA, and an issuing CA below it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use time::Duration;

use super::super::store::{Secret, Store};
use super::super::{Desk, Report};
use super::issue::stamp;
use super::{ISSUER, ROOT, lifetime};
use crate::files::{self, Batch, Mode};
use crate::pki::{self, Authority, CommonName, Validity};

#[derive(Debug, clap::Args)]
pub struct Init {
    /// What the CAs are called: "NAME root" and "NAME issuing"
    name: String,
    /// The folder for their certificates, which are public
    #[arg(long, value_name = "DIR")]
    ca: PathBuf,
    /// The root's private key, 0600: a place that goes offline
    #[arg(long, value_name = "FILE")]
    root_key: PathBuf,
    /// The issuing CA's private key, 0600
    #[arg(long, value_name = "FILE", required_unless_present = "issuer_into")]
    issuer_key: Option<PathBuf>,
    /// Seals the issuing CA's key into this file of the secrets instead
    #[arg(long, value_name = "NAME", conflicts_with = "issuer_key")]
    issuer_into: Option<String>,
    /// How long the root lasts [default: 3650d]
    #[arg(long, value_parser = lifetime)]
    root_lifetime: Option<Duration>,
    /// How long the issuing CA lasts [default: 1825d]
    #[arg(long, value_parser = lifetime)]
    issuer_lifetime: Option<Duration>,
    #[command(flatten)]
    store: Store,
    /// Says what would be written, and writes nothing
    #[arg(long)]
    dry_run: bool,
}

impl Init {
    pub fn run(&self, desk: &Desk) -> Result<Report> {
        let name = |kind: &str| CommonName::authority(&format!("{} {kind}", self.name));
        let valid = |lifetime: Option<Duration>, default| {
            Validity::starting(desk.now, lifetime.unwrap_or(default))
        };
        let root_validity = valid(self.root_lifetime, pki::ROOT)?;
        let issuer_validity = valid(self.issuer_lifetime, pki::ISSUER)?;
        let (root_place, issuer_place) = (self.ca.join(ROOT), self.ca.join(ISSUER));
        let plain = self
            .issuer_key
            .iter()
            .chain([&root_place, &issuer_place, &self.root_key]);
        for place in plain {
            ensure!(
                !files::exists(place)?,
                "{} exists: a CA is never replaced; move it away, or name another place",
                place.display()
            );
        }
        for place in self.issuer_key.iter().chain([&self.root_key]) {
            self.store.must_be_outside(place)?;
        }
        let (authority, root) = Authority::root(&name("root")?, root_validity)?;
        let issuer = authority.intermediate(&name("issuing")?, issuer_validity)?;
        let secret = "a key was made";
        let mut batch = Batch::default();
        batch.put(
            &self.root_key,
            root.key.context(secret)?.as_bytes(),
            Mode::Secret,
        )?;
        let issuer_key = issuer.key.context(secret)?;
        let key_place = self.put_issuer(&mut batch, &issuer_key, desk)?;
        batch.put(&root_place, root.certificate.as_bytes(), Mode::Public)?;
        batch.put(&issuer_place, issuer.certificate.as_bytes(), Mode::Public)?;
        if !self.dry_run {
            batch.commit()?;
        }
        let did = if self.dry_run { "would write" } else { "wrote" };
        let line = |place: &Path, what: &str| format!("{did} {}: {what}", place.display());
        let lines = vec![
            line(&root_place, "the root CA; peers trust it"),
            line(&issuer_place, "the issuing CA"),
            line(&self.root_key, "the root's private key; take it offline"),
            line(&key_place, "the issuing CA's private key"),
        ];
        let json = json!({
            "dryRun": self.dry_run,
            "root": { "certificate": root_place, "key": self.root_key, "notAfter": stamp(&root.facts) },
            "issuer": { "certificate": issuer_place, "key": key_place, "notAfter": stamp(&issuer.facts) },
        });
        Ok(Report::new(lines, json))
    }

    fn put_issuer(&self, batch: &mut Batch, key: &str, desk: &Desk) -> Result<PathBuf> {
        if let Some(place) = &self.issuer_key {
            batch.put(place, key.as_bytes(), Mode::Secret)?;
            return Ok(place.clone());
        }
        let name = self
            .issuer_into
            .as_deref()
            .context("an argument demands one of the two")?;
        let place = self.store.folder()?.place(name)?;
        ensure!(
            !files::exists(&place)?,
            "{} exists: a CA is never replaced; name another file",
            place.display()
        );
        let secret = Secret {
            file: name,
            entry: None,
            value: key.as_bytes(),
            replace: false,
        };
        let sealing = self
            .store
            .with(&secret, desk)?
            .context("a new file is a change")?;
        batch.put(&sealing.place, sealing.text.as_bytes(), Mode::Secret)?;
        Ok(sealing.place)
    }
}
