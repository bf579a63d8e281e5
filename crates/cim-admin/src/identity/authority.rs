//! The fleet's CA: its keys are sealed, and the root's certificate is public.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use time::OffsetDateTime;

use super::lasting::Lasting;
use super::outcome::{Did, Outcome};
use super::public::Public;
use super::vault::{OPERATOR, Vault};
use crate::pki::{self, Authority, Certificate, CommonName, Key, Validity};
use crate::sops::{Folder, Identities, Plain};

/// What peers trust, below `identity/`.
pub const ROOT: &str = "ca.pem";

/// The root's key in the operator's file; it may be taken offline.
pub const ROOT_KEY: &str = "ca.root.key";

/// The issuing CA's key there.
pub const ISSUER_KEY: &str = "ca.intermediate.key";

/// Its certificate there, which is no secret: hosts' certificates have it too.
pub const ISSUER: &str = "ca.intermediate.pem";

/// The CA's certificates, and the one that issues.
pub struct Ca {
    pub(super) roots: Vec<Certificate>,
    pub(super) authority: Authority,
}

impl Ca {
    /// Reads the CA, or makes it; renews the issuing CA when it could not issue all that is asked for much longer.
    ///
    /// # Errors
    /// Certificates and keys that do not belong together, a root that has ended, and one whose key is offline when
    /// it is needed.
    pub fn settle(
        name: &str,
        vault: &mut Vault,
        public: &mut Public,
        now: OffsetDateTime,
        lasting: Lasting,
        outcome: &mut Outcome,
    ) -> Result<Self> {
        let issuer = vault.entry(OPERATOR, ISSUER_KEY).is_some();
        if public.text(ROOT).is_none() {
            ensure!(
                !issuer && vault.entry(OPERATOR, ROOT_KEY).is_none(),
                "{} is missing, and its keys are in {}: restore it from git",
                public.shown(ROOT),
                vault.shown(OPERATOR)
            );
            make(name, vault, public, now, outcome)?;
        } else {
            ensure!(
                issuer,
                "{} is there, and its keys are not in {}: restore that from git; a new CA would lock out every host",
                public.shown(ROOT),
                vault.shown(OPERATOR)
            );
            outcome.note(Did::Kept, "the CA", Vec::new());
        }
        let text = public.text(ROOT).unwrap_or_default();
        let roots = Certificate::read_all(text.as_bytes());
        let roots = roots.with_context(|| format!("reading {}", public.shown(ROOT)))?;
        renew(name, &roots, vault, now, lasting, outcome)?;
        let key = key(vault, OPERATOR, ISSUER_KEY)?.context("there is no issuing CA")?;
        let issuer = vault.entry(OPERATOR, ISSUER).unwrap_or_default();
        let authority = Authority::read(issuer.as_bytes(), &key, now);
        let reading = || {
            let file = vault.shown(OPERATOR);
            format!("{file}: the CA in {ISSUER} and {ISSUER_KEY}")
        };
        Ok(Self {
            roots,
            authority: authority.with_context(reading)?,
        })
    }
}

/// A private key that is sealed; `None`: there is none.
///
/// # Errors
/// A text that is no key, by where it stands.
pub fn key(vault: &Vault, file: &str, entry: &str) -> Result<Option<Key>> {
    let pem = vault.entry(file, entry);
    let key = pem.map(|pem| Key::read(pem.as_bytes())).transpose();
    key.with_context(|| format!("{}: {entry}", vault.shown(file)))
}

/// The fleet's issuing CA as it is, and where its root's certificate stands.
///
/// # Errors
/// An operator's file that cannot be opened, or has no CA that can sign now.
pub fn fleet_ca(
    identity: &Path,
    secrets: &Path,
    keys: &Identities,
    now: OffsetDateTime,
) -> Result<(Authority, PathBuf)> {
    let file = secrets.join(OPERATOR).display().to_string();
    let opened = Folder::open(secrets)?.read(OPERATOR, keys)?;
    let none = || format!("{file} has no CA: run `cim-admin identity make` first");
    let Some(Plain::Tree(tree)) = &opened else {
        anyhow::bail!(none());
    };
    let text = |entry: &str| {
        tree.get(entry)
            .and_then(|text| text.as_text())
            .with_context(none)
    };
    let reading = || format!("{file}: the CA in {ISSUER} and {ISSUER_KEY}");
    let key = Key::read(text(ISSUER_KEY)?.as_bytes()).with_context(reading)?;
    let authority = Authority::read(text(ISSUER)?.as_bytes(), &key, now).with_context(reading)?;
    Ok((authority, identity.join(ROOT)))
}

fn names(name: &str) -> Result<(CommonName, CommonName)> {
    let of = |kind: &str| CommonName::authority(&format!("{name} {kind}"));
    Ok((of("root")?, of("issuing")?))
}

fn make(
    name: &str,
    vault: &mut Vault,
    public: &mut Public,
    now: OffsetDateTime,
    outcome: &mut Outcome,
) -> Result<()> {
    let (root_name, issuer_name) = names(name)?;
    let (authority, root) = Authority::root(&root_name, Validity::starting(now, pki::ROOT)?)?;
    let issuer = Validity::starting(now, pki::ISSUER)?;
    let issuer = authority.intermediate(&issuer_name, issuer)?;
    let key = |made: &pki::Made| made.key.clone().context("a key was made");
    vault.set(OPERATOR, ROOT_KEY, &key(&root)?)?;
    vault.set(OPERATOR, ISSUER_KEY, &key(&issuer)?)?;
    vault.set(OPERATOR, ISSUER, &issuer.certificate)?;
    public.set(ROOT, root.certificate);
    let places = [ROOT_KEY, ISSUER_KEY].map(|entry| vault.place(OPERATOR, entry));
    let what = "the root CA and the issuing CA below it";
    outcome.note(Did::Made, what, places.into());
    Ok(())
}

/// Renews the issuing CA, with its key, while it can still issue: what it issued goes on holding.
fn renew(
    name: &str,
    roots: &[Certificate],
    vault: &mut Vault,
    now: OffsetDateTime,
    lasting: Lasting,
    outcome: &mut Outcome,
) -> Result<()> {
    let pem = vault.entry(OPERATOR, ISSUER).unwrap_or_default();
    let chain = Certificate::read_all(pem.as_bytes());
    let chain = chain.with_context(|| format!("{}: {ISSUER}", vault.shown(OPERATOR)))?;
    let root = roots.first().context("there is no root CA")?;
    let needed = now + lasting.server.max(lasting.leaf) + lasting.horizon;
    // None of its own lasts longer than the root.
    let needed = needed.min(root.not_after());
    if chain.first().is_some_and(|own| own.not_after() >= needed) {
        return Ok(());
    }
    let root_key = key(vault, OPERATOR, ROOT_KEY)?.with_context(|| {
        format!(
            "the issuing CA ends too soon, and the root's key is not in {}: put {ROOT_KEY} back for this run",
            vault.shown(OPERATOR)
        )
    })?;
    let authority = Authority::read(root.pem().as_bytes(), &root_key, now)?;
    let until = (now + pki::ISSUER).min(root.not_after());
    let validity = Validity::starting(now, until - now)?;
    let issuer_key = key(vault, OPERATOR, ISSUER_KEY)?.context("there is no issuing CA")?;
    let issuer = authority.intermediate_again(&issuer_key, &names(name)?.1, validity)?;
    vault.set(OPERATOR, ISSUER, &issuer.certificate)?;
    let places = vec![vault.place(OPERATOR, ISSUER)];
    outcome.note(Did::Renewed, "the issuing CA", places);
    Ok(())
}
