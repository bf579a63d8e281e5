//! The plan: what would be done to each declared asset, and why not.

use std::collections::BTreeMap;

use cim_spec::asset::{Change, Consumer, Field, Kind, Stream};
use cim_spec::version::Version;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::api::{Api, Failure};
use super::asset::Asset;
use super::declared::{Declared, Wanted};
use super::defaults;
use super::difference::{Difference, differences};
use super::found::{self, FoundConsumer, FoundStream};
use super::judge::{self, Judgement};
use super::loss::{self, Loss};
use super::tree::{Tree, beyond};

/// What would be done, asset by asset: streams first, consumers last.
#[derive(Debug)]
pub struct Plan {
    /// One step an asset, in order.
    pub steps: Vec<Step>,
    /// What the server has and nobody declared; left alone.
    pub undeclared: Vec<Asset>,
    /// What an operator should tidy up.
    pub warnings: Vec<String>,
}

/// What would be done to one asset.
#[derive(Debug)]
pub struct Step {
    /// Which.
    pub asset: Asset,
    /// The option that declares it, where that is known.
    pub option: Option<String>,
    /// What would be done.
    pub action: Action,
    /// Fields that differ.
    pub changes: Vec<Changed>,
    /// The id that consents to this very difference, where it is lossy.
    pub plan_id: Option<String>,
    /// The configuration to send.
    pub config: Tree,
    /// What the server should hold then.
    pub full: Tree,
}

/// What would be done to an asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing: it is as declared.
    None,
    /// It is made.
    Create,
    /// It is updated in place, nothing stored goes.
    Update,
    /// It is updated and messages go: consent was given to that.
    Lose,
    /// Nothing, as messages would go and nobody consented; why the consent that was given does not count, if any was.
    Lossy(Option<String>),
    /// Nothing, as no update does it.
    Impossible,
    /// Nothing: what is declared cannot be; each with what to do.
    Refused(Vec<(String, String)>),
    /// Nothing, as the server does not tell what it has.
    Unknown(String),
}

/// One field that differs, judged.
#[derive(Debug)]
pub struct Changed {
    /// The field's name in the asset's file; of a bucket's stream, where the file has no such field.
    pub field: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// From what to what.
    pub difference: Difference,
    /// What it means.
    pub means: Means,
}

/// What a difference means once it is measured.
#[derive(Debug, PartialEq, Eq)]
pub enum Means {
    /// Nothing stored goes.
    InPlace,
    /// Messages go.
    Lossy(Loss),
    /// No update does it; why.
    Impossible(String),
}

/// What planning needs beside the server and the files.
#[derive(Debug)]
pub struct Settings {
    /// Consent, by asset: from the files and from the command line.
    pub consent: BTreeMap<String, String>,
    /// How many questions are open at a time.
    pub at_once: usize,
    /// Why nothing may be made now; `None`: it may.
    pub no_creates: Option<String>,
}

/// Compares what is declared with what the server has. Changes nothing.
///
/// # Errors
/// A server that does not tell what it has.
pub async fn make(api: &Api, declared: &Declared, settings: &Settings) -> Result<Plan, Failure> {
    let version = Version::parse(&api.server()).unwrap_or(Version(u32::MAX, 0, 0));
    let planner = Planner {
        api,
        declared,
        settings,
        version,
    };
    let (consumers, streams): (Vec<_>, Vec<_>) = declared
        .assets
        .iter()
        .partition(|(asset, _)| matches!(asset, Asset::Consumer { .. }));

    let streams =
        stream::iter(streams).map(async |(asset, wanted)| planner.stream(asset, wanted).await);
    let streams: Vec<(Step, Option<FoundStream>)> =
        streams.buffered(settings.at_once).collect().await;
    let mut known = Known::default();
    for (step, found) in &streams {
        known.streams.insert(step.asset.stream(), step.full.clone());
        known.counts.insert(
            step.asset.stream(),
            found.as_ref().map_or(0, |found| found.state.consumer_count),
        );
    }
    let consumers = stream::iter(consumers)
        .map(async |(asset, wanted)| planner.consumer(asset, wanted, &known).await);
    let consumers: Vec<(Step, bool)> = consumers.buffered(settings.at_once).collect().await;
    for (step, there) in &consumers {
        if let (true, Some(count)) = (there, known.counts.get_mut(&step.asset.stream())) {
            *count = count.saturating_sub(1);
        }
    }
    let more = known
        .counts
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, _)| name);
    let is_declared = |asset: &Asset| declared.assets.contains_key(asset);
    let undeclared = found::undeclared(api, is_declared, more.collect(), settings.at_once).await?;

    let streams = streams.into_iter().map(|(step, _)| step);
    let steps: Vec<Step> = streams
        .chain(consumers.into_iter().map(|(step, _)| step))
        .collect();
    let warnings = stale(&steps, settings);
    Ok(Plan {
        steps,
        undeclared,
        warnings,
    })
}

