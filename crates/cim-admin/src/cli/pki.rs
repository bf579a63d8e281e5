//! `cim-admin pki …`: arguments, and what each command does with them.

mod check;
mod init;
mod issue;
mod signer;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Subcommand;
use time::Duration;

use self::issue::{Issue, Subject};
use super::{Desk, Report};
use crate::files;
use crate::pki::{self, Address, Certificate, CommonName, Key, Request};

/// The root's certificate in a CA's folder: what peers trust.
const ROOT: &str = "root.pem";

/// The issuing CA's certificate there.
const ISSUER: &str = "issuer.pem";

#[derive(Debug, Subcommand)]
pub enum Pki {
    /// Makes a root CA and an issuing CA below it
    Init(init::Init),
    /// Makes a server's certificate, for the addresses that others dial
    Server {
        /// The server's name, such as hub-1
        name: String,
        /// A host name or IP address that it is reached at; may be given more than once
        #[arg(long = "address", value_name = "ADDRESS", required = true)]
        addresses: Vec<String>,
        /// How long it lasts [default: the fleet's, or 720h]
        #[arg(long, value_parser = lifetime)]
        lifetime: Option<Duration>,
        #[command(flatten)]
        issue: Issue,
        #[command(flatten)]
        key: issue::KeyPlace,
    },
    /// Makes a leaf's certificate; its common name is what the hub knows it by
    Leaf {
        /// The leaf's name: its common name, or with --tenant the site in leaf.SITE.TENANT.DOMAIN
        name: String,
        /// The tenant in leaf.SITE.TENANT.DOMAIN
        #[arg(long, requires = "domain")]
        tenant: Option<String>,
        /// The domain in leaf.SITE.TENANT.DOMAIN
        #[arg(long, requires = "tenant")]
        domain: Option<String>,
        /// How long it lasts [default: the fleet's, or 365d]
        #[arg(long, value_parser = lifetime)]
        lifetime: Option<Duration>,
        #[command(flatten)]
        issue: Issue,
        #[command(flatten)]
        key: issue::KeyPlace,
    },
    /// Makes a device's certificate and key
    Device {
        #[command(flatten)]
        device: Called,
        #[command(flatten)]
        issue: Issue,
        #[command(flatten)]
        key: issue::KeyPlace,
    },
    /// Signs the key in a device's request; the request's other wishes do not count
    Sign {
        /// The request, PEM
        request: PathBuf,
        #[command(flatten)]
        device: Called,
        #[command(flatten)]
        issue: Issue,
    },
    /// Checks a certificate, made here or elsewhere, as nats-server will use it
    Check(check::Check),
}

#[derive(Debug, clap::Args)]
pub struct Called {
    /// The device's id: the common name is device-ID
    id: String,
    /// Makes the common name device-ID.DOMAIN
    #[arg(long)]
    domain: Option<String>,
    /// How long it lasts [default: the fleet's, or 168h]
    #[arg(long, value_parser = lifetime)]
    lifetime: Option<Duration>,
}

impl Pki {
    pub fn run(&self, desk: &Desk) -> Result<Report> {
        match self {
            Pki::Init(init) => init.run(desk),
            Pki::Server {
                name,
                addresses,
                lifetime,
                issue,
                key,
            } => {
                let addresses = addresses.iter().map(|text| text.parse());
                let addresses: Vec<Address> = addresses.collect::<Result<_>>()?;
                let name = CommonName::new(name)?;
                let lifetime = issue.lifetime(*lifetime, |fleet| fleet.server, pki::SERVER)?;
                let subject = Subject::server(name, addresses, lifetime);
                issue.run(desk, &subject, Some(key))
            }
            Pki::Leaf {
                name,
                tenant,
                domain,
                lifetime,
                issue,
                key,
            } => {
                let name = match (tenant, domain) {
                    (Some(tenant), Some(domain)) => CommonName::leaf(name, tenant, domain)?,
                    _ => CommonName::new(name)?,
                };
                let lifetime = issue.lifetime(*lifetime, |fleet| fleet.leaf, pki::LEAF)?;
                let subject = Subject::client(name, lifetime);
                issue.run(desk, &subject, Some(key))
            }
            Pki::Device { device, issue, key } => {
                issue.run(desk, &device.subject(issue)?, Some(key))
            }
            Pki::Sign {
                request,
                device,
                issue,
            } => {
                let reading = || format!("reading {}", request.display());
                let subject = device.subject(issue)?;
                let request = Request::read(&files::read(request)?).with_context(reading)?;
                issue.run(desk, &subject.asked_by(request), None)
            }
            Pki::Check(check) => check.run(desk),
        }
    }
}

impl Called {
    fn subject(&self, issue: &Issue) -> Result<Subject> {
        let name = CommonName::device(&self.id, self.domain.as_deref())?;
        let lifetime = issue.lifetime(self.lifetime, |fleet| fleet.device, pki::DEVICE)?;
        Ok(Subject::client(name, lifetime))
    }
}

fn certificates(place: &Path) -> Result<Vec<Certificate>> {
    let bytes = files::read(place)?;
    Certificate::read_all(&bytes).with_context(|| format!("reading {}", place.display()))
}

fn private_key(place: &Path) -> Result<Key> {
    let bytes = files::read(place)?;
    Key::read(&bytes).with_context(|| format!("reading {}", place.display()))
}

/// As options have it: a whole number and a unit.
fn lifetime(text: &str) -> Result<Duration, String> {
    let parsed = cim_spec::duration::Duration::parse(text);
    let parsed = parsed.map_err(|refused| format!("it {}: {}", refused.what, refused.help))?;
    let millis = i64::try_from(parsed.as_millis());
    millis
        .map(Duration::milliseconds)
        .map_err(|_| "it is too long".to_owned())
}
