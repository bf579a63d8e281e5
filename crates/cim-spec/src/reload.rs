//! Which change of a spec nats-server takes over on reload, and which needs a restart.
//!
//! The tables are those of modules/triggers.nix: `reload.json`, and `hot` in the rows of `fields/*.json`; what
//! stands in the unit, systemd gives to a process only when it starts it. `cargo xtask test --only triggers`
//! holds both against each other. Paths are those of the spec, without the word `hub` or `leaf` that all are under.

use crate::field::{Block, Connection};
use crate::settings::Role;
use crate::version::Version;

include!(concat!(env!("OUT_DIR"), "/reload.rs"));

/// What a change needs before it holds; the later ones outweigh the earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Consequence {
    /// The server neither knows nor cares.
    Nothing,
    /// The server takes it over while it runs.
    Reload,
    /// The server is stopped and started.
    Restart,
}

/// A hot field: its path in the spec, `*` for any one name, and the first nats-server on which it is.
#[derive(Debug)]
struct Row {
    path: &'static [&'static str],
    since: Version,
}

/// Where the spec holds the fields that pass straight through, by block.
type Places = [(&'static [&'static str], Block)];

/// On hubs and leaves, under the instance's own word.
const BOTH: &Places = &[
    (&["server", "fields"], Block::Server),
    (&["server", "tls", "fields"], Block::Tls(Connection::Client)),
    (&["server", "websocket", "fields"], Block::Websocket),
    (
        &["server", "websocket", "tls", "fields"],
        Block::Tls(Connection::Websocket),
    ),
    (&["server", "mqtt", "fields"], Block::Mqtt),
    (
        &["server", "mqtt", "tls", "fields"],
        Block::Tls(Connection::Mqtt),
    ),
    (&["cluster", "fields"], Block::Cluster),
    (
        &["cluster", "tls", "fields"],
        Block::Tls(Connection::Cluster),
    ),
];

const ON_HUBS: &Places = &[
    (&["leafnodes", "fields"], Block::Leafnodes),
    (
        &["leafnodes", "tls", "fields"],
        Block::Tls(Connection::Leafnodes),
    ),
    (&["gateway", "fields"], Block::Gateway),
    (
        &["gateway", "tls", "fields"],
        Block::Tls(Connection::Gateway),
    ),
];

const ON_LEAVES: &Places = &[
    (&["leafnodes", "fields"], Block::Link),
    (&["remotes", "*", "fields"], Block::Remote),
    (
        &["remotes", "*", "tls", "fields"],
        Block::Tls(Connection::Remote),
    ),
];

/// Options of a durable flow that say how much of it is stored: its streams' business.
pub const SIZES_OF_FLOWS: &[&str] = &["longestPartition", "rate", "maxAge", "maxBytes"];

/// One difference between two specs of an instance.
#[derive(Debug, Clone, Copy)]
pub struct Difference<'a> {
    /// Where, from below `hub` or `leaf`; a list is one value.
    pub path: &'a [&'a str],
    /// Whether hubs know accounts by their JWTs: a leaf's rights then stand in no nats.conf.
    pub has_operator: bool,
}

impl Difference<'_> {
    /// What it needs, where nats-server is of this version.
    pub fn consequence(self, role: Role, version: Version) -> Consequence {
        if self.is_silent(role) {
            Consequence::Nothing
        } else if self.is_hot(role, version) && !self.is_in_unit(role) {
            Consequence::Reload
        } else {
            Consequence::Restart
        }
    }

    /// Whether nats-server takes it over on reload: it, or what it is part of, stands in a table.
    pub fn is_hot(self, role: Role, version: Version) -> bool {
        let more = match role {
            Role::Hub if self.has_operator => HUB_IN_OPERATOR_MODE,
            _ => &[],
        };
        let mut rows = rows(role).iter().chain(more);
        rows.any(|row| version >= row.since && below(row.path, self.path).is_some())
            || self.is_hot_field(role, version)
    }

    fn is_hot_field(self, role: Role, version: Version) -> bool {
        let Some((first, path)) = self.path.split_first() else {
            return false;
        };
        let of_role = match role {
            Role::Hub => ON_HUBS,
            Role::Leaf => ON_LEAVES,
        };
        let mut places = BOTH.iter().chain(of_role);
        *first == role.name()
            && places.any(|(place, block)| {
                below(place, path)
                    .and_then(<[&str]>::first)
                    .is_some_and(|option| is_hot_option(*block, option, role, version))
            })
    }

    /// Whether it shows in no nats.conf: what an operator acknowledged is said in the build alone, when somebody is called is
    /// cim-health's business, backups have a unit of their own, and assets are made by cim-provision, as are the streams of
    /// durable flows.
    pub fn is_silent(self, role: Role) -> bool {
        match self.path {
            ["fleet", "acknowledged", ..] => true,
            [own, "server", "acknowledged" | "health" | "backup", ..] => *own == role.name(),
            [
                "fleet",
                "leaves",
                _,
                "imports" | "exports",
                _,
                "durable",
                size,
            ] => role == Role::Hub && SIZES_OF_FLOWS.contains(size),
            ["fleet", "leaf", "imports" | "exports", _, "durable", size] => {
                role == Role::Leaf && SIZES_OF_FLOWS.contains(size)
            }
            // Made over JetStream's API, while the server runs.
            ["fleet", "assets", ..] => role == Role::Hub,
            ["leaf", "assets", ..] => role == Role::Leaf,
            _ => false,
        }
    }

    /// Whether modules/unit.nix makes another unit of it: the file limit follows connections.
    fn is_in_unit(self, role: Role) -> bool {
        match self.path {
            [own, "server", "limits", "maxConnections"] => *own == role.name(),
            _ => false,
        }
    }
}

