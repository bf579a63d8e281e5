//! JWTs of everybody who logs in: each is there, of the right role, and of nobody else.

use std::collections::BTreeSet;

use cim_creds::{Claims, User as Body, decode};

use super::say::Say;
use super::{Scope, fleet_at};
use crate::committed::Committed;
use crate::keys::Keys;
use crate::wanted::{User, Wanted};

/// Holds the users' JWTs against the options.
pub(super) fn check(wanted: &Wanted, committed: &Committed, scope: &Scope<'_>, say: &mut Say<'_>) {
    for user in &wanted.users {
        let Some(text) = committed.users.get(&user.place) else {
            say.of_folder(&user.at, format!("{} is not there", user.place));
            continue;
        };
        match decode::<Body>(text) {
            Ok(token) => self::user(user, &token.claims, &committed.keys, scope, say),
            Err(error) => say.of_folder(&user.at, format!("{}: {error}", user.place)),
        }
    }
    let places: BTreeSet<&String> = wanted.users.iter().map(|user| &user.place).collect();
    for place in committed.users.keys() {
        if !places.contains(place) {
            let option = match place.split('/').next() {
                Some("leaves") => "leaves",
                Some("services") => "hubs",
                _ => "accounts",
            };
            say.stranger(place, &fleet_at().join(option));
        }
    }
}

fn user(user: &User, claims: &Claims<Body>, keys: &Keys, scope: &Scope<'_>, say: &mut Say<'_>) {
    let (place, data) = (&user.place, &claims.data);
    if data.name != user.name {
        let what = format!("{place} is of {:?}, not of {:?}", data.name, user.name);
        say.of_folder(&user.at, what);
    }
    if let Some(key) = user.key(keys).filter(|key| *key != data.sub) {
        let what = format!("{place} is of the key {}, keys.json names {key}", data.sub);
        say.of_folder(&user.at, what);
    }
    match scope.chain(&user.account).map(|chain| chain.user(claims)) {
        Some(Ok(Some(role))) if role.role == user.role => {}
        Some(Ok(role)) => {
            let found = role.map_or("without a scope", |role| role.role.as_str());
            let what = format!(
                "{place} is signed by the key {found}, not by that of role {}",
                user.role
            );
            say.of_folder(&user.at, what);
        }
        Some(Err(error)) => say.of_folder(&user.at, format!("{place}: {error}")),
        None => {} // account or operator cannot be read, which has been said
    }
    lifetime(user, claims, say);
}

/// It holds no longer than the options say; less is as good.
fn lifetime(user: &User, claims: &Claims<Body>, say: &mut Say<'_>) {
    let (iat, exp) = (claims.data.iat, claims.data.exp);
    let holds = exp.saturating_sub(iat);
    let most = user
        .lifetime
        .map(|most| i64::try_from(most).unwrap_or(i64::MAX));
    let what = match most {
        Some(_) if exp == 0 => "does not expire".to_owned(),
        Some(most) if holds > most => {
            format!("holds for {}, more than {}", span(holds), span(most))
        }
        _ => return,
    };
    let option = if user.role.starts_with("leaf/") {
        "leaf"
    } else if user.place.starts_with("services/") {
        "server"
    } else {
        "user"
    };
    let at = fleet_at().join("lifetimes").join(option);
    say.of_folder(&at, format!("{} {what}", user.place));
}

/// Seconds in the largest unit that divides them.
fn span(seconds: i64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "min")];
    let fits = |(size, _): &&(i64, &str)| seconds % size == 0;
    let unit = units.iter().find(fits);
    unit.map_or_else(
        || format!("{seconds} s"),
        |(size, name)| format!("{} {name}", seconds / size),
    )
}
