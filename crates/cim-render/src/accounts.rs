//! What `cim-health` holds a server's accounts against: their limits, and in operator mode their JWTs.

use cim_spec::Plan;
use cim_spec::artefact::{LimitKind, WatchedJwt, WatchedJwts, WatchedLimit};
use cim_spec::field::{Setting, SettingValue};
use cim_spec::plan::Account;

/// Every limit of clients, leaf links and subscriptions that an account has.
pub(crate) fn limits(plan: &Plan) -> Vec<WatchedLimit> {
    let accounts = plan.accounts.iter();
    let each = accounts.flat_map(|account| {
        let kinds = LimitKind::ALL.into_iter();
        kinds.filter_map(move |kind| limit(plan, account, kind))
    });
    each.collect()
}

fn limit(plan: &Plan, account: &Account, kind: LimitKind) -> Option<WatchedLimit> {
    let setting = set(account, &format!("limits.{kind}"))?;
    let SettingValue::Int(most) = setting.value else {
        return None;
    };
    let key = plan.operator.as_ref().and_then(|_| nkey(account));
    Some(WatchedLimit {
        account: account.name.clone(),
        account_id: key.unwrap_or(&account.name).to_owned(),
        kind,
        most: u64::try_from(most).ok()?,
        option: setting.at.to_string(),
    })
}

/// The JWTs of a hub in operator mode; `None` where there are none.
pub(crate) fn jwts(plan: &Plan) -> Option<WatchedJwts> {
    let operator = plan.operator.as_ref()?;
    let dir = &operator.resolver.dir;
    let accounts = plan.accounts.iter().filter_map(|account| {
        let key = nkey(account)?;
        let mut preload = operator.preload.iter();
        let preload = preload.find(|(of, _)| of == key);
        Some(WatchedJwt {
            account: account.name.clone(),
            nkey: key.to_owned(),
            preload: preload
                .filter(|_| dir.is_none())
                .map(|(_, text)| text.clone()),
        })
    });
    Some(WatchedJwts {
        dir: dir.clone(),
        accounts: accounts.collect(),
    })
}

fn nkey(account: &Account) -> Option<&str> {
    match &set(account, "nkey")?.value {
        SettingValue::Text(key) => Some(key),
        _ => None,
    }
}

fn set<'a>(account: &'a Account, option: &str) -> Option<&'a Setting> {
    let mut fields = account.fields.iter();
    fields.find(|setting| setting.field.option == option)
}
