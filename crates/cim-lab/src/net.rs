//! A network namespace for each host, on one bridge that the machine itself has no address on.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::command::{names, read, run};
use crate::ground::NAME;
use crate::wait::until;

const BRIDGE: &str = "cimlab-br";

/// What links of a lab begin with.
const PREFIX: &str = "cimlab-";

/// How a host is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The cable is pulled: the host sees its link go down.
    Link,
    /// Packets vanish in both directions; the link stays up.
    Drop,
}

/// A host's network.
#[derive(Debug, Clone)]
pub struct Net {
    /// The namespace's name.
    name: String,
    /// The end of its cable at the bridge.
    port: String,
    /// Its address on the bridge.
    pub address: String,
}

impl Net {
    /// Makes the network of the `index`-th host, and the bridge.
    pub fn create(host: &str, index: usize) -> Result<Self> {
        let number = index + 11;
        ensure!(number < 250, "the lab has addresses for 239 hosts");
        let net = Self {
            name: format!("{NAME}-{host}"),
            port: format!("{PREFIX}{number}"),
            address: format!("10.77.0.{number}"),
        };
        let Self {
            name,
            port,
            address,
        } = &net;
        if !Path::new("/sys/class/net").join(BRIDGE).exists() {
            run("ip", &format!("link add {BRIDGE} type bridge"))?;
            run("ip", &format!("link set {BRIDGE} up"))?;
        }
        run("ip", &format!("netns add {name}"))?;
        run(
            "ip",
            &format!("link add {port} type veth peer name host0 netns {name}"),
        )?;
        run("ip", &format!("link set {port} master {BRIDGE} up"))?;
        run("ip", &format!("-n {name} addr add {address}/24 dev host0"))?;
        run("ip", &format!("-n {name} link set lo up"))?;
        run("ip", &format!("-n {name} link set host0 up"))?;
        Ok(net)
    }

    /// The namespace as a file.
    pub fn path(&self) -> String {
        format!("/run/netns/{}", self.name)
    }

    /// Moves this thread into the network, for good.
    pub fn enter(&self) -> Result<()> {
        let doing = || format!("entering the network {}", self.name);
        let file = File::open(self.path()).with_context(doing)?;
        move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))
            .with_context(doing)
    }

    /// Does something in the network, on a thread of its own.
    pub fn within<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        thread::scope(|scope| {
            scope
                .spawn(|| {
                    self.enter()?;
                    work()
                })
                .join()
                .map_err(|_| anyhow!("a thread in the network {} stopped", self.name))?
        })
    }

    /// Cuts the host off, and sees that it is.
    pub fn cut(&self, how: Cut) -> Result<()> {
        let Self { name, port, .. } = self;
        match how {
            Cut::Link => {
                run("ip", &format!("link set {port} down"))?;
                until(
                    "the host sees its link down",
                    Duration::from_secs(5),
                    || {
                        let seen = run("ip", &format!("-n {name} -brief link show host0"))?;
                        ensure!(seen.contains("NO-CARRIER"), "host0 is {}", seen.trim());
                        Ok(())
                    },
                )
            }
            Cut::Drop => {
                for rule in [
                    "add table inet cut",
                    "add chain inet cut in { type filter hook input priority 0 ; }",
                    "add chain inet cut out { type filter hook output priority 0 ; }",
                    "add rule inet cut in iif host0 counter drop",
                    "add rule inet cut out oif host0 counter drop",
                ] {
                    run("ip", &format!("netns exec {name} nft {rule}"))?;
                }
                // Servers say something to each other at least every ping interval.
                until("packets were dropped", Duration::from_secs(15), || {
                    let seen = run("ip", &format!("netns exec {name} nft list table inet cut"))?;
                    let dropped = seen
                        .lines()
                        .any(|line| line.contains("drop") && !line.contains("packets 0 "));
                    ensure!(dropped, "nothing was dropped yet:\n{seen}");
                    Ok(())
                })
            }
        }
    }

    /// Whether the host is cut off in either way.
    pub fn is_cut(&self) -> Result<bool> {
        Ok(self.drops()? || self.link()? != "up")
    }

    fn drops(&self) -> Result<bool> {
        let tables = run("ip", &format!("netns exec {} nft list tables", self.name))?;
        Ok(tables.contains("inet cut"))
    }

    /// The state of the cable's end at the bridge.
    fn link(&self) -> Result<String> {
        let state = read(
            &Path::new("/sys/class/net")
                .join(&self.port)
                .join("operstate"),
        )?;
        Ok(state.trim().to_owned())
    }

    /// Ends whatever cut there is, and sees that the link is up.
    pub fn heal(&self) -> Result<()> {
        let Self { name, port, .. } = self;
        if self.drops()? {
            run(
                "ip",
                &format!("netns exec {name} nft delete table inet cut"),
            )?;
        }
        run("ip", &format!("link set {port} up"))?;
        until("the link is up", Duration::from_secs(5), || {
            let state = self.link()?;
            ensure!(state == "up", "{port} is {state}");
            Ok(())
        })
    }
}

/// Removes every network of a lab.
pub fn remove() -> Result<()> {
    for name in spaces()? {
        run("ip", &format!("netns delete {name}"))?;
    }
    for link in links()? {
        // The other end of a cable may have taken it along.
        if Path::new("/sys/class/net").join(&link).exists() {
            let removed = run("ip", &format!("link delete {link}"));
            let there = Path::new("/sys/class/net").join(&link).exists();
            ensure!(!there, "removing {link}: {removed:?}");
        }
    }
    Ok(())
}

/// What there is of a lab's networks.
pub fn left() -> Result<Vec<String>> {
    let spaces = spaces()?.into_iter().map(|name| format!("network {name}"));
    let links = links()?.into_iter().map(|name| format!("link {name}"));
    Ok(spaces.chain(links).collect())
}

fn spaces() -> Result<Vec<String>> {
    let names = names(Path::new("/run/netns"))?.into_iter();
    Ok(names
        .filter(|name| name.starts_with(&format!("{NAME}-")))
        .collect())
}

fn links() -> Result<Vec<String>> {
    let names = names(Path::new("/sys/class/net"))?.into_iter();
    Ok(names.filter(|name| name.starts_with(PREFIX)).collect())
}
