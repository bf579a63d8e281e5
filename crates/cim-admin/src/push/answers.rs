//! What the nodes of a hub answer to questions about themselves.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::Server;

/// To `$SYS.REQ.SERVER.PING`.
#[derive(Deserialize)]
pub(super) struct Pong {
    pub server: Server,
    pub statsz: Statsz,
}

#[derive(Deserialize)]
pub(super) struct Statsz {
    /// Servers that this one knows of, itself included; one that has just come is counted a moment later.
    #[serde(default)]
    pub active_servers: usize,
    /// Its routes.
    #[serde(default)]
    pub routes: Vec<Route>,
}

#[derive(Deserialize)]
pub(super) struct Route {
    /// The server at the other end.
    #[serde(default)]
    pub name: String,
}

/// To `$SYS.REQ.CLAIMS.LIST`.
#[derive(Deserialize)]
pub(super) struct Listed {
    pub server: Server,
    pub data: Vec<String>,
}

/// To `$SYS.REQ.SERVER.PING.VARZ`.
#[derive(Deserialize)]
pub(super) struct About {
    pub server: Server,
    pub data: Option<Varz>,
}

#[derive(Deserialize)]
pub(super) struct Varz {
    #[serde(default)]
    pub trusted_operators_jwt: Vec<String>,
}

/// What a node says of itself.
pub(super) trait Answer: for<'a> Deserialize<'a> {
    fn server(&self) -> &Server;
}

impl Answer for Pong {
    fn server(&self) -> &Server {
        &self.server
    }
}

impl Answer for Listed {
    fn server(&self) -> &Server {
        &self.server
    }
}

impl Answer for About {
    fn server(&self) -> &Server {
        &self.server
    }
}

/// How many servers those know of that answer: by what they count, and by who is at the other end of their routes.
pub(super) fn known(pongs: &[Pong]) -> usize {
    let active = pongs.iter().map(|pong| pong.statsz.active_servers);
    let routes = pongs.iter().flat_map(|pong| &pong.statsz.routes);
    let routes = routes.map(|route| route.name.as_str());
    let names = pongs.iter().map(|pong| pong.server.name.as_str());
    let names: BTreeSet<&str> = names
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
        let pong = |name: &str, routes: &[&str]| -> Pong {
            let routes: Vec<_> = routes.iter().map(|name| json!({ "name": name })).collect();
            let server = json!({ "name": name, "id": name });
            let statsz = json!({ "active_servers": 2, "routes": routes });
            serde_json::from_value(json!({ "server": server, "statsz": statsz })).unwrap()
        };
        let one = pong("hub-1", &["hub-3", "hub-3", "hub-2"]);
        assert_eq!(known(&[one, pong("hub-3", &["hub-1"])]), 3);
        assert_eq!(known(&[pong("hub-1", &[])]), 2);
    }
}
