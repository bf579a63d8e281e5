//! The migration of one consumer: made again as declared, at the place where it was.

use anyhow::{Result, anyhow, ensure};
use cim_spec::version::Version;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::consumers::{can_be_placed, fit_work_queue, info, kept, pause, position};
use super::note::{LABEL, closed, digest, interim, trial};
use super::told::Told;
use super::{Order, RESETS};
use crate::provision::api::Api;
use crate::provision::found;
use crate::provision::plan::{Action, Means, Step};
use crate::provision::tree::{Tree, text};
use crate::provision::words;

/// nats-server: it could not write a consumer's files.
const NO_FILES: &str = "(error 10104)";

/// The note on the interim consumer.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Note {
    id: String,
    created: String,
    target: String,
    position: u64,
}

struct Migration<'a> {
    api: &'a Api,
    stream: &'a str,
    name: &'a str,
    target: &'a Tree,
    /// A work queue takes no second consumer, and needs none: what is done is gone from it.
    queue: bool,
}

/// Says what would be done, or does it.
///
/// # Errors
/// A server that does not answer, and what it refused on the way.
pub async fn migrate(
    api: &Api,
    order: &Order<'_>,
    step: &Step,
    stream: &str,
    name: &str,
) -> Result<Told> {
    let place = words::asset_place(step);
    let of = found::stream(api, stream).await;
    let of = of.map_err(|failure| anyhow!("asking for the stream {stream}: {failure}"))?;
    let of = of.ok_or_else(|| anyhow!("{place}: the server has no stream {stream}"))?;
    let migration = Migration {
        api,
        stream,
        name,
        target: &step.config,
        queue: text(&of.config, "retention") == "workqueue",
    };
    let mut declared = step.full.clone();
    // The migration's own pause, which a plan keeps as it keeps an operator's.
    declared.remove("pause_until");
    let target = digest(&json!(declared));
    let under_way = migration.note().await?;
    let note = match under_way.clone() {
        Some(note) if note.target != target => {
            return Ok(Told::refused(
                format!("{place}: its declaration changed since its migration began"),
                "declare it as it was then, run again, and change it afterwards",
            ));
        }
        Some(note) => note,
        None if step.action != Action::Impossible => {
            return Ok(Told::refused(
                format!("{place}: nothing of it needs a migration"),
                "run `cim-provision apply`: it does what can be done in place",
            ));
        }
        None => {
            let old = info(api, stream, name).await?;
            let old = old.ok_or_else(|| anyhow!("{place}: it went meanwhile: run again"))?;
            let created = old["created"].as_str().unwrap_or_default().to_owned();
            let asset = step.asset.to_string();
            Note {
                id: digest(&json!(["migrate", asset, created, target])),
                created,
                target,
                position: position(&old),
            }
        }
    };
    let stake = format!("the {} messages that wait for it stay", step.stored);
    if let (None, Some((what, help))) = (&under_way, migration.in_the_way(step, &note)) {
        return Ok(Told::refused(format!("{place}: {what}; {stake}"), help));
    }
    let told = told(step, &note, migration.queue, under_way.is_some());
    match order.confirm {
        None => Ok(told),
        Some(id) if id != note.id => Ok(Told::refused(
            format!("{place}: {id:?} consents to another migration than this one; {stake}"),
            &format!(
                "read what it does first: without --confirm, it says so and prints its id, {}",
                note.id
            ),
        )),
        Some(_) => {
            let position = migration.run(note, order.tell).await?;
            let line = match migration.queue {
                true => format!("done: {name} takes what {stream} still holds"),
                false => format!("done: {name} goes on after sequence {position}"),
            };
            let mut json = told.json().clone();
            json["exit"] = json!(0);
            json["done"] = json!(true);
            json["position"] = json!(position);
            Ok(Told::over(vec![line], json))
        }
    }
}

fn told(step: &Step, note: &Note, queue: bool, under_way: bool) -> Told {
    let asset = &step.asset;
    let mut lines = vec![match under_way {
        true => format!("migrate {asset}: is under way"),
        false => format!(
            "migrate {asset}: it has acknowledged up to sequence {}",
            note.position
        ),
    }];
    lines.extend(
        step.changes
            .iter()
            .map(|changed| format!("    {}: {}", changed.field, words::change(changed))),
    );
    lines.extend(steps(asset_name(step), queue));
    lines.push("  its clients find none for a moment; what was delivered and not acknowledged is delivered again".to_owned());
    lines.push(format!(
        "to begin it, or go on with it, run again with --confirm {}",
        note.id
    ));
    let json = json!({
        "exit": 1,
        "asset": asset.to_string(),
        "id": note.id,
        "position": note.position,
        "done": false,
    });
    Told::waiting(lines, json)
}

/// What a consumer's migration does, step by step; on a work queue nothing needs to be held.
pub fn steps(name: &str, queue: bool) -> Vec<String> {
    let held = format!(
        "a consumer {} holds what it waits for, and notes its place",
        interim(name)
    );
    let made = "it is paused, removed, and made again as declared, at its place".to_owned();
    let steps = [held, made].into_iter().skip(usize::from(queue));
    (1..)
        .zip(steps)
        .map(|(number, step)| format!("  {number}. {step}"))
        .collect()
}

fn asset_name(step: &Step) -> &str {
    match &step.asset {
        crate::provision::asset::Asset::Consumer { name, .. } => name,
        _ => "",
    }
}

