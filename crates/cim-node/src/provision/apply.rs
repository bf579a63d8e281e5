//! Doing what the plan says. Whatever the moment it is killed at, another run goes on from there: nothing is made
//! before the server said that it is not there, and an update that is repeated changes nothing.
//!
//! There is no lock to be left behind by who died: before an update the server is asked whether the asset still is what
//! was planned for, and creates of the same are one. Two runs of the same files end where one does; of two with
//! different files, the slower one says that somebody else was there.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cim_spec::asset::{Consumer, Field, Stream};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use super::api::{Api, Failure, Pauses, Refusal};
use super::asset::Asset;
use super::copies::origins;
use super::defaults;
use super::difference::differences;
use super::found;
use super::plan::{Action, Plan, Step};
use super::tree::Tree;

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The server holds what is declared.
    Done,
    /// It does not; why.
    Failed(String),
    /// It does not yet: too few servers of the cluster are there; the server's words.
    Later(String),
}

/// nats-server: no servers suit the placement.
const NO_PEERS: u64 = 10005;

/// Whether servers are missing that may come: of a cluster that starts the leader does not know them all. Tags that no
/// server has, and room, are another matter.
fn lacks_servers(refusal: &Refusal) -> bool {
    let lasts = |why: &&str| refusal.words.contains(*why);
    refusal.code == NO_PEERS && !["tag", "storage"].iter().any(lasts)
}

/// How long a node that has come back may take to read what was decided without it: up to 2.7 s were seen.
const CATCH_UP: Duration = Duration::from_secs(6);

/// nats-server: subjects overlap with an existing stream.
const OVERLAP: u64 = 10065;

/// nats-server: a stream or consumer of that name exists, and is another.
const IN_USE: [u64; 3] = [10058, 10148, 10105];

/// What became of each step that had something to do, by asset.
pub type Outcomes = BTreeMap<Asset, Outcome>;

/// Carries out what may be carried out, and tells of each step once it is over.
pub async fn apply(
    api: &Api,
    plan: &Plan,
    at_once: usize,
    tell: &dyn Fn(&Step, &Outcome),
) -> Outcomes {
    let due = |step: &&Step| matches!(step.action, Action::Create | Action::Update | Action::Lose);
    let (consumers, streams): (Vec<&Step>, Vec<&Step>) = plan
        .steps
        .iter()
        .filter(due)
        .partition(|step| matches!(step.asset, Asset::Consumer { .. }));
    let mut outcomes = Outcomes::new();
    for level in levels(streams) {
        settle(api, level, at_once, tell, &mut outcomes).await;
    }
    let missing: BTreeSet<String> = plan
        .steps
        .iter()
        .filter(|step| !matches!(step.asset, Asset::Consumer { .. }))
        .filter(|step| {
            matches!(step.action, Action::Create)
                && outcomes.get(&step.asset) != Some(&Outcome::Done)
        })
        .map(|step| step.asset.stream())
        .collect();
    let (orphans, consumers): (Vec<_>, Vec<_>) = consumers
        .into_iter()
        .partition(|step| missing.contains(&step.asset.stream()));
    for step in orphans {
        let of = step.asset.stream();
        let why = format!("its stream {of} was not made");
        let mut streams = outcomes.iter().filter(|(asset, _)| asset.stream() == of);
        let outcome = match streams.any(|(_, outcome)| matches!(outcome, Outcome::Later(_))) {
            true => Outcome::Later(why),
            false => Outcome::Failed(why),
        };
        tell(step, &outcome);
        outcomes.insert(step.asset.clone(), outcome);
    }
    settle(api, consumers, at_once, tell, &mut outcomes).await;
    outcomes
}

/// Streams in levels: one that copies others comes after them, for it would wait long for one that is not there yet.
fn levels(streams: Vec<&Step>) -> Vec<Vec<&Step>> {
    let mut left = streams;
    let mut levels = Vec::new();
    while !left.is_empty() {
        let names: BTreeSet<String> = left.iter().map(|step| step.asset.stream()).collect();
        let waits = |step: &&Step| {
            origins(&step.config)
                .iter()
                .any(|of| *of != step.asset.stream() && names.contains(of))
        };
        let (later, now): (Vec<_>, Vec<_>) = left.into_iter().partition(waits);
        // A circle of streams has no first one.
        let (later, now) = if now.is_empty() {
            (now, later)
        } else {
            (later, now)
        };
        levels.push(now);
        left = later;
    }
    levels
}

/// Carries steps out side by side; those that wait for another's subjects again, as long as something moves. They are
/// told of in their own order, whichever is over first.
async fn settle(
    api: &Api,
    steps: Vec<&Step>,
    at_once: usize,
    tell: &dyn Fn(&Step, &Outcome),
    outcomes: &mut Outcomes,
) {
    let mut untold = steps.iter().copied().peekable();
    let mut over = |step: &Step, outcome: Outcome| {
        outcomes.insert(step.asset.clone(), outcome);
        while let Some((step, outcome)) = untold
            .peek()
            .and_then(|step| Some((*step, outcomes.get(&step.asset)?)))
        {
            tell(step, outcome);
            untold.next();
        }
    };
    let mut left = steps.clone();
    loop {
        let tried = left.len();
        let results = stream::iter(left).map(async |step| (step, carry_out(api, step).await));
        let mut results = results.buffer_unordered(at_once);
        let mut overlapping = Vec::new();
        while let Some((step, result)) = results.next().await {
            if matches!(&result, Err(Failure::Refused(refusal)) if refusal.code == OVERLAP) {
                overlapping.push((step, result));
            } else {
                over(step, outcome(result));
            }
        }
        let stuck = overlapping.len() == tried;
        if overlapping.is_empty() || stuck {
            for (step, result) in overlapping {
                over(step, outcome(result));
            }
            return;
        }
        left = overlapping.into_iter().map(|(step, _)| step).collect();
    }
}

