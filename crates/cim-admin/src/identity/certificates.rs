//! Hosts' certificates: kept while they are what the plan needs, else issued again for their keys.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail, ensure};
use time::OffsetDateTime;

use super::authority::{Ca, ROOT, key};
use super::lasting::Lasting;
use super::outcome::Did;
use super::plan::{Plan, Wish};
use super::public::Public;
use super::vault::Vault;
use crate::pki::{self, Certificate, Expected, Key, Validity};

impl Ca {
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
            public: Some(key.public()),
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
                public: Some(key.public()),
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
                && own.is_of(key.public())
            {
                return Ok(Some((key, pem.to_owned())));
            }
        }
    }
    let mut files = wish.holders.iter().map(|(host, _)| Plan::file_of(host));
    if let Some(file) = files.find(|file| !vault.has(file)) {
        bail!(
            "its key was sealed in {}, which {}",
            vault.shown(&file),
            vault.absent(&file, "or, for a new key, remove both")
        );
    }
    Ok(None)
}
