//! The moment when neither stream takes messages: the one is closed, drained and copied to its end, the other goes on with
//! its numbers.

use std::time::Duration;

use anyhow::{Result, anyhow, bail, ensure};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::compare;
use super::stream::Migration;
use crate::provision::api::Pauses;
use crate::provision::tree::{Tree, flag, text};

/// For how long at most a stream is closed: NATS's clients wait 5 s for an acknowledgement. What is compared does not
/// count: that is done before and after.
const LONGEST: Duration = Duration::from_secs(5);

/// How long two streams may differ by what expires meanwhile.
const SAME: Duration = Duration::from_secs(3);

/// How many numbers without a message at a stream's end are skipped; one publish ends such a gap.
const LONGEST_GAP: u64 = 100_000;

const FILLERS_AT_ONCE: usize = 256;

impl Migration<'_> {
    /// Closes a stream, and waits until its copy holds what it holds; the last sequence of it. By an error the stream is
    /// closed still, or may be.
    pub(super) async fn cut(&self, config: &Tree, copy: &str, closed: String) -> Result<u64> {
        let name = text(config, "name");
        let all = async {
            self.close(config, closed).await?;
            let end = self.caught_up(name, copy).await?;
            self.same(name, copy).await?;
            Ok(end)
        };
        if let Ok(cut) = timeout(LONGEST, all).await {
            return cut;
        }
        let states = async {
            let theirs = self.info(name).await?.state;
            anyhow::Ok((theirs.last_seq, self.info(copy).await?.state.last_seq))
        };
        let (why, help) = match states.await {
            Ok((end, at)) if at < end => (
                format!("{copy} had still not copied all of it: it is at sequence {at} of {end}"),
                "let its publishers pause, or publish less",
            ),
            _ => (
                "the server had not answered by then whether all of it is copied".to_owned(),
                "wait until it is less busy, or work nearer to it",
            ),
        };
        bail!(
            "{name} took no messages for {} s, and {why}. Nothing was removed: {help}, and run again",
            LONGEST.as_secs()
        )
    }

    /// Closes a stream: nothing comes in any more.
    pub(super) async fn close(&self, config: &Tree, closed: String) -> Result<()> {
        if flag(config, "sealed") {
            return Ok(());
        }
        let mut shut = config.clone();
        for field in ["mirror", "sources", "mirror_direct", "no_ack"] {
            shut.remove(field);
        }
        shut.insert("subjects".to_owned(), json!([closed]));
        // For what was under way to it already, and would be stored, and acknowledged, once it was copied.
        shut.insert("max_msg_size".to_owned(), json!(1));
        self.change("STREAM.UPDATE", &shut).await?;
        self.drained(config, &closed).await
    }

    /// Waits until what came before a stream was closed is stored: nats-server keeps messages in line, and says that an update
    /// is done before they are. Whatever is refused after them was in that line.
    async fn drained(&self, config: &Tree, closed: &str) -> Result<()> {
        let name = text(config, "name");
        let refused = self.api.refused(closed).await;
        refused.map_err(|failure| {
            anyhow!("waiting for what {name} was sent before it was closed: {failure}")
        })?;
        // In a cluster that was proposed by then, and a purge of nothing is agreed upon after it.
        if self.api.is_clustered() && !flag(config, "deny_purge") {
            self.purge(name, &json!({ "filter": closed })).await?;
        }
        Ok(())
    }

    /// Makes both hold messages under the very same numbers: what the one has no longer, the other forgets.
    async fn same(&self, of: &str, copy: &str) -> Result<()> {
        let mut pauses = Pauses::new(SAME);
        loop {
            compare::forget(self.api, of, copy, u64::MAX, self.at_once).await?;
            let (theirs, ours) = (self.info(of).await?.state, self.info(copy).await?.state);
            if theirs.messages == ours.messages {
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

    async fn purge(&self, name: &str, body: &Value) -> Result<()> {
        let purged = self.api.ask(&format!("STREAM.PURGE.{name}"), body).await;
        purged
            .map(drop)
            .map_err(|failure| anyhow!("purging {name}: {failure}"))
    }
}