/// What is known of streams once all were looked at.
#[derive(Default)]
struct Known {
    /// What each declared stream should hold.
    streams: BTreeMap<String, Tree>,
    /// How many consumers each has that were not seen yet.
    counts: BTreeMap<String, u64>,
}

struct Planner<'a> {
    api: &'a Api,
    declared: &'a Declared,
    settings: &'a Settings,
    version: Version,
}

impl Planner<'_> {
    fn step(&self, asset: &Asset, wanted: &Wanted, full: Tree) -> Step {
        let option = self.declared.provision.options.get(&asset.to_string());
        Step {
            asset: asset.clone(),
            option: option.cloned(),
            action: Action::None,
            changes: Vec::new(),
            plan_id: None,
            config: wanted.config.clone(),
            full,
        }
    }

    async fn stream(&self, asset: &Asset, wanted: &Wanted) -> (Step, Option<FoundStream>) {
        let mut step = self.step(asset, wanted, defaults::stream(&wanted.config));
        if let Some(refused) = self.too_new(asset, wanted) {
            step.action = refused;
            return (step, None);
        }
        let found = match found::stream(self.api, &asset.stream()).await {
            Ok(Some(found)) => found,
            Ok(None) => {
                step.action = self.create(asset);
                return (step, None);
            }
            Err(failure) => {
                step.action = Action::Unknown(failure.to_string());
                return (step, None);
            }
        };
        step.config.extend(beyond(Stream::FIELDS, &found.config));
        let mut changes = Vec::new();
        for difference in differences(Stream::FIELDS, &defaults::stream(&found.config), &step.full)
        {
            let means = match judge::stream(&difference, &step.full) {
                Judgement::InPlace => Means::InPlace,
                Judgement::Impossible(why) => Means::Impossible(why),
                Judgement::Measure(measure) => {
                    match loss::of_stream(self.api, &asset.stream(), &found, &step.full, &measure)
                        .await
                    {
                        Ok(loss) if loss.is_none() => Means::InPlace,
                        Ok(loss) => Means::Lossy(loss),
                        Err(failure) => {
                            step.action = Action::Unknown(failure.to_string());
                            return (step, Some(found));
                        }
                    }
                }
            };
            changes.push(changed(wanted, Stream::FIELDS, difference, means));
        }
        counted_once(&mut changes);
        self.decide(&mut step, changes, &found.created);
        (step, Some(found))
    }

    /// The second half: whether the consumer is there.
    async fn consumer(&self, asset: &Asset, wanted: &Wanted, known: &Known) -> (Step, bool) {
        let of = asset.stream();
        let mut step = self.step(asset, wanted, Tree::new());
        if let Some(refused) = self.too_new(asset, wanted) {
            step.action = refused;
            return (step, false);
        }
        let looked = async {
            let stream = match known.streams.get(&of) {
                Some(stream) => Some(stream.clone()),
                None => found::stream(self.api, &of)
                    .await?
                    .map(|found| defaults::stream(&found.config)),
            };
            let name = match asset {
                Asset::Consumer { name, .. } => name.as_str(),
                _ => "",
            };
            Ok::<_, Failure>((stream, found::consumer(self.api, &of, name).await?))
        };
        match looked.await {
            Ok((Some(stream), found)) => {
                let there = found.is_some();
                self.judged_consumer(&mut step, wanted, &stream, found);
                (step, there)
            }
            Ok((None, _)) => {
                step.action = Action::Refused(vec![(
                    format!("its stream {of} is neither declared nor on the server"),
                    format!("declare streams/{of}, or move the consumer to a stream that is there"),
                )]);
                (step, false)
            }
            Err(failure) => {
                step.action = Action::Unknown(failure.to_string());
                (step, false)
            }
        }
    }

    fn judged_consumer(
        &self,
        step: &mut Step,
        wanted: &Wanted,
        stream: &Tree,
        found: Option<FoundConsumer>,
    ) {
        step.full = defaults::consumer(&wanted.config, stream);
        let Some(found) = found else {
            step.action = self.create(&step.asset);
            return;
        };
        step.config.extend(
            beyond(Consumer::FIELDS, &found.config)
                .into_iter()
                .filter(|(name, _)| name != "direct" && name != "sourcing"),
        );
        let held = defaults::consumer(&found.config, stream);
        // An operator's pause is not for us to end.
        if let Some(until) = held.get("pause_until") {
            step.full
                .entry("pause_until")
                .or_insert_with(|| until.clone());
        }
        let mut differences = differences(Consumer::FIELDS, &held, &step.full);
        without_consequences(&mut differences);
        let changes = differences.into_iter().map(|difference| {
            let means = match judge::consumer(&difference, stream) {
                Judgement::InPlace => Means::InPlace,
                Judgement::Impossible(why) => Means::Impossible(why),
                Judgement::Measure(_) => match loss::of_consumer(&found) {
                    loss if loss.is_none() => Means::InPlace,
                    loss => Means::Lossy(loss),
                },
            };
            changed(wanted, Consumer::FIELDS, difference, means)
        });
        let changes = changes.collect();
        self.decide(step, changes, &found.created);
    }

    fn create(&self, asset: &Asset) -> Action {
        match &self.settings.no_creates {
            None => Action::Create,
            Some(why) => Action::Refused(vec![(
                format!(
                    "is not on the server, and is not made while the server is not well: {why}"
                ),
                format!(
                    "see why: a {} that the server cannot read looks as if it were missing, and an empty one in its place would hide what is lost",
                    asset.kind()
                ),
            )]),
        }
    }

    /// Fields that the server does not know yet.
    fn too_new(&self, asset: &Asset, wanted: &Wanted) -> Option<Action> {
        let fields = match asset {
            Asset::Consumer { .. } => Consumer::FIELDS,
            _ => Stream::FIELDS,
        };
        let said = super::tree::canonical(fields, &wanted.config);
        let new = fields
            .iter()
            .filter(|field| said.contains_key(field.name) && field.since > self.version);
        let refused: Vec<_> = new
            .map(|field| {
                let Version(major, minor, patch) = field.since;
                (
                    format!(
                        "{} needs nats-server {major}.{minor}.{patch}, and this is {}",
                        named(wanted, field.name),
                        self.api.server()
                    ),
                    "leave it out, or upgrade the server first".to_owned(),
                )
            })
            .collect();
        (!refused.is_empty()).then_some(Action::Refused(refused))
    }

    fn decide(&self, step: &mut Step, changes: Vec<Changed>, created: &str) {
        let lossy = changes
            .iter()
            .any(|change| matches!(change.means, Means::Lossy(_)));
        let impossible = changes
            .iter()
            .any(|change| matches!(change.means, Means::Impossible(_)));
        if lossy && !impossible {
            step.plan_id = Some(plan_id(&step.asset, created, &changes));
        }
        let given = self.settings.consent.get(&step.asset.to_string());
        step.action = match (&step.plan_id, given) {
            _ if changes.is_empty() => Action::None,
            _ if impossible => Action::Impossible,
            (None, _) => Action::Update,
            (Some(id), Some(given)) if id == given => Action::Lose,
            (Some(_), given) => Action::Lossy(given.cloned()),
        };
        step.changes = changes;
    }
}

