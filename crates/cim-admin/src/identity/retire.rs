//! Taking a leaf or a user out: refused at once, by its key and by its role's.

use std::path::Path;

use anyhow::{Context, Result};
use cim_creds::User;
use time::OffsetDateTime;

use super::public::Public;
use super::rotate::{account_of, change};
use super::vault::{OPERATOR, Vault};
use super::{Made, Outcome, seeds, token};
use crate::files::{Batch, Mode};
use crate::progress::Progress;
use crate::sops::{Folder, Identities};

/// Whom to take out, and where.
#[derive(Debug, Clone, Copy)]
pub struct Retirement<'a> {
    /// The place of its JWT, such as `leaves/plant-a.jwt`.
    pub place: &'a str,
    /// The folder of public files.
    pub identity: &'a Path,
    /// The folder of sealed files.
    pub secrets: &'a Path,
    /// The operator's keys.
    pub keys: &'a Identities,
    /// The time.
    pub now: OffsetDateTime,
}

/// What was found about it.
pub struct Retired {
    /// What is to be written.
    pub made: Made,
    /// Its account.
    pub account: String,
    /// Its public key.
    pub key: String,
    /// Files and entries that are still about it, with what removes each.
    pub named: Vec<(String, String)>,
}

/// Revokes its key in its account's JWT, and takes its role's signing key out of the JWT and of what is sealed.
/// Writes nothing yet.
///
/// # Errors
/// Somebody who is not there, and files that cannot be opened.
pub fn retire(wish: Retirement<'_>, progress: &Progress) -> Result<Retired> {
    let mut public = Public::open(wish.identity)?;
    let shown = public.shown(wish.place);
    let jwt = public.jwt(wish.place);
    let jwt = jwt.ok_or_else(|| public.nobody(wish.place))?;
    let now = wish.now.unix_timestamp();
    // With a clock that is behind, a revocation would be older than what it is to revoke.
    let claims = token::whole::<User>(jwt, now).with_context(|| format!("reading {shown}"))?;
    let mut keys = public.committed()?.keys;
    let account = account_of(&keys, &claims)?;
    let key = claims.data.sub.clone();
    let until = now.max(claims.data.iat);
    let mut vault = Vault::open(
        Folder::open(wish.secrets)?,
        wish.keys,
        &Default::default(),
        progress,
    )?;
    let role = own_role(wish.place);
    let retiring = keys.retiring.remove(wish.place);
    let mut roles = Vec::new();
    if let Some(of) = keys.accounts.get_mut(&account) {
        roles.extend(of.signing_keys.remove(&role));
        roles.extend(of.retiring.remove(&role));
    }
    change(&vault, &mut public, &account, now, |nats| {
        for key in [&key].into_iter().chain(&retiring) {
            nats.revocations.revoke(key.clone(), until);
        }
        roles.iter().for_each(|role| nats.signing_keys.remove(role));
    })?;
    vault.take(OPERATOR, &seeds::role(&account, &role));
    super::rotate::write(&mut public, &keys)?;
    let named = named(&wish, &public, &vault);
    let made = written(&wish, &public, &vault, progress)?;
    Ok(Retired {
        made,
        account,
        key,
        named,
    })
}

/// The role that nobody else has; that of a user without permissions of its own is not there.
fn own_role(place: &str) -> String {
    let parts: Vec<&str> = place.trim_end_matches(".jwt").split('/').collect();
    match parts[..] {
        ["leaves", leaf] => format!("leaf/{leaf}"),
        ["users", _, user] => format!("user/{user}"),
        _ => String::new(),
    }
}

fn named(wish: &Retirement<'_>, public: &Public, vault: &Vault) -> Vec<(String, String)> {
    let mut named = Vec::new();
    let (secrets, own) = (wish.secrets.display(), wish.place.trim_end_matches(".jwt"));
    let shown = public.shown(wish.place);
    named.push((shown.clone(), format!("git rm {shown}")));
    let sealed = format!("{own}.creds");
    if vault.has(&sealed) {
        named.push((
            format!("{secrets}/{sealed}"),
            format!("git rm {secrets}/{sealed}"),
        ));
    }
    let Some(leaf) = own.strip_prefix("leaves/") else {
        return named;
    };
    let unit = format!("cim-{}", leaf.strip_prefix("cim-").unwrap_or(leaf));
    let certificate = public.shown(&format!("certificates/{unit}.pem"));
    if public.text(&format!("certificates/{unit}.pem")).is_some() {
        named.push((certificate.clone(), format!("git rm {certificate}")));
    }
    for file in vault.names() {
        for (entry, _) in vault.entries(file) {
            if entry
                .strip_prefix(&unit)
                .is_some_and(|rest| rest.starts_with('.'))
            {
                let path = format!("{secrets}/{file}");
                named.push((
                    format!("{path}: {entry}"),
                    format!("sops unset {path} '[\"{entry}\"]'"),
                ));
            }
        }
    }
    named
}

fn written(
    wish: &Retirement<'_>,
    public: &Public,
    vault: &Vault,
    progress: &Progress,
) -> Result<Made> {
    let mut batch = Batch::noted_in(wish.secrets);
    for sealing in vault.seal(wish.now, progress)? {
        batch.put(&sealing.place, sealing.text.as_bytes(), Mode::Secret)?;
    }
    public.write(&mut batch)?;
    let written = batch.places().map(|place| place.display().to_string());
    let outcome = Outcome {
        written: written.collect(),
        ..Outcome::default()
    };
    Ok(Made { batch, outcome })
}
