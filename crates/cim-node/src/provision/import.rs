//! What a server has, as files that declare it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use cim_spec::asset::{Change, Consumer, Field, KeyValue, ObjectStore, Stream};
use serde_json::{Value, json};

use super::api::Api;
use super::asset::Asset;
use super::defaults;
use super::difference::differences;
use super::found;
use super::tree::{Tree, canonical};

/// One asset and its file's content.
pub type Imported = (Asset, Tree);

/// Reads every stream with its durable consumers. A stream named as a bucket is one, where it is made as clients make it.
///
/// # Errors
/// A server that does not tell what it has.
pub async fn import(api: &Api) -> Result<Vec<Imported>> {
    let mut imported = Vec::new();
    let streams = api.names("STREAM.NAMES", "streams").await;
    for name in streams.map_err(|failure| anyhow!("{failure}"))? {
        let found = found::stream(api, &name)
            .await
            .map_err(|failure| anyhow!("{name}: {failure}"))?;
        let Some(found) = found else {
            continue; // removed meanwhile
        };
        imported.push(stream(&name, &found.config));
        if found.state.consumer_count == 0 {
            continue;
        }
        let consumers = api
            .names(&format!("CONSUMER.NAMES.{name}"), "consumers")
            .await;
        for consumer in consumers.map_err(|failure| anyhow!("{name}: {failure}"))? {
            let found = found::consumer(api, &name, &consumer).await;
            let Some(found) = found.map_err(|failure| anyhow!("{name}/{consumer}: {failure}"))?
            else {
                continue;
            };
            let config = canonical(Consumer::FIELDS, &found.config);
            if config.contains_key("durable_name") {
                let asset = Asset::Consumer {
                    stream: name.clone(),
                    name: consumer,
                };
                imported.push((asset, without(config, &["name"])));
            }
        }
    }
    Ok(imported)
}

/// Writes the files of assets into a folder that has none of them.
///
/// # Errors
/// A file that is there already, and what the file system says.
pub fn write(folder: &Path, imported: &[Imported]) -> Result<()> {
    for (asset, config) in imported {
        let path = folder.join(format!("{asset}.json"));
        ensure!(
            !path.exists(),
            "{} is there already: name another folder",
            path.display()
        );
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).with_context(|| format!("creating {}", parent.display()))?;
        let text = serde_json::to_string_pretty(config)? + "\n";
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

fn stream(name: &str, config: &Tree) -> Imported {
    let asset = Asset::of_stream(name);
    let bucket = match &asset {
        Asset::KeyValue(bucket) => {
            let remakes = |tree: &Tree| remakes(tree, config, |kv: KeyValue| kv.stream());
            let tree = bucket_fields(KeyValue::FIELDS, bucket, config);
            let by_name = tree.clone().map(|tree| by_bucket(bucket, tree));
            by_name.filter(remakes).or(tree.filter(remakes))
        }
        Asset::ObjectStore(bucket) => bucket_fields(ObjectStore::FIELDS, bucket, config)
            .filter(|tree| remakes(tree, config, |store: ObjectStore| store.stream())),
        _ => None,
    };
    match bucket {
        Some(tree) => (asset, tree),
        None => (
            Asset::Stream(name.to_owned()),
            canonical(Stream::FIELDS, config),
        ),
    }
}

fn bucket_fields(fields: &[Field], bucket: &str, config: &Tree) -> Option<Tree> {
    let stream = canonical(Stream::FIELDS, config);
    let mut tree = Tree::new();
    tree.insert("bucket".to_owned(), bucket.into());
    for field in fields {
        let Change::Stream(of) = field.change else {
            continue;
        };
        let value = match (of, stream.get(of)) {
            ("compression", value) => value.map(|_| json!(true)),
            (_, value) => value.cloned(),
        };
        if let Some(value) = value {
            tree.insert(field.name.to_owned(), value);
        }
    }
    Some(tree)
}

/// Buckets that a bucket copies by their own names, as clients give them: their stream and their keys follow from that.
fn by_bucket(bucket: &str, mut tree: Tree) -> Tree {
    let shorten = |source: &mut Value| {
        let theirs = source["name"]
            .as_str()
            .and_then(|name| name.strip_prefix("KV_"));
        let Some(theirs) = theirs.map(str::to_owned) else {
            return;
        };
        let keys = |bucket: &str| format!("$KV.{bucket}.>");
        let usual = json!([{ "src": keys(&theirs), "dest": keys(bucket) }]);
        match source.get("subject_transforms") {
            None => {}
            Some(transforms) if *transforms == usual => source["subject_transforms"] = Value::Null,
            Some(_) => return, // any stream, said in full
        }
        if let Some(source) = source.as_object_mut() {
            source.retain(|_, value| !value.is_null());
        }
        source["name"] = theirs.into();
    };
    let sources = tree.get_mut("sources").and_then(Value::as_array_mut);
    sources.into_iter().flatten().for_each(shorten);
    tree.get_mut("mirror").into_iter().for_each(shorten);
    tree
}

/// Whether a bucket's file makes the very stream that is there.
fn remakes<T: for<'a> serde::Deserialize<'a>>(
    tree: &Tree,
    config: &Tree,
    stream: impl Fn(T) -> Stream,
) -> bool {
    let Ok(bucket) = serde_json::from_value::<T>(Value::Object(tree.clone())) else {
        return false;
    };
    let Ok(made) = super::file::tree(&stream(bucket)) else {
        return false;
    };
    differences(
        Stream::FIELDS,
        &defaults::stream(config),
        &defaults::stream(&made),
    )
    .is_empty()
}

fn without(mut tree: Tree, names: &[&str]) -> Tree {
    for name in names {
        tree.remove(*name);
    }
    tree
}
