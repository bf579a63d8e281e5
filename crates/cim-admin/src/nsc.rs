//! An existing nsc store taken over: the same keys, sealed; the same JWTs, committed; and the Nix that says what
//! they say.
//!
//! Upstream: nats-io/nsc, `cmd/store/store.go` and `cmd/store/keys.go`.

mod items;
mod nix;
mod roles;
mod store;

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use cim_creds::{Creds, KeyKind, key};
use cim_identity::{AccountKeys, Keys};
use time::OffsetDateTime;

pub use nix::{Nix, nix};
pub use store::{Account, Store, User};

use crate::files::{self, Batch, Mode};
use crate::identity::rules;
use crate::identity::seeds;
use crate::identity::vault::{OPERATOR, Vault};
use crate::progress::Progress;
use crate::sops::{Config, Folder, Identities, SETTINGS};
use roles::roles;

/// Where a store goes.
#[derive(Debug, Clone, Copy)]
pub struct Destination<'a> {
    /// The folder of public files.
    pub identity: &'a Path,
    /// The folder of sealed files.
    pub secrets: &'a Path,
    /// The operator's keys.
    pub keys: &'a Identities,
    /// The time.
    pub now: OffsetDateTime,
}

/// What is to be written.
pub struct Imported {
    /// All or none of it.
    pub batch: Batch,
    /// Its files.
    pub written: Vec<String>,
    /// Keys whose seeds the store does not have, and what that means.
    pub missing: Vec<String>,
}

/// Takes a store over; writes nothing yet.
///
/// # Errors
/// Folders that hold an identity already, and what cannot be sealed.
pub fn take(store: &Store, to: Destination<'_>, progress: &Progress) -> Result<Imported> {
    for place in [
        to.identity.join("operator.jwt"),
        to.identity.join("keys.json"),
        to.secrets.join(OPERATOR),
    ] {
        ensure!(
            !files::exists(&place)?,
            "{} is there: an identity is never replaced; name empty folders with --identity and --secrets",
            place.display()
        );
    }
    let mut batch = Batch::noted_in(to.secrets);
    let folder = rules(to, &mut batch)?;
    let mut vault = Vault::open(folder, to.keys, &Default::default(), progress)?;
    let mut missing = Vec::new();
    let mut keys = Keys {
        operator: Some(store.operator.data.sub.clone()),
        ..Keys::default()
    };
    let public = |batch: &mut Batch, place: &str, text: &str| {
        batch.put(
            &to.identity.join(place),
            format!("{text}\n").as_bytes(),
            Mode::Public,
        )
    };
    public(&mut batch, "operator.jwt", &store.operator_jwt)?;
    operator(store, &mut vault, &mut keys, &mut missing)?;
    for account in &store.accounts {
        let name = &account.name;
        public(&mut batch, &format!("accounts/{name}.jwt"), &account.jwt)?;
        keys.accounts.insert(
            name.clone(),
            seal(store, account, &mut vault, &mut missing)?,
        );
        for user in &account.users {
            let Some(creds) = creds(account, user, &mut missing)? else {
                continue;
            };
            let place = format!("users/{name}/{}", user.name);
            public(&mut batch, &format!("{place}.jwt"), &user.jwt)?;
            let users = keys.users.entry(name.clone()).or_default();
            users.insert(user.name.clone(), user.claims.data.sub.clone());
            vault.put(&format!("{place}.creds"), creds.text()?.as_bytes());
        }
    }
    let text = serde_json::to_string_pretty(&keys).context("writing public keys")?;
    public(&mut batch, "keys.json", &text)?;
    for sealing in vault.seal(to.now, progress)? {
        batch.put(&sealing.place, sealing.text.as_bytes(), Mode::Secret)?;
    }
    let written = batch.places().map(|place| place.display().to_string());
    Ok(Imported {
        written: written.collect(),
        batch,
        missing,
    })
}

