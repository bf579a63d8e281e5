//! What a migration does to single streams: close, copy, compare, skip, remove.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use super::compare::{self, Compared};
use super::stream::Migration;
use crate::provision::api::Pauses;
use crate::provision::found::{self, FoundStream};
use crate::provision::tree::{Tree, flag, text};

/// How many numbers without a message at a stream's end are skipped; one publish ends such a gap.
pub const LONGEST_GAP: u64 = 100_000;

/// How long a copy may stand still.
const STALLED: Duration = Duration::from_secs(30);

/// How often is told how far a copy is.
const TELL: Duration = Duration::from_secs(2);

/// How long two streams may differ by what expires meanwhile.
const SAME: Duration = Duration::from_secs(10);

/// So few messages are copied and compared while publishers wait.
const FEW: u64 = 200;

/// How often is tried to get so close to a stream that grows.
const ROUNDS: usize = 20;

const FILLERS_AT_ONCE: usize = 256;

impl Migration<'_> {
    /// Closes a stream: nothing comes in any more.
    pub(super) async fn close(&self, config: &Tree, name: &str, closed: String) -> Result<()> {
        if flag(config, "sealed") {
            return Ok(());
        }
        let mut config = config.clone();
        for field in ["mirror", "sources", "mirror_direct"] {
            config.remove(field);
        }
        config.insert("name".to_owned(), json!(name));
        config.insert("subjects".to_owned(), json!([closed]));
        self.change("STREAM.UPDATE", &config).await
    }

    /// Waits until a copy has the last message; its sequence.
    pub(super) async fn caught_up(&self, of: &str, copy: &str) -> Result<u64> {
        let mut pauses = Pauses::new(STALLED);
        let (mut best, mut told) = (0, Instant::now());
        loop {
            let last = compare::last(self.api, of).await?;
            let held = self.info(copy).await?;
            if held.state.last_seq >= last {
                return Ok(last);
            }
            if held.state.last_seq > best {
                best = held.state.last_seq;
                pauses = Pauses::new(STALLED);
            }
            if told.elapsed() >= TELL {
                told = Instant::now();
                (self.tell)(&format!("copied up to sequence {best} of {last}"));
            }
            ensure!(
                pauses.next().await,
                "{copy} copies nothing of {of} for {} s: it is at sequence {best} of {last}; nothing was removed, run again",
                STALLED.as_secs()
            );
        }
    }

    /// Compares in parts, and tells how far it is.
    pub(super) async fn compared(
        &self,
        of: &str,
        copy: &str,
        (from, to): (u64, u64),
    ) -> Result<Compared> {
        let mut all = Compared::default();
        let first = self.info(of).await?.state.first_seq;
        let (mut at, mut told) = (from.max(first), Instant::now());
        while at <= to {
            let end = (at + 19_999).min(to);
            all.and(compare::compare(self.api, of, copy, (at, end), self.at_once).await?);
            at = end + 1;
            if told.elapsed() >= TELL {
                told = Instant::now();
                (self.tell)(&format!("compared up to sequence {end} of {to}"));
            }
        }
        Ok(all)
    }

    /// Copies and compares while messages come in, until only few are left; the last compared sequence.
    pub(super) async fn nearly(
        &self,
        of: &str,
        copy: &str,
        from: u64,
        all: &mut Compared,
    ) -> Result<u64> {
        let mut reached = from;
        for _ in 0..ROUNDS {
            let end = self.caught_up(of, copy).await?;
            all.and(self.compared(of, copy, (reached + 1, end)).await?);
            all.complete(of, copy)?;
            let few = end.saturating_sub(reached) < FEW;
            reached = end.max(reached);
            if few {
                break;
            }
        }
        Ok(reached)
    }

    /// Makes both hold the very same: what the one has no longer, the other forgets. Everything was compared.
    pub(super) async fn same(&self, of: &str, copy: &str, all: &Compared) -> Result<()> {
        all.complete(of, copy)?;
        let mut pauses = Pauses::new(SAME);
        loop {
            compare::forget(self.api, of, copy, self.at_once).await?;
            let (theirs, ours) = (self.info(of).await?.state, self.info(copy).await?.state);
            if theirs.messages == ours.messages {
                ensure!(
                    all.messages >= theirs.messages,
                    "only {} of the {} messages of {of} were compared: nothing was removed, run again",
                    all.messages,
                    theirs.messages
                );
                return Ok(());
            }
            // Messages may expire meanwhile.
            ensure!(
                pauses.next().await,
                "{copy} holds {} messages, and {of} {}: nothing was removed, run again",
                ours.messages,
                theirs.messages
            );
        }
    }

    /// Makes a stream's next sequence the one after `end`: where the last messages were deleted, a copy does not know
    /// of them, and consumers would take new messages for old ones.
    pub(super) async fn skip_to(&self, name: &str, end: u64, closed: &str) -> Result<()> {
        let state = self.info(name).await?.state;
        if state.messages == 0 && state.last_seq < end {
            return self.purge(name, &json!({ "seq": end + 1 })).await;
        }
        let gap = end.saturating_sub(state.last_seq);
        ensure!(
            gap <= LONGEST_GAP,
            "the last {gap} sequences of {name} have no message, too many to skip: publish one message to it, and run again"
        );
        let fillers = stream::iter(0..gap).map(async |_| self.api.store(closed).await);
        let mut fillers = fillers.buffer_unordered(FILLERS_AT_ONCE);
        while let Some(filled) = fillers.next().await {
            filled.map_err(|failure| anyhow!("skipping sequences of {name}: {failure}"))?;
        }
        // Also those of a run that was killed.
        self.purge(name, &json!({ "filter": closed })).await
    }

    pub(super) async fn purge(&self, name: &str, body: &Value) -> Result<()> {
        let purged = self.api.ask(&format!("STREAM.PURGE.{name}"), body).await;
        purged
            .map(drop)
            .map_err(|failure| anyhow!("purging {name}: {failure}"))
    }

    pub(super) async fn find(&self, name: &str) -> Result<Option<FoundStream>> {
        let found = found::stream(self.api, name).await;
        found.map_err(|failure| anyhow!("asking for the stream {name}: {failure}"))
    }

    pub(super) async fn info(&self, name: &str) -> Result<FoundStream> {
        let found = self.find(name).await?;
        found.ok_or_else(|| anyhow!("the stream {name} is gone: somebody else removed it"))
    }

    pub(super) async fn change(&self, how: &str, config: &Tree) -> Result<()> {
        let name = text(config, "name");
        let answer = self.api.ask(&format!("{how}.{name}"), &json!(config)).await;
        answer
            .map(drop)
            .map_err(|failure| anyhow!("{how} of {name}: {failure}"))
    }

    /// Removes a stream if it is the one that was made then.
    pub(super) async fn remove_made(&self, name: &str, created: &str) -> Result<()> {
        let Some(found) = self.find(name).await? else {
            return Ok(());
        };
        ensure!(
            found.created == created,
            "{name} was made again meanwhile: run again"
        );
        self.remove(name).await
    }

    pub(super) async fn remove(&self, name: &str) -> Result<()> {
        let removed = self
            .api
            .find(&format!("STREAM.DELETE.{name}"), &Value::Null)
            .await;
        removed
            .map(drop)
            .map_err(|failure| anyhow!("removing {name}: {failure}"))
    }
}
