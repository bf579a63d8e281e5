//! What the stories share.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use async_nats::Client;
use cim_lab::{Host, Lab, Times, until};
use futures_util::StreamExt;

/// The hosts of `hosts/`.
pub const FLEET: [&str; 6] = [
    "hub-1",
    "hub-2",
    "hub-3",
    "cim-prod-001",
    "cim-prod-002",
    "cim-dev-001",
];

/// The nodes of the hub.
pub const HUBS: [&str; 3] = ["hub-1", "hub-2", "hub-3"];

/// The leaves.
pub const LEAVES: [&str; 3] = ["cim-prod-001", "cim-prod-002", "cim-dev-001"];

/// How long anything may take that nothing else bounds.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The fleet, and what was measured on it.
pub struct Scene {
    /// The hosts.
    pub lab: Lab,
    /// Measured times.
    pub times: Arc<Times>,
    runtime: tokio::runtime::Runtime,
}

impl Scene {
    pub fn new(lab: Lab, times: Arc<Times>) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("starting a runtime")?;
        Ok(Self {
            lab,
            times,
            runtime,
        })
    }

    pub fn host(&self, name: &str) -> Result<&Host> {
        self.lab.host(name)
    }

    /// Waits for a future on this thread; clients may be anywhere.
    pub fn wait<T>(&self, future: impl Future<Output = Result<T>>) -> Result<T> {
        self.runtime.block_on(future)
    }

    /// Waits until a leaf is linked to a hub node that knows it; gives that node.
    pub fn linked(&self, leaf: &str) -> Result<String> {
        let host = self.host(leaf)?;
        until(&format!("{leaf} is linked"), PATIENCE, || {
            let hub = host.hub(leaf)?;
            let there = self.host(&hub)?.links(&hub)?;
            ensure!(
                there.iter().any(|link| link.name == leaf),
                "{hub} does not list it"
            );
            Ok(hub)
        })
    }

    /// Waits until every leaf is linked.
    pub fn all_linked(&self) -> Result<()> {
        LEAVES
            .iter()
            .try_for_each(|leaf| self.linked(leaf).map(drop))
    }

    /// Waits until every hub node sees the others and there is a meta leader.
    pub fn hub_whole(&self) -> Result<()> {
        for hub in HUBS {
            let host = self.host(hub)?;
            until(&format!("{hub} is part of a whole hub"), PATIENCE, || {
                let routes = host.varz(hub)?.routes;
                ensure!(routes >= 2, "it has {routes} routes");
                host.get::<serde_json::Value>(hub, "/healthz")?;
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Waits until the hub is whole and every leaf is linked.
    pub fn whole(&self) -> Result<()> {
        self.hub_whole()?;
        self.all_linked()
    }

    /// Publishes until a subscriber elsewhere gets a message; gives how long that took.
    pub fn crosses(&self, from: &Client, to: &Client, subject: &str) -> Result<Duration> {
        let since = Instant::now();
        self.wait(async {
            let mut subscription = to.subscribe(subject.to_owned()).await?;
            to.flush().await?;
            while since.elapsed() < PATIENCE {
                from.publish(subject.to_owned(), "hello".into()).await?;
                from.flush().await?;
                let next = tokio::time::timeout(Duration::from_millis(50), subscription.next());
                if let Ok(message) = next.await {
                    message.context("the subscription ended")?;
                    return Ok(since.elapsed());
                }
            }
            anyhow::bail!("nothing on {subject} arrived in {} s", PATIENCE.as_secs())
        })
    }

    /// A message from a leaf reaches a subscriber on a node of the hub.
    pub fn reaches(&self, hub: &str) -> Result<Duration> {
        let graph = self.lab.client("cim-prod-001", "graph")?;
        let alchemist = self.lab.client(hub, "alchemist")?;
        self.crosses(&graph, &alchemist, "domain.graph.node")
    }
}
