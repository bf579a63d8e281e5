//! Fields that mean nothing, or stop nats-server, without another one.

use super::{find, text, texts};
use crate::field::{Setting, SettingValue};
use crate::plan::Plan;
use crate::problem::{Problems, Rule};

/// What must be there for a field to do what it says.
struct Need<'a> {
    fields: &'a [Setting],
    /// Options of which one begins with one of these; a dot at the end stands for a whole block.
    options: &'a [&'a str],
    given: bool,
    what: &'a str,
    help: &'a str,
}

impl Need<'_> {
    fn check(&self, problems: &mut Problems) {
        if self.given {
            return;
        }
        let asks = |setting: &&Setting| {
            let option = setting.field.option;
            self.options.iter().any(|name| match name.ends_with('.') {
                true => option.starts_with(name),
                false => option == *name,
            })
        };
        for setting in self.fields.iter().filter(asks) {
            problems.add(
                Rule::FieldNeeds,
                &setting.at,
                format!("is set, but {}", self.what),
                self.help,
            );
        }
    }
}

pub(super) fn check(plan: &Plan, problems: &mut Problems) {
    server(plan, problems);
    listeners(plan, problems);
    for account in &plan.accounts {
        Need {
            fields: &account.fields,
            options: &["msgTrace.sampling"],
            given: find(&account.fields, "msgTrace.dest").is_some(),
            what: "msgTrace.dest is null: nothing is traced, and so nothing sampled",
            help: "name the subject that traces go to in msgTrace.dest, or leave it out",
        }
        .check(problems);
        Need {
            fields: &account.fields,
            options: &["jetstream."],
            given: account.jetstream.is_some(),
            what: "the account has no JetStream here, and this would give it one",
            help: "turn jetstream.enable on for the account and the server, or leave it out",
        }
        .check(problems);
    }
    remotes(plan, problems);
}

fn server(plan: &Plan, problems: &mut Problems) {
    Need {
        fields: &plan.fields,
        options: &["jetstream."],
        given: plan.jetstream.is_some(),
        what: "jetstream.enable is false, and any field of that block turns JetStream on, with its store in /tmp",
        help: "leave it out, or set jetstream.enable = true",
    }
    .check(problems);
    Need {
        fields: &plan.fields,
        options: &["defaultSentinel", "resolverPinnedAccounts"],
        given: plan.operator.is_some(),
        what: "users are static here, and this is for JWTs of an operator",
        help: "leave it out",
    }
    .check(problems);
    let peers_are_checked = plan.all_fields().any(|setting| {
        setting.field.option == "ocspPeer.verify" && setting.value == SettingValue::Bool(true)
    });
    Need {
        fields: &plan.fields,
        options: &["ocspCache."],
        given: peers_are_checked,
        what: "no tls.ocspPeer.verify is true, and only such answers are kept",
        help: "set tls.ocspPeer.verify = true on a listener or remote, or leave it out",
    }
    .check(problems);
    if let Some((setting, tag)) = text(&plan.fields, "jetstream.uniqueTag")
        && !texts(&plan.fields, "serverTags").any(|(_, own)| own.starts_with(tag))
    {
        problems.add(
            Rule::FieldNeeds,
            &setting.at,
            format!(
                "{tag:?} begins no tag of this server: no replica of a stream could be placed on it"
            ),
            format!("add a tag to serverTags, for example \"{tag}east\""),
        );
    }
}

fn listeners(plan: &Plan, problems: &mut Problems) {
    if let Some(listener) = &plan.websocket {
        Need {
            fields: &listener.fields,
            options: &["jwtCookie"],
            given: plan.operator.is_some(),
            what: "users are static here: nats-server takes a JWT from a cookie only where it has an operator",
            help: "leave it out, or let browsers log in with userCookie and passCookie",
        }
        .check(problems);
    }
    let mqtt = plan.mqtt.iter().flat_map(|listener| &listener.fields);
    let nodes = plan.cluster.as_ref().map_or(1, |c| c.routes.len() + 1);
    for setting in mqtt.filter(|setting| setting.field.option == "streamReplicas") {
        if let SettingValue::Int(replicas) = setting.value
            && usize::try_from(replicas).is_ok_and(|replicas| replicas > nodes)
        {
            problems.add(
                Rule::FieldNeeds,
                &setting.at,
                format!("{replicas} replicas do not fit where the servers are {nodes}: no MQTT client could connect"),
                format!("write {nodes} or less, or null"),
            );
        }
    }
}

fn remotes(plan: &Plan, problems: &mut Problems) {
    for remote in plan.link.iter().flat_map(|link| &link.remotes) {
        Need {
            fields: &remote.fields,
            options: &["proxy.timeout"],
            given: find(&remote.fields, "proxy.url").is_some(),
            what: "proxy.url is null: there is no proxy to wait for",
            help: "write the proxy's URL, for example \"http://proxy.example.com:3128\", or leave it out",
        }
        .check(problems);
        Need {
            fields: &remote.fields,
            options: &["wsCompression", "wsNoMasking"],
            given: remote.websocket,
            what: "the link is no WebSocket, and this is for those",
            help: "set websocket = true on the remote in services.cim.fleet.leaves, or leave it out",
        }
        .check(problems);
    }
}
