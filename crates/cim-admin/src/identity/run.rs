//! A run on its way: each part of an identity in turn, and at last the batch of files.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::{Context, Result, bail, ensure};
use cim_creds::Account;
use cim_identity::{Keys, Wanted};
use zeroize::Zeroizing;

use super::accounts::{self, Signers};
use super::authority::{self, Ca};
use super::known::{AllKnown, Place};
use super::lasting::Lasting;
use super::logins::{self, Login, Scene};
use super::outcome::{Did, Outcome};
use super::plan::{Need, Plan, Wish};
use super::public::Public;
use super::token::Times;
use super::vault::{self, Vault};
use super::{KEYS, Made, Request, next, statics};
use crate::files::{self, Batch, Mode};
use crate::parallel;
use crate::progress::Progress;
use crate::sops::{SETTINGS, random};

/// A run on its way.
pub struct Run<'a> {
    /// What it works on.
    pub(super) request: Request<'a>,
    /// Now and the horizon, for JWTs.
    pub(super) times: Times,
    /// How long what is issued lasts.
    pub(super) lasting: Lasting,
    /// What is sealed.
    pub(super) vault: Vault,
    /// What is public.
    pub(super) public: Public,
    /// Public keys as they shall be.
    pub(super) keys: Keys,
    /// What was done so far.
    pub(super) outcome: Outcome,
    /// Who hears how far it is.
    pub(super) progress: &'a Progress,
}

