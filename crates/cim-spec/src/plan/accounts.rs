//! Accounts, their quotas, and principals: who may log in and what they may do.

use std::collections::BTreeMap;

use super::{
    Access, Account, Jetstream, Permissions, Principal, PrincipalKind, Proof, Quota, Responses,
    imports, sharing,
};
use crate::field::Block;
use crate::path::OptionPath;
use crate::problem::{Problems, Rule};
use crate::spec::{self, Mappings, User};
use crate::{fleet, name, nkey, password, secret, subject};

use super::server::{duration, size};

const HOW_TO_IDENTIFY: &str = "set one of nkey (`nk -gen user -pubout`), passwordHash (`nats server passwd`) and certificate (the name in it)";

/// Everything but leaf nodes: a user's key must not open a leaf link.
const CLIENTS: &[&str] = &["STANDARD", "WEBSOCKET", "MQTT", "MQTT_WS", "IN_PROCESS"];

/// What accounts store in.
#[derive(Clone, Copy)]
pub(super) enum Store<'a> {
    /// That of one server, against which quotas are held; `None`: it has none.
    Of(Option<&'a Jetstream>),
    /// Each server's own.
    Any,
}

/// Plans the accounts of a server. `jwts`: in operator mode.
pub(super) fn plan(
    accounts: &BTreeMap<String, spec::Account>,
    store: Store<'_>,
    at: &OptionPath,
    jwts: bool,
    problems: &mut Problems,
) -> Vec<Account> {
    let planned: Vec<Account> = accounts
        .iter()
        .map(|(name, account)| {
            let at = at.join(name);
            problems.parsed(Rule::AccountName, &at, name, name::check_account(name));
            Account {
                name: name.clone(),
                principals: account
                    .users
                    .iter()
                    .filter_map(|(name, user)| {
                        principal(name, user, &at.join("users").join(name), jwts, problems)
                    })
                    .collect(),
                exports: sharing::exports(account, accounts, &at.join("exports"), problems),
                imports: imports::imports(name, account, accounts, &at.join("imports"), problems),
                mappings: mappings(account, &at.join("mappings"), problems),
                default_permissions: account
                    .default_permissions
                    .as_ref()
                    .map(|own| permissions(own, &at.join("defaultPermissions"), problems)),
                jetstream: quota(account, &at.join("jetstream"), problems)
                    .filter(|_| !matches!(store, Store::Of(None))),
                fields: account.fields.plan(Block::Account, &at, problems),
            }
        })
        .collect();
    if let Store::Of(Some(server)) = store {
        quotas_fit(&planned, server, at, problems);
    }
    planned
}

fn principal(
    name: &str,
    user: &User,
    at: &OptionPath,
    jwts: bool,
    problems: &mut Problems,
) -> Option<Principal> {
    problems.parsed(Rule::AccountName, at, name, name::check_account(name));
    let permissions = user
        .permissions
        .as_ref()
        .map(|own| permissions(own, &at.join("permissions"), problems));
    let proof = match (&user.nkey, &user.password_hash, &user.certificate) {
        (None, None, None) if jwts => Some(Proof::Jwt),
        (Some(key), None, None) => nkey(key, &at.join("nkey"), problems),
        (None, Some(hash), None) => password_hash(hash, &at.join("passwordHash"), problems),
        (None, None, Some(name)) => {
            fleet::certificate_name(name, &at.join("certificate"), problems);
            Some(Proof::Certificate(name.clone()))
        }
        (None, None, None) => {
            let what = "has no nkey, passwordHash or certificate: anybody could log in";
            problems.add(Rule::Identity, at, what, HOW_TO_IDENTIFY);
            None
        }
        _ => {
            let what = "has more than one of nkey, passwordHash and certificate";
            problems.add(Rule::Identity, at, what, HOW_TO_IDENTIFY);
            None
        }
    };
    Some(Principal {
        name: name.to_owned(),
        kind: PrincipalKind::User,
        connections: CLIENTS,
        proof: proof?,
        permissions,
        fields: user.fields.plan(Block::User, at, problems),
    })
}

/// A public user nkey. The value is public and may be shown, unless it is a seed.
pub(crate) fn nkey(key: &str, at: &OptionPath, problems: &mut Problems) -> Option<Proof> {
    if nkey::is_user(key) {
        return Some(Proof::Nkey(key.to_owned()));
    }
    let what = if secret::is_in(key) {
        "holds a seed, which is secret and now stands in the Nix store: make a new one".to_owned()
    } else {
        format!("{key:?} is not a user's public nkey")
    };
    problems.add(
        Rule::Nkey,
        at,
        what,
        "write the 56 characters that start with U, as `nk -gen user -pubout` prints them last",
    );
    None
}

