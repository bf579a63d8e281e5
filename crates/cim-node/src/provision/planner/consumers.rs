//! The plan's second half: each declared consumer, once its stream is known.

use std::borrow::Cow;

use cim_spec::asset::Consumer;

use super::{Known, Planner};
use crate::provision::api::Failure;
use crate::provision::asset::Asset;
use crate::provision::changes::{changed, too_new, without_consequences};
use crate::provision::consent::There;
use crate::provision::declared::Wanted;
use crate::provision::defaults;
use crate::provision::difference::differences;
use crate::provision::found::{self, FoundConsumer};
use crate::provision::judge::{self, Judgement};
use crate::provision::loss;
use crate::provision::plan::{Action, Changed, Means, Step};
use crate::provision::tree::{Tree, beyond};

impl Planner<'_> {
    /// What is to be done to a consumer, and whether it is there.
    pub(super) async fn consumer(
        &self,
        asset: &Asset,
        wanted: &Wanted,
        known: &Known,
    ) -> (Step, bool) {
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
                self.judged_consumer(&mut step, wanted, &stream, found)
                    .await;
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
    async fn look<'a>(
        &self,
        asset: &Asset,
        known: &'a Known,
    ) -> Result<(Option<Cow<'a, Tree>>, Option<FoundConsumer>), Failure> {
        let of = asset.stream();
        let stream = match known.streams.get(&of) {
            Some(stream) => Some(Cow::Borrowed(stream)),
            None => found::stream(self.api, &of)
                .await?
                .map(|found| Cow::Owned(defaults::stream(&found.config))),
        };
        let found = match asset {
            Asset::Consumer { name, .. } => found::consumer(self.api, &of, name).await?,
            _ => None,
        };
        Ok((stream, found))
    }

    async fn judged_consumer(
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
        let changes: Vec<Changed> = changes.collect();
        step.held = Some(held);
        let lossy = |changed: &Changed| matches!(changed.means, Means::Lossy(_));
        let last = match changes.iter().any(lossy) {
            false => Ok(0),
            true => self.last_of(&step.asset.stream()).await,
        };
        match last {
            Err(failure) => step.action = Action::Unknown(failure.to_string()),
            Ok(last) => {
                let there = There {
                    created: &found.created,
                    config: &found.config,
                    last,
                };
                self.decide(step, changes, &there);
            }
        }
    }

    /// A stream's last sequence.
    async fn last_of(&self, stream: &str) -> Result<u64, Failure> {
        let found = found::stream(self.api, stream).await?;
        Ok(found.map_or(0, |found| found.state.last_seq))
    }
}
