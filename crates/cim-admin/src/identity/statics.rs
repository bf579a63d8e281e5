//! Static accounts: leaves and users that nats.conf knows by public nkeys, whose seeds are sealed.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use cim_creds::key;
use cim_identity::Keys;
use cim_spec::spec::Fleet;
use zeroize::Zeroizing;

use super::known::Place;
use super::logins::{self, Scene};
use super::outcome::Did;
use super::plan::{Need, Plan, is_name};

/// Somebody's seed.
pub struct Seed {
    /// Who it is, for messages.
    pub what: String,
    /// What became of it.
    pub did: Did,
    /// Where it goes.
    pub places: Vec<Place>,
    /// What goes there.
    pub seed: Zeroizing<String>,
}

/// Makes what is missing of leaves' and users' seeds, and their public keys in `keys`.
///
/// # Errors
/// Keys that options say otherwise, and seeds that do not belong to the committed keys.
pub fn settle(plan: &Plan, keys: &mut Keys, context: &Scene<'_>) -> Result<Vec<Seed>> {
    let mut seeds = Vec::new();
    let before = std::mem::take(keys);
    for (leaf, places) in leaves(plan, &before) {
        let said = plan
            .fleet
            .leaves
            .get(&leaf)
            .and_then(|leaf| leaf.nkey.as_deref());
        let known = before.leaves.get(&leaf).map(String::as_str);
        let option = format!("services.cim.fleet.leaves.{leaf}.nkey");
        let (seed, public) = one(
            &format!("leaf {leaf}"),
            &option,
            said,
            known,
            places,
            context,
        )?;
        keys.leaves.insert(leaf, public);
        seeds.push(seed);
    }
    for (account, user) in users(&plan.fleet, &before) {
        let option = format!("services.cim.fleet.accounts.{account}.users.{user}");
        ensure!(
            is_name(&account) && is_name(&user),
            "{option}: {user:?} of {account:?} cannot name a file: write letters, digits, dashes, dots and underscores"
        );
        let known = before
            .users
            .get(&account)
            .and_then(|users| users.get(&user));
        let places = vec![Place::File(format!("users/{account}/{user}.nk"))];
        let what = format!("user {user} of {account}");
        let known = known.map(String::as_str);
        let (seed, public) = one(&what, &option, None, known, places, context)?;
        keys.users.entry(account).or_default().insert(user, public);
        seeds.push(seed);
    }
    Ok(seeds)
}

/// Files of people and of leaves elsewhere, by the keys that there are.
pub fn files(plan: &Plan, keys: &Keys) -> BTreeSet<String> {
    let leaves = leaves(plan, keys).into_values().flatten();
    let leaves = leaves.filter_map(|place| match place {
        Place::File(file) => Some(file),
        Place::Entry(..) => None,
    });
    let users = users(&plan.fleet, keys);
    let users = users
        .into_iter()
        .map(|(account, user)| format!("users/{account}/{user}.nk"));
    leaves.chain(users).collect()
}

/// Leaves whose seeds are cim's, and where those go: hosts that ask for them, else a file for operators alone.
fn leaves(plan: &Plan, before: &Keys) -> BTreeMap<String, Vec<Place>> {
    let mut places: BTreeMap<String, Vec<Place>> = BTreeMap::new();
    for (host, entry, need) in plan.needs() {
        if let Need::LeafSeed { leaf } = need {
            let place = Place::Entry(Plan::file_of(host), entry.to_owned());
            places.entry(leaf.clone()).or_default().push(place);
        }
    }
    for (name, leaf) in &plan.fleet.leaves {
        let ours = leaf.nkey.is_none() || leaf.nkey.as_ref() == before.leaves.get(name);
        if ours && leaf.certificate.is_none() {
            let own = || vec![Place::File(format!("leaves/{name}.nk"))];
            places.entry(name.clone()).or_insert_with(own);
        }
    }
    places
}

/// Users without a proof of their own.
fn users(fleet: &Fleet, before: &Keys) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (account, of) in &fleet.accounts {
        for (name, user) in &of.users {
            let known = before.users.get(account).and_then(|users| users.get(name));
            let ours = user.nkey.is_none() || user.nkey.as_ref() == known;
            if ours && user.password_hash.is_none() && user.certificate.is_none() {
                found.push((account.clone(), name.clone()));
            }
        }
    }
    found
}

fn one(
    what: &str,
    option: &str,
    said: Option<&str>,
    known: Option<&str>,
    places: Vec<Place>,
    context: &Scene<'_>,
) -> Result<(Seed, String)> {
    let (pair, _) =
        logins::key(known, &places, context).with_context(|| format!("the key of {what}"))?;
    let public = pair.public_key();
    ensure!(
        said.is_none_or(|said| said == public || Some(said) == known),
        "{option} is {said:?}, and the seed is left to cim: leave the key out, or say where its seed is"
    );
    let did = match known {
        Some(known) if known == public => Did::Kept,
        Some(_) => Did::Changed,
        None => Did::Made,
    };
    let seed = Seed {
        what: format!("the key of {what}"),
        did,
        places,
        seed: key::seed(&pair)?,
    };
    Ok((seed, public))
}
