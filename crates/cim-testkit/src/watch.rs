//! Looking at servers until they are as they should be.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use async_nats::Client;
use futures_util::StreamExt;
use serde::Deserialize;

use crate::Fleet;

/// How long anything may take that a test waits for, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// Looks until there is something to see, and fails with what stood in the way.
///
/// # Errors
/// The last error of `look`, after a minute.
pub async fn until<T>(what: &str, look: impl AsyncFnMut() -> Result<T>) -> Result<T> {
    until_within(PATIENCE, what, look).await
}

/// As [`until`], for what nats-server itself takes longer for.
///
/// # Errors
/// The last error of `look`, after `patience`.
pub async fn until_within<T>(
    patience: Duration,
    what: &str,
    mut look: impl AsyncFnMut() -> Result<T>,
) -> Result<T> {
    let until = Instant::now() + patience;
    loop {
        let seen = look().await;
        if seen.is_ok() || Instant::now() >= until {
            return seen.with_context(|| format!("waited {} s until {what}", patience.as_secs()));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Waits until the server has taken what a client has told it so far, subscriptions above all: `Client::flush` only has it
/// sent, and what another client publishes then may be there first.
///
/// # Errors
/// A client that may not publish to its inbox or is cut off: after a minute.
pub async fn taken(client: &Client) -> Result<()> {
    let echo = client.new_inbox();
    let mut back = client.subscribe(echo.clone()).await?;
    client.publish(echo, "".into()).await?;
    let back = tokio::time::timeout(PATIENCE, back.next()).await;
    back.context("nothing came back")?.context("the end")?;
    Ok(())
}

/// One link, as `/leafz` of either end tells.
#[derive(Debug, Clone, Deserialize)]
pub struct Leaf {
    /// The server at the other end.
    pub name: String,
    /// The account that the link is bound to here.
    pub account: String,
}

#[derive(Deserialize)]
struct Leafz {
    leafs: Vec<Leaf>,
}

impl Fleet {
    /// The links of one server.
    ///
    /// # Errors
    /// A server that does not answer.
    pub fn links(&self, name: &str) -> Result<Vec<Leaf>> {
        Ok(self.server(name)?.get::<Leafz>("/leafz")?.leafs)
    }

    /// The leaves that hang on each hub node, by the hub node's name; nodes that do not run or
    /// do not answer are left out.
    pub fn leaves(&self) -> BTreeMap<String, Vec<String>> {
        self.names()
            .into_iter()
            .filter(|name| {
                self.member(name)
                    .is_ok_and(|m| m.plan().leafnodes.is_some())
            })
            .filter_map(|hub| {
                let links = self.links(&hub).ok()?;
                Some((hub, links.into_iter().map(|leaf| leaf.name).collect()))
            })
            .collect()
    }

    /// Waits until a leaf is linked, by the word of both ends; gives the hub node's name.
    ///
    /// # Errors
    /// A leaf that is not linked in time.
    pub async fn linked(&self, leaf: &str) -> Result<String> {
        until(&format!("{leaf} is linked"), async || {
            let links = self.links(leaf)?;
            let hub = links.first().context("it has no link")?.name.clone();
            let there = self.links(&hub)?;
            ensure!(
                there.iter().any(|l| l.name == leaf),
                "{hub} does not list it"
            );
            Ok(hub)
        })
        .await
    }

    /// Waits until a server's log has a line with `text`; gives the line.
    ///
    /// # Errors
    /// A log that does not say so in time.
    pub async fn says(&self, name: &str, text: &str) -> Result<String> {
        let log = self.server(name)?.log().to_owned();
        until(&format!("{name} logs {text:?}"), async || {
            let all = std::fs::read_to_string(&log).context("reading the log")?;
            all.lines()
                .find(|line| line.contains(text))
                .map(str::to_owned)
                .context("no such line yet")
        })
        .await
    }
}