/// A limit and what goes beyond it are one loss, told at the limit.
fn counted_once(changes: &mut [Changed]) {
    let limited = changes.iter().any(|change| {
        matches!(change.difference.field, "max_msgs" | "max_bytes")
            && matches!(change.means, Means::Lossy(_))
    });
    let discard = changes
        .iter_mut()
        .find(|change| change.difference.field == "discard");
    if let (true, Some(discard)) = (limited, discard) {
        discard.means = Means::InPlace;
    }
}

/// Pull or push decides whether there is a `max_waiting`.
fn without_consequences(differences: &mut Vec<Difference>) {
    let turns =
        |d: &Difference| d.field == "deliver_subject" && (d.from.is_null() || d.to.is_null());
    if differences.iter().any(turns) {
        differences.retain(|difference| difference.field != "max_waiting");
    }
}

fn changed(
    wanted: &Wanted,
    fields: &'static [Field],
    difference: Difference,
    means: Means,
) -> Changed {
    let field = fields.iter().find(|field| field.name == difference.field);
    Changed {
        field: named(wanted, difference.field),
        kind: field.map_or(Kind::Text, |field| field.kind),
        difference,
        means,
    }
}

/// What the file of an asset calls a field of the server's.
fn named(wanted: &Wanted, name: &'static str) -> &'static str {
    if name == "filter_subjects" && wanted.said.contains_key("filter_subject") {
        return "filter_subject";
    }
    let same = |field: &&Field| field.change == Change::Stream(name);
    wanted
        .fields
        .iter()
        .find(same)
        .map_or(name, |field| field.name)
}

/// The id of exactly this difference: the asset as it was made, each field from what to what, and how much is at
/// stake, in steps of a thousand, so that messages that come in between planning and applying seldom change it.
fn plan_id(asset: &Asset, created: &str, changes: &[Changed]) -> String {
    let fields: Vec<Value> = changes
        .iter()
        .map(|change| {
            let stake = match &change.means {
                Means::Lossy(loss) => magnitude(loss.messages),
                _ => 0,
            };
            json!([
                change.difference.field,
                change.difference.from,
                change.difference.to,
                stake
            ])
        })
        .collect();
    let text = json!([asset.to_string(), created, fields]).to_string();
    let digest = Sha256::digest(text);
    digest
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// 0 for none, 1 below a thousand, 2 below a million, and so on.
fn magnitude(messages: u64) -> u32 {
    match messages {
        0 => 0,
        messages => messages.ilog10() / 3 + 1,
    }
}

/// Consent that has nothing to consent to.
fn stale(steps: &[Step], settings: &Settings) -> Vec<String> {
    let known = |asset: &str| steps.iter().find(|step| step.asset.to_string() == asset);
    let mut warnings = Vec::new();
    for (asset, id) in &settings.consent {
        match known(asset) {
            None => warnings.push(format!(
                "allowDataLoss of {asset} is {id:?}, but no such asset is declared: remove it"
            )),
            Some(step)
                if matches!(
                    step.action,
                    Action::Lose | Action::Lossy(_) | Action::Unknown(_)
                ) => {}
            Some(step) => {
                let place = step.option.as_deref().unwrap_or(asset);
                warnings.push(format!("{place}: allowDataLoss is {id:?}, but nothing would be lost now: remove it, it was for another difference or has done its work"));
            }
        }
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stakes_are_counted_in_steps_of_a_thousand() {
        for (messages, step) in [
            (0, 0),
            (1, 1),
            (999, 1),
            (1000, 2),
            (999_999, 2),
            (1_000_000, 3),
        ] {
            assert_eq!(magnitude(messages), step, "{messages}");
        }
    }
}
