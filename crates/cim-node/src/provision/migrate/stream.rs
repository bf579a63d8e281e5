//! The steps of a stream's migration. Each is decided by what the server has at that moment, so that a run goes on
//! wherever the one before was killed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail, ensure};
use serde_json::{Value, json};

use super::compare::{self, Compared};
use super::consumers;
use super::lock::Lock;
use super::note::{LABEL, LONGEST, Note, Way, closed, interim, trial};
use super::phase::{Phase, phase};
use crate::provision::api::Api;
use crate::provision::found::FoundStream;
use crate::provision::tree::{Tree, flag, text, texts};

/// What the interim stream has of the old one from the start.
const INTERIM: &[&str] = &["num_replicas", "placement", "allow_msg_ttl", "description"];

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

/// The migration of one stream.
pub struct Migration<'a> {
    /// Where.
    pub api: &'a Api,
    /// The stream's name.
    pub name: String,
    /// What is declared, as the server takes it.
    pub target: Tree,
    /// Its declared consumers.
    pub consumers: BTreeMap<String, Tree>,
    /// How many requests are open at a time.
    pub at_once: usize,
    /// Who hears what goes on.
    pub tell: &'a dyn Fn(&str),
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Done {
    /// What was compared before the old stream went.
    pub out: Option<Compared>,
    /// What was compared before the interim stream went.
    pub back: Option<Compared>,
    /// For how long publishers got no acknowledgement, each time.
    pub silent: Vec<Duration>,
    /// How many consumers came back.
    pub consumers: usize,
}

