//! The operator's JWT: who it is, and whom it lets sign.

use cim_creds::{Claims, Operator, decode};
use cim_spec::OptionPath;
use cim_spec::spec::Fleet;

use super::fleet_at;
use super::say::Say;
use crate::committed::Committed;

const FILE: &str = "operator.jwt";

fn at() -> OptionPath {
    fleet_at().join("operator").join("jwt")
}

/// Reads it; `None`: it cannot be read, or is not there.
pub(super) fn read(text: Option<&str>, say: &mut Say<'_>) -> Option<Claims<Operator>> {
    let Some(text) = text else {
        say.of_account(&at(), format!("{FILE} is not there"));
        return None;
    };
    match decode::<Operator>(text) {
        Ok(token) => Some(token.claims),
        Err(error) => {
            say.of_account(&at(), format!("{FILE}: {error}"));
            None
        }
    }
}

/// What the options hold is what stands in the folder.
pub(super) fn same_text(fleet: &Fleet, committed: &Committed, say: &mut Say<'_>) {
    let set = fleet.operator.as_ref().and_then(|o| o.jwt.as_deref());
    if set.is_some() && committed.operator.is_some() && set != committed.operator.as_deref() {
        say.of_folder(&at(), format!("is another text than {FILE}"));
    }
    for (name, account) in &fleet.accounts {
        let text = committed.accounts.get(name);
        let set = account.jwt.as_ref();
        if set.is_some() && text.is_some() && set != text {
            let at = fleet_at().join("accounts").join(name).join("jwt");
            say.of_folder(&at, format!("is another text than accounts/{name}.jwt"));
        }
    }
}

/// Holds it against the keys and the fleet.
pub(super) fn check(
    operator: &Claims<Operator>,
    committed: &Committed,
    system_account: &str,
    say: &mut Say<'_>,
) {
    let (data, nats) = (&operator.data, &operator.nats);
    let keys = &committed.keys;
    if let Some(key) = keys.operator.as_ref().filter(|key| **key != data.sub) {
        let what = format!("{FILE} is of operator {}, keys.json names {key}", data.sub);
        say.of_account(&at(), what);
    }
    let known = |key: &&String| nats.signing_keys.contains(key);
    if let Some(key) = keys.operator_signing_key.iter().find(|key| !known(key)) {
        let what = format!("{FILE} lacks the signing key {key} of keys.json");
        say.of_account(&at(), what);
    }
    if !nats.strict_signing_key_usage {
        let what = format!("{FILE} lets identity keys sign: strict_signing_key_usage is false");
        say.of_account(&at(), what);
    }
    let system = keys.account(system_account);
    names(operator, system, say);
}

/// It is signed by itself, and names the system account of this key.
pub(super) fn names(operator: &Claims<Operator>, system: Option<&str>, say: &mut Say<'_>) {
    let (data, found) = (&operator.data, &operator.nats.system_account);
    if data.iss != data.sub {
        let what = format!(
            "{FILE} is signed by {}, not by the operator {}",
            data.iss, data.sub
        );
        say.of_account(&at(), what);
    }
    if let Some(key) = system.filter(|key| key != found) {
        let found = if found.is_empty() { "none" } else { found };
        let what = format!("{FILE} names the system account {found}, not {key}");
        say.of_account(&fleet_at().join("systemAccount"), what);
    }
}
