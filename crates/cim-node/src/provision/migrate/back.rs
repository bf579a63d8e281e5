//! From the interim stream into the new one: made, copied, cut over, and its consumers back.

use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::json;

use super::compare::Compared;
use super::consumers;
use super::lock::Lock;
use super::note::{LABEL, Note, Way, closed, interim};
use super::out::still_closed;
use super::stream::{Done, Migration};
use crate::provision::found::FoundStream;
use crate::provision::tree::{Tree, text, texts};

/// What a stream can be given only when it is made; the rest follows once it has every message.
const FROM_THE_START: &[&str] = &[
    "name",
    "storage",
    "persist_mode",
    "allow_msg_ttl",
    "num_replicas",
    "placement",
    "compression",
];

impl Migration<'_> {
    /// The new stream: as a copy only what cannot be set later.
    pub(super) async fn make(&self, note: &Note) -> Result<()> {
        let mut config = self.target.clone();
        if note.way == Way::Copy {
            config.retain(|field, _| FROM_THE_START.contains(&field.as_str()));
            if text(&self.target, "retention") == "workqueue" {
                config.insert("retention".to_owned(), json!("workqueue"));
            }
            config.insert("mirror".to_owned(), json!({ "name": interim(&self.name) }));
        }
        self.change("STREAM.CREATE", &marked(config, &note.id))
            .await
    }

    /// Copies back, and has the new stream take over.
    pub(super) async fn back(&self, mut note: Note, lock: &Lock, done: &mut Done) -> Result<()> {
        let (from, new) = (interim(&self.name), self.name.as_str());
        let mut all = Compared::default();
        let reached = self.nearly(&from, new, &mut all).await?;
        self.caught_up(&from, new).await?;
        let moment = Instant::now();
        let held = self.info(&from).await?;
        let end = match self.cut(&held.config, new, closed(new, "interim")).await {
            Ok(end) => end,
            Err(error) => {
                // The interim stream still is the one that counts: it takes messages again.
                let opened = async {
                    lock.kept().await?;
                    self.open_interim(&note, held.state.last_seq).await
                };
                opened.await.with_context(|| still_closed(&error, &from))?;
                return Err(error.context(format!("{from} takes what is published to {new}")));
            }
        };
        note.unread = Some((reached + 1, end));
        let shut = self.info(&from).await?.config;
        self.change("STREAM.UPDATE", &note.written(shut)?).await?;
        let mut config = marked(self.info(new).await?.config, &note.id);
        config.remove("mirror");
        config.insert("subjects".to_owned(), json!([closed(new, "old")]));
        self.change("STREAM.UPDATE", &config).await?;
        self.take_over(&note).await?;
        done.silent.push(moment.elapsed());
        done.back = Some(all);
        Ok(())
    }

    /// The new stream goes on with the interim one's numbers and takes its messages.
    async fn take_over(&self, note: &Note) -> Result<()> {
        let end = self.info(&interim(&self.name)).await?.state.last_seq;
        if note.way == Way::Copy {
            self.skip_to(&self.name, end, &closed(&self.name, "old"))
                .await?;
        }
        let mut config = marked(self.target.clone(), &note.id);
        // Without consumers, an interest stream would forget everything.
        if text(&config, "retention") == "interest" {
            config.remove("retention");
        }
        self.change("STREAM.UPDATE", &config).await
    }

    pub(super) async fn open(
        &self,
        note: &Note,
        stream: &FoundStream,
        done: &mut Done,
    ) -> Result<()> {
        let closed = closed(&self.name, "old");
        if texts(&stream.config, "subjects") == [closed.as_str()] {
            self.take_over(note).await?;
        }
        for kept in &note.consumers {
            consumers::restore(self.api, &self.name, kept, &self.consumers).await?;
            done.consumers += 1;
        }
        self.change("STREAM.UPDATE", &self.target).await
    }

    /// The interim stream goes: whatever it has is in the new one.
    pub(super) async fn clear(&self, note: &Note, lock: &Lock, done: &mut Done) -> Result<()> {
        let from = interim(&self.name);
        self.unread(note, &from, &self.name, &mut done.back).await?;
        lock.held().await?;
        self.remove(&from).await
    }
}

/// A new stream that is not whole yet carries the id.
fn marked(mut config: Tree, id: &str) -> Tree {
    let labels = config.entry("metadata").or_insert_with(|| json!({}));
    labels[LABEL] = json!(id);
    config
}
