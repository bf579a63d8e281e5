//! Messages that go on while something is changed, and the longest time in which none got through.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use async_nats::jetstream::{self, consumer, stream::Stream};
use async_nats::{Auth, AuthError, Client, ConnectOptions, HeaderMap};
use cim_creds::Creds;
use cim_testkit::until;
use futures_util::StreamExt;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{interval, timeout};

/// How often there is a message.
const PACE: Duration = Duration::from_millis(5);

/// After so long a publisher tries the same message again.
pub const AGAIN: Duration = Duration::from_millis(500);

/// Something that happens again and again.
#[derive(Debug, Clone)]
pub struct Beat(Arc<Mutex<Beats>>);

#[derive(Debug)]
struct Beats {
    count: u64,
    last: Instant,
    longest: Duration,
}

impl Beat {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Beats {
            count: 0,
            last: Instant::now(),
            longest: Duration::ZERO,
        })))
    }

    fn beats(&self) -> MutexGuard<'_, Beats> {
        self.0.lock().unwrap()
    }

    fn beat(&self) {
        let mut beats = self.beats();
        beats.longest = beats.longest.max(beats.last.elapsed());
        beats.last = Instant::now();
        beats.count += 1;
    }

    /// The longest time without, since this was asked last.
    pub fn gap(&self) -> Duration {
        std::mem::take(&mut self.beats().longest)
    }

    /// Waits for more of them.
    pub async fn more(&self, what: &str, by: u64) -> Result<()> {
        let wanted = self.beats().count + by;
        until(&format!("{what}: {by} more"), async || {
            let count = self.beats().count;
            ensure!(count >= wanted, "{} are missing", wanted - count);
            Ok(())
        })
        .await
    }
}

/// Logs in with what the file holds at that moment, as our own tools do.
pub fn by_file(file: PathBuf) -> ConnectOptions {
    ConnectOptions::with_auth_callback(move |nonce| {
        let auth = || {
            let creds = Creds::parse(&fs::read(&file)?)?;
            let mut auth = Auth::new();
            auth.jwt = Some(creds.jwt().to_owned());
            auth.signature = Some(creds.key().sign(&nonce)?);
            anyhow::Ok(auth)
        };
        std::future::ready(auth().map_err(AuthError::new))
    })
}

/// Publishes numbers into a stream, each until it is acknowledged.
pub struct Publisher {
    pub acks: Beat,
    stop: watch::Sender<bool>,
    task: JoinHandle<u64>,
}

impl Publisher {
    pub fn start(client: Client, subject: &'static str) -> Self {
        let (stop, stopped) = watch::channel(false);
        let acks = Beat::new();
        let task = tokio::spawn(publish(
            jetstream::new(client),
            subject,
            stopped,
            acks.clone(),
        ));
        Self { acks, stop, task }
    }

    /// Ends it; gives the last number that was acknowledged, as all before it were.
    pub async fn end(self) -> Result<u64> {
        self.stop.send(true)?;
        Ok(self.task.await?)
    }
}

async fn publish(
    context: jetstream::Context,
    subject: &'static str,
    stop: watch::Receiver<bool>,
    acks: Beat,
) -> u64 {
    let mut pace = interval(PACE);
    let mut number = 0;
    while !*stop.borrow() {
        pace.tick().await;
        let text = (number + 1).to_string();
        let mut headers = HeaderMap::new();
        // The same message again is the same message to the stream.
        headers.insert("Nats-Msg-Id", text.as_str());
        let publish = async {
            let sent = context.publish_with_headers(subject, headers, text.into());
            sent.await.ok()?.await.ok()
        };
        if let Ok(Some(_)) = timeout(AGAIN, publish).await {
            number += 1;
            acks.beat();
        }
    }
    number
}

/// Says something all the time that nobody keeps, and notes when it is heard.
pub async fn ticks(from: Client, at: &Client) -> Result<Beat> {
    let mut heard = at.subscribe("ticks.x").await?;
    at.flush().await?;
    tokio::spawn(async move {
        let mut pace = interval(PACE);
        while from.publish("ticks.x", "".into()).await.is_ok() {
            pace.tick().await;
        }
    });
    let beat = Beat::new();
    let beats = beat.clone();
    tokio::spawn(async move {
        while heard.next().await.is_some() {
            beats.beat();
        }
    });
    Ok(beat)
}

/// A stream has every number up to this one.
pub async fn has_all(mut stream: Stream, what: &str, last: u64) -> Result<()> {
    until(&format!("{what} has {last} messages"), async || {
        let found = stream.info().await?.state.messages;
        ensure!(found >= last, "it has {found}");
        Ok(())
    })
    .await?;
    let count = stream.info().await?.state.messages;
    let all = consumer::pull::OrderedConfig::default();
    let mut messages = stream.create_consumer(all).await?.messages().await?;
    let mut missing: BTreeSet<u64> = (1..=last).collect();
    for _ in 0..count {
        let message = timeout(Duration::from_secs(10), messages.next()).await?;
        let message = message.context("the end")??;
        missing.remove(&std::str::from_utf8(&message.payload)?.parse()?);
    }
    ensure!(missing.is_empty(), "{what} lost {missing:?}");
    Ok(())
}
