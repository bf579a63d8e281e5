//! Who publishes while a stream migrates, and what was acknowledged.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use futures_util::StreamExt;
use serde_json::Value;
use tokio::time::timeout;

use crate::migrate::content;
use crate::support::Site;

/// How long it goes on at most: a migration that never ends shall fail its test, not fill a disk.
const LONGEST: Duration = Duration::from_secs(180);

/// How fast.
struct Pace {
    /// So many are under way at a time; 0 stops it.
    at_once: AtomicU64,
    /// And so many microseconds pass before the next ones.
    pause: AtomicU64,
}

/// How long an answer may take. In a cluster there may be none: a node sends a message where nobody takes it any more.
const ANSWER: Duration = Duration::from_secs(3);

/// What became of the numbers.
#[derive(Default)]
struct Published {
    acknowledged: BTreeSet<u64>,
    unanswered: BTreeSet<u64>,
}

/// Publishes numbers, as the last token of a subject, one after the other or several at a time, from a thread of its own until told to stop, and keeps
/// those that were acknowledged.
pub struct Publisher {
    subject: String,
    pace: Arc<Pace>,
    thread: JoinHandle<Result<Published>>,
}

impl Publisher {
    /// So many at a time, and a pause.
    pub fn start(site: &Site, subject: &str, at_once: u64, pause: Duration) -> Self {
        let (url, to) = (site.url().to_owned(), subject.to_owned());
        let pace = Arc::new(Pace {
            at_once: AtomicU64::new(at_once),
            pause: AtomicU64::new(micros(pause)),
        });
        let wanted = Arc::clone(&pace);
        let publish = async move {
            let client = async_nats::connect(url).await?;
            let inbox = client.new_inbox();
            let mut acks = client.subscribe(format!("{inbox}.*")).await?;
            let (mut published, mut next) = (Published::default(), 1_u64);
            let end = Instant::now() + LONGEST;
            while Instant::now() < end {
                let at_once = wanted.at_once.load(Relaxed);
                if at_once == 0 {
                    break;
                }
                for number in next..next + at_once {
                    let (to, ack) = (format!("{to}.{number}"), format!("{inbox}.{number}"));
                    // A closed stream refuses what is longer than a byte; the others must be waited for.
                    let body = if number % 2 == 0 {
                        String::new()
                    } else {
                        to.clone()
                    };
                    client.publish_with_reply(to, ack, body.into()).await?;
                    published.unanswered.insert(number);
                }
                next += at_once;
                while !published.unanswered.is_empty() {
                    let Ok(ack) = timeout(ANSWER, acks.next()).await else {
                        break;
                    };
                    let ack = ack.context("the connection is there")?;
                    let number = ack.subject.rsplit('.').next().unwrap_or_default();
                    let number = number.parse::<u64>()?;
                    published.unanswered.remove(&number);
                    let ack: Value = serde_json::from_slice(&ack.payload).unwrap_or_default();
                    // A refusal has a sequence too, 0.
                    if ack["error"].is_null() && ack["seq"].is_u64() {
                        published.acknowledged.insert(number);
                    }
                }
                // Not to wait for anything: this is the pace.
                tokio::time::sleep(Duration::from_micros(wanted.pause.load(Relaxed))).await;
            }
            Ok(published)
        };
        let thread = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?
                .block_on(publish)
        });
        Self {
            subject: subject.to_owned(),
            pace,
            thread,
        }
    }

    /// From now on at another pace.
    pub fn pace(&self, at_once: u64, pause: Duration) {
        self.pace.pause.store(micros(pause), Relaxed);
        self.pace.at_once.store(at_once, Relaxed);
    }

    /// What was acknowledged is there, once and in order, and beside it nothing but what was never answered.
    pub async fn stop(self, site: &Site) -> Result<usize> {
        self.pace.at_once.store(0, Relaxed);
        let published = self.thread.join();
        let published = published.map_err(|_| anyhow!("the publisher panicked"))??;
        let content = content(site, "A").await?;
        let there: Vec<_> = content
            .iter()
            .filter_map(|message| message["subject"].as_str()?.strip_prefix(&self.subject))
            .filter_map(|number| number.strip_prefix('.')?.parse::<u64>().ok())
            .collect();
        let answered = there
            .iter()
            .filter(|number| !published.unanswered.contains(number));
        let wanted: Vec<_> = published.acknowledged.iter().collect();
        let differs = answered
            .clone()
            .zip(&wanted)
            .position(|(is, was)| is != *was);
        ensure!(
            answered.eq(wanted.iter().copied()),
            "{} acknowledged, {} never answered, {} there, the first that differs is number {differs:?}",
            wanted.len(),
            published.unanswered.len(),
            there.len()
        );
        Ok(wanted.len())
    }
}

fn micros(pause: Duration) -> u64 {
    u64::try_from(pause.as_micros()).unwrap_or(u64::MAX)
}
