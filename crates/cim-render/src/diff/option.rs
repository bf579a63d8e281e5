//! From a place in a spec to the option that an operator set.

use cim_spec::OptionPath;
use cim_spec::settings::Role;

/// Blocks whose names the operator chose: what is called `fields` in one of these is a name like any other.
const NAMED: [&str; 8] = [
    "accounts", "users", "mappings", "hubs", "nodes", "leaves", "remotes", "gateways",
];

/// The options of an instance.
pub fn root(role: Role, name: &str) -> OptionPath {
    match role {
        Role::Hub => OptionPath::new("services.cim.hub"),
        Role::Leaf => OptionPath::new("services.cim.leaves").join(name),
    }
}

/// The option behind a place in the spec of an instance.
pub fn path(role: Role, name: &str, place: &[String]) -> String {
    let own = root(role, name);
    let words: Vec<&str> = place.iter().map(String::as_str).collect();
    let path = match words.as_slice() {
        ["natsServerVersion"] => own.descend("package.version"),
        ["fleet", "leaf", rest @ ..] if role == Role::Leaf => {
            descend(fleet().join("leaves").join(name), rest)
        }
        ["fleet", rest @ ..] => return of_fleet_words(rest),
        [first, "server", rest @ ..] if *first == role.name() => descend(own, rest),
        [first, rest @ ..] if *first == role.name() => descend(own, rest),
        rest => descend(own, rest),
    };
    path.as_str().to_owned()
}

/// The option behind a place in the whole fleet.
pub fn of_fleet(place: &[String]) -> String {
    let words: Vec<&str> = place.iter().map(String::as_str).collect();
    of_fleet_words(&words)
}

fn of_fleet_words(words: &[&str]) -> String {
    let path = match words {
        // A slice of the other hubs: their nodes, by hub.
        ["gateways", hub, rest @ ..] => {
            let nodes = fleet().join("hubs").join(hub).join("nodes");
            match rest {
                [] => nodes,
                [node, rest @ ..] => descend(nodes.join(node), rest),
            }
        }
        rest => descend(fleet(), rest),
    };
    path.as_str().to_owned()
}

fn fleet() -> OptionPath {
    OptionPath::new("services.cim.fleet")
}

/// Down a place, in which `fields` is no option: what is in it stands beside the others, by a path of its own.
fn descend(mut at: OptionPath, place: &[&str]) -> OptionPath {
    let mut words = place.iter();
    while let Some(word) = words.next() {
        if *word == "fields" {
            if let Some(option) = words.next() {
                at = at.descend(option);
            }
            // What is left is a name in the option's own block.
            return words.fold(at, |at, name| at.join(name));
        }
        at = match word.parse() {
            Ok(index) => at.index(index),
            Err(_) => at.join(word),
        };
        if *word == "settings" {
            return words.fold(at, |at, name| at.join(name));
        }
        if NAMED.contains(word)
            && let Some(name) = words.next()
        {
            at = at.join(name);
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_as_options() {
        let told = |role, place: &[&str]| {
            let place: Vec<String> = place.iter().map(|word| (*word).to_owned()).collect();
            path(role, "plant-a", &place)
        };
        for (place, option) in [
            (
                &["hub", "server", "limits", "maxPayload"][..],
                "services.cim.hub.limits.maxPayload",
            ),
            (
                &["hub", "cluster", "fields", "permissions.import.allow"],
                "services.cim.hub.cluster.permissions.import.allow",
            ),
            (
                &["hub", "server", "settings", "fields", "a b"],
                "services.cim.hub.settings.fields.\"a b\"",
            ),
            (
                &[
                    "fleet",
                    "accounts",
                    "fields",
                    "users",
                    "accounts",
                    "fields",
                    "proxyRequired",
                ],
                "services.cim.fleet.accounts.fields.users.accounts.proxyRequired",
            ),
            (
                &["fleet", "gateways", "b", "b-1", "address"],
                "services.cim.fleet.hubs.b.nodes.b-1.address",
            ),
            (&["natsServerVersion"], "services.cim.hub.package.version"),
            (
                &["fleet", "leaves", "x", "imports"],
                "services.cim.fleet.leaves.x.imports",
            ),
            (
                &["fleet", "leaves", "7", "exports", "1", "durable", "rate"],
                "services.cim.fleet.leaves.\"7\".exports[1].durable.rate",
            ),
        ] {
            assert_eq!(told(Role::Hub, place), option);
        }
        for (place, option) in [
            (
                &["fleet", "leaf", "imports"][..],
                "services.cim.fleet.leaves.plant-a.imports",
            ),
            (
                &["leaf", "server", "host"],
                "services.cim.leaves.plant-a.host",
            ),
            (&["leaf", "node"], "services.cim.leaves.plant-a.node"),
            (
                &["leaf", "remotes", "hub", "fields", "disabled"],
                "services.cim.leaves.plant-a.remotes.hub.disabled",
            ),
        ] {
            assert_eq!(told(Role::Leaf, place), option);
        }
    }
}
