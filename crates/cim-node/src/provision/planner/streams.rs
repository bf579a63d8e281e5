//! The plan's first half: each declared stream and bucket.

use cim_spec::asset::Stream;

use super::Planner;
use crate::provision::api::Failure;
use crate::provision::asset::Asset;
use crate::provision::changes::{changed, counted_once, too_new};
use crate::provision::consent::There;
use crate::provision::declared::Wanted;
use crate::provision::defaults;
use crate::provision::difference::differences;
use crate::provision::found::{self, FoundStream};
use crate::provision::judge::{self, Judgement};
use crate::provision::loss;
use crate::provision::plan::{Action, Changed, Means, Step};
use crate::provision::tree::{Tree, beyond};

impl Planner<'_> {
    /// What is to be done to a stream, and what the server has of it.
    pub(super) async fn stream(
        &self,
        asset: &Asset,
        wanted: &Wanted,
    ) -> (Step, Option<FoundStream>) {
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
        step.stored = found.state.messages;
        let held = defaults::stream(&found.config);
        match self.judged(asset, wanted, &found, &held, &step.full).await {
            Ok(changes) => {
                let there = There {
                    created: &found.created,
                    config: &found.config,
                    last: found.state.last_seq,
                };
                self.decide(&mut step, changes, &there);
            }
            Err(failure) => step.action = Action::Unknown(failure.to_string()),
        }
        step.held = Some(held);
        (step, Some(found))
    }

    /// Each difference of a stream, with what it costs.
    async fn judged(
        &self,
        asset: &Asset,
        wanted: &Wanted,
        found: &FoundStream,
        held: &Tree,
        full: &Tree,
    ) -> Result<Vec<Changed>, Failure> {
        let mut changes = Vec::new();
        for difference in differences(Stream::FIELDS, held, full) {
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
}
