//! What accounts hold in JetStream, as `cim-provision` reads it: a folder for each account, a file for each asset.

use std::collections::BTreeMap;

use anyhow::Result;
use cim_spec::Plan;
use cim_spec::asset::Provision;
use cim_spec::plan::{AccountAssets, Asset, Made};

use crate::artefacts::json;

/// The files of every account, by their paths; none where nothing is declared.
///
/// # Errors
/// None that could happen: assets are plain data.
pub fn files(plan: &Plan) -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    for held in &plan.assets {
        let folder = format!("jetstream/{}", held.account);
        for asset in &held.assets {
            files.insert(format!("{folder}/{}.json", asset.file()), content(asset)?);
        }
        files.insert(format!("{folder}/provision.json"), json(&beside(held))?);
    }
    Ok(files)
}

/// The asset as upstream's tools read it.
fn content(asset: &Asset) -> Result<String> {
    match &asset.made {
        Made::Stream(stream) => json(stream),
        Made::Consumer(_, consumer) => json(consumer),
        Made::KeyValue(bucket) => json(bucket),
        Made::ObjectStore(store) => json(store),
    }
}

/// Whose option each asset is, which may lose something, and which is copied elsewhere.
fn beside(held: &AccountAssets) -> Provision {
    let options = held.assets.iter();
    let options = options.map(|asset| (asset.file(), asset.at.to_string()));
    let consent = held.assets.iter();
    let consent = consent.filter_map(|asset| Some((asset.file(), asset.consent.clone()?)));
    let crosses = held.assets.iter().filter(|asset| !asset.crosses.is_empty());
    let crosses = crosses.map(|asset| (asset.file(), asset.crosses.clone()));
    Provision {
        options: options.collect(),
        allow_data_loss: consent.collect(),
        crosses: crosses.collect(),
    }
}
