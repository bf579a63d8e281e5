//! Ports for the listeners of a fleet on loopback.

use std::collections::BTreeMap;
use std::net::TcpListener;

use anyhow::{Context, Result};
use cim_render::places::Listener;

/// Which listeners a copy of any server has.
pub const LISTENERS: [Listener; 4] = [
    Listener::Client,
    Listener::Leafnodes,
    Listener::Cluster,
    Listener::Monitor,
];

/// How ports are chosen.
#[derive(Debug, Clone, Copy)]
pub enum Ports {
    /// Whatever is free.
    Free,
    /// From this port on, each server ten further; all must be free.
    From(u16),
}

impl Ports {
    /// Ports for `servers` servers.
    ///
    /// # Errors
    /// A port that is taken, by its number.
    pub fn choose(self, servers: usize) -> Result<Vec<BTreeMap<Listener, u16>>> {
        // All are held until all are chosen, so that none is given twice.
        let mut held = Vec::new();
        let mut chosen = Vec::new();
        for server in 0..servers {
            let mut ports = BTreeMap::new();
            for (index, listener) in LISTENERS.into_iter().enumerate() {
                let socket = self.bind(server, index)?;
                let port = socket.local_addr().context("reading a port")?.port();
                held.push(socket);
                ports.insert(listener, port);
            }
            chosen.push(ports);
        }
        Ok(chosen)
    }

    fn bind(self, server: usize, listener: usize) -> Result<TcpListener> {
        let port = match self {
            Ports::Free => 0,
            Ports::From(first) => u16::try_from(server * 10 + listener)
                .ok()
                .and_then(|offset| first.checked_add(offset))
                .context("the first port is too high for so many servers")?,
        };
        TcpListener::bind(("127.0.0.1", port)).with_context(|| {
            format!("port {port} on 127.0.0.1 is taken: stop what holds it, or choose another first port")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_named() {
        let socket = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = socket.local_addr().unwrap().port();
        let error = Ports::From(port).choose(1).unwrap_err().to_string();
        assert!(error.contains(&format!("port {port} ")), "{error}");
    }
}
