//! What durable flows must keep: each has a name, a hub and a size, and carries each message once, one way.

use std::collections::BTreeMap;

use super::{DurableFlow, made, of_leaf};
use crate::duration::Duration;
use crate::path::OptionPath;
use crate::plan::assets;
use crate::problem::{Problems, Rule, shown};
use crate::size;
use crate::spec::{Assets, Fleet, Flow, Leaf};
use crate::subject::{check as is_subject, covers_system, overlap};

/// Checks the durable flows of one leaf by themselves.
pub(crate) fn leaf(name: &str, member: &Leaf, problems: &mut Problems) {
    let mut seen: BTreeMap<String, OptionPath> = BTreeMap::new();
    for flow in of_leaf(name, member) {
        let at = flow.at();
        sized(&flow, &at, problems);
        let own = flow.name();
        if flow.durable.name.is_some() {
            assets::name(&own, false, &at.join("name"), problems);
        }
        if let Some(stream) = &flow.durable.stream {
            assets::name(stream, false, &at.join("stream"), problems);
        }
        if let Some(first) = seen.get(&own) {
            named_twice(&at, &own, &format!("so does {first}"), problems);
        } else {
            seen.insert(own, at);
        }
    }
    delivered_twice(name, member, problems);
    goes_back(name, member, problems);
}

/// Checks that each has a hub at its other end. For who knows all remotes of the leaf: a hub knows those that lead to it.
pub(crate) fn ends(name: &str, member: &Leaf, problems: &mut Problems) {
    for flow in of_leaf(name, member) {
        has_hub(&flow, &flow.at(), problems);
    }
}

fn named_twice(at: &OptionPath, name: &str, why: &str, problems: &mut Problems) {
    problems.add(
        Rule::DurableName,
        at,
        format!("makes the stream {name:?}, and {why}"),
        format!(
            "give it another: {} = \"{name}_FLOW\", for example",
            at.join("name")
        ),
    );
}

/// What says how much is stored can be read, and is something.
fn sized(flow: &DurableFlow<'_>, at: &OptionPath, problems: &mut Problems) {
    let durable = flow.durable;
    let mut nothing = Vec::new();
    let ages = [
        ("longestPartition", Some(&durable.longest_partition)),
        ("maxAge", durable.max_age.as_ref()),
    ];
    for (option, text) in ages {
        let Some(text) = text else { continue };
        let at = at.join(option);
        let read = problems.parsed(Rule::Duration, &at, text, Duration::parse(text));
        if read.is_some_and(|read| read.as_millis() == 0) {
            nothing.push((at, text, "24h"));
        }
    }
    let sizes = [
        ("rate", Some(&durable.rate)),
        ("maxBytes", durable.max_bytes.as_ref()),
    ];
    for (option, text) in sizes {
        let Some(text) = text else { continue };
        let at = at.join(option);
        if problems.parsed(Rule::Size, &at, text, size::parse(text)) == Some(0) {
            nothing.push((at, text, "64KiB"));
        }
    }
    for (at, text, example) in nothing {
        problems.add(
            Rule::AssetLimit,
            &at,
            format!("{} leaves no room for a message", shown(text)),
            format!("write what may come, for example {example:?}"),
        );
    }
}

/// The hub at the other end is one that the leaf dials.
fn has_hub(flow: &DurableFlow<'_>, at: &OptionPath, problems: &mut Problems) {
    let dialled: Vec<&str> = {
        let remotes = flow.member.remotes.values();
        remotes.map(|remote| remote.hub.as_str()).collect()
    };
    let what = match flow.hub() {
        Some(hub) if dialled.contains(&hub) => return,
        Some(hub) => format!("{} is no hub that leaf {:?} dials", shown(hub), flow.leaf),
        None => format!(
            "is null, but leaf {:?} dials {} hubs: which of them is at the other end?",
            flow.leaf,
            dialled.len()
        ),
    };
    let help = match dialled.as_slice() {
        [] => "give the leaf a remote, or leave durable out".to_owned(),
        dialled => format!("name one of {}", dialled.join(", ")),
    };
    problems.add(Rule::AssetHub, &at.join("hub"), what, help);
}

/// Whether other rules have said enough of a flow's names.
fn is_refused(flow: &Flow) -> bool {
    let names = [flow.subject.clone(), flow.arrives_as()];
    let mut names = names.iter();
    names.any(|name| is_subject(name).is_err() || covers_system(name))
}

