//! Many requests under way at once, each with an answer from every node.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use async_nats::{Message, StatusCode};
use futures_util::StreamExt;
use tokio::time::{Instant, timeout_at};

use super::hub::{AGAIN, Hub};

/// How fast to ask, and how long to wait.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Requests under way at once.
    pub at_once: usize,
    /// How long nothing may arrive before what is missing counts as missing.
    pub patience: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            at_once: 256,
            patience: Duration::from_secs(3),
        }
    }
}

/// One request.
pub(super) struct Asked {
    pub subject: String,
    pub payload: Vec<u8>,
}

/// Which request an answer is to.
#[derive(Debug, Clone, Copy)]
pub(super) struct To {
    /// Its number.
    pub at: usize,
    /// How often it had been asked before: a node may answer each time.
    pub again: usize,
}

/// A request that not all have answered yet.
struct Open {
    asked: Asked,
    /// How many answers came, each time that it was asked.
    answers: Vec<usize>,
}

/// Asks everything, and hands over each answer, until each request has `answers` of them or none has come for as long as
/// the patience lasts. Meanwhile what is open is asked again: a question can be lost where routes have just been made.
pub(super) async fn exchange(
    hub: &Hub,
    asked: impl Iterator<Item = Asked>,
    answers: usize,
    pace: Pace,
    mut each: impl FnMut(To, Message) -> Result<()>,
) -> Result<()> {
    let client = hub.client();
    let inbox = client.new_inbox();
    let mut replies = client.subscribe(format!("{inbox}.*.*")).await?;
    let mut asked = asked.enumerate();
    let mut open: BTreeMap<usize, Open> = BTreeMap::new();
    let mut patience = pace.patience;
    // When something was asked for the first time, or had more answers than before.
    let mut moved = Instant::now();
    let (mut again, mut pause) = (moved + AGAIN, AGAIN);
    loop {
        while open.len() < pace.at_once.max(1) {
            let Some((at, asked)) = asked.next() else {
                break;
            };
            let mut one = Open {
                asked,
                answers: Vec::new(),
            };
            one.ask(hub, &inbox, at).await?;
            open.insert(at, one);
            moved = Instant::now();
            (again, pause) = (moved + AGAIN, AGAIN);
        }
        if open.is_empty() {
            return Ok(());
        }
        let given_up = moved + patience;
        let Ok(next) = timeout_at(again.min(given_up), replies.next()).await else {
            hub.refusal()?;
            if Instant::now() >= given_up {
                // What was not answered in time is given up; what was not asked yet still is, but whoever
                // was silent once is not waited for as long again.
                patience = pace.patience / 10;
                open.clear();
            }
            for (at, one) in &mut open {
                one.ask(hub, &inbox, *at).await?;
            }
            pause *= 2;
            again = Instant::now() + pause;
            continue;
        };
        let message = next.context("the connection to the hub was lost")?;
        if message.status == Some(StatusCode::NO_RESPONDERS) {
            bail!("{}", super::hub::NO_RESOLVER);
        }
        let to = to(&message).context("an answer")?;
        if let Some(one) = open.get_mut(&to.at) {
            let (more, all) = one.answered(to.again, answers);
            if all {
                open.remove(&to.at);
            }
            if more {
                moved = Instant::now();
                (again, pause) = (moved + AGAIN, AGAIN);
            }
        }
        each(to, message)?;
    }
}

impl Open {
    /// Asks, for the first time or once more.
    async fn ask(&mut self, hub: &Hub, inbox: &str, at: usize) -> Result<()> {
        let reply = format!("{inbox}.{at}.{}", self.answers.len());
        let Asked { subject, payload } = &self.asked;
        let publish =
            hub.client()
                .publish_with_reply(subject.clone(), reply, payload.clone().into());
        publish.await?;
        self.answers.push(0);
        Ok(())
    }

    /// Counts an answer; whether so many had never come to one question, and whether they are `all`.
    fn answered(&mut self, again: usize, all: usize) -> (bool, bool) {
        let most = self.answers.iter().max().copied().unwrap_or_default();
        let Some(count) = self.answers.get_mut(again) else {
            return (false, false);
        };
        *count += 1;
        (*count > most, *count >= all)
    }
}

fn to(message: &Message) -> Option<To> {
    let mut parts = message.subject.rsplit('.');
    let again = parts.next()?.parse().ok()?;
    let at = parts.next()?.parse().ok()?;
    Some(To { at, again })
}

#[cfg(test)]
mod tests {
    use async_nats::Client;
    use cim_check::Server;
    use cim_testkit::nats_server;

    use super::*;

    /// Who answers `ask.*`, but not the first `deaf` times.
    async fn node(client: Client, deaf: usize) -> Result<()> {
        let asked = client.subscribe("ask.*").await?;
        client.flush().await?;
        tokio::spawn(async move {
            let mut heard = asked.skip(deaf);
            while let Some(message) = heard.next().await {
                if let Some(reply) = message.reply {
                    let _ = client.publish(reply, "here".into()).await;
                }
            }
        });
        Ok(())
    }

    #[tokio::test]
    async fn a_question_that_was_lost_is_asked_again() -> Result<()> {
        let dir = tempfile::tempdir()?;
        let conf = format!(
            "listen: \"127.0.0.1:-1\"\nports_file_dir: \"{}\"\n",
            dir.path().display()
        );
        std::fs::write(dir.path().join("nats.conf"), conf)?;
        let server = Server::start(&nats_server()?, &dir.path().join("nats.conf"))?;
        let hub = Hub::over(async_nats::connect(server.url()).await?);
        for deaf in [0, 1] {
            node(async_nats::connect(server.url()).await?, deaf).await?;
        }
        let heard = async |answers, patience| {
            let mut heard = Vec::new();
            let each = |to: To, _| {
                heard.push(to.again);
                Ok(())
            };
            let pace = Pace {
                patience,
                ..Pace::default()
            };
            let asked = Asked {
                subject: "ask.it".to_owned(),
                payload: Vec::new(),
            };
            exchange(&hub, [asked].into_iter(), answers, pace, each).await?;
            anyhow::Ok(heard)
        };
        let first = heard(2, Duration::from_secs(30)).await?;
        let last = first.last().copied().unwrap_or_default();
        let of_last = first.iter().filter(|again| **again == last).count();
        assert!(last > 0 && of_last == 2, "{first:?}");
        // Who never answers is waited for no longer because of those who do, each time.
        let second = heard(3, AGAIN * 2).await?;
        assert!(second.contains(&1), "{second:?}");
        Ok(())
    }
}
