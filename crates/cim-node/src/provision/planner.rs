//! Making the plan: each declared asset is looked for, compared and judged.

mod consumers;
mod streams;

use std::collections::{BTreeMap, BTreeSet};

use cim_spec::version::Version;
use futures_util::{StreamExt, stream};

use super::api::{Api, Failure};
use super::asset::Asset;
use super::consent::{There, covers, note, plan_id, stale};
use super::declared::{Declared, Wanted};
use super::defaults;
use super::found::{self, FoundStream};
use super::looked::Looked;
use super::migrate::note::{interim, of_interim};
use super::plan::{Action, Changed, Means, Plan, Settings, Step};
use super::tree::Tree;

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
    let streams = in_order(streams, settings.at_once, async |(asset, wanted)| {
        let step = planner.stream(asset, wanted).await;
        looked.one();
        step
    });
    let streams: Vec<(Step, Option<FoundStream>)> = streams.await;
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
    let consumers = in_order(consumers, settings.at_once, async |(asset, wanted)| {
        let step = planner.consumer(asset, wanted, &known).await;
        looked.one();
        step
    });
    let consumers: Vec<(Step, bool)> = consumers.await;
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

/// Looks at all, so many at a time, and gives what it saw in their order. None waits for an earlier one to be over.
async fn in_order<T, S>(all: Vec<T>, at_once: usize, look: impl AsyncFn(T) -> S) -> Vec<S> {
    let all = stream::iter(all.into_iter().enumerate());
    let looks = all.map(async |(place, one)| (place, look(one).await));
    let mut seen: Vec<_> = looks.buffer_unordered(at_once).collect().await;
    seen.sort_unstable_by_key(|(place, _)| *place);
    seen.into_iter().map(|(_, seen)| seen).collect()
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

    fn decide(&self, step: &mut Step, changes: Vec<Changed>, there: &There<'_>) {
        let lossy = changes
            .iter()
            .any(|change| matches!(change.means, Means::Lossy(_)));
        let impossible = changes
            .iter()
            .any(|change| matches!(change.means, Means::Impossible(_)));
        if lossy && !impossible {
            step.plan_id = Some(plan_id(&step.asset, there, &changes));
        }
        let given = self.settings.consent.get(&step.asset.to_string());
        step.action = match (&step.plan_id, given) {
            _ if changes.is_empty() => Action::None,
            _ if impossible => Action::Impossible,
            (None, _) => Action::Update,
            (Some(_), None) => Action::Lossy(None),
            (Some(_), Some(given)) => match covers(given, &step.asset, there, &changes) {
                Ok(()) => Action::Lose,
                Err(why) => Action::Lossy(Some(why)),
            },
        };
        let newly = given.filter(|_| step.action == Action::Lose);
        note(&mut step.config, there.config, newly.map(String::as_str));
        step.changes = changes;
    }
}