/// A bcrypt hash. What is not one may be a password and is never shown.
fn password_hash(hash: &str, at: &OptionPath, problems: &mut Problems) -> Option<Proof> {
    if password::is_bcrypt(hash) {
        return Some(Proof::Password(hash.to_owned()));
    }
    problems.add(
        Rule::PasswordHash,
        at,
        "is not a bcrypt hash (the value is not shown: it may be a password)",
        "write what `nats server passwd` prints, which starts with \"$2a$\"",
    );
    None
}

fn permissions(
    permissions: &spec::Permissions,
    at: &OptionPath,
    problems: &mut Problems,
) -> Permissions {
    let responses = permissions.allow_responses.as_ref();
    let allow_responses = responses.and_then(|responses| {
        let expires = &at.join("allowResponses").join("expires");
        Some(Responses {
            max: u64::from(responses.max),
            expires: duration(&responses.expires, expires, problems)?,
        })
    });
    Permissions {
        publish: access(&permissions.publish, &at.join("publish"), problems),
        subscribe: access(&permissions.subscribe, &at.join("subscribe"), problems),
        allow_responses,
    }
}

fn access(rules: &spec::Rules, at: &OptionPath, problems: &mut Problems) -> Access {
    for (list, subjects) in [("allow", &rules.allow), ("deny", &rules.deny)] {
        for (index, text) in subjects.iter().enumerate() {
            let at = at.join(list).index(index);
            problems.parsed(Rule::Subject, &at, text, subject::check(text));
        }
    }
    Access {
        allow: rules.allow.clone(),
        deny: rules.deny.clone(),
    }
}

fn mappings(account: &spec::Account, at: &OptionPath, problems: &mut Problems) -> Mappings {
    sharing::mappings(&account.mappings, at, problems);
    account.mappings.clone()
}

fn quota(account: &spec::Account, at: &OptionPath, problems: &mut Problems) -> Option<Quota> {
    if !account.jetstream.enable {
        return None;
    }
    let mut read = |text: &Option<String>, name: &str| {
        text.as_ref()
            .and_then(|text| size(text, &at.join(name), problems))
    };
    Some(Quota {
        max_memory: read(&account.jetstream.max_memory, "maxMemory"),
        max_file: read(&account.jetstream.max_file, "maxFile"),
    })
}

/// Account limits are reservations: together they must fit, or nats-server exits (10047).
fn quotas_fit(accounts: &[Account], server: &Jetstream, at: &OptionPath, problems: &mut Problems) {
    let sum = |pick: fn(&Quota) -> Option<u64>| -> u64 {
        accounts
            .iter()
            .filter_map(|account| account.jetstream.as_ref().and_then(pick))
            .fold(0, u64::saturating_add)
    };
    for (what, option, sum, limit) in [
        (
            "maxFile",
            "maxFileStore",
            sum(|q| q.max_file),
            server.max_file_store,
        ),
        (
            "maxMemory",
            "maxMemoryStore",
            sum(|q| q.max_memory),
            server.max_memory_store,
        ),
    ] {
        if sum > limit {
            problems.add(
                Rule::Quota,
                at,
                format!("jetstream.{what} of all accounts together is {sum} bytes, more than the server's jetstream.{option}, {limit}"),
                format!("give accounts less, or the server more {option}"),
            );
        }
    }
}

/// No proof stands for two principals: nats-server would take the last one silently.
pub(super) fn unique_proofs(accounts: &[Account], at: &OptionPath, problems: &mut Problems) {
    let mut seen: BTreeMap<(&str, &str), OptionPath> = BTreeMap::new();
    for account in accounts {
        for principal in &account.principals {
            let at = match principal.kind {
                PrincipalKind::User => at.join(&account.name).join("users"),
                PrincipalKind::Leaf => OptionPath::new("services.cim.fleet.leaves"),
                PrincipalKind::Service => continue, // a JWT, or a key that was just made
            };
            let at = at.join(&principal.name);
            // A certificate's name and a password's user are names of the same kind.
            let (what, proof, at) = match &principal.proof {
                Proof::Nkey(key) => ("nkey", key, at.join("nkey")),
                Proof::Certificate(name) => ("user", name, at.join("certificate")),
                Proof::Password(_) => ("user", &principal.name, at),
                Proof::Jwt | Proof::HostKey(_) => continue,
            };
            if let Some(first) = seen.get(&(what, proof.as_str())) {
                problems.add(
                    Rule::UniqueProof,
                    &at,
                    format!("the {what} {proof:?} is also {first}: nats-server could not tell them apart"),
                    "give each its own",
                );
            } else {
                seen.insert((what, proof), at);
            }
        }
    }
}
