//! What nobody wants any more: listed with the command that removes it, never removed by itself.

use std::collections::BTreeSet;

use cim_identity::Wanted;

use super::plan::{Plan, Wish};
use super::vault::OPERATOR;
use super::{DESK, KEYS, Run, accounts, authority, logins, seeds, statics};

/// Adds what is left over to the run's outcome.
pub fn over(run: &mut Run<'_>, wanted: Option<&Wanted>, wishes: &[Wish]) {
    let mut places = public(wanted, wishes);
    // One that no host of ours has a key for was made elsewhere, as long as there is whom it is for.
    places.extend(cim_identity::certificates(&run.request.plan.fleet));
    let mut left: Vec<(String, String)> = Vec::new();
    for place in run.public.places() {
        if !places.contains(place) {
            let file = run.public.shown(place);
            left.push((file.clone(), command(place, &format!("git rm {file}"))));
        }
    }
    let secrets = run.request.secrets.display();
    let sealed = sealed(run, wanted);
    for file in run.vault.names() {
        let path = format!("{secrets}/{file}");
        let host = file.strip_suffix(".yaml").filter(|_| !file.contains('/'));
        if file == OPERATOR {
            let known = operator(wanted);
            for (entry, _) in run.vault.entries(file) {
                if entry.starts_with("account.") && !known.contains(entry) {
                    left.push((format!("{path}: {entry}"), unset(&path, entry)));
                }
            }
        } else if let Some(host) = host {
            let wanted = run.request.plan.hosts.get(host);
            for (entry, _) in run.vault.entries(file) {
                let known = wanted.is_some_and(|host| host.secrets.contains_key(entry));
                if entry.starts_with("cim-") && !known {
                    left.push((format!("{path}: {entry}"), unset(&path, entry)));
                }
            }
        } else if !sealed.contains(file) {
            left.push((path.clone(), command(file, &format!("git rm {path}"))));
        }
    }
    for (what, command) in left {
        run.outcome.left(what, command);
    }
}

/// A leaf is taken out by a command of its own: it revokes first.
fn command(place: &str, otherwise: &str) -> String {
    let leaf = place
        .strip_prefix("leaves/")
        .and_then(|file| file.rsplit_once('.'));
    match leaf {
        Some((leaf, _)) => format!("cim-admin decommission {leaf}"),
        None => otherwise.to_owned(),
    }
}

fn unset(path: &str, entry: &str) -> String {
    format!("sops unset {path} '[\"{entry}\"]'")
}

/// Every file that belongs into `identity/`.
fn public(wanted: Option<&Wanted>, wishes: &[Wish]) -> BTreeSet<String> {
    let mut places: BTreeSet<String> = [KEYS, authority::ROOT].map(str::to_owned).into();
    places.extend(wishes.iter().map(|wish| wish.place.clone()));
    if let Some(wanted) = wanted {
        places.insert("operator.jwt".to_owned());
        let accounts = wanted.accounts.iter();
        places.extend(accounts.map(|account| accounts::place(&account.name)));
        places.extend(wanted.users.iter().map(|user| user.place.clone()));
    }
    places
}

/// Every entry of the operator's file that has to do with accounts.
fn operator(wanted: Option<&Wanted>) -> BTreeSet<String> {
    let accounts = wanted.into_iter().flat_map(|wanted| &wanted.accounts);
    accounts
        .flat_map(|account| {
            let roles = account.roles.iter();
            let roles = roles.map(|role| seeds::role(&account.name, &role.name));
            roles.chain([seeds::account(&account.name), DESK.to_owned()])
        })
        .collect()
}

/// Every file of people and leaves elsewhere.
fn sealed(run: &Run<'_>, wanted: Option<&Wanted>) -> BTreeSet<String> {
    let plan: &Plan = run.request.plan;
    let Some(wanted) = wanted else {
        return statics::files(plan, &run.keys);
    };
    let hosts = logins::places(plan);
    let own = wanted
        .users
        .iter()
        .filter(|user| !hosts.contains_key(&user.place));
    own.map(|user| user.place.replace(".jwt", ".creds"))
        .collect()
}
