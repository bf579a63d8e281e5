//! Whose stream a mirror or source is, in the words of options.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::provision::asset::Asset;
use crate::provision::import::Imported;
use crate::provision::tree::{Tree, text};

/// Without what copies from another JetStream of which nobody says whose it is, and its consumers: a stream that is
/// declared without its origin would stop to copy.
pub fn sayable(imported: &[Imported]) -> (Vec<Imported>, Vec<String>) {
    let mut left_out = Vec::new();
    let mut gone = BTreeSet::new();
    for (asset, config) in imported {
        let far = sources(config).find(|source| matches!(origin(source), Origin::Unknown));
        if let (Some(source), false) = (far, matches!(asset, Asset::Consumer { .. })) {
            gone.insert(asset.stream());
            left_out.push(format!(
                "{asset}: copies {} by {}: only the fleet knows whose that is; declare it by hand, with the leaf or hub that has it (leaf = \"…\" or hub = \"…\")",
                text(source, "name"),
                api(source)
            ));
        }
    }
    let (kept, others): (Vec<_>, Vec<_>) = imported
        .iter()
        .cloned()
        .partition(|(asset, _)| !gone.contains(&asset.stream()));
    left_out.extend(others.iter().filter_map(|(asset, _)| match asset {
        Asset::Consumer { stream, .. } => Some(format!("{asset}: {stream} is left out")),
        _ => None,
    }));
    (kept, left_out)
}

/// The mirror and the sources of a configuration.
fn sources(config: &Tree) -> impl Iterator<Item = &Tree> {
    let sources = config.get("sources").and_then(Value::as_array);
    let all = config
        .get("mirror")
        .into_iter()
        .chain(sources.into_iter().flatten());
    all.filter_map(Value::as_object)
}

/// Where a source is.
#[derive(Debug, PartialEq, Eq)]
pub enum Origin {
    /// In the JetStream that copies it.
    Here,
    /// On this leaf.
    Leaf(String),
    /// On this hub.
    Hub(String),
    /// In another JetStream that no option names.
    Unknown,
}

/// What we declared says by its deliver prefix which leaf's link it crosses, and which way; a hub's domain is its name
/// unless somebody said otherwise.
pub fn origin(source: &Tree) -> Origin {
    let Some(external) = source.get("external").and_then(Value::as_object) else {
        return Origin::Here;
    };
    let deliver = text(external, "deliver");
    let domain = api(source)
        .strip_prefix("$JS.")
        .and_then(|api| api.strip_suffix(".API"));
    match (deliver.strip_prefix("$CIM.toHub."), domain) {
        (Some(leaf), _) => Origin::Leaf(leaf.to_owned()),
        (None, Some(hub)) if deliver.starts_with("$CIM.toLeaf.") => Origin::Hub(hub.to_owned()),
        _ => Origin::Unknown,
    }
}

/// What a source's stream is asked by.
fn api(source: &Tree) -> &str {
    let external = source.get("external").and_then(Value::as_object);
    external.map_or("", |external| text(external, "api"))
}
