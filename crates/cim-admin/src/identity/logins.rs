//! Everybody who logs in by a JWT: leaves, users, services and the desk; whose key it is, and where creds go.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, Result, bail};
use cim_creds::body::revocations::ALL;
use cim_creds::{Account, Claims, Creds, KeyPair, User};
use cim_identity::Keys;
use zeroize::Zeroizing;

use super::DESK;
use super::known::{AllKnown, Place};
use super::outcome::Did;
use super::plan::{Need, Plan};
use super::public::Public;
use super::token::{self, Times};
use super::vault::{OPERATOR, Vault};
use crate::parallel;
use crate::progress::Progress;

/// What is the same for all who log in.
pub struct Scene<'a> {
    /// What is sealed.
    pub vault: &'a Vault,
    /// Keys that are sealed.
    pub known: &'a AllKnown,
    /// What is committed.
    pub public: &'a Public,
    /// Public keys.
    pub keys: &'a Keys,
    /// Keys of roles, by account and role.
    pub signers: &'a BTreeMap<(String, String), KeyPair>,
    /// Accounts as they shall be.
    pub accounts: &'a BTreeMap<String, Account>,
    /// Now, and the horizon.
    pub times: Times,
    /// Who hears how far it is.
    pub progress: &'a Progress,
}

/// Somebody's JWT and creds.
pub struct Login {
    /// Who it is.
    pub user: cim_identity::User,
    /// What became of the JWT.
    pub did: Did,
    /// It.
    pub jwt: String,
    /// Public key.
    pub public: String,
    /// Where creds go.
    pub places: Vec<Place>,
    /// What goes there; `None`: it is there.
    pub creds: Option<Zeroizing<String>>,
}

/// Where everybody's creds go, by the place of the JWT: hosts that ask for them, else a file for operators alone.
pub fn places(plan: &Plan) -> HashMap<String, Vec<Place>> {
    let mut places: HashMap<String, Vec<Place>> = HashMap::new();
    for (host, entry, need) in plan.needs() {
        let jwt = match need {
            Need::LeafCreds { leaf } => format!("leaves/{leaf}.jwt"),
            Need::ServiceCreds {
                node,
                account,
                service,
            } => format!("services/{node}/{account}/{service}.jwt"),
            _ => continue,
        };
        let place = Place::Entry(Plan::file_of(host), entry.to_owned());
        places.entry(jwt).or_default().push(place);
    }
    let desk = Place::Entry(OPERATOR.to_owned(), DESK.to_owned());
    places.insert("desk.jwt".to_owned(), vec![desk]);
    places
}

/// Makes what is missing of everybody.
///
/// # Errors
/// JWTs and creds that do not belong together, or that nobody can have made; the first few.
pub fn settle(
    users: Vec<cim_identity::User>,
    places: &HashMap<String, Vec<Place>>,
    context: &Scene<'_>,
) -> Result<Vec<Login>> {
    parallel::each(&users, |user| {
        let own = || vec![Place::File(user.place.replace(".jwt", ".creds"))];
        let places = places.get(&user.place).cloned().unwrap_or_else(own);
        let login = one(user, places, context);
        context.progress.step();
        login.with_context(|| context.public.shown(&user.place))
    })
}

fn one(user: &cim_identity::User, places: Vec<Place>, context: &Scene<'_>) -> Result<Login> {
    let jwt = context.public.jwt(&user.place);
    let old = token::read::<User>(jwt, context.times)?;
    let sub = old.as_ref().map(|old| old.data.sub.as_str());
    let (key, new) = key(sub, &places, context)?;
    // Of another key it says nothing.
    let old = old.filter(|_| !new);
    let public = key.public_key();
    let account = context.keys.account(&user.account);
    let account = account.with_context(|| format!("there is no account {}", user.account))?;
    let signer = (user.account.clone(), user.role.clone());
    let signer = context.signers.get(&signer);
    let lifetime = user.lifetime.map(i64::try_from).transpose();
    let wish = token::Wish {
        claims: Claims::new(&public, User::scoped(account)).named(&user.name),
        signer: signer.with_context(|| format!("there is no key of role {}", user.role))?,
        lifetime: lifetime.context("its lifetime")?,
        refused: revoked(&user.account, ALL, context),
    };
    let (jwt, did) = wish.settle(jwt.zip(old.as_ref()), context.times)?;
    if let (Did::Changed | Did::Renewed, Some(at)) = (did, revoked(&user.account, &public, context))
        && old.is_some_and(|old| old.data.iat <= at)
    {
        bail!(
            "its key {public} is revoked, and a new JWT would let it in again: take {} out of the fleet, or give it a new key with `cim-admin rotate`",
            user.at
        );
    }
    let holds = |place: &Place| {
        let known = context.known.at(place);
        known.is_some_and(|known| known.jwt.as_deref() == Some(&jwt))
    };
    let creds = if places.iter().all(holds) {
        None
    } else {
        Some(Creds::new(&jwt, key)?.text()?)
    };
    Ok(Login {
        user: user.clone(),
        did,
        jwt,
        public,
        places,
        creds,
    })
}

/// Since when an account refuses a key.
fn revoked(account: &str, key: &str, context: &Scene<'_>) -> Option<i64> {
    let account = context.accounts.get(account)?;
    account.revocations.0.get(key).copied()
}

/// The key of who is committed as `sub`, or of whose creds are there; else a new one, and whether it is: who takes
/// an entry out of a file that stays wants a new key.
///
/// # Errors
/// Creds of another key than the committed one, and a file that is missing.
pub fn key(sub: Option<&str>, places: &[Place], context: &Scene<'_>) -> Result<(KeyPair, bool)> {
    let mut at = places
        .iter()
        .filter_map(|place| Some((place, context.known.at(place)?)));
    let Some(sub) = sub else {
        return match at.next() {
            Some((_, known)) => Ok((known.pair()?, false)),
            None => Ok((KeyPair::new_user(), true)),
        };
    };
    if let Some((place, known)) = at.find(|(_, known)| known.public != sub) {
        bail!(
            "it is about {sub}, and {} has the key of {}: take both from one commit",
            context.vault.shown(&place.to_string()),
            known.public
        );
    }
    if let Some(known) = context.known.of(sub) {
        return Ok((known.pair()?, false));
    }
    if let Some(place) = places.iter().find(|place| !context.vault.has(place.file())) {
        bail!(
            "its key was sealed in {}, which {}",
            context.vault.shown(place.file()),
            context
                .vault
                .absent(place.file(), "or, for a new key, remove both")
        );
    }
    Ok((KeyPair::new_user(), true))
}
