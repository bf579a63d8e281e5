//! Rules that hold parts of a plan against each other: what nats-server parses, and then does not start with, ignores,
//! or takes for something else (`docs/rules.md`).

mod accounts;
mod certificates;
mod connections;
mod flows;
mod links;
mod logins;
mod needs;
mod tls;

use super::Plan;
use crate::field::{Setting, SettingValue};
use crate::path::OptionPath;
use crate::problem::{Problems, Rule};

/// Checks a plan whose parts are right by themselves.
pub(super) fn check(plan: &Plan, problems: &mut Problems) {
    empty_lists(plan, problems);
    needs::check(plan, problems);
    logins::check(plan, problems);
    certificates::check(plan, problems);
    accounts::check(plan, problems);
    flows::check(plan, problems);
    links::check(plan, problems);
    connections::check(plan, problems);
    tls::check(plan, problems);
}

/// To nats-server an empty list is one that was never written: everything, where nothing was meant.
fn empty_lists(plan: &Plan, problems: &mut Problems) {
    for setting in plan.all_fields() {
        // Accounts with a route of their own are the one list whose default is longer than nothing.
        if setting.value == SettingValue::List(Vec::new()) && setting.field.option != "accounts" {
            problems.add(
                Rule::EmptyList,
                &setting.at,
                "is empty, which nats-server takes for not set: often that is everything, not nothing",
                "write what it shall hold, or null for nats-server's own",
            );
        }
    }
    for account in &plan.accounts {
        let at = plan.accounts_at().join(&account.name).join("exports");
        for (index, export) in account.exports.iter().enumerate() {
            if export.accounts.as_ref().is_some_and(Vec::is_empty) {
                problems.add(
                    Rule::EmptyList,
                    &at.index(index).join("accounts"),
                    "is empty, which nats-server takes for everybody",
                    "name the accounts that may import it, or write null for everybody",
                );
            }
        }
    }
}

/// What an option of some fields is set to.
fn find<'a>(fields: &'a [Setting], option: &str) -> Option<&'a Setting> {
    fields.iter().find(|setting| setting.field.option == option)
}

/// A setting and the text it holds.
fn text<'a>(fields: &'a [Setting], option: &str) -> Option<(&'a Setting, &'a str)> {
    let setting = find(fields, option)?;
    match &setting.value {
        SettingValue::Text(text) => Some((setting, text)),
        _ => None,
    }
}

/// A setting and the number it holds.
fn number<'a>(fields: &'a [Setting], option: &str) -> Option<(&'a Setting, i64)> {
    let setting = find(fields, option)?;
    match setting.value {
        SettingValue::Int(number) => Some((setting, number)),
        _ => None,
    }
}

/// The texts of a list that an option is set to, each with its path.
fn texts<'a>(
    fields: &'a [Setting],
    option: &str,
) -> impl Iterator<Item = (OptionPath, &'a str)> + use<'a> {
    let setting = find(fields, option);
    let list = setting.and_then(|setting| match &setting.value {
        SettingValue::List(list) => Some((setting, list)),
        _ => None,
    });
    list.into_iter().flat_map(|(setting, list)| {
        list.iter().enumerate().filter_map(|(index, value)| {
            let SettingValue::Text(text) = value else {
                return None;
            };
            Some((setting.at.index(index), text.as_str()))
        })
    })
}
