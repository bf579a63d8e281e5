//! A leaf whose flows have other names at the other end: its links are bound to an account of their own, between which
//! and the leaf's account each flow is exported, imported and renamed (`reference/nats.md` §1.6 S3). So are those of a
//! leaf that speaks MQTT: `$MQTT.>`, sessions and messages, crosses every link whatever its allow lists say (2.15.1).
//!
//! Other leaves have no uplink: then requests cross as well, which streams between accounts do not carry.

use super::imports::Import;
use super::sharing::{Export, Shared};
use super::{Account, Plan};
use crate::path::OptionPath;
use crate::problem::{Problems, Rule};
use crate::spec::{Exported, Flow, Leaf};

/// The uplink account of a leaf's account.
fn name(account: &str) -> String {
    format!("{account}-UPLINK")
}

/// Puts an uplink between a leaf's account and its links, where they must be apart.
pub(super) fn install(plan: &mut Plan, member: &Leaf, problems: &mut Problems) {
    let flows = member.imports.iter().chain(&member.exports);
    let renamed = flows.clone().any(Flow::is_renamed);
    if plan.mqtt.is_none() && !renamed {
        return;
    }
    let copies = !(member.streams.to_hub.is_empty() && member.streams.to_leaf.is_empty());
    if copies && !renamed {
        problems.add(
            Rule::CopyRights,
            &OptionPath::new("services.cim.fleet.leaves").join(&plan.name).join("streams"),
            "names streams, but a leaf that speaks MQTT has its links in an account of their own, which holds none",
            "give the streams to a leaf of their own, or name none",
        );
    }
    let (local, uplink) = (&member.local_account, name(&member.local_account));
    if plan.accounts.iter().any(|account| account.name == uplink) {
        problems.add(
            Rule::AccountName,
            &accounts_of(plan).join(&uplink),
            format!("{uplink:?} is the account that the links of {local:?} are bound to"),
            "give the account another name",
        );
        return;
    }
    let mut between = empty(&uplink);
    let mut inside = empty(local);
    for flow in &member.imports {
        share(flow, &mut between, &mut inside);
    }
    for flow in &member.exports {
        share(flow, &mut inside, &mut between);
    }
    for account in &mut plan.accounts {
        if account.name == *local {
            account.exports.append(&mut inside.exports);
            account.imports.append(&mut inside.imports);
        }
    }
    plan.accounts.push(between);
    let remotes = plan.link.iter_mut().flat_map(|link| &mut link.remotes);
    for remote in remotes {
        remote.account.clone_from(&uplink);
    }
}

fn accounts_of(plan: &Plan) -> OptionPath {
    plan.options.join("accounts")
}

/// One flow from an account to another, by its name there.
fn share(flow: &Flow, from: &mut Account, to: &mut Account) {
    from.exports.push(Export {
        shared: Shared::Stream,
        subject: flow.subject.clone(),
        accounts: Some(vec![to.name.clone()]),
        account_token_position: None,
        response_type: None,
        threshold: None,
        latency: None,
        allow_trace: None,
    });
    to.imports.push(Import {
        shared: Shared::Stream,
        from: Exported {
            account: from.name.clone(),
            subject: flow.subject.clone(),
        },
        prefix: flow.prefix.clone(),
        to: flow.to.clone(),
        share: None,
        allow_trace: None,
    });
}

fn empty(name: &str) -> Account {
    Account {
        name: name.to_owned(),
        principals: Vec::new(),
        jetstream: None,
        exports: Vec::new(),
        imports: Vec::new(),
        mappings: Default::default(),
        default_permissions: None,
        fields: Vec::new(),
    }
}
