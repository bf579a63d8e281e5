//! Whose CA signs: that of a folder, or the fleet's.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use zeroize::Zeroizing;

use super::super::Desk;
use super::super::store::Store;
use super::{ISSUER, ROOT, certificates};
use crate::files;
use crate::identity::{Lasting, Plan, fleet_ca};
use crate::pki::{Authority, Certificate, Key};
use crate::sops::{Format, Plain, Sealed};

#[derive(Debug, clap::Args)]
pub struct Signer {
    /// The CA's folder, with root.pem and issuer.pem
    #[arg(
        long,
        value_name = "DIR",
        requires = "issuer_key",
        required_unless_present = "plan"
    )]
    ca: Option<PathBuf>,
    /// The issuing CA's private key, as a file or sealed
    #[arg(long, value_name = "FILE", requires = "ca")]
    issuer_key: Option<PathBuf>,
    /// Takes the fleet's CA and its lifetimes: the plan that `lib.identity` evaluates
    #[arg(long, value_name = "FILE", conflicts_with_all = ["ca", "issuer_key"])]
    plan: Option<PathBuf>,
    /// With --plan: the folder of public files
    #[arg(
        long,
        value_name = "DIR",
        default_value = "identity",
        requires = "plan"
    )]
    identity: PathBuf,
}

/// A CA that signs, and what peers trust.
pub struct Signing {
    /// It.
    pub authority: Authority,
    /// What peers trust.
    pub roots: Vec<Certificate>,
    /// Where that stands.
    pub root: PathBuf,
    /// Where the CA stands.
    pub issuer: PathBuf,
}

impl Signer {
    /// The lifetimes of the fleet; `None`: there is no plan.
    pub fn lasting(&self) -> Result<Option<Lasting>> {
        let plan = self
            .plan
            .as_ref()
            .map(|plan| Plan::open(plan))
            .transpose()?;
        plan.map(|plan| Lasting::of_plan(&plan)).transpose()
    }

    /// Reads the CA.
    pub fn open(&self, store: &Store, desk: &Desk) -> Result<Signing> {
        let (Some(ca), Some(key)) = (&self.ca, &self.issuer_key) else {
            let (authority, root) = fleet_ca(
                &self.identity,
                store.path(),
                &store.identities(desk)?,
                desk.now,
            )?;
            return Ok(Signing {
                authority,
                roots: certificates(&root)?,
                issuer: store.path().join("operator.yaml"),
                root,
            });
        };
        let issuer = ca.join(ISSUER);
        let root = ca.join(ROOT);
        let certificate = files::read(&issuer)?;
        let reading = || format!("the CA in {} and {}", issuer.display(), key.display());
        let authority = Authority::read(&certificate, &read(key, store, desk)?, desk.now);
        let authority = authority.with_context(reading)?;
        Ok(Signing {
            authority,
            roots: certificates(&root)?,
            root,
            issuer,
        })
    }
}

/// A key's file, sealed or not.
fn read(place: &Path, store: &Store, desk: &Desk) -> Result<Key> {
    let bytes = files::read(place)?;
    let reading = || format!("reading {}", place.display());
    let pem = if bytes.starts_with(b"{") {
        let sealed = Sealed::read(&bytes, Format::Binary).with_context(reading)?;
        match sealed
            .open(&store.identities(desk)?)
            .with_context(reading)?
        {
            Plain::Bytes(pem) => pem,
            Plain::Tree(_) => Zeroizing::default(),
        }
    } else {
        bytes
    };
    Key::read(&pem).with_context(reading)
}
