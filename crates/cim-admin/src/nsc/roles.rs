//! Which of an account's signing keys can go on as the key of a role of ours.

use std::collections::BTreeMap;

use cim_creds::body::signing_keys::UserScope;

use super::store::{Account, User};

/// Public signing key → role. A scoped key with one user becomes that user's role, and the one with the most
/// users `default`; the others' users get keys of roles of their own.
pub fn roles(account: &Account) -> BTreeMap<String, String> {
    let mut roles = BTreeMap::new();
    let mut most: Option<(&UserScope, usize)> = None;
    for scope in account.claims.nats.signing_keys.scopes() {
        let users: Vec<&User> = users(account, &scope.key).collect();
        match users[..] {
            [] => {}
            [user] => {
                roles.insert(scope.key.clone(), format!("user/{}", user.name));
            }
            _ if most.is_none_or(|(_, count)| users.len() > count) => {
                most = Some((scope, users.len()));
            }
            _ => {}
        }
    }
    if let Some((scope, _)) = most {
        roles.insert(scope.key.clone(), "default".to_owned());
    }
    roles
}

/// The scope whose users share a role, if there is one.
pub fn shared(account: &Account) -> Option<&UserScope> {
    let roles = roles(account);
    let mut scopes = account.claims.nats.signing_keys.scopes();
    scopes.find(|scope| roles.get(&scope.key).is_some_and(|role| role == "default"))
}

fn users<'a>(account: &'a Account, key: &'a str) -> impl Iterator<Item = &'a User> {
    account
        .users
        .iter()
        .filter(move |user| user.claims.data.iss == key)
}
