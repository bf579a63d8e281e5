//! From the old stream to the interim one: copied, cut over, and gone.

use std::time::Instant;

use anyhow::{Context, Error, Result, ensure};
use serde_json::json;

use super::compare::{self, Absent, Compared};
use super::consumers;
use super::lock::Lock;
use super::note::{Kept, Note, closed, interim};
use super::stream::{Done, INTERIM, Migration, keep};
use crate::provision::tree::{Tree, flag, texts};

/// What the interim stream never has of the old one: it forgets what it must, and has no consumers.
const NOT_INTERIM: &[&str] = &[
    "mirror",
    "sources",
    "deny_delete",
    "deny_purge",
    "sealed",
    "first_seq",
    "allow_msg_counter",
    "persist_mode",
    "storage",
    "retention",
    "max_consumers",
    "consumer_limits",
    "mirror_direct",
    "allow_direct",
];

/// For whoever must know first that nobody can publish: a stream that was closed for nothing could not be opened again.
pub(super) fn still_closed(error: &Error, name: &str) -> String {
    format!(
        "{error:#}; and {name} may take no messages still, for opening it again failed: run again at once"
    )
}

impl Migration<'_> {
    /// Copies, and has the interim stream take over.
    pub(super) async fn copy(&self, mut note: Note, lock: &Lock, done: &mut Done) -> Result<()> {
        let (old, copy) = (self.name.as_str(), interim(&self.name));
        let mut all = Compared::default();
        let reached = self.nearly(old, &copy, &mut all).await?;
        let (kept, _) = consumers::kept(self.api, old).await?;
        consumers::pause(self.api, old, &kept).await?;
        self.caught_up(old, &copy).await?;
        let moment = Instant::now();
        let end = match self.cut(&note.config, &copy, closed(old, "old")).await {
            Ok(end) => end,
            Err(error) => {
                let opened = self.undo(&note, &kept, lock).await;
                opened.with_context(|| still_closed(&error, old))?;
                return Err(error.context(format!("{old} is as it was before")));
            }
        };
        note.consumers = consumers::kept(self.api, old).await?.0;
        note.unread = Some((reached + 1, end));
        let end = self.info(old).await?.state.last_seq;
        self.open_interim(&note, end).await?;
        done.silent.push(moment.elapsed());
        done.out = Some(all);
        Ok(())
    }

    /// The old stream still is the only one that counts: it takes messages again, and nothing was changed.
    async fn undo(&self, note: &Note, kept: &[Kept], lock: &Lock) -> Result<()> {
        lock.kept().await?;
        self.change("STREAM.UPDATE", &note.config).await?;
        consumers::resume(self.api, &self.name, kept).await?;
        self.remove(&interim(&self.name)).await
    }

    /// The interim stream is one of its own, goes on with the old one's numbers and takes its messages.
    pub(super) async fn open_interim(&self, note: &Note, end: u64) -> Result<()> {
        let name = interim(&self.name);
        let closed = closed(&self.name, "interim");
        let held = self.info(&name).await?.config;
        if held.contains_key("mirror") {
            let mut config = Tree::new();
            keep(&mut config, &held, INTERIM);
            config.insert("name".to_owned(), json!(name));
            config.insert("subjects".to_owned(), json!([closed]));
            self.change("STREAM.UPDATE", &note.written(config)?).await?;
        }
        self.skip_to(&name, end, &closed).await?;
        let mut config = note.config.clone();
        config.retain(|field, _| !NOT_INTERIM.contains(&field.as_str()));
        if texts(&config, "subjects").is_empty() || flag(&note.config, "sealed") {
            config.insert("subjects".to_owned(), json!([closed]));
        }
        config.insert("name".to_owned(), json!(name));
        self.change("STREAM.UPDATE", &note.written(config)?).await
    }

    /// The old stream goes: whatever it has is in the interim one.
    pub(super) async fn replace(&self, mut note: Note, lock: &Lock, done: &mut Done) -> Result<()> {
        let copy = interim(&self.name);
        let old = self.info(&self.name).await?;
        // Killed on the way, the interim stream may not have taken over yet.
        self.close(&note.config, closed(&self.name, "old")).await?;
        self.nothing_late(&note, &self.name, &copy).await?;
        let (kept, _) = consumers::kept(self.api, &self.name).await?;
        consumers::pause(self.api, &self.name, &kept).await?;
        let end = note.unread.map_or(u64::MAX, |(_, end)| end);
        compare::forget(self.api, &self.name, &copy, end, self.at_once).await?;
        note.consumers = consumers::kept(self.api, &self.name).await?.0;
        self.open_interim(&note, old.state.last_seq).await?;
        self.unread(&note, &self.name, &copy, &mut done.out).await?;
        lock.held().await?;
        self.remove_made(&self.name, &note.created).await
    }

    /// Compares what was cut over by its numbers alone, before the stream goes that it came from. That one is closed, so
    /// this ends however much is published; what the copy no longer has was removed there since.
    pub(super) async fn unread(
        &self,
        note: &Note,
        of: &str,
        copy: &str,
        done: &mut Option<Compared>,
    ) -> Result<()> {
        let Some((from, end)) = note.unread else {
            return Ok(());
        };
        let rest = self.compared(of, copy, (from, end), Absent::Gone).await?;
        rest.complete(of, copy)?;
        done.get_or_insert_default().and(rest);
        self.nothing_late(note, of, copy).await
    }

    /// A stream took nothing more after its copy took over.
    async fn nothing_late(&self, note: &Note, of: &str, copy: &str) -> Result<()> {
        let (last, end) = (compare::last(self.api, of).await?, note.unread);
        let end = end.map_or(last, |(_, end)| end);
        ensure!(
            last <= end,
            "{of} took messages up to sequence {last} after it was closed, and {copy} has what it held up to {end}: nothing was removed; \
             publish again what {of} has after {end}, remove it there, and run again"
        );
        Ok(())
    }

    /// An old stream that needs no copy.
    pub(super) async fn empty(&self, mut note: Note, lock: &Lock) -> Result<()> {
        let name = &self.name;
        let (kept, _) = consumers::kept(self.api, name).await?;
        consumers::pause(self.api, name, &kept).await?;
        if !note.config.contains_key("mirror") {
            self.close(&note.config, closed(name, "old")).await?;
        }
        if let Err(error) = self.spare().await {
            self.change("STREAM.UPDATE", &note.config).await?;
            consumers::resume(self.api, name, &kept).await?;
            self.remove(&interim(name)).await?;
            return Err(error);
        }
        note.consumers = consumers::kept(self.api, name).await?.0;
        if !self.target.contains_key("mirror") {
            // Nothing is left that they could have had.
            note.consumers.iter_mut().for_each(|kept| kept.position = 0);
        }
        let held = self.info(&interim(name)).await?;
        self.change("STREAM.UPDATE", &note.written(held.config)?)
            .await?;
        lock.held().await?;
        self.remove_made(name, &note.created).await
    }
}
