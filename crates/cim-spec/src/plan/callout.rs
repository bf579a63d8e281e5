//! The rules of an auth callout: the service exists, and whoever has an account goes past it.

use super::{Account, Principal, PrincipalKind, Proof};
use crate::nkey;
use crate::path::OptionPath;
use crate::problem::{Problems, Rule};
use crate::spec::AuthCallout;

/// Who is asked about a client that no account knows.
#[derive(Debug, Clone)]
pub struct Callout {
    /// Whose signature on an answer counts.
    pub issuer: String,
    /// Where the service answers.
    pub account: String,
    /// Every user and leaf that is declared: they log in without the service, which is one of them.
    pub auth_users: Vec<Proof>,
    /// What requests are encrypted for.
    pub xkey: Option<String>,
    /// Accounts whose clients the service is asked about, which does not bind its answers; empty: all.
    pub allowed_accounts: Vec<String>,
}

/// A service of ours answers nobody.
fn is_somebodys(principal: &Principal) -> bool {
    principal.kind != PrincipalKind::Service
}

/// The callout of a server with these accounts.
pub(super) fn plan(
    options: &AuthCallout,
    accounts: &[Account],
    at: &OptionPath,
    problems: &mut Problems,
) -> Callout {
    let issuer_at = at.join("issuer");
    problems.parsed(
        Rule::Nkey,
        &issuer_at,
        &options.issuer,
        nkey::check(&options.issuer, 'A'),
    );
    if let Some(key) = &options.xkey {
        problems.parsed(Rule::Nkey, &at.join("xkey"), key, nkey::check(key, 'X'));
    }
    let find = |name: &str| accounts.iter().find(|account| account.name == name);
    let names: Vec<&str> = accounts
        .iter()
        .map(|account| account.name.as_str())
        .collect();
    let names = names.join(", ");
    match find(&options.account) {
        None => problems.add(
            Rule::KnownAccount,
            &at.join("account"),
            format!("{:?} is not an account of this server", options.account),
            format!("name one of {names}"),
        ),
        Some(account) if !account.principals.iter().any(is_somebodys) => problems.add(
            Rule::CalloutService,
            &at.join("account"),
            format!("{:?} has no user: nobody could answer, and every unknown client would wait in vain", options.account),
            format!("add a user to account {} for the service", options.account),
        ),
        Some(_) => {}
    }
    for (index, name) in options.allowed_accounts.iter().enumerate() {
        if find(name).is_none() {
            problems.add(
                Rule::KnownAccount,
                &at.join("allowedAccounts").index(index),
                format!("{name:?} is not an account of this server"),
                format!("name some of {names}"),
            );
        }
    }
    let principals = accounts.iter().flat_map(|account| &account.principals);
    Callout {
        issuer: options.issuer.clone(),
        account: options.account.clone(),
        auth_users: principals
            .map(|principal| match &principal.proof {
                // By name: the hash is no name.
                Proof::Password(_) => Proof::Certificate(principal.name.clone()),
                proof => proof.clone(),
            })
            .collect(),
        xkey: options.xkey.clone(),
        allowed_accounts: options.allowed_accounts.clone(),
    }
}
