//! Who logs in without saying who they are, and what may connect as a user.

use super::text;
use crate::field::{Setting, SettingValue};
use crate::path::OptionPath;
use crate::plan::{Plan, PrincipalKind, Proof};
use crate::problem::{Problems, Rule};

pub(super) fn check(plan: &Plan, problems: &mut Problems) {
    let sides = plan.websocket.iter().chain(&plan.mqtt);
    let blocks = std::iter::once(&plan.fields).chain(sides.map(|side| &side.fields));
    for fields in blocks {
        no_auth_user(fields, plan, problems);
    }
    for setting in plan.all_fields() {
        if setting.field.option == "allowedConnectionTypes" {
            connection_types(setting, plan, problems);
        }
        if setting.field.option == "authorization.timeout" {
            timeout(setting, problems);
        }
    }
    proxies(plan, problems);
}

/// nats-server knows users by the name that they log in with, which is an nkey user's nkey.
fn no_auth_user(fields: &[Setting], plan: &Plan, problems: &mut Problems) {
    let Some((setting, name)) = text(fields, "noAuthUser") else {
        return;
    };
    if plan.operator.is_some() {
        problems.add(
            Rule::NoAuthUser,
            &setting.at,
            format!("{name:?} is set, but in operator mode everybody has a JWT: nats-server would not start"),
            "leave it out; a JWT that anybody may use stands in defaultSentinel",
        );
        return;
    }
    let principals = plan.accounts.iter().flat_map(|account| &account.principals);
    for principal in principals.clone() {
        let is_it = match &principal.proof {
            Proof::Nkey(key) => key == name,
            Proof::Certificate(own) => own == name,
            Proof::Password(_) => principal.name == name,
            Proof::Jwt | Proof::HostKey(_) => false,
        };
        match principal.kind {
            PrincipalKind::User | PrincipalKind::Service if is_it => return,
            PrincipalKind::Leaf if is_it || principal.name == name => {
                problems.add(
                    Rule::NoAuthUser,
                    &setting.at,
                    format!(
                        "{name:?} is leaf {:?}: whoever connects would be that leaf",
                        principal.name
                    ),
                    "name a user of an account that may do no more than strangers may",
                );
                return;
            }
            _ => {}
        }
    }
    let by_option = principals.clone().find(|principal| principal.name == name);
    let help = match by_option.map(|principal| &principal.proof) {
        Some(Proof::Nkey(key)) => format!("{name:?} is known by its nkey: write {key:?}"),
        _ => "name a user with a passwordHash, or the nkey of one with an nkey".to_owned(),
    };
    problems.add(
        Rule::NoAuthUser,
        &setting.at,
        format!("{name:?} is not how a user of this server logs in: nats-server would not start"),
        help,
    );
}

/// Leaf links are for leaves, whose flows say what crosses; a user's permissions do not.
fn connection_types(setting: &Setting, plan: &Plan, problems: &mut Problems) {
    let SettingValue::List(types) = &setting.value else {
        return;
    };
    let mut usable = types.is_empty();
    for (index, kind) in types.iter().enumerate() {
        let SettingValue::Text(kind) = kind else {
            continue;
        };
        if kind.starts_with("LEAFNODE") {
            problems.add(
                Rule::ConnectionTypes,
                &setting.at.index(index),
                format!("{kind:?} would let this user open a leaf link past every flow of the fleet"),
                "declare a leaf in services.cim.fleet.leaves, and give the user client types, for example [ \"STANDARD\" ]",
            );
            usable = true;
        }
        usable |= match kind.as_str() {
            "WEBSOCKET" => plan.websocket.is_some(),
            "MQTT" => plan.mqtt.is_some(),
            "MQTT_WS" => plan.mqtt.is_some() && plan.websocket.is_some(),
            "IN_PROCESS" => false,
            _ => true,
        };
    }
    // A fleet's account is the same on every hub, one of which may have the listener.
    if !usable && setting.at.as_str().starts_with(plan.options.as_str()) {
        problems.add(
            Rule::ConnectionTypes,
            &setting.at,
            "names only kinds of connection that this server has no listener for: nobody could log in as this user",
            "add \"STANDARD\", or give the server that listener",
        );
    }
}

fn timeout(setting: &Setting, problems: &mut Problems) {
    let SettingValue::Text(text) = &setting.value else {
        return;
    };
    let long = crate::duration::Duration::parse(text).is_ok_and(|time| time.as_millis() > 60_000);
    if long {
        problems.add(
            Rule::AuthTimeout,
            &setting.at,
            format!("{text:?} is more than the minute that nats-server lets a stranger hold a connection"),
            "write at most \"60s\"",
        );
    }
}

/// A proxy that must be there is one that is trusted.
fn proxies(plan: &Plan, problems: &mut Problems) {
    if plan
        .settings
        .keys()
        .any(|key| key.eq_ignore_ascii_case("proxies"))
    {
        return;
    }
    let required = plan.all_fields().filter(|setting| {
        let option = setting.field.option;
        let asks = option == "proxyRequired" || option.ends_with(".proxyRequired");
        asks && setting.value == SettingValue::Bool(true)
    });
    let required: Vec<OptionPath> = required.map(|setting| setting.at.clone()).collect();
    for at in required {
        problems.add(
            Rule::FieldNeeds,
            &at,
            "is true, but no proxy is trusted: nobody could log in",
            format!("add {}.settings.proxies.trusted = [ {{ key = \"<the proxy's public nkey>\"; }} ], or leave it out", plan.options),
        );
    }
}
