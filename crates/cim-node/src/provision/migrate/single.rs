//! What a migration does with single streams: copy, compare, look, change, remove.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use serde_json::{Value, json};

use super::compare::{self, Absent, Compared};
use super::stream::Migration;
use crate::provision::api::Pauses;
use crate::provision::found::{self, FoundStream};
use crate::provision::tree::{Tree, text};

/// How long a copy may stand still.
const STALLED: Duration = Duration::from_secs(30);

/// How often is told how far a copy is.
const TELL: Duration = Duration::from_secs(2);

/// So few messages are not worth another round.
const FEW: u64 = 200;

impl Migration<'_> {
    /// Waits until a copy has the message that is the last one now, or was until that went; its sequence. A copy that
    /// is slower than publishers gets there, and never to their last one.
    pub(super) async fn caught_up(&self, of: &str, copy: &str) -> Result<u64> {
        let now = compare::last(self.api, of).await?;
        let mut pauses = Pauses::new(STALLED);
        let (mut best, mut told) = (0, Instant::now());
        loop {
            let last = compare::last(self.api, of).await?.min(now);
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
        absent: Absent,
    ) -> Result<Compared> {
        let mut all = Compared::default();
        let first = self.info(of).await?.state.first_seq;
        let (mut at, mut told) = (from.max(first), Instant::now());
        while at <= to {
            let end = (at + 19_999).min(to);
            let part = compare::compare(self.api, of, copy, (at, end), absent, self.at_once);
            all.and(part.await?);
            at = end + 1;
            if told.elapsed() >= TELL {
                told = Instant::now();
                (self.tell)(&format!("compared up to sequence {end} of {to}"));
            }
        }
        Ok(all)
    }

    /// Copies and compares while messages come in, until only few are left, or until publishers turn out to be so fast
    /// that another round would leave about as many; the last compared sequence. Rounds halve, so this ends.
    pub(super) async fn nearly(&self, of: &str, copy: &str, all: &mut Compared) -> Result<u64> {
        let (mut reached, mut before) = (0, u64::MAX);
        loop {
            let end = self.caught_up(of, copy).await?;
            compare::forget(self.api, of, copy, u64::MAX, self.at_once).await?;
            let rest = end.saturating_sub(reached);
            if rest >= FEW && rest > before / 2 {
                (self.tell)(&format!(
                    "{rest} messages came while {before} were compared: the rest is once {of} is closed"
                ));
                return Ok(reached);
            }
            let range = (reached + 1, end);
            all.and(self.compared(of, copy, range, Absent::Missing).await?);
            all.complete(of, copy)?;
            (reached, before) = (end.max(reached), rest);
            if rest < FEW {
                return Ok(reached);
            }
        }
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
