//! Replacing a key while the old one still holds, and ending the old one.
//!
//! The state of an overlap is in the folder: `keys.json` names both keys. What is old goes out of memory here,
//! and `identity make` does the rest, as if it had never been there.

use anyhow::{Context, Result, bail, ensure};
use cim_creds::{Account, Claims, KeyKind, Operator, User, decode};
use cim_identity::Keys;
use time::OffsetDateTime;

use super::known::Place;
use super::plan::{Bearer, Plan};
use super::public::Public;
use super::vault::{OPERATOR, Vault};
use super::{KEYS, Made, Request, accounts, authority, logins, make_after, root, seeds};
use crate::pki::{self, Authority, Certificate, CommonName, Key, Validity};
use crate::progress::Progress;

/// What is replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The operator's key that signs accounts.
    OperatorSigning,
    /// The key of an account's role.
    Role {
        /// The account.
        account: String,
        /// The role, such as `leaf/plant-a`.
        role: String,
    },
    /// The key of somebody who logs in, by the place of the JWT, such as `leaves/plant-a.jwt`.
    User(String),
    /// A host's certificate and its key.
    Certificate {
        /// The unit, such as `cim-hub-1`.
        unit: String,
        /// Whose it has to be.
        bearer: Bearer,
    },
    /// The issuing CA, and every certificate.
    Ca,
    /// The root of trust.
    CaRoot,
}

/// Begins a rotation.
///
/// # Errors
/// Something that is not there, a rotation of it that is under way, and what [`super::make`] says.
pub fn start(request: Request<'_>, what: &What, progress: &Progress) -> Result<Made> {
    let (plan, now) = (request.plan, request.now);
    make_after(request, progress, |vault, public| {
        let mut keys = public.committed()?.keys;
        match what {
            What::OperatorSigning => {
                none_under_way(keys.retiring_operator_signing_key.as_ref())?;
                keys.retiring_operator_signing_key = keys.operator_signing_key.take();
                let there = vault.take(OPERATOR, seeds::OPERATOR_SIGNER);
                ensure!(
                    there,
                    "there is no signing key yet: run `cim-admin identity make`"
                );
            }
            What::Role { account, role } => {
                let entry = seeds::role(account, role);
                let of = keys.accounts.get_mut(account);
                let of =
                    of.with_context(|| format!("there is no account {}", account.escape_debug()))?;
                none_under_way(of.retiring.get(role))?;
                let names: Vec<&str> = of.signing_keys.keys().map(String::as_str).collect();
                let old = of.signing_keys.get(role).cloned();
                let old = old.with_context(|| {
                    format!(
                        "account {account} has no role {}; it has {}",
                        role.escape_debug(),
                        names.join(", ")
                    )
                })?;
                of.retiring.insert(role.clone(), old);
                vault.take(OPERATOR, &entry);
            }
            What::User(place) => {
                none_under_way(keys.retiring.get(place))?;
                let old = user(public, place)?;
                keys.retiring.insert(place.clone(), old.data.sub);
                forget(plan, place, vault);
                public.forget(place);
            }
            What::Certificate { unit, bearer } => certificate(plan, unit, *bearer, vault, public)?,
            What::Ca => ca(vault, public, now)?,
            What::CaRoot => root::start(vault, public, now)?,
        }
        write(public, &keys)
    })
}

/// Ends a rotation: what the old key signed, or the old key itself, is refused from then on; the outcome says whose.
///
/// # Errors
/// Nothing that is under way, and what [`super::make`] says.
pub fn finish(request: Request<'_>, what: &What, progress: &Progress) -> Result<Made> {
    let (plan, at) = (request.plan, request.now);
    let now = at.unix_timestamp();
    let mut loss = String::new();
    let mut made = make_after(request, progress, |vault, public| {
        let mut keys = public.committed()?.keys;
        match what {
            What::OperatorSigning => {
                let old = under_way(keys.retiring_operator_signing_key.take())?;
                let mut claims = token::<Operator>(public, "operator.jwt")?;
                claims.nats.signing_keys.retain(|key| *key != old);
                let key = seeds::find(vault, seeds::OPERATOR_KEY, KeyKind::Operator)?;
                let jwt = claims.encode(&key.context("there is no operator's key")?, now)?;
                public.set("operator.jwt", format!("{jwt}\n"));
                loss = format!("every hub: what the operator's old key ({old}) signed is refused");
            }
            What::Role { account, role } => {
                let of = keys.accounts.get_mut(account);
                let of =
                    of.with_context(|| format!("there is no account {}", account.escape_debug()))?;
                let old = under_way(of.retiring.remove(role))?;
                loss = format!(
                    "{account}: whoever logs in by the old key of role {role} ({old}) is refused"
                );
            }
            What::User(place) => {
                let old = under_way(keys.retiring.remove(place))?;
                let new = user(public, place)?;
                let name = account_of(&keys, &new)?;
                revoke(vault, public, &name, &old, now)?;
                let whose = place.trim_end_matches(".jwt");
                loss = format!("{name}: {whose} is refused with its old key ({old})");
            }
            What::CaRoot => {
                root::finish(plan, public, at)?;
                loss = "every host: whoever shows a certificate from the old root is refused"
                    .to_owned();
            }
            What::Certificate { .. } | What::Ca => bail!(
                "certificates have no second step: the old one holds until its end, and whoever has its key can use it until then"
            ),
        }
        write(public, &keys)
    })?;
    made.outcome.losses.push(loss);
    Ok(made)
}

