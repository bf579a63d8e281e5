//! Lints of what the fleet says, and what no single host could.

use super::{Lint, Lints, id};
use crate::path::OptionPath;
use crate::spec::{Fleet, Flow};

/// Levels of a subject, by the fleet's naming.
const LEVELS: usize = 5;

/// The lints of a whole fleet, with what it acknowledges.
pub fn of_fleet(fleet: &Fleet) -> Vec<Lint> {
    let root = OptionPath::new("services.cim.fleet");
    let mut lints = Lints::new(root.join("acknowledged"), &fleet.acknowledged);
    for (name, hub) in &fleet.hubs {
        if hub.leafnodes.plaintext {
            lints.add(
                id::PLAINTEXT,
                &root.join("hubs").join(name).join("leafnodes").join("plaintext"),
                "true: whoever is on the path between a leaf and the hub reads and changes messages",
                "set tls on both ends, and write false",
            );
        }
    }
    for (name, account) in &fleet.accounts {
        let at = root.join("accounts").join(name).join("users");
        for (user, _) in account
            .users
            .iter()
            .filter(|(_, user)| user.password_hash.is_some())
        {
            lints.add(
                id::PASSWORD,
                &at.join(user).join("passwordHash"),
                "is set: a password crosses the wire at each login, an nkey never does",
                "write nkey, the public key of a seed that `nk -gen user` prints",
            );
        }
    }
    for (name, leaf) in &fleet.leaves {
        let at = root.join("leaves").join(name);
        names(&leaf.imports, &at.join("imports"), &mut lints);
        names(&leaf.exports, &at.join("exports"), &mut lints);
    }
    lints.settle()
}

fn names(flows: &[Flow], at: &OptionPath, lints: &mut Lints<'_>) {
    for flow in flows {
        let tokens: Vec<&str> = flow.subject.split('.').collect();
        let odd = tokens.iter().find(|token| !is_snake_case(token));
        let what = match odd {
            Some(token) => format!("{:?} has {token:?}, which is not snake_case", flow.subject),
            None if tokens.len() > LEVELS => {
                format!("{:?} has {} levels", flow.subject, tokens.len())
            }
            None => continue,
        };
        lints.add(
            id::SUBJECT_NAMES,
            &at.join(&flow.subject), // by what it is: a place in a list moves
            format!("{what}: other leaves name theirs otherwise"),
            "write at most 5 levels of small letters, digits and underscores, for example \"domain.graph.node_added\"",
        );
    }
}

/// Wildcards, and small letters, digits and underscores.
fn is_snake_case(token: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    matches!(token, "*" | ">") || token.chars().all(plain)
}
