//! A fleet whose accounts stand in nats.conf: the public nkeys in its options are those that the desk made.

use cim_spec::OptionPath;
use cim_spec::spec::Fleet;

use super::fleet_at;
use super::say::Say;
use crate::committed::Committed;

/// Holds the options against `keys.json`; keys that the desk did not make are the operator's affair.
pub(super) fn check(fleet: &Fleet, committed: &Committed, say: &mut Say<'_>) {
    let keys = &committed.keys;
    for (name, key) in &keys.leaves {
        let at = fleet_at().join("leaves").join(name);
        let leaf = fleet.leaves.get(name).map(|leaf| leaf.nkey.as_deref());
        same(&at, leaf, name, key, say);
    }
    for (account, users) in &keys.users {
        let at = fleet_at().join("accounts").join(account).join("users");
        let declared = fleet.accounts.get(account);
        for (name, key) in users {
            let user = declared.and_then(|account| account.users.get(name));
            same(
                &at.join(name),
                user.map(|user| user.nkey.as_deref()),
                name,
                key,
                say,
            );
        }
    }
    let accounts = committed.accounts.keys();
    let accounts = accounts.map(|name| format!("accounts/{name}.jwt"));
    let operator = committed.operator.iter().map(|_| "operator.jwt".to_owned());
    let jwts = operator
        .chain(accounts)
        .chain(committed.users.keys().cloned());
    for file in jwts {
        say.stranger(&file, &fleet_at().join("operator"));
    }
}

/// `declared`: the nkey in the options; `None`: nobody of that name is declared.
fn same(at: &OptionPath, declared: Option<Option<&str>>, name: &str, key: &str, say: &mut Say<'_>) {
    match declared {
        None => say.stranger(&format!("{name} in keys.json"), at),
        Some(Some(nkey)) if nkey != key => {
            let what = format!("is {nkey}, but keys.json has {key}");
            say.of_folder(&at.join("nkey"), what);
        }
        Some(_) => {} // known otherwise
    }
}
