//! The steps of a stream's migration. Each is decided by what the server has at that moment, so that a run goes on
//! wherever the one before was killed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail, ensure};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use super::compare::{self, Compared};
use super::consumers;
use super::lock::Lock;
use super::note::{LABEL, LONGEST, Note, Way, closed, interim};
use super::phase::{Phase, phase};
use crate::provision::api::{Api, Pauses};
use crate::provision::found::{self, FoundStream};
use crate::provision::tree::{Tree, flag, text, texts};

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
        let trial = interim(&format!("trial-{}", self.name));
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

    /// Closes a stream: nothing comes in any more.
    async fn close(&self, config: &Tree, name: &str, closed: String) -> Result<()> {
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
    async fn caught_up(&self, of: &str, copy: &str) -> Result<u64> {
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
    async fn compared(&self, of: &str, copy: &str, (from, to): (u64, u64)) -> Result<Compared> {
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
    async fn nearly(&self, of: &str, copy: &str, from: u64, all: &mut Compared) -> Result<u64> {
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
    async fn same(&self, of: &str, copy: &str, all: &Compared) -> Result<()> {
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
    async fn skip_to(&self, name: &str, end: u64, closed: &str) -> Result<()> {
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

    async fn find(&self, name: &str) -> Result<Option<FoundStream>> {
        let found = found::stream(self.api, name).await;
        found.map_err(|failure| anyhow!("asking for the stream {name}: {failure}"))
    }

    async fn info(&self, name: &str) -> Result<FoundStream> {
        let found = self.find(name).await?;
        found.ok_or_else(|| anyhow!("the stream {name} is gone: somebody else removed it"))
    }

    async fn change(&self, how: &str, config: &Tree) -> Result<()> {
        let name = text(config, "name");
        let answer = self.api.ask(&format!("{how}.{name}"), &json!(config)).await;
        answer
            .map(drop)
            .map_err(|failure| anyhow!("{how} of {name}: {failure}"))
    }

    /// Removes a stream if it is the one that was made then.
    async fn remove_made(&self, name: &str, created: &str) -> Result<()> {
        let Some(found) = self.find(name).await? else {
            return Ok(());
        };
        ensure!(
            found.created == created,
            "{name} was made again meanwhile: run again"
        );
        self.remove(name).await
    }

    async fn remove(&self, name: &str) -> Result<()> {
        let removed = self
            .api
            .find(&format!("STREAM.DELETE.{name}"), &Value::Null)
            .await;
        removed
            .map(drop)
            .map_err(|failure| anyhow!("removing {name}: {failure}"))
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
