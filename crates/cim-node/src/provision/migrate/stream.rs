//! A stream's migration: which step comes next, and the first one. Each is decided by what the server has at that moment,
//! so that a run goes on wherever the one before was killed. [`super::out`] and [`super::back`] have the others.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, anyhow, bail, ensure};
use serde_json::{Value, json};

use super::compare::{Absent, Compared};
use super::lock::Lock;
use super::note::{LONGEST, Note, Way, closed, interim, trial};
use super::phase::{Phase, phase};
use crate::provision::api::Api;
use crate::provision::found::FoundStream;
use crate::provision::tree::{Tree, text};

/// What the interim stream has of the old one from the start.
pub(super) const INTERIM: &[&str] = &["num_replicas", "placement", "allow_msg_ttl", "description"];

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
    /// What was compared of the old stream and the interim one, before the old one went.
    pub out: Option<Compared>,
    /// What was compared of the interim stream and the new one, before the interim one went.
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
                Phase::Copy(note) => self.copy(note, lock, done).await?,
                Phase::Move(note) => self.replace(note, lock, done).await?,
                Phase::Empty(note) => self.empty(note, lock).await?,
                Phase::Make(note) => self.make(&note).await?,
                Phase::Back(note) => self.back(note, lock, done).await?,
                Phase::Open(note) => {
                    let stream = stream.ok_or_else(|| anyhow!("{} went meanwhile", self.name))?;
                    self.open(&note, &stream, done).await?;
                }
                Phase::Clear(note) => return self.clear(&note, lock, done).await,
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
                let all = self
                    .compared(&self.name, origin, (1, to), Absent::Missing)
                    .await?;
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
}

/// Takes some fields of a configuration into another.
pub(super) fn keep(config: &mut Tree, of: &Tree, fields: &[&str]) {
    for field in fields {
        if let Some(value) = of.get(*field) {
            config.insert((*field).to_owned(), value.clone());
        }
    }
}
