//! `cim-provision prune`: removes what nobody declares, one by one, by name and by the id of exactly what is there.

use anyhow::{Result, anyhow};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use super::api::Api;
use super::asset::Asset;
use super::copies;
use super::declared::Declared;
use super::found;
use super::migrate::note::{digest, of_interim};

/// What is there and not declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Which.
    pub asset: Asset,
    /// The id of its configuration, its moment of creation and its number of messages.
    pub id: String,
    /// How many messages go with it; of a consumer, those that it waits for.
    pub messages: u64,
    /// How many consumers go with it.
    pub consumers: u64,
}

/// Why an asset is not removed, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Which.
    pub asset: Asset,
    /// Why.
    pub why: String,
    /// What to do.
    pub help: String,
}

impl Left {
    /// What goes, in words.
    pub fn words(&self) -> String {
        let Self {
            asset,
            messages,
            consumers,
            ..
        } = self;
        match asset {
            Asset::Consumer { .. } => {
                format!("{asset}: a consumer that {messages} messages wait for")
            }
            _ => format!("{asset}: {messages} messages and {consumers} consumers"),
        }
    }

    /// For programs.
    pub fn json(&self) -> Value {
        json!({
            "asset": self.asset.to_string(),
            "id": self.id,
            "messages": self.messages,
            "consumers": self.consumers,
        })
    }
}

/// Looks at one; `None`: the server has none such.
///
/// # Errors
/// A server that does not answer.
pub async fn look(api: &Api, asset: &Asset) -> Result<Option<Left>> {
    let of = asset.stream();
    let asked = |failure| anyhow!("asking for {asset}: {failure}");
    let (config, created, messages, consumers) = match asset {
        Asset::Consumer { name, .. } => {
            let Some(found) = found::consumer(api, &of, name).await.map_err(asked)? else {
                return Ok(None);
            };
            let waiting = found.num_pending + found.num_ack_pending;
            (found.config, found.created, waiting, 0)
        }
        _ => {
            let Some(found) = found::stream(api, &of).await.map_err(asked)? else {
                return Ok(None);
            };
            let state = found.state;
            (
                found.config,
                found.created,
                state.messages,
                state.consumer_count,
            )
        }
    };
    let id = digest(&json!([
        "prune",
        asset.to_string(),
        created,
        config,
        messages
    ]));
    Ok(Some(Left {
        asset: asset.clone(),
        id,
        messages,
        consumers,
    }))
}

/// Looks at all of these; what went meanwhile is left out.
///
/// # Errors
/// A server that does not answer.
pub async fn look_at(api: &Api, assets: &[Asset], at_once: usize) -> Result<Vec<Left>> {
    let looked = stream::iter(assets).map(async |asset| look(api, asset).await);
    let looked: Vec<_> = looked.buffered(at_once.max(1)).collect().await;
    let looked: Result<Vec<_>> = looked.into_iter().collect();
    Ok(looked?.into_iter().flatten().collect())
}

/// Whether an asset may be removed: what goes, or why not.
///
/// # Errors
/// A server that does not answer.
pub async fn judge(
    api: &Api,
    declared: &Declared,
    asset: &Asset,
    at_once: usize,
) -> Result<Result<Left, Kept>> {
    let Some(left) = look(api, asset).await? else {
        return Ok(Err(kept(
            asset,
            "the server has none such".to_owned(),
            "`cim-provision plan` lists what is there and not declared",
        )));
    };
    let of = asset.stream();
    let same = |other: &&Asset| match asset {
        Asset::Consumer { .. } => *other == asset,
        _ => !matches!(other, Asset::Consumer { .. }) && other.stream() == of,
    };
    if let Some(other) = declared.assets.keys().find(same) {
        let option = declared.provision.options.get(&other.to_string());
        let place = option.map_or_else(|| format!("{other}.json"), Clone::clone);
        let why = format!(
            "is declared ({place}), and its {} messages are not removed",
            left.messages
        );
        return Ok(Err(kept(
            asset,
            why,
            "take the declaration away first: prune removes only what nobody declares",
        )));
    }
    let interim = match asset {
        Asset::Consumer { name, .. } => of_interim(name),
        _ => of_interim(&of),
    };
    if let Some(name) = interim {
        let why = format!(
            "holds the {} messages of a migration of {name}",
            left.messages
        );
        return Ok(Err(kept(
            asset,
            why,
            "go on with that migration: it removes this itself",
        )));
    }
    if matches!(asset, Asset::Consumer { .. }) {
        return Ok(Ok(left));
    }
    let consumers = declared
        .assets
        .keys()
        .filter(|other| matches!(other, Asset::Consumer { stream, .. } if *stream == of))
        .map(ToString::to_string);
    let copies = copies::of(api, &of, at_once).await?;
    let copies = copies
        .iter()
        .map(|copy| Asset::of_stream(&copy.stream).to_string());
    let needed: Vec<String> = consumers.chain(copies).collect();
    Ok(match needed.is_empty() {
        true => Ok(left),
        false => Err(kept(
            asset,
            format!(
                "is needed by {}, and its {} messages are not removed",
                needed.join(", "),
                left.messages
            ),
            "take those away first, or let them copy from elsewhere",
        )),
    })
}

/// Removes it, if it still is what the id was for.
///
/// # Errors
/// It is another by now, or the server's refusal.
pub async fn remove(api: &Api, left: &Left) -> Result<()> {
    let asset = &left.asset;
    let now = look(api, asset).await?;
    let same = now.as_ref().is_some_and(|now| now.id == left.id);
    anyhow::ensure!(
        same,
        "{asset} changed meanwhile: look again, and run again with the id that it has then"
    );
    let of = asset.stream();
    let subject = match asset {
        Asset::Consumer { name, .. } => format!("CONSUMER.DELETE.{of}.{name}"),
        _ => format!("STREAM.DELETE.{of}"),
    };
    let removed = api.find(&subject, &Value::Null).await;
    removed
        .map(drop)
        .map_err(|failure| anyhow!("removing {asset}: {failure}"))
}

fn kept(asset: &Asset, why: String, help: &str) -> Kept {
    Kept {
        asset: asset.clone(),
        why,
        help: help.to_owned(),
    }
}
