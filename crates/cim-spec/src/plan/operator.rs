//! Operator mode: which JWTs the hubs start with, and what does not go together with them.

use super::server::duration;
use crate::duration::Duration;
use crate::nkey;
use crate::path::OptionPath;
use crate::problem::{Problems, Rule};
use crate::spec::{self, Fleet};

/// Where what is missing comes from.
const MAKE: &str = "run `cim-admin identity make`, see README";

/// Accounts as JWTs.
#[derive(Debug, Clone)]
pub struct Operator {
    /// The operator's JWT.
    pub jwt: String,
    /// Public key of the system account.
    pub system_account: String,
    /// Where JWTs are kept.
    pub resolver: Resolver,
    /// The JWTs to start with, by the accounts' public keys.
    pub preload: Vec<(String, String)>,
}

/// Where a hub keeps accounts' JWTs.
#[derive(Debug, Clone)]
pub struct Resolver {
    /// `full`, `cache` or `memory`.
    pub kind: String,
    /// Its folder; `None` in memory.
    pub dir: Option<String>,
    /// Whether accounts can be deleted.
    pub allow_delete: bool,
    /// Most accounts.
    pub limit: Option<u64>,
    /// How long a JWT is kept that nobody asked for.
    pub ttl: Option<Duration>,
    /// How often nodes compare what they have.
    pub interval: Option<Duration>,
    /// How long a node waits for another's answer.
    pub timeout: Option<Duration>,
}

/// The operator mode of a hub's node; `None` without one, or where a value was refused.
pub(super) fn plan(fleet: &Fleet, unit: &str, problems: &mut Problems) -> Option<Operator> {
    let operator = fleet.operator.as_ref()?;
    let fleet_at = OptionPath::new("services.cim.fleet");
    let at = fleet_at.join("operator");
    match &operator.jwt {
        Some(text) => jwt(text, &at.join("jwt"), problems),
        None => problems.add(
            Rule::OperatorMode,
            &at.join("jwt"),
            "is null, but in operator mode the hubs trust the operator of this JWT",
            MAKE,
        ),
    }
    let mut preload: Vec<(String, String)> = Vec::new();
    for (name, account) in &fleet.accounts {
        let at = fleet_at.join("accounts").join(name);
        let Some((key, text)) = self::account(name, account, &at, problems) else {
            continue;
        };
        if preload.iter().any(|(first, _)| *first == key) {
            problems.add(
                Rule::UniqueProof,
                &at.join("nkey"),
                format!("{key:?} is another account's"),
                "give each account a key of its own",
            );
        }
        preload.push((key, text));
    }
    if fleet.auth_callout.is_some() {
        problems.add(
            Rule::OperatorMode,
            &fleet_at.join("authCallout"),
            "is set, but in operator mode nats-server asks only about clients that bring a JWT of the service's account, which nothing here makes",
            "leave it out, and give users JWTs: declare them in an account; or leave operator null",
        );
    }
    for (name, leaf) in &fleet.leaves {
        let at = fleet_at.join("leaves").join(name);
        for (option, set) in [("nkey", &leaf.nkey), ("certificate", &leaf.certificate)] {
            if set.is_some() {
                problems.add(
                    Rule::OperatorMode,
                    &at.join(option),
                    "is set, but in operator mode a leaf is known by its JWT",
                    format!("leave it out, and set services.cim.leaves.{name}.remotes.<name>.credentialsFile"),
                );
            }
        }
    }
    let system = fleet.accounts.get(&fleet.system_account);
    let system_account = system.and_then(|account| account.fields.text("nkey"));
    Some(Operator {
        jwt: operator.jwt.clone()?,
        system_account: system_account?.to_owned(),
        resolver: resolver(&operator.resolver, unit, &at.join("resolver"), problems),
        preload,
    })
}

/// An account's public key and its JWT.
fn account(
    name: &str,
    account: &spec::Account,
    at: &OptionPath,
    problems: &mut Problems,
) -> Option<(String, String)> {
    for (user, entry) in &account.users {
        for (option, set) in [
            ("nkey", &entry.nkey),
            ("passwordHash", &entry.password_hash),
            ("certificate", &entry.certificate),
        ] {
            if set.is_some() {
                problems.add(
                    Rule::OperatorMode,
                    &at.join("users").join(user).join(option),
                    "is set, but in operator mode a user is known by its JWT",
                    "leave it out: `cim-admin identity make` gives the user a JWT of the account",
                );
            }
        }
    }
    for (index, export) in account.exports.iter().enumerate() {
        if export.account_token_position.is_some() {
            problems.add(
                Rule::OperatorMode,
                &at.join("exports").index(index).join("accountTokenPosition"),
                "is set, but in operator mode nats-server holds that token against the account's public key, not its name",
                "leave it out, and name who may import it: accounts = [ … ]",
            );
        }
    }
    let key = account.fields.text("nkey");
    if key.is_none() {
        problems.add(
            Rule::OperatorMode,
            &at.join("nkey"),
            "is null, but in operator mode an account is known by its public key",
            MAKE,
        );
    }
    let Some(text) = &account.jwt else {
        problems.add(
            Rule::OperatorMode,
            &at.join("jwt"),
            format!("is null, but in operator mode the hubs start with the JWT of {name:?}"),
            MAKE,
        );
        return None;
    };
    jwt(text, &at.join("jwt"), problems);
    let key = key.filter(|key| nkey::check(key, 'A').is_ok())?;
    Some((key.to_owned(), text.clone()))
}

/// Three parts of base64url, joined by dots; what they say is checked where keys are at hand.
fn jwt(text: &str, at: &OptionPath, problems: &mut Problems) {
    let part = |part: &str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        !part.is_empty() && part.bytes().all(plain)
    };
    if text.split('.').count() != 3 || !text.split('.').all(part) || !text.starts_with("eyJ") {
        problems.add(
            Rule::Jwt,
            at,
            "is not a JWT",
            "write its text in one line, without the BEGIN and END lines around it: lib.fileContents ./CIM.jwt",
        );
    }
}

fn resolver(
    options: &spec::Resolver,
    unit: &str,
    at: &OptionPath,
    problems: &mut Problems,
) -> Resolver {
    let full = options.kind == "full";
    for (option, set, of) in [
        ("allowDelete", options.allow_delete && !full, "full"),
        ("interval", options.interval.is_some() && !full, "full"),
        (
            "ttl",
            options.ttl.is_some() && options.kind != "cache",
            "cache",
        ),
    ] {
        if set {
            problems.add(
                Rule::OperatorMode,
                &at.join(option),
                format!(
                    "is set, but a resolver of type {:?} has no such field",
                    options.kind
                ),
                format!("leave it out, or write type = {of:?}"),
            );
        }
    }
    let mut time = |text: &Option<String>, name: &str| {
        let text = text.as_ref()?;
        duration(text, &at.join(name), problems)
    };
    Resolver {
        ttl: time(&options.ttl, "ttl"),
        interval: time(&options.interval, "interval"),
        timeout: time(&options.timeout, "timeout"),
        dir: (options.kind != "memory").then(|| format!("/var/lib/{unit}/resolver")),
        allow_delete: options.allow_delete,
        limit: options.limit,
        kind: options.kind.clone(),
    }
}
