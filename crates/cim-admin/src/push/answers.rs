//! What the nodes of a hub answer to questions about themselves.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::Server;

/// What one node says, in whichever field nats-server puts that.
#[derive(Deserialize)]
pub(super) struct Told<T> {
    pub server: Server,
    #[serde(alias = "statsz")]
    pub data: T,
}

/// What each node says, by its name: answers come in any order, and what is said of them never does.
pub(super) type ByNode<T> = BTreeMap<String, Told<T>>;

/// To `$SYS.REQ.SERVER.PING`.
#[derive(Deserialize)]
pub(super) struct Statsz {
    /// Servers that this one knows of, itself included; one that has just come is counted a moment later.
    #[serde(default)]
    active_servers: usize,
    /// Its routes.
    #[serde(default)]
    routes: Vec<Route>,
}

#[derive(Deserialize)]
struct Route {
    /// The server at the other end.
    #[serde(default)]
    name: String,
}

/// To `$SYS.REQ.SERVER.PING.VARZ`.
#[derive(Deserialize)]
pub(super) struct Varz {
    #[serde(default)]
    pub trusted_operators_jwt: Vec<String>,
}

/// How many servers those know of that answer: by what they count, and by who is at the other end of their routes.
pub(super) fn known(told: &ByNode<Statsz>) -> usize {
    let active = told.values().map(|told| told.data.active_servers);
    let routes = told.values().flat_map(|told| &told.data.routes);
    let routes = routes.map(|route| route.name.as_str());
    let names: BTreeSet<&str> = told
        .keys()
        .map(String::as_str)
        .chain(routes.filter(|name| !name.is_empty()))
        .collect();
    active.max().unwrap_or_default().max(names.len())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Seen on a busy machine: two of three answered, counted each other, and had routes to the third.
    #[test]
    fn who_has_a_route_is_known_before_it_is_counted() {
        let pong = |name: &str, routes: &[&str]| -> (String, Told<Statsz>) {
            let routes: Vec<_> = routes.iter().map(|name| json!({ "name": name })).collect();
            let server = json!({ "name": name, "id": name });
            let statsz = json!({ "active_servers": 2, "routes": routes });
            let told = json!({ "server": server, "statsz": statsz });
            (name.to_owned(), serde_json::from_value(told).unwrap())
        };
        let one = pong("hub-1", &["hub-3", "hub-3", "hub-2"]);
        assert_eq!(known(&[one, pong("hub-3", &["hub-1"])].into()), 3);
        assert_eq!(known(&[pong("hub-1", &[])].into()), 2);
    }
}
