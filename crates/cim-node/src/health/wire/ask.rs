//! A leaf's canaries: asked in rounds, each with as many answers as there are hubs.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use async_nats::{Client, Message, Subscriber};
use futures_util::StreamExt;
use futures_util::stream::{SelectAll, select_all};
use serde::Deserialize;
use time::OffsetDateTime;
use tokio::sync::watch;

use super::{Canary, Said, Setup, Shared};

/// How long each try of a round waits; what is not answered then is asked again.
const TRIES: [Duration; 3] = [
    Duration::from_millis(250),
    Duration::from_millis(750),
    Duration::from_secs(1),
];

/// How long a round may take.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// Pauses after a round that all answered, in looks: the next failure is noticed by then.
const CALM: u32 = 5;

/// Rounds that may be missing before what was heard says nothing any more.
const MISSED: u32 = 3;

/// The longest answer that is read.
const LONGEST: usize = 1024;

/// What came back of a round.
#[derive(Debug, Clone)]
pub struct Round {
    /// By the name of the canary, by the server that answered.
    pub answers: BTreeMap<String, BTreeMap<String, Answer>>,
    /// When it came to its end.
    pub ended: Instant,
}

/// One canary that came back.
#[derive(Debug, Clone, Copy)]
pub struct Answer {
    /// How long it was away.
    pub round_trip: Duration,
    /// How far the other's clock is ahead of ours, in seconds; half the round trip is what nobody can know.
    pub ahead: f64,
}

impl Round {
    fn begun() -> Self {
        Self {
            answers: BTreeMap::new(),
            ended: Instant::now(),
        }
    }

    /// How long ago it ended, where others should have come since: whoever asks stands still. `pause` is that between looks.
    pub fn stale(&self, pause: Duration) -> Option<Duration> {
        let ago = self.ended.elapsed();
        (ago > (pause * CALM + PATIENCE) * MISSED).then_some(ago)
    }

    /// The answer of one of these servers.
    pub fn answer(&self, name: &str, servers: &[String]) -> Option<(&str, Answer)> {
        let answers = self.answers.get(name)?.iter();
        let mut theirs = answers.filter(|(server, _)| servers.contains(server));
        theirs
            .next()
            .map(|(server, answer)| (server.as_str(), *answer))
    }

    fn is_complete(&self, setup: &Setup) -> bool {
        self.missing(setup).next().is_none()
    }

    /// Canaries that some link's other end has not answered.
    fn missing<'a>(&self, setup: &'a Setup) -> impl Iterator<Item = &'a Canary> {
        setup.canaries.iter().filter(|canary| {
            let all = |servers: &Vec<String>| self.answer(&canary.name, servers).is_some();
            !setup.links.iter().all(all)
        })
    }
}

/// What is said back: `at` is in microseconds since 1970, by the other's clock.
#[derive(Debug, Deserialize)]
pub(super) struct Told {
    id: String,
    server: String,
    at: i64,
}

/// Asks, round after round; a change of links begins the next at once.
pub(super) async fn rounds(
    client: &Client,
    setup: &Setup,
    shared: &Shared,
    said: &mut watch::Receiver<Said>,
) -> Result<()> {
    if setup.canaries.is_empty() {
        return std::future::pending().await;
    }
    let mut answers = subscribed(client, setup).await?;
    // Of this very connection: the leaf's other nodes hear its answers too.
    let us = client.new_inbox();
    let mut count = 0;
    loop {
        let links = said.borrow_and_update().links;
        let mut round = Asking {
            client,
            setup,
            us: &us,
            count: &mut count,
            sent: BTreeMap::new(),
            round: Round::begun(),
        };
        for patience in TRIES {
            // A connection that is being made anew takes nothing.
            let asked = tokio::time::timeout(patience, round.ask(&mut answers)).await;
            if let Ok(done) = asked {
                done?;
                break;
            }
        }
        let mut round = round.round;
        round.ended = Instant::now();
        let calm = if round.is_complete(setup) { CALM } else { 1 };
        if said.borrow().links == links {
            shared.tell(|heard| {
                heard.round = Some(round);
                heard.waits = None;
            });
        }
        let pause = tokio::time::sleep(setup.pause * calm);
        let changed = async {
            while said.changed().await.is_ok() {
                if said.borrow().links != links {
                    return;
                }
            }
        };
        tokio::select! {
            () = pause => {}
            () = changed => {}
        }
    }
}

async fn subscribed(client: &Client, setup: &Setup) -> Result<SelectAll<Subscriber>> {
    let mut subjects: Vec<_> = setup.canaries.iter().map(|canary| &canary.hears).collect();
    subjects.sort();
    subjects.dedup();
    let mut all = Vec::new();
    for subject in subjects {
        // Not by a wildcard: the hub lets only these across, and refuses what is wider.
        let subscribed = client.subscribe(subject.clone()).await;
        all.push(subscribed.context("subscribing")?);
    }
    Ok(select_all(all))
}

/// A round that goes on.
struct Asking<'a> {
    client: &'a Client,
    setup: &'a Setup,
    us: &'a str,
    count: &'a mut u64,
    sent: BTreeMap<String, (&'a str, Instant, OffsetDateTime)>,
    round: Round,
}

impl<'a> Asking<'a> {
    /// Asks for what is missing, and takes answers until nothing is.
    async fn ask(&mut self, answers: &mut SelectAll<Subscriber>) -> Result<()> {
        let missing: Vec<_> = self.round.missing(self.setup).collect();
        for canary in missing {
            *self.count += 1;
            let id = format!("{}.{}", self.us, self.count);
            let sent = (
                canary.name.as_str(),
                Instant::now(),
                OffsetDateTime::now_utc(),
            );
            self.sent.insert(id.clone(), sent);
            self.client
                .publish_with_reply(canary.to.clone(), canary.back.clone(), id.into())
                .await
                .context("asking")?;
        }
        self.client.flush().await.context("asking")?;
        while !self.round.is_complete(self.setup) {
            let Some(message) = answers.next().await else {
                bail!("the subscriptions ended");
            };
            self.take(&message);
        }
        Ok(())
    }

    /// Takes an answer in; what is no answer to us is somebody else's, or late.
    fn take(&mut self, message: &Message) {
        // The server's own word that nobody listens has a status.
        if message.status.is_some() || message.payload.len() > LONGEST {
            return;
        }
        let Ok(said) = serde_json::from_slice::<Told>(&message.payload) else {
            return;
        };
        let Some((name, moment, at)) = self.sent.get(&said.id) else {
            return;
        };
        let round_trip = moment.elapsed();
        let midway = unix_micros(*at) as f64 / 1e6 + round_trip.as_secs_f64() / 2.0;
        let answer = Answer {
            round_trip,
            ahead: said.at as f64 / 1e6 - midway,
        };
        let answers = self.round.answers.entry((*name).to_owned()).or_default();
        answers.entry(said.server).or_insert(answer);
    }
}

/// Microseconds since 1970.
pub(super) fn unix_micros(moment: OffsetDateTime) -> i64 {
    i64::try_from(moment.unix_timestamp_nanos() / 1000).unwrap_or(i64::MAX)
}
