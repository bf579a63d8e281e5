//! A hub's part: it answers canaries of leaves, and takes their reports.

use std::time::Instant;

use anyhow::{Context, Result, bail};
use async_nats::{Client, Message};
use cim_spec::implied::{self, Direction};
use futures_util::StreamExt;
use futures_util::stream::select_all;
use serde_json::json;
use time::OffsetDateTime;

use super::ask::unix_micros;
use super::{Received, Setup, Shared, Within};
use crate::health::summary::Summary;

/// The longest question that is answered: an answer is not much longer.
const LONGEST_ASK: usize = 256;

/// The longest report that is read: a hub's node with 10,000 leaves has some 240 KiB.
const LONGEST_REPORT: usize = 512 * 1024;

/// Answers canaries, one after the other; of a hub's nodes the nearest to who asks does.
pub(super) async fn canaries(client: &Client, setup: &Setup, account: &str) -> Result<()> {
    let within = setup.within.iter();
    let within: Vec<_> = within.filter(|one| one.account == account).collect();
    let exports = within.iter().filter(|one| one.is(Direction::Export));
    let mut subjects: Vec<&str> = exports.map(|one| one.canary.subject.as_str()).collect();
    subjects.push(implied::ANY_ASK);
    subjects.sort_unstable();
    subjects.dedup();
    let mut asks = Vec::new();
    for subject in subjects {
        let asked = client.queue_subscribe(subject.to_owned(), setup.group.clone());
        asks.push(asked.await.context("subscribing")?);
    }
    let mut asks = select_all(asks);
    while let Some(ask) = asks.next().await {
        if let Some((back, answer)) = answer(&ask, &within, &setup.server) {
            let sent = client.publish(back, answer.into());
            sent.await.context("answering")?;
        }
    }
    bail!("the subscriptions ended")
}

/// Where and what to answer; `None`: that is no canary.
fn answer(ask: &Message, within: &[&Within], server: &str) -> Option<(String, String)> {
    let back = ask.reply.as_ref()?.as_str();
    if !is_its_own(ask.subject.as_str(), back, within) || ask.payload.len() > LONGEST_ASK {
        return None;
    }
    let id = std::str::from_utf8(&ask.payload).ok()?;
    let at = unix_micros(OffsetDateTime::now_utc());
    let answer = json!({"id": id, "server": server, "at": at}).to_string();
    Some((back.to_owned(), answer))
}

/// Whether who asked there may be answered there: as the leaf whose subjects both are, and nowhere else.
fn is_its_own(ask: &str, back: &str, within: &[&Within]) -> bool {
    let plain = |leaf: &str| back.starts_with(&implied::answer(leaf, ""));
    let by =
        |direction, subject: &str, one: &Within| one.is(direction) && one.canary.subject == subject;
    if !implied::is(ask) {
        // A message of the flow, unless it asks for an answer to one of the leaves that ask there.
        let mut asks = within.iter().filter(|one| by(Direction::Export, ask, one));
        return asks.any(|one| plain(&one.leaf));
    }
    let Some(leaf) = ask.split('.').nth(2) else {
        return false;
    };
    let mut imports = within.iter().filter(|one| one.leaf == leaf);
    plain(leaf) || imports.any(|one| by(Direction::Import, back, one))
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

#[cfg(test)]
mod tests {
    use super::*;
    use cim_spec::artefact::WatchedCanary;

    #[test]
    fn who_asks_is_answered_as_that_leaf_and_nowhere_else() {
        let within = |leaf: &str, direction, subject: &str| Within {
            account: "A".to_owned(),
            leaf: leaf.to_owned(),
            canary: WatchedCanary {
                direction,
                subject: subject.to_owned(),
            },
        };
        let all = [
            within("a", Direction::Export, "events.canary"),
            within("b", Direction::Export, "events.canary"),
            within("a", Direction::Import, "commands.canary"),
        ];
        let all: Vec<&Within> = all.iter().collect();
        for (ask, back, right) in [
            ("cim.canary.a.plain", "cim.canary.a.back.plain", true),
            ("cim.canary.a.plain", "cim.canary.b.back.plain", false),
            ("cim.canary.a.plain", "_INBOX.x", false),
            ("cim.canary.a.plain", "commands.canary", true),
            ("cim.canary.b.plain", "commands.canary", false),
            ("cim.canary.a.plain", "events.canary", false),
            ("events.canary", "cim.canary.a.back.plain", true),
            ("events.canary", "cim.canary.b.back.plain", true),
            ("events.canary", "cim.canary.c.back.plain", false),
            ("events.canary", "commands.canary", false),
            ("events.canary", "_INBOX.x", false),
            ("commands.canary", "cim.canary.a.back.plain", false),
        ] {
            assert_eq!(is_its_own(ask, back, &all), right, "{ask} {back}");
        }
    }
}