fn rows(role: Role) -> &'static [Row] {
    match role {
        Role::Hub => HUB,
        Role::Leaf => LEAF,
    }
}

fn is_hot_option(block: Block, option: &str, role: Role, version: Version) -> bool {
    let of_role = |roles: &[&str]| roles.is_empty() || roles.contains(&role.name());
    block.fields().any(|field| {
        field.option == option
            && of_role(field.roles)
            && field.hot.is_some_and(|since| version >= since)
    })
}

/// What is left of `path` below `pattern`; `None`: it goes another way, or not so far.
fn below<'a, 'p>(pattern: &[&str], path: &'a [&'p str]) -> Option<&'a [&'p str]> {
    let agrees = pattern.len() <= path.len()
        && pattern
            .iter()
            .zip(path)
            .all(|(name, found)| *name == "*" || name == found);
    agrees.then(|| &path[pattern.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(role: Role, path: &[&str], version: Version) -> Consequence {
        let difference = Difference {
            path,
            has_operator: false,
        };
        difference.consequence(role, version)
    }

    #[test]
    fn what_stands_below_a_hot_path_is_hot() {
        let now = Version(2, 15, 1);
        let hub = |path: &[&str]| of(Role::Hub, path, now);
        assert_eq!(hub(&["fleet", "accounts", "CIM"]), Consequence::Reload);
        assert_eq!(hub(&["fleet"]), Consequence::Restart);
        assert_eq!(
            hub(&["hub", "server", "tls", "certFile"]),
            Consequence::Reload
        );
        assert_eq!(hub(&["hub", "server", "tls"]), Consequence::Restart);
        assert_eq!(
            of(
                Role::Leaf,
                &["leaf", "remotes", "x", "compression"],
                Version(2, 11, 0)
            ),
            Consequence::Restart
        );
    }

    #[test]
    fn fields_are_hot_where_their_rows_say_so() {
        let window = &[
            "hub",
            "server",
            "fields",
            "jetstream.limits.duplicateWindow",
        ];
        assert_eq!(
            of(Role::Hub, window, Version(2, 15, 0)),
            Consequence::Reload
        );
        assert_eq!(
            of(Role::Hub, window, Version(2, 14, 6)),
            Consequence::Restart
        );
        // Pinned certificates are taken over for clients, and on leaf links they are not.
        let pinned = |place: &[&str]| {
            of(
                Role::Hub,
                &[place, &["fields", "pinnedCerts"]].concat(),
                Version(2, 15, 1),
            )
        };
        assert_eq!(pinned(&["hub", "server", "tls"]), Consequence::Reload);
        assert_eq!(pinned(&["hub", "leafnodes", "tls"]), Consequence::Restart);
    }

    #[test]
    fn what_is_in_the_unit_needs_a_restart() {
        let now = Version(2, 15, 1);
        let connections = &["leaf", "server", "limits", "maxConnections"];
        assert_eq!(of(Role::Leaf, connections, now), Consequence::Restart);
        let seed = &["leaf", "nkeySeedFile"];
        assert_eq!(of(Role::Leaf, seed, now), Consequence::Reload);
    }

    #[test]
    fn in_operator_mode_a_leaf_s_flows_stand_in_its_account_s_jwt() {
        let flow = |role, has_operator| {
            let path = &["fleet", "leaves", "plant-a", "exports"];
            let difference = Difference { path, has_operator };
            difference.consequence(role, Version(2, 15, 1))
        };
        assert_eq!(flow(Role::Hub, true), Consequence::Reload);
        assert_eq!(flow(Role::Hub, false), Consequence::Restart);
        assert_eq!(flow(Role::Leaf, true), Consequence::Restart);
    }
}
