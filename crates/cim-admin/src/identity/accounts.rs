//! The operator and its accounts: their keys, and their JWTs.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use cim_creds::{Account, Activation, Claims, KeyKind, KeyPair, Operator, decode};
use cim_identity::{AccountKeys, Keys, Wanted};

use super::outcome::{Did, Outcome};
use super::public::Public;
use super::seeds::{self, OPERATOR_KEY, OPERATOR_SIGNER};
use super::token::{self, Times};
use super::vault::{OPERATOR, Vault};

/// Largest JWT that a push carries: nats-server's own `max_payload`.
const LARGEST: usize = 1 << 20;

/// Keys that sign.
pub struct Signers {
    operator: KeyPair,
    /// The operator's signing key.
    pub signer: KeyPair,
    /// By account.
    accounts: BTreeMap<String, KeyPair>,
    /// By account and role.
    pub roles: BTreeMap<(String, String), KeyPair>,
}

impl Signers {
    /// Takes keys out of the operator's file, and makes those that are missing.
    ///
    /// # Errors
    /// Seeds of a wrong kind, and a file of another operator than the committed one, or without what it had.
    pub fn settle(
        wanted: &Wanted,
        vault: &mut Vault,
        public: &Public,
        times: Times,
        outcome: &mut Outcome,
    ) -> Result<Self> {
        let old = token::read::<Operator>(public.jwt("operator.jwt"), times);
        let old = old.with_context(|| public.shown("operator.jwt"))?;
        let sub = old.as_ref().map(|old| old.data.sub.as_str());
        let what = "the operator's key";
        let operator = identity(
            vault,
            OPERATOR_KEY,
            KeyKind::Operator,
            what,
            sub,
            &public.shown("operator.jwt"),
        )?;
        let (signer, new) = seeds::get(vault, OPERATOR_SIGNER, KeyKind::Operator)?;
        outcome.new_operator = operator.1;
        let at = |entry: &str| vec![vault.place(OPERATOR, entry)];
        outcome.note(did(operator.1), what, at(OPERATOR_KEY));
        outcome.note(did(new), "the operator's signing key", at(OPERATOR_SIGNER));
        let mut signers = Self {
            operator: operator.0,
            signer,
            accounts: BTreeMap::new(),
            roles: BTreeMap::new(),
        };
        for account in &wanted.accounts {
            signers.account(account, vault, public, times, outcome)?;
        }
        Ok(signers)
    }

    fn account(
        &mut self,
        account: &cim_identity::Account,
        vault: &mut Vault,
        public: &Public,
        times: Times,
        outcome: &mut Outcome,
    ) -> Result<()> {
        let name = &account.name;
        let place = place(name);
        let shown = public.shown(&place);
        let old =
            token::read::<Account>(public.jwt(&place), times).with_context(|| shown.clone())?;
        let sub = old.as_ref().map(|old| old.data.sub.as_str());
        let what = format!("the key of account {name}");
        let entry = seeds::account(name);
        let (key, new) = identity(vault, &entry, KeyKind::Account, &what, sub, &shown)?;
        ensure!(
            new || old.is_some() || outcome.new_operator,
            "{shown} is missing, and with it whom the account refuses: restore it from git; or, for a new account, take {entry} out: sops unset {} '[\"{entry}\"]'",
            vault.shown(OPERATOR)
        );
        outcome.note(did(new), what, vec![vault.place(OPERATOR, &entry)]);
        self.accounts.insert(name.clone(), key);
        for role in &account.roles {
            let entry = seeds::role(name, &role.name);
            let (key, new) = seeds::get(vault, &entry, KeyKind::Account)?;
            let what = format!("the signing key of role {} of {name}", role.name);
            outcome.note(did(new), what, vec![vault.place(OPERATOR, &entry)]);
            self.roles.insert((name.clone(), role.name.clone()), key);
        }
        Ok(())
    }

    /// Their public halves, as `keys.json` has them.
    pub fn public(&self) -> Keys {
        let mut keys = Keys {
            operator: Some(self.operator.public_key()),
            operator_signing_key: Some(self.signer.public_key()),
            ..Keys::default()
        };
        for (name, key) in &self.accounts {
            let account = AccountKeys {
                nkey: key.public_key(),
                ..AccountKeys::default()
            };
            keys.accounts.insert(name.clone(), account);
        }
        for ((account, role), key) in &self.roles {
            if let Some(account) = keys.accounts.get_mut(account) {
                account.signing_keys.insert(role.clone(), key.public_key());
            }
        }
        keys
    }

