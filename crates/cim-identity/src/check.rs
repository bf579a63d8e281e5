//! Whether what is committed says what the options say: every difference at once, each naming the option that holds it.

mod account;
mod certificates;
mod operator;
mod say;
mod static_accounts;
mod template;
mod users;

use std::collections::BTreeMap;

use cim_creds::{Account, Chain, Claims, Operator, decode};
use cim_spec::spec::Fleet;
use cim_spec::{OptionPath, Problems};

use crate::committed::Committed;
use crate::plan::Wish;
use crate::wanted::Wanted;
use say::Say;

/// Holds the whole folder `identity/` against its fleet, and the certificates against what hosts need of them. Times are
/// left to [`crate::expiring`].
pub fn check(fleet: &Fleet, wishes: &[Wish], committed: &Committed, problems: &mut Problems) {
    let wanted = Wanted::of(fleet, problems);
    let mut say = Say::new(problems);
    match &wanted {
        Some(wanted) => jwts(fleet, wanted, committed, &mut say),
        None if fleet.operator.is_none() => static_accounts::check(fleet, committed, &mut say),
        None => {} // a rule was broken, which has been said
    }
    certificates::check(fleet, wishes, committed, &mut say);
    for path in &committed.strangers {
        say.stranger(path, &fleet_at().join("operator"));
    }
}

/// Everything that operator mode needs.
fn jwts(fleet: &Fleet, wanted: &Wanted, committed: &Committed, say: &mut Say<'_>) {
    operator::same_text(fleet, committed, say);
    let operator = operator::read(committed.operator.as_deref(), say);
    if let Some(operator) = &operator {
        operator::check(operator, committed, &wanted.system_account, say);
    }
    let accounts = read(wanted, &committed.accounts, say);
    for name in committed.accounts.keys() {
        if wanted.account(name).is_none() {
            let at = fleet_at().join("accounts");
            say.stranger(&format!("accounts/{name}.jwt"), &at);
        }
    }
    let scope = Scope {
        operator: operator.as_ref(),
        accounts: &accounts,
        whole: true,
    };
    for account in &wanted.accounts {
        account::keys(account, &committed.keys, &scope, say);
        account::check(account, &scope, say);
    }
    users::check(wanted, committed, &scope, say);
}

/// Holds the JWTs in a hub's spec against the options there: what its node starts with. `max_payload`: bytes of one
/// message, which a JWT is that is pushed to it. A hub sees only the leaves that dial it, so others may stand in the
/// JWTs too.
pub fn check_hub(fleet: &Fleet, max_payload: u64, problems: &mut Problems) {
    let Some(wanted) = Wanted::of(fleet, problems) else {
        return;
    };
    let mut say = Say::new(problems);
    let text = fleet.operator.as_ref().and_then(|o| o.jwt.as_deref());
    let operator = operator::read(text, &mut say);
    let texts = fleet.accounts.iter();
    let texts: BTreeMap<String, String> = texts
        .filter_map(|(name, account)| Some((name.clone(), account.jwt.clone()?)))
        .collect();
    let accounts = read(&wanted, &texts, &mut say);
    let scope = Scope {
        operator: operator.as_ref(),
        accounts: &accounts,
        whole: false,
    };
    for account in &wanted.accounts {
        account::check(account, &scope, &mut say);
        if let Some(text) = texts.get(&account.name) {
            account::fits(account, text.len(), max_payload, &mut say);
        }
        let key = fleet.accounts.get(&account.name);
        let key = key.and_then(|account| account.fields.text("nkey"));
        account::is_of(account, key, &scope, &mut say);
    }
    if let Some(operator) = &operator {
        operator::names(operator, scope.key(&wanted.system_account), &mut say);
    }
}

/// What a JWT is held against beside its option.
struct Scope<'a> {
    operator: Option<&'a Claims<Operator>>,
    accounts: &'a BTreeMap<String, Claims<Account>>,
    /// Whether the whole fleet is seen.
    whole: bool,
}

impl<'a> Scope<'a> {
    /// The public key of an account, as its own JWT says it.
    fn key(&self, account: &str) -> Option<&'a str> {
        let claims = self.accounts.get(account)?;
        Some(claims.data.sub.as_str())
    }

    /// An account below its operator, where both are right.
    fn chain(&self, account: &str) -> Option<Chain<'a>> {
        Chain::new(self.operator?, self.accounts.get(account)?).ok()
    }
}

fn fleet_at() -> OptionPath {
    OptionPath::new("services.cim.fleet")
}

/// The accounts' JWTs, as far as they can be read.
fn read(
    wanted: &Wanted,
    texts: &BTreeMap<String, String>,
    say: &mut Say<'_>,
) -> BTreeMap<String, Claims<Account>> {
    let mut accounts = BTreeMap::new();
    for account in &wanted.accounts {
        let at = account.at.join("jwt");
        let file = format!("accounts/{}.jwt", account.name);
        let Some(text) = texts.get(&account.name) else {
            say.of_account(&at, format!("{file} is not there"));
            continue;
        };
        match decode::<Account>(text) {
            Ok(token) => {
                if !token.unknown.is_empty() {
                    let fields = token.unknown.join(", ");
                    let what = format!("{file} has fields that no option stands for: {fields}");
                    say.of_account(&at, what);
                }
                accounts.insert(account.name.clone(), token.claims);
            }
            Err(error) => say.of_account(&at, format!("{file}: {error}")),
        }
    }
    accounts
}
