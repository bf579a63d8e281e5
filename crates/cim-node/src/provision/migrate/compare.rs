//! Whether a copy has every message of a stream, and nothing that the stream has no longer.

use std::collections::BTreeSet;

use anyhow::{Result, anyhow, ensure};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::provision::api::{Api, Failure};

/// nats-server: no message found.
const NO_MESSAGE: u64 = 10037;

/// How many messages that a copy lacks are named.
const NAMED: usize = 5;

/// What was compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compared {
    /// How many messages both have.
    pub messages: u64,
    /// The digests of subjects, headers and bodies by sequence, one on the other.
    pub digest: [u8; 32],
    /// Sequences that the copy lacks, or has otherwise.
    pub missing: Vec<u64>,
}

impl Compared {
    /// Takes in another part.
    pub fn and(&mut self, other: Self) {
        self.messages += other.messages;
        for (byte, more) in self.digest.iter_mut().zip(other.digest) {
            *byte ^= more;
        }
        self.missing.extend(other.missing);
    }

    /// The digest's beginning.
    pub fn short(&self) -> String {
        self.digest
            .iter()
            .take(6)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// Nothing is missing.
    ///
    /// # Errors
    /// What is, by number and the first sequences.
    pub fn complete(&self, of: &str, copy: &str) -> Result<()> {
        let first: Vec<_> = self.missing.iter().take(NAMED).collect();
        ensure!(
            self.missing.is_empty(),
            "{copy} lacks {} messages of {of}, or has them otherwise, the first with the sequences {first:?}: nothing was removed",
            self.missing.len()
        );
        Ok(())
    }
}

/// What it means that a copy has nothing under a sequence that the stream has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// It never had it.
    Missing,
    /// It had it once, and takes messages of its own since: it was removed there.
    Gone,
}

/// Compares what a stream holds from one sequence to another with what a copy holds under the same sequences.
///
/// # Errors
/// A server that does not answer.
pub async fn compare(
    api: &Api,
    of: &str,
    copy: &str,
    (from, to): (u64, u64),
    absent: Absent,
    at_once: usize,
) -> Result<Compared> {
    let mut all = Compared::default();
    if from > to {
        return Ok(all);
    }
    let parts = u64::try_from(at_once.max(1))?.min(to - from + 1);
    let size = (to - from + 1).div_ceil(parts);
    let ranges = (0..parts).map(|part| {
        let start = from + part * size;
        (start, (start + size - 1).min(to))
    });
    let results = stream::iter(ranges).map(async |range| part(api, of, copy, range, absent).await);
    let mut results = results.buffer_unordered(at_once.max(1));
    while let Some(result) = results.next().await {
        all.and(result?);
    }
    all.missing.sort_unstable();
    Ok(all)
}

async fn part(
    api: &Api,
    of: &str,
    copy: &str,
    (from, to): (u64, u64),
    absent: Absent,
) -> Result<Compared> {
    let mut compared = Compared::default();
    let mut seq = from;
    while seq <= to {
        let next = json!({ "seq": seq, "next_by_subj": ">" });
        let Some(message) = message(api, of, &next).await? else {
            break;
        };
        let at = message["seq"].as_u64().unwrap_or_default();
        if at > to || at < seq {
            break;
        }
        let exact = json!({ "seq": at });
        let copied = self::message(api, copy, &exact).await?;
        let content = |message: &Value| {
            json!([at, message["subject"], message["hdrs"], message["data"]]).to_string()
        };
        if copied.as_ref().map(content) == Some(content(&message)) {
            compared.and(Compared {
                messages: 1,
                digest: Sha256::digest(content(&message)).into(),
                missing: Vec::new(),
            });
        } else if (copied.is_some() || absent == Absent::Missing)
            && self::message(api, of, &exact).await?.is_some()
        {
            compared.missing.push(at);
        } // else it went meanwhile
        seq = at + 1;
    }
    Ok(compared)
}