impl Run<'_> {
    /// An operator's file that is missing is never made anew beside what it signed.
    pub(super) fn one_of_all(&self) -> Result<()> {
        let there = ["operator.jwt", authority::ROOT]
            .into_iter()
            .find(|place| self.public.text(place).is_some());
        if let (Some(there), false) = (there, self.vault.has(vault::OPERATOR)) {
            bail!(
                "{} is there, and {} {}",
                self.public.shown(there),
                self.vault.shown(vault::OPERATOR),
                self.vault.absent(
                    vault::OPERATOR,
                    "a new one would lock out every hub and leaf"
                )
            );
        }
        Ok(())
    }

    /// Operator mode: keys, JWTs and creds.
    pub(super) fn operator(&mut self, wanted: &Wanted) -> Result<()> {
        let times = self.times;
        let signers = Signers::settle(
            wanted,
            &mut self.vault,
            &self.public,
            times,
            &mut self.outcome,
        )?;
        let mut keys = signers.public();
        keys.carry(&self.public.committed()?.keys);
        let did = signers.operator_jwt(wanted, &keys, &mut self.public, times)?;
        let at = vec![self.public.shown("operator.jwt")];
        self.outcome.note(did, "the operator's JWT", at);
        let mut accounts: BTreeMap<String, Account> = BTreeMap::new();
        for account in &wanted.accounts {
            let name = &account.name;
            let jwt = signers.account_jwt(account, &keys, &mut self.public, times);
            let (did, body) = jwt.with_context(|| self.public.shown(&accounts::place(name)))?;
            if did != Did::Kept {
                self.outcome.accounts.insert(name.clone());
            }
            let at = vec![self.public.shown(&accounts::place(name))];
            self.outcome
                .note(did, format!("the JWT of account {name}"), at);
            accounts.insert(name.clone(), body);
        }
        let places = logins::places(self.request.plan);
        self.asked_for(wanted, &places)?;
        let known = AllKnown::read(&self.vault)?;
        self.progress.doing("signing JWTs", wanted.users.len());
        let logins = logins::settle(
            wanted.users.clone(),
            &places,
            &Scene {
                vault: &self.vault,
                known: &known,
                public: &self.public,
                keys: &keys,
                signers: &signers.roles,
                accounts: &accounts,
                times,
                progress: self.progress,
            },
        )?;
        for login in logins {
            self.login(login, &mut keys)?;
        }
        self.write_keys(keys)
    }

    /// Every host's entry is somebody's.
    fn asked_for(&self, wanted: &Wanted, places: &HashMap<String, Vec<Place>>) -> Result<()> {
        let known: BTreeSet<&str> = wanted
            .users
            .iter()
            .map(|user| user.place.as_str())
            .collect();
        let mut nobody: Vec<String> = Vec::new();
        for (jwt, places) in places {
            if !known.contains(jwt.as_str()) {
                let places = places.iter().map(|place| place.to_string());
                let places: Vec<String> = places.collect();
                nobody.push(format!(
                    "{}: the fleet has nobody whose JWT is {jwt}: is the plan's fleet that of its hosts?",
                    places.join(", ")
                ));
            }
        }
        nobody.sort();
        ensure!(nobody.is_empty(), "{}", nobody.join("\n"));
        Ok(())
    }

    fn login(&mut self, login: Login, keys: &mut Keys) -> Result<()> {
        let user = &login.user;
        let mut parts = user.place.trim_end_matches(".jwt").split('/');
        let what = match (parts.next(), parts.next(), parts.next()) {
            (Some("leaves"), Some(leaf), None) => {
                keys.leaves.insert(leaf.to_owned(), login.public.clone());
                format!("the JWT of leaf {leaf}")
            }
            (Some("users"), Some(account), Some(name)) => {
                let users = keys.users.entry(account.to_owned()).or_default();
                users.insert(name.to_owned(), login.public.clone());
                format!("the JWT of user {name} of {account}")
            }
            (Some("services"), Some(node), Some(_)) => {
                format!("the JWT of {} of {} at {node}", user.name, user.account)
            }
            _ => format!("the JWT of the {}", user.name),
        };
        self.public.set(&user.place, format!("{}\n", login.jwt));
        let public = self.public.shown(&user.place);
        let sealed = login
            .places
            .iter()
            .map(|place| self.vault.shown(&place.to_string()));
        let places: Vec<String> = [public].into_iter().chain(sealed).collect();
        self.outcome.note(login.did, what.clone(), places);
        let Some(creds) = &login.creds else {
            return Ok(());
        };
        for place in &login.places {
            let there = place.get(&self.vault).is_some();
            if place.set(&mut self.vault, creds)? && login.did == Did::Kept {
                let did = if there { Did::Changed } else { Did::Made };
                let at = vec![self.vault.shown(&place.to_string())];
                self.outcome.note(did, format!("{what}, with its seed"), at);
            }
        }
        Ok(())
    }

    /// Static accounts: seeds of leaves and users.
    pub(super) fn statics(&mut self) -> Result<()> {
        let mut keys = self.public.committed()?.keys;
        let known = AllKnown::read(&self.vault)?;
        let seeds = statics::settle(
            self.request.plan,
            &mut keys,
            &Scene {
                vault: &self.vault,
                known: &known,
                public: &self.public,
                keys: &Keys::default(),
                signers: &BTreeMap::new(),
                accounts: &BTreeMap::new(),
                times: self.times,
                progress: self.progress,
            },
        )?;
        for seed in seeds {
            let places = seed
                .places
                .iter()
                .map(|place| self.vault.shown(&place.to_string()));
            let places: Vec<String> = places.collect();
            let mut did = seed.did;
            for place in seed.places {
                if place.set(&mut self.vault, &seed.seed)? && did == Did::Kept {
                    did = Did::Changed;
                }
            }
            self.outcome.note(did, seed.what, places);
        }
        self.write_keys(keys)
    }

    fn write_keys(&mut self, keys: Keys) -> Result<()> {
        let text = serde_json::to_string_pretty(&keys).context("writing public keys")?;
        self.public.set(KEYS, format!("{text}\n"));
        self.keys = keys;
        Ok(())
    }

    pub(super) fn certificates(&mut self, name: &str, wishes: &[Wish]) -> Result<()> {
        let (now, lasting) = (self.request.now, self.lasting);
        let (vault, public) = (&mut self.vault, &mut self.public);
        let ca = Ca::settle(name, vault, public, now, lasting, &mut self.outcome)?;
        let settled = wishes.iter().map(|wish| {
            let did = ca.certificate(wish, vault, public, now, lasting);
            did.with_context(|| public.shown(&wish.place))
        });
        for (wish, did) in wishes.iter().zip(parallel::all(settled.collect())?) {
            if did != Did::Kept {
                let hosts = wish.holders.iter().map(|(host, _)| host.clone());
                self.outcome.hosts.extend(hosts);
            }
            let mut at = vec![self.public.shown(&wish.place)];
            for (host, entry) in &wish.holders {
                at.push(self.vault.place(&Plan::file_of(host), entry));
            }
            let what = format!("the certificate of {}", wish.name);
            self.outcome.note(did, what, at);
        }
        Ok(())
    }

    /// What JetStream encrypts with: made once, since what is stored is lost without it.
    pub(super) fn store_keys(&mut self) -> Result<()> {
        for (host, entry, need) in self.request.plan.needs() {
            let file = Plan::file_of(host);
            if *need != Need::StoreKey {
                continue;
            }
            let what = format!("the key of {host}'s store, {entry}");
            if self.vault.entry(&file, entry).is_some() {
                self.outcome.note(Did::Kept, what, Vec::new());
                continue;
            }
            let key = match self.moved(host, entry) {
                Some(key) => key,
                None => store_key()?,
            };
            self.vault.set(&file, entry, &key)?;
            let at = vec![self.vault.place(&file, entry)];
            self.outcome.note(Did::Made, what, at);
        }
        Ok(())
    }

    /// The store key of a unit that was at another host, which has it no more by the plan.
    fn moved(&self, host: &str, entry: &str) -> Option<Zeroizing<String>> {
        let mut files = self
            .vault
            .names()
            .filter(|file| *file != Plan::file_of(host));
        files.find_map(|file| {
            let host = file.strip_suffix(".yaml")?;
            let needs = self.request.plan.hosts.get(host);
            if needs.is_some_and(|host| host.secrets.contains_key(entry)) {
                return None;
            }
            let key = self.vault.entry(file, entry)?;
            Some(Zeroizing::new(key.to_owned()))
        })
    }

    pub(super) fn batch(mut self, rules: Option<String>) -> Result<Made> {
        let mut batch = Batch::noted_in(self.request.secrets);
        if let Some(rules) = rules {
            let place = self.request.secrets.join(SETTINGS);
            let did = if files::exists(&place)? {
                Did::Changed
            } else {
                Did::Made
            };
            batch.put(&place, rules.as_bytes(), Mode::Public)?;
            let shown = place.display().to_string();
            self.outcome.note(did, shown.clone(), vec![shown]);
        }
        for sealing in self.vault.seal(self.request.now, self.progress)? {
            if let Some(host) = sealing.name.strip_suffix(".yaml") {
                self.outcome.hosts.insert(host.to_owned());
            }
            // Nobody but its owner writes it; git and Nix read it, and it is sealed.
            batch.put(&sealing.place, sealing.text.as_bytes(), Mode::Secret)?;
        }
        self.public.write(&mut batch)?;
        let written = batch.places().map(|place| place.display().to_string());
        self.outcome.written = written.collect();
        next::steps(&self.request, &mut self.outcome);
        Ok(Made {
            batch,
            outcome: self.outcome,
        })
    }
}

/// A key that JetStream encrypts with: 32 random bytes as text.
fn store_key() -> Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new([0; 32]);
    random(bytes.as_mut_slice())?;
    Ok(Zeroizing::new(
        data_encoding::BASE64URL_NOPAD.encode(bytes.as_slice()),
    ))
}
