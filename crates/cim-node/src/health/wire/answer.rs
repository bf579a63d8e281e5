//! A hub's part: it answers canaries of leaves, and takes their reports.

use std::time::Instant;

use anyhow::{Context, Result, bail};
use async_nats::{Client, Message};
use cim_spec::implied;
use futures_util::StreamExt;
use serde_json::json;
use time::OffsetDateTime;

use super::ask::unix_micros;
use super::{Received, Setup, Shared};
use crate::health::summary::Summary;

/// The longest question that is answered: an answer is not much longer.
const LONGEST_ASK: usize = 256;

/// The longest report that is read: a hub's node with 10,000 leaves has some 240 KiB.
const LONGEST_REPORT: usize = 512 * 1024;

/// Answers canaries, one after the other; of a hub's nodes the nearest to who asks does.
pub(super) async fn canaries(client: &Client, setup: &Setup) -> Result<()> {
    let asks = client.queue_subscribe(implied::ANY_ASK, setup.group.clone());
    let mut asks = asks.await.context("subscribing")?;
    while let Some(ask) = asks.next().await {
        if let Some((back, answer)) = answer(&ask, &setup.server) {
            let sent = client.publish(back, answer.into());
            sent.await.context("answering")?;
        }
    }
    bail!("the subscription ended")
}

/// Where and what to answer; `None`: that is no canary.
fn answer(ask: &Message, server: &str) -> Option<(String, String)> {
    let back = ask.reply.as_ref()?.as_str();
    let leaf = ask.subject.as_str().split('.').nth(2)?;
    // Whoever asks is answered as that leaf, and nowhere else.
    let is_its_own = back.starts_with(&implied::answer(leaf, ""));
    if !is_its_own || ask.payload.len() > LONGEST_ASK {
        return None;
    }
    let id = std::str::from_utf8(&ask.payload).ok()?;
    let at = unix_micros(OffsetDateTime::now_utc());
    let answer = json!({"id": id, "server": server, "at": at}).to_string();
    Some((back.to_owned(), answer))
}

/// Keeps the last report of each server that the fleet has here.
pub(super) async fn reports(
    client: &Client,
    setup: &Setup,
    account: &str,
    shared: &Shared,
) -> Result<()> {
    let mut reports = (client.subscribe(implied::ANY_REPORT).await).context("subscribing")?;
    while let Some(message) = reports.next().await {
        let Some(instance) = message.subject.as_str().split('.').nth(2) else {
            continue;
        };
        if message.payload.len() > LONGEST_REPORT {
            continue;
        }
        let Ok(report) = serde_json::from_slice::<Summary>(&message.payload) else {
            continue;
        };
        // A leaf speaks in the account that its link is bound to, and its rights let it speak as itself alone.
        let from = setup.members.get(&report.server);
        let is_known = from.is_some_and(|member| {
            let own = member.account.as_deref();
            member.instance == instance && own.is_none_or(|own| own == account)
        });
        if report.instance != instance || !is_known {
            continue;
        }
        let received = Received {
            report,
            moment: Instant::now(),
        };
        shared.tell(|heard| {
            heard
                .reports
                .insert(received.report.server.clone(), received);
        });
    }
    bail!("the subscription ended")
}
