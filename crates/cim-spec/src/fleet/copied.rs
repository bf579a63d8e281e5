//! Streams of several servers: what one copies is there on the other.

use std::collections::BTreeSet;

use super::assets::assets_of;
use crate::path::OptionPath;
use crate::plan::{Asset, Plan};
use crate::problem::{Problems, Rule};
use crate::spec::Fleet;

/// Holds what servers store against each other. Leaves that no host of ours runs are not known.
pub(super) fn check(fleet: &Fleet, plans: &[Plan], problems: &mut Problems) {
    for plan in plans {
        for held in &plan.assets {
            for asset in &held.assets {
                copied(asset, fleet, plans, problems);
            }
        }
    }
}

/// Names of the streams in an account of a leaf; `None`: no host of ours runs it.
fn on_leaf(plans: &[Plan], leaf: &str, account: &str) -> Option<BTreeSet<String>> {
    let plan = plans
        .iter()
        .find(|plan| plan.link.is_some() && plan.name == leaf)?;
    let held = plan.assets.iter().filter(|held| held.account == account);
    let assets = held.flat_map(|held| &held.assets);
    Some(
        assets
            .filter(|asset| asset.stream().is_some())
            .map(Asset::stream_name)
            .collect(),
    )
}

/// Names of the streams in an account of a hub, which the fleet declares.
fn on_hub(fleet: &Fleet, hub: &str, account: &str) -> BTreeSet<String> {
    let Some(held) = assets_of(fleet, hub).remove(account) else {
        return BTreeSet::new();
    };
    let kv = held.kv.keys().map(|bucket| format!("KV_{bucket}"));
    let stores = held
        .object_stores
        .keys()
        .map(|bucket| format!("OBJ_{bucket}"));
    held.streams
        .keys()
        .cloned()
        .chain(kv)
        .chain(stores)
        .collect()
}

fn copied(asset: &Asset, fleet: &Fleet, plans: &[Plan], problems: &mut Problems) {
    for copied in &asset.copies {
        let Some(far) = &copied.far else {
            continue;
        };
        let there = match far.is_leaf {
            true => on_leaf(plans, &far.name, &far.account),
            false => Some(on_hub(fleet, &far.name, &far.account)),
        };
        let Some(there) = there else {
            continue;
        };
        if there.contains(&copied.stream) {
            continue;
        }
        let (kind, options) = match far.is_leaf {
            true => (
                "leaf",
                OptionPath::new("services.cim.leaves").join(&far.name),
            ),
            false => ("hub", OptionPath::new("services.cim.fleet")),
        };
        let names: Vec<&str> = there.iter().map(String::as_str).collect();
        let names = match names.as_slice() {
            [] => String::new(),
            names => format!(", or name one of {}", names.join(", ")),
        };
        problems.add(
            Rule::CopyTarget,
            &copied.at,
            format!(
                "{:?} is no stream of account {:?} on {kind} {:?}",
                copied.stream, far.account, far.name
            ),
            format!(
                "declare it in {}{names}",
                options.join("accounts").join(&far.account)
            ),
        );
    }
}
