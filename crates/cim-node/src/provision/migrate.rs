//! `cim-provision migrate`: what no update does, without losing a message.
//!
//! A stream's messages go to an interim stream that mirrors it, and back into a new one of the old name; a mirror keeps
//! sequences, times and headers. The interim stream takes what is published meanwhile. Where a migration stands is read
//! from the server ([`phase`]), so another run goes on where one was killed. Read [`stream`] for the steps.
//!
//! Publishers wait only while the rest is copied and counted ([`moment`]). Contents are compared before and after, so a
//! publisher may be faster than that is.

mod again;
mod back;
pub mod compare;
pub mod consumer;
pub mod consumers;
pub mod lock;
mod moment;
pub mod note;
mod out;
pub mod phase;
mod remake;
mod single;
pub mod stream;
pub mod told;

use anyhow::{Result, anyhow, bail};
use cim_spec::version::Version;
use serde_json::json;

use super::api::Api;
use super::asset::Asset;
use super::declared::Declared;
use super::plan::{Action, Means, Plan, Step};
use super::tree::{Tree, flag, text};
use again::Again;
use consumers::{can_be_placed, fit_work_queue};
use note::{Kept, Note, Way, digest};
use stream::Migration;
use told::Told;

/// The first nats-server that puts a consumer at a place (`CONSUMER.RESET`).
const RESETS: Version = Version(2, 14, 0);

/// What a run has beside the server.
pub struct Order<'a> {
    /// What is declared.
    pub declared: &'a Declared,
    /// What would be done to it.
    pub plan: &'a Plan,
    /// What to migrate.
    pub asset: &'a Asset,
    /// Consent, by the id that a run without it prints.
    pub confirm: Option<&'a str>,
    /// Whether streams that have it as a source may get its messages again.
    pub copied_again: bool,
    /// How many requests are open at a time.
    pub at_once: usize,
    /// Who hears what goes on.
    pub tell: &'a dyn Fn(&str),
}

/// Says what would be done, or does it.
///
/// # Errors
/// A server that does not answer; what the server refused on the way: the next run goes on from there.
pub async fn migrate(api: &Api, order: &Order<'_>) -> Result<Told> {
    let Some(wanted) = order.declared.assets.get(order.asset) else {
        return Ok(Told::refused(
            format!("{}: is not declared", order.asset),
            "declare it as it shall be, and run again",
        ));
    };
    let step = order
        .plan
        .steps
        .iter()
        .find(|step| &step.asset == order.asset);
    let step = step.ok_or_else(|| anyhow!("{} is not in the plan", order.asset))?;
    if let Asset::Consumer { stream, name } = order.asset {
        return consumer::migrate(api, order, step, stream, name).await;
    }
    let name = order.asset.stream();
    let consumers = order
        .declared
        .assets
        .iter()
        .filter_map(|(asset, wanted)| match asset {
            Asset::Consumer {
                stream,
                name: consumer,
            } if *stream == name => Some((consumer.clone(), wanted.config.clone())),
            _ => None,
        });
    let migration = Migration {
        api,
        name: name.clone(),
        target: wanted.config.clone(),
        consumers: consumers.collect(),
        at_once: order.at_once,
        tell: order.tell,
    };
    let (_, _, phase) = migration.look().await?;
    let target = digest(&json!(wanted.config));
    let (note, size) = match phase.note() {
        None => match first_note(&migration, step, &target).await? {
            Ok(begun) => begun,
            Err(told) => return Ok(told),
        },
        Some(note) if note.target != target => {
            return Ok(Told::refused(
                format!(
                    "{}: its declaration changed since its migration began ({})",
                    super::words::asset_place(step),
                    phase.words()
                ),
                "declare it as it was then, run again, and change it afterwards",
            ));
        }
        Some(note) => (note.clone(), told::Size::of_note(note)),
    };
    let again = match phase.note() {
        None => again::look(api, order, &name).await?,
        Some(_) => Again::default(), // the old stream may have gone already
    };
    let told = Told::steps(step, &phase, &note, &size, &again);
    let stake = match phase.note() {
        None => format!("; its {} messages stay as they are", size.messages),
        Some(_) => String::new(),
    };
    match order.confirm {
        None => Ok(told),
        Some(_) if !order.copied_again && !again.is_none() => Ok(again.refused(step, &size)),
        Some(id) if id != note.id => Ok(Told::refused(
            format!(
                "{}: {id:?} consents to another migration than this one{stake}",
                super::words::asset_place(step)
            ),
            &format!(
                "read what it does first: without --confirm, it says so and prints its id, {}",
                note.id
            ),
        )),
        Some(_) => {
            let done = migration.run(note).await?;
            Ok(told.done(&done))
        }
    }
}

