//! A leaf whose flows have other names at the other end: its links are bound to an account of their own, between which
//! and the leaf's account each flow is exported, imported and renamed (`reference/nats.md` §1.6 S3). So are those of a
//! leaf that speaks MQTT: `$MQTT.>`, sessions and messages, crosses every link whatever its allow lists say (2.15.1).
//!
//! Other leaves have no uplink: then requests cross as well, which streams between accounts do not carry.

use std::collections::BTreeSet;

use super::copies::{ANSWERS, Copies};
use super::imports::Import;
use super::sharing::{Export, Shared};
use super::{Account, Plan};
use crate::implied;
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
    let renamed = flows
        .clone()
        .any(|flow| flow.is_core() && flow.is_renamed());
    if plan.mqtt.is_none() && !renamed {
        return;
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
    for flow in member.imports.iter().filter(|flow| flow.is_core()) {
        share_flow(flow, &mut between, &mut inside);
    }
    for flow in member.exports.iter().filter(|flow| flow.is_core()) {
        share_flow(flow, &mut inside, &mut between);
    }
    copies(plan, member, &mut inside, &mut between, problems);
    let within = implied::all_within(member).next().is_some();
    if within {
        health(&plan.name, &mut inside, &mut between);
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
        if !within {
            remote.health_account.clone_from(&uplink);
        }
    }
}

/// What `cim-health` says and hears, where a canary goes by a subject of its flow: then it speaks in the account whose clients
/// do, so that the canary takes their way.
fn health(leaf: &str, inside: &mut Account, between: &mut Account) {
    for says in [implied::ask(leaf, "*"), implied::report(leaf)] {
        share(Shared::Stream, &says, inside, between);
    }
    let hears = implied::answer(leaf, "*");
    share(Shared::Stream, &hears, between, inside);
}

fn accounts_of(plan: &Plan) -> OptionPath {
    plan.options.join("accounts")
}

/// Streams stay in the account whose clients use them; what copies of them need goes through the uplink as well.
fn copies(
    plan: &Plan,
    member: &Leaf,
    inside: &mut Account,
    between: &mut Account,
    problems: &mut Problems,
) {
    let to_hub = Copies::to_hub(&plan.name, member);
    let to_leaf = Copies::to_leaf(&plan.name, member);
    if let (Some(to_hub), Some(to_leaf)) = (&to_hub, &to_leaf)
        && let Some(both) = to_hub
            .paces
            .iter()
            .find(|pace| to_leaf.paces.contains(pace))
    {
        let stream = both.trim_start_matches("$JS.FC.").trim_end_matches(".>");
        problems.add(
            Rule::CopyRights,
            &OptionPath::new("services.cim.fleet.leaves").join(&plan.name).join("streams"),
            format!("{stream:?} crosses both ways, but the leaf has its links in an account of their own, which takes what belongs to a stream's name one way only"),
            "give the stream another name on the leaf or on the hub",
        );
        return;
    }
    if let Some(copies) = to_hub {
        // Their answers come back by themselves.
        for ask in &copies.asks {
            share(Shared::Service, &format!("$JS.API.{ask}"), inside, between);
        }
        share(Shared::Stream, &copies.delivered, inside, between);
        for pace in &copies.paces {
            share(Shared::Stream, pace, between, inside);
        }
    }
    if let Some(copies) = to_leaf {
        // No services: their answers would come on subjects that the hub gives to whomever asks it.
        let remotes = plan.link.iter().flat_map(|link| &link.remotes);
        let domains: BTreeSet<&str> = remotes.map(|remote| remote.hub_domain.as_str()).collect();
        for ask in domains.iter().flat_map(|domain| copies.asked_of(domain)) {
            share(Shared::Stream, &ask, inside, between);
        }
        for pace in &copies.paces {
            share(Shared::Stream, pace, inside, between);
        }
        for comes in [ANSWERS, &copies.delivered] {
            share(Shared::Stream, comes, between, inside);
        }
    }
}

/// One flow from an account to another, by its name there.
fn share_flow(flow: &Flow, from: &mut Account, to: &mut Account) {
    share(Shared::Stream, &flow.subject, from, to);
    if let Some(import) = to.imports.last_mut() {
        import.prefix.clone_from(&flow.prefix);
        import.to.clone_from(&flow.to);
    }
}

/// One subject from an account to another.
fn share(shared: Shared, subject: &str, from: &mut Account, to: &mut Account) {
    from.exports.push(Export {
        shared,
        subject: subject.to_owned(),
        accounts: Some(vec![to.name.clone()]),
        account_token_position: None,
        response_type: None,
        threshold: None,
        latency: None,
        allow_trace: None,
    });
    to.imports.push(Import {
        shared,
        from: Exported {
            account: from.name.clone(),
            subject: subject.to_owned(),
        },
        prefix: None,
        to: None,
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
