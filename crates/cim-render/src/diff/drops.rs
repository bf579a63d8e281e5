//! Who is without a server while it takes a change over.

use cim_spec::settings::Role;
use serde_json::Value;

use super::{Fate, Instance};

/// How many leaves are named in a sentence.
const NAMED: usize = 6;

/// What is cut off, and comes back.
#[derive(Debug, Default)]
pub struct Drops {
    /// The leaves whose links end.
    pub leaves: Vec<String>,
    /// All of it, as a sentence.
    pub said: Option<String>,
}

/// What an instance's fate does to those who are connected to it.
pub fn of(fate: Fate, old: &Instance, new: &Instance) -> Drops {
    match (fate, new.role) {
        (Fate::Nothing | Fate::Start, _) => Drops::default(),
        (Fate::Reload, _) => Drops {
            leaves: Vec::new(),
            said: reloaded(old, new),
        },
        (Fate::Restart | Fate::Stop, Role::Hub) => hub(fate, old, new),
        (Fate::Restart | Fate::Stop, Role::Leaf) => leaf(fate, old, new),
    }
}

fn hub(fate: Fate, old: &Instance, new: &Instance) -> Drops {
    let leaves = old.names("/fleet/leaves");
    let who = match leaves.as_slice() {
        [] => "its clients".to_owned(),
        leaves => format!("its clients and leaves ({})", some(leaves)),
    };
    Drops {
        said: Some(moved(fate, &who, &others(new))),
        leaves,
    }
}

fn leaf(fate: Fate, old: &Instance, new: &Instance) -> Drops {
    let nodes = new.names("/fleet/leaf/nodes");
    let others: Vec<String> = nodes
        .into_iter()
        .filter(|node| *node != new.server_name)
        .collect();
    let links = old.names("/fleet/leaf/remotes");
    let said = if others.is_empty() {
        let link = if links.is_empty() {
            ""
        } else {
            " and its link"
        };
        moved(fate, &format!("its clients{link}"), &[])
    } else {
        moved(fate, "its clients", &others)
    };
    Drops {
        leaves: vec![new.name.clone()],
        said: Some(said),
    }
}

fn moved(fate: Fate, who: &str, others: &[String]) -> String {
    match (fate, others) {
        (Fate::Stop, []) => format!("{who} are cut off for good"),
        (_, []) => format!("{who} are cut off until it is back"),
        (Fate::Stop, others) => format!("{who} move to {}", either(others)),
        (_, others) => format!("{who} move to {} meanwhile", either(others)),
    }
}

/// The other nodes of a node's hub.
fn others(instance: &Instance) -> Vec<String> {
    let hubs = instance.body.pointer("/fleet/hubs");
    let hubs = hubs.and_then(Value::as_object).into_iter().flatten();
    let nodes = hubs.filter_map(|(_, hub)| hub.get("nodes")?.as_object());
    let names = nodes.flat_map(|nodes| nodes.keys());
    names
        .filter(|node| **node != instance.server_name)
        .cloned()
        .collect()
}

/// Names, as many as a line takes; `--json` has them all.
fn some(names: &[String]) -> String {
    match names.split_at_checked(NAMED) {
        Some((first, rest)) if !rest.is_empty() => {
            format!("{} and {} more", first.join(", "), rest.len())
        }
        _ => names.join(", "),
    }
}

fn either(names: &[String]) -> String {
    names.join(" or ")
}

/// Whom a reload cuts off, as far as specs tell: clients whose user is another, and those that a callout let in,
/// whom nats-server drops on every reload.
fn reloaded(old: &Instance, new: &Instance) -> Option<String> {
    let place = match new.role {
        Role::Hub => ("/fleet/accounts", "/fleet/authCallout"),
        Role::Leaf => ("/leaf/accounts", "/leaf/authCallout"),
    };
    let mut who = Vec::new();
    let gone = gone(old, new, place.0);
    if !gone.is_empty() {
        who.push(format!("the clients of {}", some(&gone)));
    }
    if new
        .body
        .pointer(place.1)
        .is_some_and(|value| !value.is_null())
    {
        who.push("the clients that the auth callout let in".to_owned());
    }
    (!who.is_empty()).then(|| format!("{} are cut off", who.join(" and ")))
}

/// Users, with their account, that are no more or are known by something else.
fn gone(old: &Instance, new: &Instance, accounts: &str) -> Vec<String> {
    let mut gone = Vec::new();
    for account in old.names(accounts) {
        let users = format!("{accounts}/{}/users", escaped(&account));
        for user in old.names(&users) {
            let proof = |instance: &Instance, key: &str| {
                let user = format!("{users}/{}/{key}", escaped(&user));
                instance.body.pointer(&user).cloned()
            };
            if ["nkey", "passwordHash"]
                .iter()
                .any(|key| proof(old, key) != proof(new, key))
            {
                gone.push(format!("{account}.{user}"));
            }
        }
    }
    gone
}

/// A name as a part of a JSON pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_cut() {
        let names: Vec<String> = (1..=8).map(|n| format!("l{n}")).collect();
        assert_eq!(some(&names), "l1, l2, l3, l4, l5, l6 and 2 more");
        assert_eq!(some(&names[..6]), "l1, l2, l3, l4, l5, l6");
    }
}
