//! Issuing one certificate: the CA is read, the certificate made and checked, then all is written.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use time::Duration;
use time::format_description::well_known::Rfc3339;

use super::super::store::{Sealing, Secret, Store};
use super::super::{Desk, Report};
use super::certificates;
use super::signer::{Signer, Signing};
use crate::files::{self, Batch, Mode};
use crate::identity::Lasting;
use crate::pki::{
    self, Address, Authority, Certificate, CommonName, Expected, Key, Made, Request, Usage,
    Validity,
};

/// Arguments of every command that issues.
#[derive(Debug, clap::Args)]
pub struct Issue {
    #[command(flatten)]
    signer: Signer,
    /// Where the certificate goes; it is public
    #[arg(long, value_name = "FILE")]
    certificate: PathBuf,
    /// Replaces a certificate of the same name, and its key
    #[arg(long)]
    renew: bool,
    #[command(flatten)]
    store: Store,
    /// Says what would be written, and writes nothing
    #[arg(long)]
    dry_run: bool,
}

/// Where a new private key goes.
#[derive(Debug, clap::Args)]
pub struct KeyPlace {
    /// The file of the secrets that the private key is sealed into, such as hub-1.yaml
    #[arg(long, value_name = "NAME")]
    into: String,
    /// The key's name in that file, if it is YAML or JSON
    #[arg(long, value_name = "NAME")]
    entry: Option<String>,
}

/// What the certificate says.
pub struct Subject {
    name: CommonName,
    addresses: Vec<Address>,
    usage: Usage,
    lifetime: Duration,
    request: Option<Request>,
}

impl Subject {
    pub fn server(name: CommonName, addresses: Vec<Address>, lifetime: Duration) -> Self {
        Self {
            name,
            addresses,
            usage: Usage::Server,
            lifetime,
            request: None,
        }
    }

    pub fn client(name: CommonName, lifetime: Duration) -> Self {
        Self {
            name,
            addresses: Vec::new(),
            usage: Usage::Client,
            lifetime,
            request: None,
        }
    }

    pub fn asked_by(self, request: Request) -> Self {
        Self {
            request: Some(request),
            ..self
        }
    }
}

impl Issue {
    /// How long what is issued lasts, where no argument says it: as the fleet has it, or seed 000.
    pub fn lifetime(
        &self,
        said: Option<Duration>,
        of: fn(&Lasting) -> Duration,
        otherwise: Duration,
    ) -> Result<Duration> {
        if let Some(said) = said {
            return Ok(said);
        }
        let lasting = self.signer.lasting()?;
        Ok(lasting.as_ref().map_or(otherwise, of))
    }

    /// Issues and writes.
    pub fn run(&self, desk: &Desk, subject: &Subject, key: Option<&KeyPlace>) -> Result<Report> {
        self.may_write(subject)?;
        let signing = self.signer.open(&self.store, desk)?;
        let made = self.made(desk, subject, &signing.authority)?;
        self.verify(desk, subject, &made, &signing)?;
        let sealing = match (key, &made.key) {
            (Some(place), Some(key)) => Some(self.sealed(desk, place, key)?),
            _ => None,
        };
        if !self.dry_run {
            let mut batch = Batch::default();
            if let Some(sealing) = &sealing {
                batch.put(&sealing.place, sealing.text.as_bytes(), Mode::Secret)?;
            }
            batch.put(&self.certificate, made.certificate.as_bytes(), Mode::Public)?;
            batch.commit()?;
        }
        Ok(self.report(subject, &made, sealing.as_ref(), key))
    }

    /// A certificate that is there goes only for one of the same name, and when that is wanted.
    fn may_write(&self, subject: &Subject) -> Result<()> {
        let place = self.certificate.display();
        if !files::exists(&self.certificate)? {
            return Ok(());
        }
        ensure!(self.renew, "{place} exists: --renew replaces it");
        let old = certificates(&self.certificate)?;
        let name = old
            .first()
            .and_then(Certificate::common_name)
            .unwrap_or("nobody");
        ensure!(
            name == subject.name.as_str(),
            "{place} is the certificate of {name}, not of {}: name another file",
            subject.name
        );
        Ok(())
    }

    fn made(&self, desk: &Desk, subject: &Subject, authority: &Authority) -> Result<Made> {
        let validity = Validity::starting(desk.now, subject.lifetime)?;
        let made = match (&subject.request, subject.usage) {
            (Some(request), _) => authority.sign(request, &subject.name, validity),
            (None, Usage::Server | Usage::Listener) => {
                authority.server(&subject.name, &subject.addresses, validity)
            }
            (None, Usage::Client) => authority.client(&subject.name, validity),
        };
        made.with_context(|| format!("issuing the certificate of {}", subject.name))
    }

    /// What peers will say of it, said before anything is written.
    fn verify(&self, desk: &Desk, subject: &Subject, made: &Made, signing: &Signing) -> Result<()> {
        let chain = Certificate::read_all(made.certificate.as_bytes())?;
        let key = made
            .key
            .as_ref()
            .map(|key| Key::read(key.as_bytes()))
            .transpose()?;
        let expected = Expected {
            now: desk.now,
            roots: &signing.roots,
            usage: subject.usage,
            common_name: Some(subject.name.as_str()),
            addresses: &subject.addresses,
            public: key.as_ref().map(Key::public),
        };
        let problems = pki::check(&chain, &expected);
        ensure!(
            problems.is_empty(),
            "peers that trust {} would refuse what {} issues: {}",
            signing.root.display(),
            signing.issuer.display(),
            problems.join("; ")
        );
        Ok(())
    }

    fn sealed(&self, desk: &Desk, place: &KeyPlace, key: &str) -> Result<Sealing> {
        let secret = Secret {
            file: &place.into,
            entry: place.entry.as_deref(),
            value: key.as_bytes(),
            replace: self.renew,
        };
        self.store
            .with(&secret, desk)?
            .context("a new key is a change")
    }

    fn report(
        &self,
        subject: &Subject,
        made: &Made,
        sealing: Option<&Sealing>,
        key: Option<&KeyPlace>,
    ) -> Report {
        let did = if self.dry_run { "would write" } else { "wrote" };
        let until = stamp(&made.facts);
        let certificate = self.certificate.display();
        let mut lines = vec![format!(
            "{did} {certificate}: {}, until {until}",
            subject.name.user()
        )];
        if let Some(sealing) = sealing {
            lines.push(format!(
                "{did} {}: its private key, sealed",
                sealing.place.display()
            ));
        }
        let key = sealing.map(|sealing| key_json(&sealing.place, key));
        let json = json!({
            "dryRun": self.dry_run,
            "commonName": subject.name.as_str(),
            "user": subject.name.user(),
            "addresses": made.facts.names(),
            "notAfter": until,
            "certificate": self.certificate,
            "key": key,
        });
        Report::new(lines, json)
    }
}

fn key_json(place: &Path, key: Option<&KeyPlace>) -> Value {
    json!({ "file": place, "entry": key.and_then(|key| key.entry.as_deref()) })
}

/// When a certificate ends, for programs.
pub fn stamp(certificate: &Certificate) -> String {
    // A date that a certificate can have can be written.
    certificate.not_after().format(&Rfc3339).unwrap_or_default()
}
