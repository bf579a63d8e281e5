//! Making the plan: each declared asset is looked for, compared and judged.

use std::collections::{BTreeMap, BTreeSet};

use cim_spec::asset::{Consumer, Stream};
use cim_spec::version::Version;
use futures_util::{StreamExt, stream};

use super::api::{Api, Failure};
use super::asset::Asset;
use super::changes::{changed, counted_once, too_new, without_consequences};
use super::consent::{plan_id, stale};
use super::declared::{Declared, Wanted};
use super::defaults;
use super::difference::differences;
use super::found::{self, FoundConsumer, FoundStream};
use super::judge::{self, Judgement};
use super::looked::Looked;
use super::loss;
use super::migrate::note::{interim, of_interim};
use super::plan::{Action, Changed, Means, Plan, Settings, Step};
use super::tree::{Tree, beyond};

/// Compares what is declared with what the server has. Changes nothing.
///
/// # Errors
/// A server that does not tell what it has.
pub async fn make(
    api: &Api,
    declared: &Declared,
    settings: &Settings,
    tell: &dyn Fn(&str),
) -> Result<Plan, Failure> {
    let version = Version::parse(&api.server()).unwrap_or(Version(u32::MAX, 0, 0));
    // First, so that a migration that is seen nowhere below began after this plan.
    let names = api.names("STREAM.NAMES", "streams").await?;
    let planner = Planner {
        api,
        declared,
        settings,
        version,
        migrating: names
            .iter()
            .filter_map(|name| of_interim(name))
            .map(str::to_owned)
            .collect(),
    };
    let (consumers, streams): (Vec<_>, Vec<_>) = declared
        .assets
        .iter()
        .partition(|(asset, _)| matches!(asset, Asset::Consumer { .. }));

    let looked = Looked::new(declared.assets.len(), tell);
    let streams = stream::iter(streams).map(async |(asset, wanted)| {
        let step = planner.stream(asset, wanted).await;
        looked.one();
        step
    });
    let streams: Vec<(Step, Option<FoundStream>)> =
        streams.buffered(settings.at_once).collect().await;
    let mut known = Known::default();
    for (step, found) in &streams {
        known
            .streams
            .insert(step.asset.stream(), will_be(step, found.as_ref()));
        known.counts.insert(
            step.asset.stream(),
            found.as_ref().map_or(0, |found| found.state.consumer_count),
        );
    }
    let consumers = stream::iter(consumers).map(async |(asset, wanted)| {
        let step = planner.consumer(asset, wanted, &known).await;
        looked.one();
        step
    });
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
    let of_ours = |asset: &Asset| is_declared(asset) || planner.is_interim(asset);
    let undeclared =
        found::undeclared(api, names, of_ours, more.collect(), settings.at_once).await?;

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

/// What a stream will be once the plan is carried out: as it is, where nothing may be done to it.
fn will_be(step: &Step, found: Option<&FoundStream>) -> Tree {
    match (&step.action, found) {
        (Action::Lossy(_) | Action::Impossible | Action::Unknown(_), Some(found)) => {
            defaults::stream(&found.config)
        }
        _ => step.full.clone(),
    }
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
    /// Streams that are being migrated.
    migrating: BTreeSet<String>,
}

impl Planner<'_> {
    /// The interim stream of a declared one is named by the refusal to touch that one.
    fn is_interim(&self, asset: &Asset) -> bool {
        let of = match asset {
            Asset::Stream(name) => of_interim(name),
            _ => None,
        };
        of.is_some_and(|of| {
            self.declared
                .assets
                .keys()
                .any(|asset| asset.stream() == of)
        })
    }

    /// A stream that is being migrated, and its consumers, are left to the migration.
    fn left_to_migration(&self, asset: &Asset) -> Option<Action> {
        let of = asset.stream();
        let stream = match asset {
            Asset::Consumer { .. } => Asset::of_stream(&of),
            asset => asset.clone(),
        };
        self.migrating.contains(&of).then(|| {
            Action::Refused(vec![(
                format!(
                    "is being migrated: the server has the interim stream {}",
                    interim(&of)
                ),
                format!(
                    "go on with it: `cim-provision migrate FOLDER {stream}` says where it stands"
                ),
            )])
        })
    }

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
            stored: 0,
            held: None,
        }
    }

    async fn stream(&self, asset: &Asset, wanted: &Wanted) -> (Step, Option<FoundStream>) {
        let mut step = self.step(asset, wanted, defaults::stream(&wanted.config));
        let refused = self.left_to_migration(asset);
        if let Some(refused) = refused.or_else(|| too_new(asset, wanted, self.version)) {
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
        step.held = Some(defaults::stream(&found.config));
        step.stored = found.state.messages;
        match self.judged(asset, wanted, &found, &step.full).await {
            Ok(changes) => self.decide(&mut step, changes, &found.created),
            Err(failure) => step.action = Action::Unknown(failure.to_string()),
        }
        (step, Some(found))
    }

    /// Each difference of a stream, with what it costs.
    async fn judged(
        &self,
        asset: &Asset,
        wanted: &Wanted,
        found: &FoundStream,
        full: &Tree,
    ) -> Result<Vec<Changed>, Failure> {
        let mut changes = Vec::new();
        for difference in differences(Stream::FIELDS, &defaults::stream(&found.config), full) {
            let means = match judge::stream(&difference, full) {
                Judgement::InPlace => Means::InPlace,
                Judgement::Impossible(why) => Means::Impossible(why),
                Judgement::Measure(measure) => {
                    match loss::of_stream(self.api, &asset.stream(), found, full, &measure).await? {
                        loss if loss.is_none() => Means::InPlace,
                        loss => Means::Lossy(loss),
                    }
                }
            };
            changes.push(changed(wanted, Stream::FIELDS, difference, means));
        }
        counted_once(&mut changes);
        Ok(changes)
    }

    /// The second half: whether the consumer is there.
    async fn consumer(&self, asset: &Asset, wanted: &Wanted, known: &Known) -> (Step, bool) {
        let of = asset.stream();
        let mut step = self.step(asset, wanted, Tree::new());
        let refused = self.left_to_migration(asset);
        if let Some(refused) = refused.or_else(|| too_new(asset, wanted, self.version)) {
            step.action = refused;
            return (step, false);
        }
        match self.look(asset, known).await {
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

    /// What a consumer's stream will be, and the consumer where it is there.
    async fn look(
        &self,
        asset: &Asset,
        known: &Known,
    ) -> Result<(Option<Tree>, Option<FoundConsumer>), Failure> {
        let of = asset.stream();
        let stream = match known.streams.get(&of) {
            Some(stream) => Some(stream.clone()),
            None => found::stream(self.api, &of)
                .await?
                .map(|found| defaults::stream(&found.config)),
        };
        let found = match asset {
            Asset::Consumer { name, .. } => found::consumer(self.api, &of, name).await?,
            _ => None,
        };
        Ok((stream, found))
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
        step.held = Some(held.clone());
        step.stored = found.num_pending + found.num_ack_pending;
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
