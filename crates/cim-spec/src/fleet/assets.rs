//! What the fleet says of streams and buckets: which hub makes them, and which may cross a leaf's links.

use std::collections::BTreeMap;

use crate::durable;
use crate::path::OptionPath;
use crate::plan::assets;
use crate::problem::{Problems, Rule, shown};
use crate::spec::{Assets, Fleet, Leaf};

/// What one hub makes: what is declared for it, and what durable flows need there.
pub(crate) fn assets_of(fleet: &Fleet, hub: &str) -> BTreeMap<String, Assets> {
    let mut accounts = declared_for(fleet, hub);
    durable::at_hub(fleet, hub, &mut accounts);
    accounts
}

/// What is declared for one hub: what names it, and what names none where there is no other.
pub(crate) fn declared_for(fleet: &Fleet, hub: &str) -> BTreeMap<String, Assets> {
    let only = fleet.assets.hubs.len() == 1;
    let own = |named: &Option<String>| named.as_deref().map_or(only, |named| named == hub);
    let mut accounts = fleet.assets.accounts.clone();
    for assets in accounts.values_mut() {
        assets.streams.retain(|_, stream| own(&stream.hub));
        assets.kv.retain(|_, bucket| own(&bucket.hub));
        assets.object_stores.retain(|_, store| own(&store.hub));
    }
    accounts.retain(|_, assets| {
        !(assets.streams.is_empty() && assets.kv.is_empty() && assets.object_stores.is_empty())
    });
    accounts
}

/// Each asset has a hub.
pub(super) fn hubs(fleet: &Fleet, problems: &mut Problems) {
    for (name, assets) in &fleet.assets.accounts {
        let at = super::root().join("accounts").join(name);
        let streams = assets.streams.iter();
        let streams = streams.map(|(name, stream)| (at.join("streams").join(name), &stream.hub));
        let kv = assets.kv.iter();
        let kv = kv.map(|(name, bucket)| (at.join("kv").join(name), &bucket.hub));
        let stores = assets.object_stores.iter();
        let stores = stores.map(|(name, store)| (at.join("objectStores").join(name), &store.hub));
        for (at, hub) in streams.chain(kv).chain(stores) {
            has_hub(
                hub.as_deref(),
                &fleet.assets.hubs,
                &at.join("hub"),
                problems,
            );
        }
    }
}

fn has_hub(hub: Option<&str>, hubs: &[String], at: &OptionPath, problems: &mut Problems) {
    let what = match hub {
        Some(hub) if hubs.iter().any(|name| name == hub) => return,
        Some(hub) => format!("{} is not a hub of the fleet", shown(hub)),
        None if hubs.len() == 1 => return,
        None => "is null, but the fleet has several hubs: which of them holds it?".to_owned(),
    };
    problems.add(
        Rule::AssetHub,
        at,
        what,
        format!("name one of {}", hubs.join(", ")),
    );
}

/// Streams that may cross are streams.
pub(super) fn shared(leaf: &Leaf, at: &OptionPath, problems: &mut Problems) {
    for (way, streams) in [
        ("toHub", &leaf.streams.to_hub),
        ("toLeaf", &leaf.streams.to_leaf),
    ] {
        let at = at.join("streams").join(way);
        for (index, stream) in streams.iter().enumerate() {
            assets::name(stream, false, &at.index(index), problems);
        }
    }
}