/// The note to begin with, or why not to begin.
async fn first_note(
    migration: &Migration<'_>,
    step: &Step,
    target: &str,
) -> Result<Result<(Note, told::Size), Told>> {
    let place = super::words::asset_place(step);
    match &step.action {
        Action::Impossible => {}
        Action::Unknown(why) => bail!("nobody knows what the server has of {}: {why}", step.asset),
        _ => {
            return Ok(Err(Told::refused(
                format!("{place}: nothing of it needs a migration"),
                "run `cim-provision apply`: it does what can be done in place",
            )));
        }
    }
    let (Some(old), _, _) = migration.look().await? else {
        bail!("{} went meanwhile: run again", step.asset);
    };
    let (kept, others) = consumers::kept(migration.api, &migration.name).await?;
    let way = way(step);
    if let Some((what, help)) = in_the_way(migration, step, &kept) {
        return Ok(Err(Told::refused(
            format!(
                "{place}: {what}; {} messages stay as they are",
                old.state.messages
            ),
            &help,
        )));
    }
    let spared = match way {
        Way::Refill => migration.spare().await,
        Way::Copy => Ok(()),
    };
    if let Err(why) = spared {
        return Ok(Err(Told::refused(
            format!("{place}: cannot be migrated without losing messages: {why:#}"),
            "declare another stream as you want it beside this one; or go back to what the server has",
        )));
    }
    let size = told::Size {
        messages: old.state.messages,
        bytes: old.state.bytes,
        others,
    };
    let id = digest(&json!([
        "migrate",
        step.asset.to_string(),
        old.created,
        target,
        magnitude(size.messages)
    ]));
    Ok(Ok((
        Note {
            id,
            created: old.created,
            target: target.to_owned(),
            way,
            config: old.config,
            consumers: kept,
            unread: None,
        },
        size,
    )))
}

/// 0 for none, 1 below a thousand, 2 below a million, and so on: how long it takes, and how much room.
fn magnitude(messages: u64) -> u32 {
    match messages {
        0 => 0,
        messages => messages.ilog10() / 3 + 1,
    }
}

/// How `migrate` would carry out a step that no update does, said with the plan.
pub fn steps(step: &Step) -> Vec<String> {
    match &step.asset {
        Asset::Consumer { name, .. } => consumer::steps(name, false),
        asset => told::steps(&asset.stream(), way(step)),
    }
}

/// A mirror, a counter and other first numbers need a stream without messages of its own.
fn way(step: &Step) -> Way {
    let first_seq = step
        .changes
        .iter()
        .any(|changed| changed.difference.field == "first_seq");
    let refill = step.full.contains_key("mirror") || flag(&step.full, "allow_msg_counter");
    match refill || first_seq {
        true => Way::Refill,
        false => Way::Copy,
    }
}

/// What a migration could not carry over: what, and what to do.
fn in_the_way(migration: &Migration<'_>, step: &Step, kept: &[Kept]) -> Option<(String, String)> {
    let lossy = step
        .changes
        .iter()
        .find_map(|changed| match &changed.means {
            // A mirror has no subjects, and takes nothing by any.
            Means::Lossy(_) if changed.field == "subjects" && step.full.contains_key("mirror") => {
                None
            }
            Means::Lossy(loss) => Some((changed.field, loss)),
            _ => None,
        });
    if let Some((field, loss)) = lossy {
        return Some((
            format!("its new {field} costs {} messages beside", loss.number()),
            format!("leave {field} as it was, migrate, and change it afterwards with consent"),
        ));
    }
    let config = |kept: &'_ Kept| -> Tree {
        let declared = migration.consumers.get(&kept.name);
        declared.unwrap_or(&kept.config).clone()
    };
    let all: Vec<(&String, Tree)> = kept.iter().map(|kept| (&kept.name, config(kept))).collect();
    if text(&step.full, "retention") == "workqueue" {
        let all: Vec<_> = all.iter().map(|(name, config)| (*name, config)).collect();
        if let Err(why) = fit_work_queue(&all) {
            return Some((
                format!("{why:#}"),
                "declare the consumers so, migrate or prune those that are otherwise, and run again".to_owned(),
            ));
        }
    }
    let forgets = text(&step.full, "retention") == "interest" && kept.is_empty();
    if forgets && step.stored > 0 {
        return Some((
            "as an interest stream without a consumer it would forget everything".to_owned(),
            "make the consumers first that its messages are for".to_owned(),
        ));
    }
    let old = Version::parse(&migration.api.server()).is_ok_and(|version| version < RESETS);
    let stuck = kept
        .iter()
        .zip(&all)
        .find(|(kept, (_, config))| !can_be_placed(config) || (old && kept.position > 0));
    stuck.map(|(kept, (name, config))| {
        let what = match can_be_placed(config) {
            true => format!("its consumer {name} is at {}, and this server cannot put a new one there: nats-server 2.14 can", kept.position),
            false => format!("its consumer {name} has deliver_policy {}, and nats-server puts none of these at a place: it would get messages again, or miss some", text(config, "deliver_policy")),
        };
        let of = &migration.name;
        (what, format!("declare it with deliver_policy all and run `cim-provision migrate FOLDER consumers/{of}/{name}`: it keeps its place; or upgrade the server, or prune it"))
    })
}