async fn message(api: &Api, stream: &str, which: &Value) -> Result<Option<Value>> {
    match api.ask(&format!("STREAM.MSG.GET.{stream}"), which).await {
        Ok(mut answer) => Ok(Some(answer["message"].take())),
        Err(Failure::Refused(refusal)) if refusal.code == NO_MESSAGE => Ok(None),
        Err(failure) => Err(anyhow!("reading a message of {stream}: {failure}")),
    }
}

/// The sequence of the last message that is there; 0: there is none.
///
/// # Errors
/// A server that does not answer.
pub async fn last(api: &Api, stream: &str) -> Result<u64> {
    // nats-server finds no last message where the last sequence was deleted.
    if let Some(message) = message(api, stream, &json!({ "last_by_subj": ">" })).await? {
        return Ok(message["seq"].as_u64().unwrap_or_default());
    }
    let state = details(api, stream).await?;
    let number = |name: &str| state[name].as_u64().unwrap_or_default();
    if number("messages") == 0 {
        return Ok(0);
    }
    let deleted = deleted(&state);
    let last = (number("first_seq")..=number("last_seq")).rev();
    Ok(last
        .into_iter()
        .find(|seq| !deleted.contains(seq))
        .unwrap_or_default())
}

/// Removes from a copy what the stream has no longer: deleted, purged, rolled up, acknowledged or expired meanwhile. What the
/// copy has after `end` is its own.
///
/// # Errors
/// What the server says to a removal.
pub async fn forget(api: &Api, of: &str, copy: &str, end: u64, at_once: usize) -> Result<u64> {
    let theirs = details(api, of).await?;
    let ours = details(api, copy).await?;
    let number = |state: &Value, name: &str| state[name].as_u64().unwrap_or_default();
    let mut gone = 0;
    let first = number(&theirs, "first_seq");
    if first > number(&ours, "first_seq") && number(&ours, "messages") > 0 {
        // No further than the copy got: what comes next is for it to say.
        let next = number(&ours, "last_seq").min(end).saturating_add(1);
        let body = json!({ "seq": first.min(next) });
        let purged = api.ask(&format!("STREAM.PURGE.{copy}"), &body).await;
        let purged = purged.map_err(|failure| anyhow!("purging {copy}: {failure}"))?;
        gone += number(&purged, "purged");
    }
    let (first, last) = (
        first.max(number(&ours, "first_seq")),
        number(&ours, "last_seq").min(end),
    );
    let extra: Vec<u64> = deleted(&theirs)
        .difference(&deleted(&ours))
        .copied()
        .filter(|seq| (first..=last).contains(seq))
        .collect();
    let removals = stream::iter(extra).map(async |seq| {
        let body = json!({ "seq": seq, "no_erase": true });
        match api.ask(&format!("STREAM.MSG.DELETE.{copy}"), &body).await {
            Ok(_) => Ok(1),
            Err(Failure::Refused(refusal))
                if refusal.code == NO_MESSAGE || refusal.code == 10057 =>
            {
                Ok(0)
            }
            Err(failure) => Err(anyhow!("removing {seq} from {copy}: {failure}")),
        }
    });
    let removals: Vec<Result<u64>> = removals.buffer_unordered(at_once.max(1)).collect().await;
    for removed in removals {
        gone += removed?;
    }
    Ok(gone)
}

fn deleted(state: &Value) -> BTreeSet<u64> {
    let list = state["deleted"].as_array().into_iter().flatten();
    list.filter_map(Value::as_u64).collect()
}

async fn details(api: &Api, stream: &str) -> Result<Value> {
    let body = json!({ "deleted_details": true });
    let info = api.ask(&format!("STREAM.INFO.{stream}"), &body).await;
    let mut info = info.map_err(|failure| anyhow!("asking what {stream} holds: {failure}"))?;
    Ok(info["state"].take())
}