fn outcome(result: Result<(), Failure>) -> Outcome {
    match result {
        Ok(()) => Outcome::Done,
        Err(Failure::Refused(refusal)) if lacks_servers(&refusal) => {
            Outcome::Later(refusal.to_string())
        }
        Err(failure) => Outcome::Failed(failure.to_string()),
    }
}

/// One step. Silence may mean that it was done, so the server is asked before it is told again.
async fn carry_out(api: &Api, step: &Step) -> Result<(), Failure> {
    let (subject, body) = request(step);
    let mut pauses = Pauses::new(api.patience());
    let create = step.action == Action::Create;
    let mut sure = create;
    loop {
        let attempt = async {
            if !sure {
                match settled(api, step).await? {
                    Some(held) if held == step.full => return Ok(()),
                    Some(_) if create => return Err(changed_meanwhile("was made otherwise")),
                    Some(held) if Some(&held) != step.held.as_ref() => {
                        return Err(changed_meanwhile("was changed otherwise"));
                    }
                    None if !create => return Err(changed_meanwhile("is gone")),
                    _ => {}
                }
            }
            pause(api, step).await?;
            let answer = api.once(&subject, &body).await?;
            verify(step, &answer)
        };
        match attempt.await {
            Err(Failure::Silent(_)) if pauses.next().await => sure = false,
            // The others of a cluster that starts are on their way.
            Err(Failure::Refused(refusal)) if lacks_servers(&refusal) && pauses.next().await => {}
            // Another run made it first: it may be the same.
            Err(Failure::Refused(refusal)) if sure && IN_USE.contains(&refusal.code) => {
                sure = false;
            }
            result => return result,
        }
    }
}

/// An update keeps `pause_until` as it was, and the server does not say so: it has a request of its own.
async fn pause(api: &Api, step: &Step) -> Result<(), Failure> {
    let changed = step
        .changes
        .iter()
        .find(|changed| changed.field == "pause_until");
    if let (Asset::Consumer { stream, name }, Some(changed)) = (&step.asset, changed) {
        let body = json!({ "pause_until": changed.difference.to });
        api.once(&format!("CONSUMER.PAUSE.{stream}.{name}"), &body)
            .await?;
    }
    Ok(())
}

fn changed_meanwhile(how: &str) -> Failure {
    Failure::Otherwise(format!("{how} by somebody else meanwhile: run again"))
}

/// What the server holds now. A node of a cluster that has come back may tell an old configuration for a moment: what
/// neither was planned for nor is declared is asked for again before it counts as somebody else's change.
async fn settled(api: &Api, step: &Step) -> Result<Option<Tree>, Failure> {
    let again = if api.is_clustered() {
        CATCH_UP.min(api.patience())
    } else {
        Duration::ZERO
    };
    let mut pauses = Pauses::new(again);
    loop {
        let held = held(api, step).await?;
        let known = held == step.held || held.as_ref() == Some(&step.full);
        if known || !pauses.next().await {
            return Ok(held);
        }
    }
}

/// What the server holds now, with the defaults filled in.
async fn held(api: &Api, step: &Step) -> Result<Option<Tree>, Failure> {
    let of = step.asset.stream();
    match &step.asset {
        Asset::Consumer { name, .. } => {
            let Some(stream) = found::stream(api, &of).await? else {
                return Ok(None);
            };
            let found = found::consumer(api, &of, name).await?;
            Ok(found.map(|found| defaults::consumer(&found.config, &stream.config)))
        }
        _ => Ok(found::stream(api, &of)
            .await?
            .map(|found| defaults::stream(&found.config))),
    }
}

/// Where to send a step, and what. A consumer is never created over one that exists: nats-server up to 2.15 may
/// destroy what it refuses to replace (nats-server#8491).
fn request(step: &Step) -> (String, Value) {
    let of = step.asset.stream();
    let create = step.action == Action::Create;
    match &step.asset {
        Asset::Consumer { name, .. } => {
            let action = if create { "create" } else { "update" };
            (
                format!("CONSUMER.CREATE.{of}.{name}"),
                json!({ "stream_name": of, "config": step.config, "action": action }),
            )
        }
        _ if create => (format!("STREAM.CREATE.{of}"), json!(step.config)),
        _ => (format!("STREAM.UPDATE.{of}"), json!(step.config)),
    }
}

/// What the server says that it holds is what was sent.
fn verify(step: &Step, answer: &Value) -> Result<(), Failure> {
    let fields: &[Field] = match step.asset {
        Asset::Consumer { .. } => Consumer::FIELDS,
        _ => Stream::FIELDS,
    };
    let config = answer
        .get("config")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    let held = match step.asset {
        // The stream's limits are in what was sent already.
        Asset::Consumer { .. } => defaults::consumer(&config, &Tree::new()),
        _ => defaults::stream(&config),
    };
    let left = differences(fields, &held, &step.full);
    if left.is_empty() {
        return Ok(());
    }
    let left: Vec<_> = left
        .iter()
        .map(|difference| {
            format!(
                "{} is {}, not {}",
                difference.field, difference.from, difference.to
            )
        })
        .collect();
    Err(Failure::Otherwise(format!(
        "nats-server took it, but holds another: {}",
        left.join("; ")
    )))
}