    /// The operator's JWT. Other signing keys that it names stay: `cim-admin rotate` has two for a while.
    ///
    /// # Errors
    /// As [`token::Wish::settle`].
    pub fn operator_jwt(
        &self,
        wanted: &Wanted,
        keys: &Keys,
        public: &mut Public,
        times: Times,
    ) -> Result<Did> {
        let jwt = public.jwt("operator.jwt");
        let old = token::read::<Operator>(jwt, times)?;
        let mut nats = old.as_ref().map(|old| old.nats.clone()).unwrap_or_default();
        let signer = self.signer.public_key();
        if !nats.signing_keys.contains(&signer) {
            nats.signing_keys.push(signer);
        }
        let system = keys.account(&wanted.system_account);
        nats.system_account = system.unwrap_or_default().to_owned();
        nats.strict_signing_key_usage = true;
        let wish = token::Wish {
            claims: Claims::new(self.operator.public_key(), nats).named(&wanted.operator),
            signer: &self.operator,
            lifetime: None,
            refused: None,
        };
        let settled = wish.settle(jwt.zip(old.as_ref()), times);
        let (jwt, did) = settled.with_context(|| public.shown("operator.jwt"))?;
        public.set("operator.jwt", format!("{jwt}\n"));
        Ok(did)
    }

    /// An account's JWT, and what it says.
    ///
    /// # Errors
    /// As [`token::Wish::settle`], and one that no push could carry.
    pub fn account_jwt(
        &self,
        account: &cim_identity::Account,
        keys: &Keys,
        public: &mut Public,
        times: Times,
    ) -> Result<(Did, Account)> {
        let place = place(&account.name);
        let jwt = public.jwt(&place);
        let old = token::read::<Account>(jwt, times)?;
        let nats = self.body(account, keys, old.as_ref(), times)?;
        let wish = token::Wish {
            claims: Claims::new(
                keys.account(&account.name).unwrap_or_default(),
                nats.clone(),
            )
            .named(&account.name),
            signer: &self.signer,
            lifetime: None,
            refused: None,
        };
        let (jwt, did) = wish.settle(jwt.zip(old.as_ref()), times)?;
        ensure!(
            jwt.len() <= LARGEST,
            "{}: its JWT has {} bytes, of which a push carries {LARGEST}: give its users and leaves fewer permissions of their own",
            account.at,
            jwt.len()
        );
        public.set(&place, format!("{jwt}\n"));
        Ok((did, nats))
    }

    /// What an account's JWT says, with the activations that its imports need.
    fn body(
        &self,
        account: &cim_identity::Account,
        keys: &Keys,
        old: Option<&Claims<Account>>,
        times: Times,
    ) -> Result<Account> {
        let mut old = old.map(|old| old.nats.clone());
        for import in old.iter_mut().flat_map(|old| &mut old.imports) {
            if !stays(&import.token, keys, times) {
                import.token.clear();
            }
        }
        let mut body = account.body(keys, old.as_ref())?;
        for need in account.needs(keys, &body)? {
            let signer = (need.exporter.clone(), "activations".to_owned());
            let signer = self.roles.get(&signer);
            let signer =
                signer.with_context(|| format!("{} signs no activations", need.exporter))?;
            let token = need
                .claims
                .encode(signer, times.now)
                .context("signing an activation")?;
            if let Some(import) = body.imports.get_mut(need.import) {
                import.token = token;
            }
        }
        Ok(body)
    }
}

/// Whether an activation is kept as it is: one that another key signed than its account names now would be refused, and
/// nobody else renews one that ends soon.
fn stays(token: &str, keys: &Keys, times: Times) -> bool {
    let Ok(signed) = decode::decode::<Activation>(token) else {
        return false;
    };
    let data = signed.claims.data;
    let mut accounts = keys.accounts.values();
    let known = accounts.any(|known| known.signing_keys.values().any(|key| *key == data.iss));
    known && (data.exp == 0 || data.exp > times.now + times.horizon)
}

/// Where an account's JWT stands.
pub fn place(account: &str) -> String {
    format!("accounts/{account}.jwt")
}

fn did(new: bool) -> Did {
    if new { Did::Made } else { Did::Kept }
}

/// A key that is somebody's identity: never made anew while its JWT is there.
fn identity(
    vault: &mut Vault,
    entry: &str,
    kind: KeyKind,
    what: &str,
    sub: Option<&str>,
    shown: &str,
) -> Result<(KeyPair, bool)> {
    let found = seeds::find(vault, entry, kind)?.map(|key| key.public_key());
    match (sub, found) {
        (Some(_), None) => ensure!(
            false,
            "{shown} is there, and {what} is not in {}: restore that from git; new keys would lock out every hub and leaf",
            vault.shown(OPERATOR)
        ),
        (Some(sub), Some(found)) => ensure!(
            sub == found,
            "{shown} is of {sub}, and {} has {what}, {found}: take both folders from one commit",
            vault.shown(OPERATOR)
        ),
        (None, _) => {}
    }
    seeds::get(vault, entry, kind)
}