fn none_under_way(old: Option<&String>) -> Result<()> {
    ensure!(
        old.is_none(),
        "this rotation is under way, the old key is {}: end it with --finish first",
        old.map_or("", String::as_str)
    );
    Ok(())
}

fn under_way(old: Option<String>) -> Result<String> {
    old.context("no such rotation is under way: begin it without --finish")
}

pub(super) fn write(public: &mut Public, keys: &Keys) -> Result<()> {
    let text = serde_json::to_string_pretty(keys).context("writing public keys")?;
    public.set(KEYS, format!("{text}\n"));
    Ok(())
}

fn token<T: cim_creds::Body>(public: &Public, place: &str) -> Result<Claims<T>> {
    let jwt = public.jwt(place);
    let jwt = jwt.with_context(|| format!("there is no {}", public.shown(place)))?;
    let claims = decode::<T>(jwt).and_then(|token| token.whole());
    claims.with_context(|| format!("reading {}", public.shown(place)))
}

fn user(public: &Public, place: &str) -> Result<Claims<User>> {
    ensure!(public.jwt(place).is_some(), public.nobody(place));
    token(public, place)
}

/// The name of a user's account.
pub(super) fn account_of(keys: &Keys, user: &Claims<User>) -> Result<String> {
    let key = &user.nats.issuer_account;
    let mut accounts = keys.accounts.iter();
    let found = accounts.find(|(_, account)| account.nkey == *key);
    let (name, _) = found.with_context(|| format!("keys.json has no account {key}"))?;
    Ok(name.clone())
}

/// Refuses a user's key from now on, in its account's JWT.
pub(super) fn revoke(
    vault: &Vault,
    public: &mut Public,
    account: &str,
    user: &str,
    now: i64,
) -> Result<()> {
    change(vault, public, account, now, |nats| {
        nats.revocations.revoke(user, now)
    })
}

/// Changes an account's JWT and signs it anew.
pub(super) fn change(
    vault: &Vault,
    public: &mut Public,
    account: &str,
    now: i64,
    change: impl FnOnce(&mut Account),
) -> Result<()> {
    let place = accounts::place(account);
    let mut claims = token::<Account>(public, &place)?;
    change(&mut claims.nats);
    let signer = seeds::find(vault, seeds::OPERATOR_SIGNER, KeyKind::Operator)?;
    let signer = signer.context("there is no operator's signing key")?;
    let jwt = claims
        .encode(&signer, now)
        .with_context(|| public.shown(&place))?;
    public.set(&place, format!("{jwt}\n"));
    Ok(())
}

/// Forgets somebody's creds wherever they are sealed.
fn forget(plan: &Plan, place: &str, vault: &mut Vault) {
    let own = || vec![Place::File(place.replace(".jwt", ".creds"))];
    for place in logins::places(plan).remove(place).unwrap_or_else(own) {
        match place {
            Place::Entry(file, entry) => {
                vault.take(&file, &entry);
            }
            Place::File(file) => vault.forget(&file),
        }
    }
}

fn certificate(
    plan: &Plan,
    unit: &str,
    bearer: Bearer,
    vault: &mut Vault,
    public: &mut Public,
) -> Result<()> {
    let place = format!("certificates/{unit}.pem");
    let wishes = plan.certificates()?;
    let mut of = wishes.iter().filter(|wish| wish.bearer == bearer);
    let Some(wish) = of.find(|wish| wish.place == place) else {
        let of = wishes.iter().filter(|wish| wish.bearer == bearer);
        let units = of.filter_map(|wish| {
            wish.place
                .strip_prefix("certificates/")?
                .strip_suffix(".pem")
        });
        bail!(
            "the plan has no such certificate of {}; it has those of {}",
            unit.escape_debug(),
            units.collect::<Vec<_>>().join(", ")
        );
    };
    for (host, entry) in &wish.holders {
        vault.take(&Plan::file_of(host), entry);
    }
    public.forget(&place);
    Ok(())
}

/// A new issuing CA below the same root: peers trust the root, so that old and new certificates hold side by side.
fn ca(vault: &mut Vault, public: &mut Public, now: OffsetDateTime) -> Result<()> {
    let text = public
        .text(authority::ROOT)
        .context("there is no CA yet: run `cim-admin identity make`")?;
    let roots = Certificate::read_all(text.as_bytes())?;
    let root = roots.first().context("there is no root CA")?;
    let key = vault
        .entry(OPERATOR, authority::ROOT_KEY)
        .with_context(|| {
            format!(
                "the root's key is not in secrets/{OPERATOR}: put {} back for this run",
                authority::ROOT_KEY
            )
        })?;
    let above = Authority::read(root.pem().as_bytes(), &Key::read(key.as_bytes())?, now)?;
    let old = vault.entry(OPERATOR, authority::ISSUER).unwrap_or_default();
    let old = Certificate::read_all(old.as_bytes())?;
    let name = old
        .first()
        .and_then(|old| old.common_name().map(str::to_owned));
    let name = CommonName::authority(&name.context("the issuing CA has no name")?)?;
    let until = (now + pki::ISSUER).min(root.not_after());
    let made = above.intermediate(&name, Validity::starting(now, until - now)?)?;
    let key = made.key.clone().context("a key was made")?;
    vault.set(OPERATOR, authority::ISSUER_KEY, &key)?;
    vault.set(OPERATOR, authority::ISSUER, &made.certificate)?;
    let all: Vec<String> = public.places().map(str::to_owned).collect();
    let certificates = all
        .iter()
        .filter(|place| place.starts_with("certificates/"));
    certificates.for_each(|place| public.forget(place));
    Ok(())
}