/// What a user logs in with; `None`: the store does not have its seed.
fn creds(account: &Account, user: &User, missing: &mut Vec<String>) -> Result<Option<Creds>> {
    let name = format!("{}/{}", account.name, user.name);
    let Some(seed) = &user.seed else {
        missing.push(format!(
            "{}: the seed of user {name}: not taken over, `identity make` makes it a new key",
            user.claims.data.sub
        ));
        return Ok(None);
    };
    let pair = key::key_pair(seed, KeyKind::User)?;
    let creds = Creds::new(&user.jwt, pair).with_context(|| format!("users/{name}"))?;
    Ok(Some(creds))
}

/// The folder's rules; those of `identity make` without hosts, where there are none.
fn rules(to: Destination<'_>, batch: &mut Batch) -> Result<Folder> {
    let place = to.secrets.join(SETTINGS);
    if files::exists(&place)? {
        return Folder::open(to.secrets);
    }
    let own: Vec<String> = to
        .keys
        .recipients()
        .iter()
        .map(ToString::to_string)
        .collect();
    let own = own.join(",");
    let text = format!(
        "{}  - path_regex: '^operator\\.yaml$'\n    age: {own}\n  - path_regex: '{}'\n    age: {own}\n",
        rules::HEAD,
        rules::PEOPLE
    );
    batch.put(&place, text.as_bytes(), Mode::Public)?;
    Ok(Folder::with(to.secrets, Config::read(text.as_bytes())?))
}

fn operator(
    store: &Store,
    vault: &mut Vault,
    keys: &mut Keys,
    missing: &mut Vec<String>,
) -> Result<()> {
    let own = &store.operator.data.sub;
    match store.seed(own, KeyKind::Operator)? {
        Some(seed) => {
            vault.set(OPERATOR, seeds::OPERATOR_KEY, &seed)?;
        }
        None => missing.push(format!(
            "{own}: the operator's own seed: `identity make` needs it to name a signing key; put it into {OPERATOR} as {} for that run",
            seeds::OPERATOR_KEY
        )),
    }
    for key in &store.operator.nats.signing_keys {
        let Some(seed) = store.seed(key, KeyKind::Operator)? else {
            missing.push(format!(
                "{key}: the seed of an operator's signing key: it signs nothing here"
            ));
            continue;
        };
        if keys.operator_signing_key.is_none() {
            keys.operator_signing_key = Some(key.clone());
            vault.set(OPERATOR, seeds::OPERATOR_SIGNER, &seed)?;
        } else {
            vault.set(OPERATOR, &spare(key), &seed)?;
        }
    }
    Ok(())
}

/// Seals the keys of an account; gives its public ones.
fn seal(
    store: &Store,
    account: &Account,
    vault: &mut Vault,
    missing: &mut Vec<String>,
) -> Result<AccountKeys> {
    let (name, own) = (&account.name, &account.claims.data.sub);
    let mut keys = AccountKeys {
        nkey: own.clone(),
        ..AccountKeys::default()
    };
    match store.seed(own, KeyKind::Account)? {
        Some(seed) => {
            vault.set(OPERATOR, &seeds::account(name), &seed)?;
        }
        None => missing.push(format!(
            "{own}: the seed of account {name}: `identity make` refuses to go on without it"
        )),
    }
    let roles = roles(account);
    for key in account.claims.nats.signing_keys.keys() {
        let Some(seed) = store.seed(key, KeyKind::Account)? else {
            missing.push(format!(
                "{key}: the seed of a signing key of {name}: its users need creds anew"
            ));
            continue;
        };
        match roles.get(key) {
            Some(role) => {
                keys.signing_keys.insert(role.clone(), key.clone());
                vault.set(OPERATOR, &seeds::role(name, role), &seed)?;
            }
            None => {
                vault.set(OPERATOR, &spare(key), &seed)?;
            }
        }
    }
    Ok(keys)
}

/// The entry of a key that no role of ours has.
fn spare(key: &str) -> String {
    format!("nsc.{key}.nk")
}

/// A name that is a file's, and an option's.
fn name(kind: &str, name: &str) -> Result<String> {
    if name.contains(['/', '\\'])
        || name.starts_with('.')
        || cim_spec::name::check_account(name).is_err()
    {
        bail!(
            "{kind} {name:?} cannot be called so here: rename it with nsc first, without white space, quotes and slashes"
        );
    }
    Ok(name.to_owned())
}