impl Migration<'_> {
    async fn note(&self) -> Result<Option<Note>> {
        let interim = info(self.api, self.stream, &interim(self.name)).await?;
        let note = interim
            .as_ref()
            .and_then(|interim| interim["config"]["metadata"][LABEL].as_str())
            .map(serde_json::from_str::<Note>);
        Ok(note.transpose()?)
    }

    fn in_the_way(&self, step: &Step, note: &Note) -> Option<(String, &'static str)> {
        let lossy = step
            .changes
            .iter()
            .find_map(|changed| match &changed.means {
                Means::Lossy(loss) => Some((changed.field, loss)),
                _ => None,
            });
        if let Some((field, loss)) = lossy {
            return Some((
                format!("its new {field} costs {} messages beside", loss.number()),
                "leave it as it was, migrate, and change it afterwards with consent",
            ));
        }
        if self.queue {
            let name = self.name.to_owned();
            let fits = fit_work_queue(&[(&name, self.target)]);
            return fits.err().map(|why| {
                (
                    format!("{why:#}"),
                    "declare it with ack_policy explicit and deliver_policy all",
                )
            });
        }
        if !can_be_placed(self.target) {
            return Some((
                format!(
                    "with deliver_policy {} it would not keep its place after sequence {}: nats-server puts none of these at a place",
                    text(self.target, "deliver_policy"),
                    note.position
                ),
                "declare deliver_policy all: it keeps its place; or declare a consumer of another name",
            ));
        }
        let old = Version::parse(&self.api.server()).is_ok_and(|version| version < RESETS);
        (old && note.position > 0).then(|| {
            (
                format!(
                    "it is at {}, and this server cannot put a new one there",
                    note.position
                ),
                "upgrade the server to 2.14 first, or declare a consumer of another name",
            )
        })
    }

    async fn run(&self, mut note: Note, tell: &dyn Fn(&str)) -> Result<u64> {
        let held = info(self.api, self.stream, self.name).await?;
        let is_old = |held: &Value| held["created"] == note.created.as_str();
        if let Some(old) = held.filter(is_old) {
            if !self.queue {
                self.trial().await?;
                self.interim(&old, &note).await?;
            }
            tell("paused until it is made again");
            let (all, _) = kept(self.api, self.stream).await?;
            let this: Vec<_> = all
                .into_iter()
                .filter(|kept| kept.name == self.name)
                .collect();
            // Without its files it cannot be paused, nor used, and nats-server 2.15.1 keeps it so: a killed run had told it
            // to remove the consumer, and that met another request. What waits is held by the interim one.
            match pause(self.api, self.stream, &this).await {
                Err(error) if !format!("{error:#}").ends_with(NO_FILES) => return Err(error),
                _ => {}
            }
            let now = info(self.api, self.stream, self.name).await?;
            note.position = now.as_ref().map_or(note.position, position);
            if !self.queue {
                self.interim(&old, &note).await?;
            }
            ensure!(
                now.as_ref()
                    .is_some_and(|now| now["created"] == note.created.as_str()),
                "{} was made again meanwhile: run again",
                self.name
            );
            self.remove(self.name).await?;
        }
        let held = match info(self.api, self.stream, self.name).await? {
            Some(held) => held,
            None => {
                self.create(self.name, self.target.clone(), "create")
                    .await?
            }
        };
        if !self.queue && position(&held) < note.position {
            let body = json!({ "seq": note.position + 1 });
            let subject = format!("CONSUMER.RESET.{}.{}", self.stream, self.name);
            let reset = self.api.ask(&subject, &body).await;
            reset.map_err(|failure| anyhow!("putting {} at its place: {failure}", self.name))?;
        }
        self.remove(&interim(self.name)).await?;
        Ok(note.position)
    }

    /// The server takes what is declared, tried under another name.
    async fn trial(&self) -> Result<()> {
        let trial = trial(self.name);
        let mut config = self.target.clone();
        config.remove("name");
        config.insert("durable_name".to_owned(), json!(trial));
        if config.contains_key("deliver_subject") {
            config.insert("deliver_subject".to_owned(), json!(closed(&trial, "trial")));
        }
        self.remove(&trial).await?;
        let tried = self.create(&trial, config, "create").await;
        self.remove(&trial).await?;
        tried.map(drop).map_err(|error| {
            error.context("nothing was done, for the server would not take what is declared")
        })
    }

    /// The interim consumer: it wants what the old one wants, and has the note.
    async fn interim(&self, old: &Value, note: &Note) -> Result<()> {
        let name = interim(self.name);
        let mut config = Tree::new();
        for field in ["filter_subject", "filter_subjects", "num_replicas"] {
            if let Some(value) = old["config"].get(field) {
                config.insert(field.to_owned(), value.clone());
            }
        }
        config.insert("durable_name".to_owned(), json!(name));
        config.insert("ack_policy".to_owned(), json!("explicit"));
        config.insert(
            "metadata".to_owned(),
            json!({ LABEL: serde_json::to_string(note)? }),
        );
        self.create(&name, config, "").await.map(drop)
    }

    async fn create(&self, name: &str, config: Tree, action: &str) -> Result<Value> {
        let body = json!({ "stream_name": self.stream, "config": config, "action": action });
        let subject = format!("CONSUMER.CREATE.{}.{name}", self.stream);
        let made = self.api.ask(&subject, &body).await;
        made.map_err(|failure| anyhow!("making the consumer {name} of {}: {failure}", self.stream))
    }

    async fn remove(&self, name: &str) -> Result<()> {
        let subject = format!("CONSUMER.DELETE.{}.{name}", self.stream);
        let removed = self.api.find(&subject, &Value::Null).await;
        removed
            .map(drop)
            .map_err(|failure| anyhow!("removing the consumer {name}: {failure}"))
    }
}
