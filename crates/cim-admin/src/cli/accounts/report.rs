//! What differs, in lines and as JSON.

use serde_json::{Value, json};

use super::survey::Survey;
use crate::push::{Change, Differing, Pushed, Verdict};

/// How many accounts of one kind are listed by name.
const LISTED: usize = 50;

/// For people.
pub fn lines(survey: &Survey<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    let mut new = Vec::new();
    let total = survey.nodes.len();
    for (account, verdict) in &survey.verdicts {
        let name = account.name.as_str();
        match verdict {
            Verdict::Same => {}
            Verdict::New => new.push(name),
            Verdict::Differs(differing) => lines.extend(differs(name, differing, total)),
        }
    }
    lines.extend(
        new.iter()
            .take(LISTED)
            .map(|name| format!("{name}: no node has it")),
    );
    if new.len() > LISTED {
        lines.push(format!(
            "… and {} more that no node has",
            new.len() - LISTED
        ));
    }
    for stranger in survey.strangers.iter().take(LISTED) {
        let name = match stranger.name.as_str() {
            "" => "an account",
            name => name,
        };
        lines.push(format!(
            "{name} ({}) is on the hub and not in the folder; `accounts delete` removes it",
            stranger.key
        ));
    }
    if survey.strangers.len() > LISTED {
        let more = survey.strangers.len() - LISTED;
        lines.push(format!("… and {more} more that are not in the folder"));
    }
    let same = survey.verdicts.iter();
    let same = same.filter(|(_, verdict)| matches!(verdict, Verdict::Same));
    let nodes: Vec<&str> = survey.nodes.iter().map(|node| node.name.as_str()).collect();
    lines.push(format!(
        "{} of {} accounts are as committed on {}",
        same.count(),
        survey.verdicts.len(),
        nodes.join(", ")
    ));
    lines
}

/// What the hub has of an account that is not what is committed.
fn differs(name: &str, differing: &Differing, total: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let (nodes, silent) = (differing.nodes, differing.silent);
    if nodes > 0 {
        let later = differing.newer.map_or("another", |_| "a LATER one");
        lines.push(format!("{name}: {nodes} of {total} nodes have {later}"));
    }
    if silent > 0 {
        lines.push(format!(
            "{name}: {silent} of {total} nodes do not say what they have"
        ));
    }
    if nodes > 0 && differing.theirs.is_none() {
        lines.push("  what is there cannot be read".to_owned());
    }
    let changes = differing.changes.iter();
    lines.extend(changes.map(|change| format!("  {}", line(change))));
    lines
}

fn line(change: &Change) -> String {
    if change.who.is_empty() {
        return change.what.clone();
    }
    format!("{}: {}", change.what, change.who.join(", "))
}

/// What a push takes from someone.
pub fn losses(survey: &Survey<'_>) -> Vec<String> {
    let mut losses = Vec::new();
    for (account, verdict) in &survey.verdicts {
        if let Verdict::Differs(differing) = verdict {
            let cutting = differing.changes.iter().filter(|change| change.cuts);
            losses.extend(cutting.map(|change| format!("{}: {}", account.name, line(change))));
        }
    }
    losses
}

/// For programs.
pub fn json(survey: &Survey<'_>) -> Value {
    let accounts = survey.verdicts.iter().map(|(account, verdict)| {
        let mut json = json!({ "account": account.name, "key": account.key() });
        match verdict {
            Verdict::Same => json["state"] = "same".into(),
            Verdict::New => json["state"] = "new".into(),
            Verdict::Differs(differing) => {
                json["state"] = "differs".into();
                json["nodes"] = differing.nodes.into();
                json["silent"] = differing.silent.into();
                json["laterAt"] = differing.newer.into();
                json["changes"] = json!(differing.changes);
            }
        }
        json
    });
    let strangers = survey.strangers.iter();
    json!({
        "nodes": survey.nodes.iter().map(|node| &node.name).collect::<Vec<_>>(),
        "accounts": accounts.collect::<Vec<_>>(),
        "notInFolder": strangers
            .map(|stranger| json!({ "account": stranger.name, "key": stranger.key }))
            .collect::<Vec<_>>(),
    })
}

/// What became of a push, for people.
pub fn of_pushed(pushed: &[Pushed], nodes: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut whole = 0;
    for account in pushed {
        if account.missed.is_empty() {
            whole += 1;
        }
        for (node, said) in &account.missed {
            lines.push(match said {
                Some(said) => format!("{}: {node} refuses it: {said}", account.account),
                None => format!(
                    "{}: {node} did not say that it took it: push again when it is back",
                    account.account
                ),
            });
        }
    }
    lines.push(format!(
        "pushed {whole} of {} accounts to all of {nodes} nodes",
        pushed.len()
    ));
    lines
}

/// The same for programs.
pub fn pushed(pushed: &[Pushed]) -> Value {
    let each = pushed.iter().map(|account| {
        let missed = account.missed.iter();
        json!({
            "account": account.account,
            "took": account.took,
            "missed": missed.map(|(node, said)| json!({ "node": node, "said": said })).collect::<Vec<_>>(),
        })
    });
    each.collect()
}
