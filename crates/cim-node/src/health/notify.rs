//! What a service tells systemd: `sd_notify(3)`, the part of it that is needed here.

use std::env;
use std::io::ErrorKind;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use anyhow::{Context, Result};

/// The socket that systemd gave this service.
#[derive(Debug)]
pub struct Notify {
    socket: UnixDatagram,
    to: SocketAddr,
    watchdog: Option<Duration>,
}

impl Notify {
    /// The socket of `$NOTIFY_SOCKET`; `None`: nobody wants to know.
    ///
    /// # Errors
    /// A socket that cannot be.
    pub fn from_env() -> Result<Option<Self>> {
        let Some(path) = env::var_os("NOTIFY_SOCKET") else {
            return Ok(None);
        };
        let name = path.as_encoded_bytes();
        let to = match name.strip_prefix(b"@") {
            Some(name) => SocketAddr::from_abstract_name(name),
            None => SocketAddr::from_pathname(&path),
        };
        let to = to.with_context(|| format!("using $NOTIFY_SOCKET {}", path.display()))?;
        let socket = UnixDatagram::unbound().context("making a socket for systemd")?;
        // A manager that does not read must not hold the looks up.
        socket
            .set_write_timeout(Some(Duration::from_secs(1)))
            .context("making a socket for systemd")?;
        let watchdog = env::var("WATCHDOG_USEC").ok();
        Ok(Some(Self {
            socket,
            to,
            watchdog: watchdog.and_then(|text| text.parse().ok().map(Duration::from_micros)),
        }))
    }

    /// How long systemd waits for `WATCHDOG=1` before it takes the service for hung; `None`: forever.
    pub fn watchdog(&self) -> Option<Duration> {
        self.watchdog
    }

    /// Tells systemd some lines, as `READY=1`.
    ///
    /// # Errors
    /// Nobody there.
    pub fn say(&self, lines: &str) -> Result<()> {
        loop {
            match self.socket.send_to_addr(lines.as_bytes(), &self.to) {
                // A process that was stopped and goes on finds its calls broken off.
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                told => return told.map(drop).context("telling systemd"),
            }
        }
    }
}
