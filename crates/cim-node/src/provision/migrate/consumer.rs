//! The migration of one consumer: what it would do, and whether it may.

use anyhow::{Result, anyhow};
use cim_spec::version::Version;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::consumers::{can_be_placed, fit_work_queue, info, position};
use super::note::{LABEL, digest, interim};
use super::told::Told;
use super::{Order, RESETS};
use crate::provision::api::Api;
use crate::provision::found;
use crate::provision::plan::{Action, Means, Step};
use crate::provision::tree::{Tree, text};
use crate::provision::words;

/// The note on the interim consumer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Note {
    id: String,
    /// When the old consumer was made: another one of that name is not it.
    pub(super) created: String,
    target: String,
    /// The last sequence that it needs no more; 0: none.
    pub(super) position: u64,
}

pub(super) struct Migration<'a> {
    pub(super) api: &'a Api,
    pub(super) stream: &'a str,
    pub(super) name: &'a str,
    pub(super) target: &'a Tree,
    /// A work queue takes no second consumer, and needs none: what is done is gone from it.
    pub(super) queue: bool,
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
}
