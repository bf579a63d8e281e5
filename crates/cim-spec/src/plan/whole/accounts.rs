//! Accounts against what names them, and against the server that they are on.

use std::collections::BTreeSet;

use super::{find, number, texts};
use crate::field::SettingValue;
use crate::path::OptionPath;
use crate::plan::{Account, Plan, PrincipalKind};
use crate::problem::{Problems, Rule};

pub(super) fn check(plan: &Plan, problems: &mut Problems) {
    default_domains(plan, problems);
    pinned(plan, problems);
    somebody_stores(plan, problems);
    for account in &plan.accounts {
        limits(account, plan, problems);
    }
}

/// `defaultJsDomain` is for accounts whose JetStream is elsewhere.
fn default_domains(plan: &Plan, problems: &mut Problems) {
    let Some(setting) = find(&plan.fields, "defaultJsDomain") else {
        return;
    };
    let SettingValue::Map(domains) = &setting.value else {
        return;
    };
    for name in domains.keys() {
        let account = plan.accounts.iter().find(|account| account.name == *name);
        let what = match account {
            None if name == "$G" => continue,
            None => format!("{name:?} is not an account of this server"),
            Some(_) if plan.system_account.as_ref() == Some(name) => {
                format!("{name:?} is the system account, which has no JetStream anywhere")
            }
            Some(account) if account.jetstream.is_some() => {
                format!("account {name:?} has JetStream on this server, and so its domain")
            }
            Some(_) => continue,
        };
        problems.add(
            Rule::DefaultJsDomain,
            &setting.at.join(name),
            format!("{what}: nats-server would not start"),
            "name an account of this server whose jetstream.enable is false",
        );
    }
}

/// Accounts with a route of their own.
fn pinned(plan: &Plan, problems: &mut Problems) {
    let Some(cluster) = &plan.cluster else {
        return;
    };
    let mut seen = BTreeSet::new();
    for (at, name) in texts(&cluster.fields, "accounts") {
        if !plan.accounts.iter().any(|account| account.name == name) {
            problems.add(
                Rule::KnownAccount,
                &at,
                format!("{name:?} is not an account of this server"),
                format!("name some of {}", names(&plan.accounts)),
            );
        }
        if !seen.insert(name) {
            problems.add(
                Rule::RouteAccounts,
                &at,
                format!("{name:?} stands there twice: nats-server would not start"),
                "name each account once",
            );
        }
    }
    if let Some((setting, size)) = number(&cluster.fields, "poolSize")
        && size < 0
        && !seen.is_empty()
    {
        problems.add(
            Rule::RouteAccounts,
            &setting.at,
            format!("{size} turns routes of their own off, and accounts names some: nats-server would not start"),
            "write at least 1, or leave accounts out",
        );
    }
}

/// A store that no account may use is a mistake that shows as requests without answer.
fn somebody_stores(plan: &Plan, problems: &mut Problems) {
    let nobody = plan
        .accounts
        .iter()
        .all(|account| account.jetstream.is_none());
    if plan.jetstream.is_some() && nobody {
        problems.add(
            Rule::JetstreamUnused,
            &plan.options.join("jetstream").join("enable"),
            "is true, but no account may use it: clients' requests would time out",
            format!(
                "set {}.<name>.jetstream.enable = true, or write false",
                plan.accounts_at()
            ),
        );
    }
}

fn limits(account: &Account, plan: &Plan, problems: &mut Problems) {
    if let Some((setting, most)) = number(&account.fields, "limits.maxPayload")
        && u64::try_from(most).is_ok_and(|most| most > plan.limits.max_payload)
    {
        problems.add(
            Rule::AccountLimits,
            &setting.at,
            format!(
                "{most} bytes are more than the server's limits.maxPayload, {}, which holds first",
                plan.limits.max_payload
            ),
            "write less, or give the server more",
        );
    }
    let leaves = account.principals.iter();
    let leaves = leaves
        .filter(|principal| principal.kind == PrincipalKind::Leaf)
        .count();
    if let Some((setting, most)) = number(&account.fields, "limits.maxLeafnodes")
        && usize::try_from(most).is_ok_and(|most| most < leaves)
    {
        problems.add(
            Rule::AccountLimits,
            &setting.at,
            format!("{most} is less than the {leaves} leaves that the fleet has in account {:?}: the last would never be let in", account.name),
            format!("write at least {leaves}, or leave it out"),
        );
    }
}

fn names(accounts: &[Account]) -> String {
    let names: Vec<&str> = accounts
        .iter()
        .map(|account| account.name.as_str())
        .collect();
    names.join(", ")
}

impl Plan {
    /// Where this server's accounts are declared.
    pub(in crate::plan) fn accounts_at(&self) -> OptionPath {
        match self.link {
            Some(_) => self.options.join("accounts"),
            None => OptionPath::new("services.cim.fleet.accounts"),
        }
    }
}