impl Migration<'_> {
    /// The stream and its interim one, and what comes next.
    ///
    /// # Errors
    /// A server that does not answer, and streams that no migration leaves behind.
    pub async fn look(&self) -> Result<(Option<FoundStream>, Option<FoundStream>, Phase)> {
        let (stream, interim) = (
            self.find(&self.name).await?,
            self.find(&interim(&self.name)).await?,
        );
        let phase = phase(&self.name, stream.as_ref(), interim.as_ref())?;
        Ok((stream, interim, phase))
    }

    /// Goes on until the new stream is in place; `first` is the note to begin with.
    ///
    /// # Errors
    /// What the server says; the next run goes on from there.
    pub async fn run(&self, first: Note) -> Result<Done> {
        let mut done = Done::default();
        if let (Some(old), _, Phase::Begin) = self.look().await? {
            self.begin(&first, &old).await?;
        }
        let lock = Lock::take(self.api, &interim(&self.name)).await?;
        let result = self.steps(&lock, &mut done).await;
        lock.free().await;
        result.map(|()| done)
    }

    async fn steps(&self, lock: &Lock, done: &mut Done) -> Result<()> {
        loop {
            let (stream, _, phase) = self.look().await?;
            (self.tell)(phase.words());
            lock.held().await?;
            match phase {
                Phase::Begin => bail!(
                    "the interim stream of {} went meanwhile: run again",
                    self.name
                ),
                Phase::Copy(note) => self.copy(note, done).await?,
                Phase::Move(note) => self.replace(note, lock).await?,
                Phase::Empty(note) => self.empty(note, lock).await?,
                Phase::Make(note) => self.make(&note).await?,
                Phase::Back(note) => self.back(&note, done).await?,
                Phase::Open(note) => {
                    let stream = stream.ok_or_else(|| anyhow!("{} went meanwhile", self.name))?;
                    self.open(&note, &stream, done).await?;
                }
                Phase::Clear(_) => {
                    lock.held().await?;
                    return self.remove(&interim(&self.name)).await;
                }
            }
        }
    }

    /// The server takes what is declared, tried beside the old stream; then the interim stream is made.
    async fn begin(&self, note: &Note, old: &FoundStream) -> Result<()> {
        let trial = trial(&self.name);
        let mut config = self.target.clone();
        for field in ["mirror", "mirror_direct", "sources", "max_bytes"] {
            config.remove(field);
        }
        config.insert("name".to_owned(), json!(trial));
        config.insert("subjects".to_owned(), json!([closed(&self.name, "trial")]));
        self.remove(&trial).await?;
        let tried = self
            .api
            .ask(&format!("STREAM.CREATE.{trial}"), &json!(config))
            .await;
        self.remove(&trial).await?;
        tried.map_err(|failure| {
            anyhow!("nothing was done, for the server would not take what is declared: {failure}")
        })?;

        let mut config = Tree::new();
        config.insert("name".to_owned(), json!(interim(&self.name)));
        keep(&mut config, &old.config, INTERIM);
        match note.way {
            Way::Copy => config.insert("mirror".to_owned(), json!({ "name": self.name })),
            Way::Refill => config.insert(
                "subjects".to_owned(),
                json!([closed(&self.name, "interim")]),
            ),
        };
        let config = note.written(config)?;
        ensure!(
            json!(config).to_string().len() <= LONGEST,
            "{} has too many consumers to note where they are: remove those that nobody needs",
            self.name
        );
        self.change("STREAM.CREATE", &config).await
    }

    /// Copies, and closes the old stream once nearly everything is there.
    async fn copy(&self, mut note: Note, done: &mut Done) -> Result<()> {
        let (old, copy) = (self.name.as_str(), interim(&self.name));
        let mut all = Compared::default();
        let reached = self.nearly(old, &copy, 0, &mut all).await?;
        let (kept, _) = consumers::kept(self.api, old).await?;
        consumers::pause(self.api, old, &kept).await?;
        let reached = self.nearly(old, &copy, reached, &mut all).await?;
        let moment = Instant::now();
        self.close(&note.config, old, closed(old, "old")).await?;
        let closed_well = async {
            let end = self.caught_up(old, &copy).await?;
            all.and(self.compared(old, &copy, (reached + 1, end)).await?);
            self.same(old, &copy, &all).await
        };
        if let Err(error) = closed_well.await {
            // The old stream still is the only one that counts: it takes messages again.
            self.change("STREAM.UPDATE", &note.config).await?;
            consumers::resume(self.api, old, &kept).await?;
            return Err(error);
        }
        note.consumers = consumers::kept(self.api, old).await?.0;
        let end = self.info(old).await?.state.last_seq;
        self.open_interim(&note, end).await?;
        done.silent.push(moment.elapsed());
        done.out = Some(all);
        Ok(())
    }

    /// The interim stream is one of its own, goes on with the old one's numbers and takes its messages.
    async fn open_interim(&self, note: &Note, end: u64) -> Result<()> {
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
    async fn replace(&self, mut note: Note, lock: &Lock) -> Result<()> {
        let copy = interim(&self.name);
        let old = self.info(&self.name).await?;
        // Killed on the way, the interim stream may not have taken over yet.
        self.close(&note.config, &self.name, closed(&self.name, "old"))
            .await?;
        let (kept, _) = consumers::kept(self.api, &self.name).await?;
        consumers::pause(self.api, &self.name, &kept).await?;
        compare::forget(self.api, &self.name, &copy, self.at_once).await?;
        note.consumers = consumers::kept(self.api, &self.name).await?.0;
        self.open_interim(&note, old.state.last_seq).await?;
        lock.held().await?;
        self.remove_made(&self.name, &note.created).await
    }

    /// An old stream that needs no copy.
    async fn empty(&self, mut note: Note, lock: &Lock) -> Result<()> {
        let name = &self.name;
        let (kept, _) = consumers::kept(self.api, name).await?;
        consumers::pause(self.api, name, &kept).await?;
        if !note.config.contains_key("mirror") {
            self.close(&note.config, name, closed(name, "old")).await?;
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

    /// Nothing of the stream is lost with it: it is empty, or what it shall mirror has all of it.
    ///
    /// # Errors
    /// How much would be lost.
    pub async fn spare(&self) -> Result<()> {
        let old = self.info(&self.name).await?;
        let origin = self.target.get("mirror").and_then(Value::as_object);
        match origin {
            None => ensure!(
                old.state.messages == 0,
                "it holds {} messages, whose numbers or contents cannot be others: only an empty stream can become that",
                old.state.messages
            ),
            Some(origin) => {
                let origin = text(origin, "name");
                let to = old.state.last_seq;
                let all = self.compared(&self.name, origin, (1, to)).await?;
                ensure!(
                    all.missing.is_empty(),
                    "{} of its {} messages are not in {origin} under the same sequence, the first with {}: as a mirror of it, it would lose them",
                    all.missing.len(),
                    old.state.messages,
                    all.missing.first().copied().unwrap_or_default()
                );
            }
        }
        Ok(())
    }

    /// The new stream: as a copy only what cannot be set later.
    async fn make(&self, note: &Note) -> Result<()> {
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

    /// Copies back, and closes the interim stream once nearly everything is there.
    async fn back(&self, note: &Note, done: &mut Done) -> Result<()> {
        let (from, new) = (interim(&self.name), self.name.as_str());
        let mut all = Compared::default();
        let reached = self.nearly(&from, new, 0, &mut all).await?;
        let moment = Instant::now();
        let held = self.info(&from).await?;
        self.close(&held.config, &from, closed(new, "interim"))
            .await?;
        let closed_well = async {
            let end = self.caught_up(&from, new).await?;
            all.and(self.compared(&from, new, (reached + 1, end)).await?);
            self.same(&from, new, &all).await
        };
        if let Err(error) = closed_well.await {
            // The interim stream still is the one that counts: it takes messages again.
            let end = held.state.last_seq;
            self.open_interim(note, end).await?;
            return Err(error);
        }
        let closed = closed(new, "old");
        let mut config = marked(self.info(new).await?.config, &note.id);
        config.remove("mirror");
        config.insert("subjects".to_owned(), json!([closed]));
        self.change("STREAM.UPDATE", &config).await?;
        self.take_over(note).await?;
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

    async fn open(&self, note: &Note, stream: &FoundStream, done: &mut Done) -> Result<()> {
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
}

/// A new stream that is not whole yet carries the id.
fn marked(mut config: Tree, id: &str) -> Tree {
    let labels = config.entry("metadata").or_insert_with(|| json!({}));
    labels[LABEL] = json!(id);
    config
}

fn keep(config: &mut Tree, of: &Tree, fields: &[&str]) {
    for field in fields {
        if let Some(value) = of.get(*field) {
            config.insert((*field).to_owned(), value.clone());
        }
    }
}
