//! The fleet's CA and its hosts' certificates: keys are sealed, certificates public.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail, ensure};
use time::{Duration, OffsetDateTime};

use super::outcome::{Did, Outcome};
use super::plan::{Bearer, Plan, Wish};
use super::public::Public;
use super::vault::{OPERATOR, Vault};
use crate::pki::{self, Authority, Certificate, CommonName, Expected, Key, Validity};

/// What peers trust, below `identity/`.
pub const ROOT: &str = "ca.pem";

/// The root's key in the operator's file; it may be taken offline.
pub const ROOT_KEY: &str = "ca.root.key";

/// The issuing CA's key there.
pub const ISSUER_KEY: &str = "ca.intermediate.key";

/// Its certificate there, which is no secret: hosts' certificates have it too.
pub const ISSUER: &str = "ca.intermediate.pem";

/// How long things last.
#[derive(Debug, Clone, Copy)]
pub struct Lasting {
    /// A server's certificate.
    pub server: Duration,
    /// A leaf's.
    pub leaf: Duration,
    /// A device's.
    pub device: Duration,
    /// What ends within this is renewed.
    pub horizon: Duration,
}

/// The CA's certificates, and the one that issues.
pub struct Ca {
    roots: Vec<Certificate>,
    authority: Authority,
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

    /// One certificate: kept while it is what hosts need, else issued again for its key.
    ///
    /// # Errors
    /// A certificate that cannot be read or is of the future, and a key that is missing with its whole file.
    pub fn certificate(
        &self,
        wish: &Wish,
        vault: &mut Vault,
        public: &mut Public,
        now: OffsetDateTime,
        lasting: Lasting,
    ) -> Result<Did> {
        let old = public
            .text(&wish.place)
            .map(|text| Certificate::read_all(text.as_bytes()));
        let old = old.transpose()?;
        let own = old.as_ref().and_then(|chain| chain.first());
        if let Some(own) = own {
            ensure!(
                own.not_before() <= now,
                "it is valid from {} on: is this machine's clock right?",
                pki::date(own.not_before())
            );
        }
        let key = found(wish, own, vault)?;
        let did = match (&old, &key) {
            (None, _) => Did::Made,
            (_, None) => Did::Changed,
            (Some(chain), Some((key, _))) => self.compare(wish, chain, key, now, lasting),
        };
        let pem = match (did, key) {
            (Did::Kept, Some((_, pem))) => pem,
            (_, key) => self.issue(wish, key, public, now, lasting)?,
        };
        for (host, entry) in &wish.holders {
            vault.set(&Plan::file_of(host), entry, &pem)?;
        }
        Ok(did)
    }

    fn compare(
        &self,
        wish: &Wish,
        chain: &[Certificate],
        key: &Key,
        now: OffsetDateTime,
        lasting: Lasting,
    ) -> Did {
        let Some(own) = chain.first() else {
            return Did::Changed;
        };
        let expected = Expected {
            now: now.clamp(own.not_before(), own.not_after().max(own.not_before())),
            roots: &self.roots,
            usage: wish.usage,
            common_name: Some(wish.name.as_str()),
            addresses: &wish.addresses,
            key: Some(key),
        };
        let names: BTreeSet<&str> = own.names().iter().map(String::as_str).collect();
        let wanted: Vec<String> = wish.addresses.iter().map(ToString::to_string).collect();
        let wanted: BTreeSet<&str> = wanted.iter().map(String::as_str).collect();
        let lifetime = own.not_after() - own.not_before() - pki::BACKDATED;
        if !pki::check(chain, &expected).is_empty()
            || names != wanted
            || lifetime != lasting.of(wish.bearer)
        {
            Did::Changed
        } else if own.not_after() <= now + lasting.horizon {
            Did::Renewed
        } else {
            Did::Kept
        }
    }

    fn issue(
        &self,
        wish: &Wish,
        key: Option<(Key, String)>,
        public: &mut Public,
        now: OffsetDateTime,
        lasting: Lasting,
    ) -> Result<String> {
        let validity = Validity::starting(now, lasting.of(wish.bearer))?;
        let (made, pem) = match key {
            Some((key, pem)) => {
                let made = self
                    .authority
                    .again(&key, &wish.name, &wish.addresses, validity)?;
                (made, pem)
            }
            None => {
                let made = if wish.addresses.is_empty() {
                    self.authority.client(&wish.name, validity)?
                } else {
                    self.authority
                        .server(&wish.name, &wish.addresses, validity)?
                };
                let pem = made.key.as_ref().context("a key was made")?.to_string();
                (made, pem)
            }
        };
        let chain = Certificate::read_all(made.certificate.as_bytes())?;
        let key = Key::read(pem.as_bytes())?;
        if self.compare(wish, &chain, &key, now, lasting) == Did::Changed {
            let expected = Expected {
                now,
                roots: &self.roots,
                usage: wish.usage,
                common_name: Some(wish.name.as_str()),
                addresses: &wish.addresses,
                key: Some(&key),
            };
            bail!(
                "peers that trust {} would refuse what the CA issues: {}",
                public.shown(ROOT),
                pki::check(&chain, &expected).join("; ")
            );
        }
        public.set(&wish.place, made.certificate);
        Ok(pem)
    }
}

impl Lasting {
    fn of(self, bearer: Bearer) -> Duration {
        match bearer {
            Bearer::Server => self.server,
            Bearer::Leaf => self.leaf,
        }
    }
}

/// The key of a certificate: where it belongs, or where it was before its unit moved to another host.
fn found(wish: &Wish, own: Option<&Certificate>, vault: &Vault) -> Result<Option<(Key, String)>> {
    for (host, entry) in &wish.holders {
        let file = Plan::file_of(host);
        if let Some(key) = key(vault, &file, entry)? {
            let pem = vault.entry(&file, entry).unwrap_or_default();
            return Ok(Some((key, pem.to_owned())));
        }
    }
    let Some(own) = own else { return Ok(None) };
    let entries = wish.holders.iter().map(|(_, entry)| entry.as_str());
    let entries: BTreeSet<&str> = entries.collect();
    for file in vault.names() {
        for (entry, pem) in vault.entries(file) {
            if entries.contains(entry)
                && let Ok(key) = Key::read(pem.as_bytes())
                && own.is_of(&key)
            {
                return Ok(Some((key, pem.to_owned())));
            }
        }
    }
    let mut files = wish.holders.iter().map(|(host, _)| Plan::file_of(host));
    if let Some(file) = files.find(|file| !vault.has(file)) {
        bail!(
            "its key was sealed in {}, which is missing: restore it from git; or, for a new key, remove both",
            vault.shown(&file)
        );
    }
    Ok(None)
}

fn key(vault: &Vault, file: &str, entry: &str) -> Result<Option<Key>> {
    let pem = vault.entry(file, entry);
    let key = pem.map(|pem| Key::read(pem.as_bytes())).transpose();
    key.with_context(|| format!("{}: {entry}", vault.shown(file)))
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