/// What one durable flow carries no other flow of its direction does, unless it arrives under another name.
fn delivered_twice(name: &str, member: &Leaf, problems: &mut Problems) {
    for flow in of_leaf(name, member).filter(|flow| !is_refused(flow.flow)) {
        let flows = match flow.exported {
            true => &member.exports,
            false => &member.imports,
        };
        let others = flows.iter().enumerate().filter(|(index, other)| {
            *index != flow.index && !is_refused(other) && (other.is_core() || *index < flow.index)
        });
        let twice = others.map(|(_, other)| other).find(|other| {
            overlap(&other.subject, &flow.flow.subject)
                && (!other.is_core() || overlap(&other.arrives_as(), &flow.flow.arrives_as()))
        });
        let Some(other) = twice else { continue };
        let why = match other.is_core() {
            true => "each such message would cross at once and by its stream",
            false => "nats-server stores a message in one stream of an account",
        };
        problems.add(
            Rule::DeliveredTwice,
            &flow.at(),
            format!(
                "{:?} and the flow {:?} have subjects in common: {why}",
                flow.flow.subject, other.subject
            ),
            "keep the wider one, or give one of them subjects of its own",
        );
    }
}

/// What comes by one flow does not go back by another: a stream would take it for something new.
fn goes_back(name: &str, member: &Leaf, problems: &mut Problems) {
    let refuse = |at: &OptionPath, comes: &str, goes: &str, problems: &mut Problems| {
        problems.add(
            Rule::FlowBack,
            at,
            format!("{comes:?} comes by one flow, and goes back by that of {goes:?}"),
            "give one of them subjects of its own, or a prefix where it arrives",
        );
    };
    for flow in of_leaf(name, member).filter(|flow| !is_refused(flow.flow)) {
        let others = match flow.exported {
            true => &member.imports,
            false => &member.exports,
        };
        for other in others.iter().filter(|other| !is_refused(other)) {
            let arrives = other.arrives_as();
            // A durable import is published nowhere on the leaf: no export hears it.
            let heard = other.is_core() || !flow.exported;
            if heard && overlap(&arrives, &flow.flow.subject) {
                refuse(&flow.at(), &arrives, &flow.flow.subject, problems);
            }
        }
    }
}

/// What a leaf declares has other names than what its durable flows make.
pub(crate) fn apart_on_leaf(
    name: &str,
    member: &Leaf,
    declared: &BTreeMap<String, Assets>,
    problems: &mut Problems,
) {
    let Some(held) = declared.get(&member.local_account) else {
        return;
    };
    let accounts = OptionPath::new("services.cim.leaves")
        .join(name)
        .join("accounts");
    let streams = accounts.join(&member.local_account).join("streams");
    for flow in of_leaf(name, member) {
        let own = flow.name();
        if held.streams.contains_key(&own) {
            let theirs = streams.join(&own);
            named_twice(&flow.at(), &own, &format!("{theirs} declares it"), problems);
        }
    }
}

/// Checks what leaves' durable flows have to do with each other, and with what is declared on their hubs.
pub(crate) fn hubs(fleet: &Fleet, problems: &mut Problems) {
    for hub in fleet.hubs.keys() {
        let declared = crate::fleet::declared_for(fleet, hub);
        let mut makers: BTreeMap<(&str, String), Vec<DurableFlow<'_>>> = BTreeMap::new();
        for flow in made::of_hub(fleet, hub) {
            let account = &flow.member.account;
            let streams = declared.get(account).map(|held| &held.streams);
            let held = |name: &str| streams.is_some_and(|streams| streams.contains_key(name));
            let at = OptionPath::new("services.cim.fleet.accounts").join(account);
            match &flow.durable.stream {
                Some(stream) if flow.exported && !held(stream) => problems.add(
                    Rule::CopyTarget,
                    &flow.at().join("stream"),
                    format!("{stream:?} is no stream of account {account:?} on hub {hub:?}"),
                    format!(
                        "declare {}, or leave it out: one is made",
                        at.join("streams").join(stream)
                    ),
                ),
                Some(_) => {}
                None => {
                    let name = flow.name();
                    if held(&name) {
                        let theirs = at.join("streams").join(&name);
                        let why = format!("{theirs} declares it: stream = {name:?} uses that one");
                        named_twice(&flow.at(), &name, &why, problems);
                    }
                    let makers = makers.entry((account, name)).or_default();
                    if let Some(first) = makers.iter().find(|first| !fits(first, &flow)) {
                        let why = format!("so does {}, for {:?}", first.at(), first.flow.subject);
                        named_twice(&flow.at(), &flow.name(), &why, problems);
                    }
                    makers.push(flow);
                }
            }
        }
    }
}

/// Whether one stream of a hub can be for both.
fn fits(one: &DurableFlow<'_>, other: &DurableFlow<'_>) -> bool {
    let (here, there) = (&one.flow.subject, &other.flow.subject);
    let named = one.durable.name.is_some() && other.durable.name.is_some();
    match (one.exported, other.exported) {
        (true, true) => here == there || named,
        (false, false) => here == there,
        // What one leaf sends, another gets.
        (true, false) => overlap(&one.flow.arrives_as(), there),
        (false, true) => overlap(here, &other.flow.arrives_as()),
    }
}
