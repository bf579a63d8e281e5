//! A publisher that does it right: every message has an id, and is sent again until it is acknowledged.

use std::future::IntoFuture;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use async_nats::jetstream::Context;
use async_nats::jetstream::message::PublishMessage;
use tokio::sync::watch::Receiver;

use super::held::body;
use super::pair::{Login, Side};

/// Messages that are under way at a time; all are acknowledged before the next are sent.
pub const WINDOW: u64 = 64;

/// How long no message may be acknowledged before that is a failure, not a server that comes back.
const PATIENCE: Duration = Duration::from_secs(30);

/// When a server that acknowledges nothing is dialled anew.
const ANSWER: Duration = Duration::from_secs(3);

/// What publishers are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As fast as it goes.
    Haste,
    /// A window in this time.
    Pace(Duration),
    /// Enough.
    Stop,
}

/// What the publishers of one side have done.
#[derive(Debug, Default)]
pub struct Done {
    pub acknowledged: AtomicU64,
    /// Sent again, because nobody had acknowledged them.
    pub resent: AtomicU64,
    /// Of these, stored already: the server said so.
    pub duplicates: AtomicU64,
}

pub struct Publisher {
    name: String,
    subject: String,
    login: Login,
    done: Arc<Done>,
    next: u64,
}

impl Publisher {
    pub fn new(side: Side, number: usize, login: Login, done: Arc<Done>) -> Self {
        let name = format!("{}-{number}", side.subjects);
        Self {
            subject: format!("{}.{name}", side.subjects),
            name,
            login,
            done,
            next: 0,
        }
    }

    /// Publishes until it is told to stop; gives its name, and how many messages are acknowledged: all that it sent.
    pub async fn run(mut self, mut orders: Receiver<Order>) -> Result<(String, u64)> {
        let mut connected = None;
        let mut due = tokio::time::Instant::now();
        loop {
            let order = *orders.borrow_and_update();
            match order {
                Order::Stop => return Ok((self.name, self.next)),
                Order::Haste => due = tokio::time::Instant::now(),
                Order::Pace(window) => {
                    // Those that come late hurry.
                    tokio::select! {
                        _ = tokio::time::sleep_until(due) => due += window,
                        _ = orders.changed() => continue,
                    }
                }
            }
            self.window(&mut connected).await?;
        }
    }

    /// Sends a window until all of it is acknowledged.
    async fn window(&mut self, connected: &mut Option<Context>) -> Result<()> {
        let end = self.next + WINDOW;
        let mut since = Instant::now();
        while self.next < end {
            let before = self.next;
            let Err(error) = self.attempt(connected, end).await else {
                return Ok(());
            };
            *connected = None;
            self.done
                .resent
                .fetch_add(end - self.next, Ordering::SeqCst);
            if self.next > before {
                since = Instant::now();
            }
            let doing = || format!("{}: nothing acknowledged in {PATIENCE:?}", self.name);
            if since.elapsed() > PATIENCE {
                return Err(error.context(doing()));
            }
            // A server that is down refuses at once.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    async fn attempt(&mut self, connected: &mut Option<Context>, end: u64) -> Result<()> {
        let jetstream = match connected {
            Some(jetstream) => jetstream,
            None => connected.insert(async_nats::jetstream::new(self.login.connect().await?)),
        };
        let mut answers = Vec::new();
        for number in self.next..end {
            let message = PublishMessage::build()
                .message_id(format!("{}-{number}", self.name))
                .payload(body(&self.name, number).into());
            answers.push(
                jetstream
                    .send_publish(self.subject.clone(), message)
                    .await?,
            );
        }
        for answer in answers {
            let answer = tokio::time::timeout(ANSWER, answer.into_future()).await;
            let answer = answer.context("no answer")??;
            ensure!(answer.sequence > 0, "{answer:?}");
            self.next += 1;
            self.done.acknowledged.fetch_add(1, Ordering::SeqCst);
            let again = u64::from(answer.duplicate);
            self.done.duplicates.fetch_add(again, Ordering::SeqCst);
        }
        Ok(())
    }
}
