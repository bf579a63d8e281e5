//! Ports for the listeners of a fleet on loopback.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::process;
use std::sync::atomic::{AtomicU16, Ordering};

use anyhow::{Context, Result};
use cim_render::places::Listener;

/// Which listeners a copy of any server has.
pub const LISTENERS: [Listener; 7] = [
    Listener::Client,
    Listener::Leafnodes,
    Listener::Cluster,
    Listener::Monitor,
    Listener::Websocket,
    Listener::Mqtt,
    Listener::Gateway,
];

/// Where free ports are looked for: below those that Linux gives to outgoing connections, which
/// could take a port between our look and the server's start.
const FIRST: u16 = 10_000;
const COUNT: u16 = 20_000;

/// How ports are chosen.
#[derive(Debug, Clone, Copy)]
pub enum Ports {
    /// Whatever is free, and that no other fleet on this machine chooses while this one lives.
    Free,
    /// From this port on, each server ten further; all must be free.
    From(u16),
}

/// Ports that no other [`Ports::Free`] gives out, until this is dropped.
#[derive(Debug, Default)]
pub struct Held(Vec<UnixListener>);

impl Ports {
    /// Ports for `servers` servers.
    ///
    /// # Errors
    /// A port that is taken, by its number.
    pub fn choose(self, servers: usize) -> Result<(Vec<BTreeMap<Listener, u16>>, Held)> {
        let mut held = Held::default();
        let mut chosen = Vec::new();
        for server in 0..servers {
            let mut ports = BTreeMap::new();
            for (index, listener) in LISTENERS.into_iter().enumerate() {
                let port = match self {
                    Ports::Free => held.free()?,
                    Ports::From(first) => fixed(first, server * 10 + index)?,
                };
                ports.insert(listener, port);
            }
            chosen.push(ports);
        }
        Ok((chosen, held))
    }
}

impl Held {
    fn free(&mut self) -> Result<u16> {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        // Processes start far apart, so that they seldom meet.
        let start = process::id().wrapping_mul(7919) % u32::from(COUNT);
        for _ in 0..COUNT {
            let step = u32::from(NEXT.fetch_add(1, Ordering::Relaxed));
            let offset = (start + step) % u32::from(COUNT);
            let port = FIRST + u16::try_from(offset).unwrap_or(0);
            // An abstract socket is a lock among processes that leaves no file behind.
            let name = SocketAddr::from_abstract_name(format!("cim-testkit-{port}"));
            let Ok(lock) = UnixListener::bind_addr(&name.context("naming a lock")?) else {
                continue;
            };
            if TcpListener::bind(("127.0.0.1", port)).is_ok() {
                self.0.push(lock);
                return Ok(port);
            }
        }
        anyhow::bail!(
            "no port from {FIRST} to {} is free on 127.0.0.1",
            FIRST + COUNT - 1
        )
    }
}

fn fixed(first: u16, offset: usize) -> Result<u16> {
    let port = u16::try_from(offset)
        .ok()
        .and_then(|offset| first.checked_add(offset))
        .context("the first port is too high for so many servers")?;
    TcpListener::bind(("127.0.0.1", port)).with_context(|| {
        format!(
            "port {port} on 127.0.0.1 is taken: stop what holds it, or choose another first port"
        )
    })?;
    Ok(port)
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

    #[test]
    fn no_free_port_is_given_twice() {
        let (chosen, _held) = Ports::Free.choose(50).unwrap();
        let ports: std::collections::BTreeSet<u16> = chosen
            .iter()
            .flat_map(|ports| ports.values().copied())
            .collect();
        assert_eq!(ports.len(), 50 * LISTENERS.len());
    }
}
