//! How many messages a difference costs, asked of the server: an exact number where it can tell one.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::api::{Api, Failure};
use super::found::{FoundConsumer, FoundStream};
use super::judge::Measure;
use super::subject::covers;
use super::tree::{Tree, texts};

/// What a difference costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// How many messages.
    pub messages: u64,
    /// How exact that number is.
    pub count: Count,
    /// Consent is needed even for 0 messages.
    pub always: bool,
    /// What happens to them.
    pub what: String,
}

/// How exact a number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// So many.
    Exact,
    /// About so many: it is reckoned from an average.
    About,
    /// So many at most.
    UpTo,
}

impl Loss {
    fn exact(messages: u64, what: &str) -> Self {
        Self {
            messages,
            count: Count::Exact,
            always: false,
            what: what.to_owned(),
        }
    }

    fn counted(count: Count, messages: u64, what: &str) -> Self {
        Self {
            count,
            ..Self::exact(messages, what)
        }
    }

    /// The number in words: `5`, `about 5`, `up to 5`.
    pub fn number(&self) -> String {
        match self.count {
            Count::Exact => self.messages.to_string(),
            Count::About => format!("about {}", self.messages),
            Count::UpTo => format!("up to {}", self.messages),
        }
    }

    /// Nothing is lost, and nothing needs consent.
    pub fn is_none(&self) -> bool {
        self.messages == 0 && !self.always
    }
}

/// Measures what a difference of a stream costs; `new` is the new configuration.
///
/// # Errors
/// A server that does not answer.
pub async fn of_stream(
    api: &Api,
    name: &str,
    found: &FoundStream,
    new: &Tree,
    measure: &Measure,
) -> Result<Loss, Failure> {
    let state = &found.state;
    Ok(match measure {
        Measure::Messages(limit) => Loss::exact(
            state.messages.saturating_sub(*limit),
            "are removed at once, the oldest first",
        ),
        Measure::Bytes(limit) => Loss::counted(
            Count::About,
            beyond(state.messages, state.bytes, *limit),
            "are removed at once, the oldest first",
        ),
        Measure::Age(age) => older(api, name, found, *age).await?,
        Measure::PerSubject(limit) => {
            let counts = per_subject(api, name, ">").await?;
            let gone = counts
                .values()
                .map(|count| count.saturating_sub(*limit))
                .sum();
            Loss::exact(
                gone,
                "are removed at once, the oldest of each subject first",
            )
        }
        Measure::Subjects(gone) => uncaptured(api, name, found, new, gone).await?,
        Measure::Interest if state.consumer_count == 0 => {
            Loss::exact(state.messages, "are removed, as no consumer waits for them")
        }
        Measure::Interest => Loss::counted(
            Count::UpTo,
            state.messages,
            "are at stake: those that every consumer has acknowledged, or none wants, are removed",
        ),
        Measure::Sealing => Loss {
            always: true,
            ..Loss::exact(
                0,
                "are removed, but the stream takes no further one, for ever",
            )
        },
        Measure::Again => Loss::counted(
            Count::UpTo,
            state.messages,
            "are copied from their source a second time, for a source with another filter or transform starts over",
        ),
        Measure::Filter => Loss::exact(0, ""),
    })
}

/// What a consumer's new filter costs on a stream that keeps messages for its consumers.
pub fn of_consumer(found: &FoundConsumer) -> Loss {
    let waiting = found.num_pending + found.num_ack_pending;
    Loss::counted(
        Count::UpTo,
        waiting,
        "wait for this consumer: those that the new filter and no other consumer wants are removed",
    )
}

/// How many of the oldest messages are beyond a limit of bytes, if all are of one size.
fn beyond(messages: u64, bytes: u64, limit: u64) -> u64 {
    let over = bytes.saturating_sub(limit);
    if over == 0 || bytes == 0 {
        return 0;
    }
    let gone = u128::from(over) * u128::from(messages);
    let gone = gone.div_ceil(u128::from(bytes));
    u64::try_from(gone).unwrap_or(messages).min(messages)
}

/// How many messages each subject has that a filter matches.
async fn per_subject(
    api: &Api,
    name: &str,
    filter: &str,
) -> Result<BTreeMap<String, u64>, Failure> {
    let mut counts = BTreeMap::new();
    loop {
        let body = json!({ "subjects_filter": filter, "offset": counts.len() });
        let answer = api.ask(&format!("STREAM.INFO.{name}"), &body).await?;
        let page = answer.pointer("/state/subjects").and_then(Value::as_object);
        let page: Vec<_> = page.into_iter().flatten().collect();
        for (subject, count) in &page {
            counts.insert((*subject).clone(), count.as_u64().unwrap_or_default());
        }
        let total = answer
            .get("total")
            .and_then(Value::as_u64)
            .unwrap_or_default();
        if page.is_empty() || u64::try_from(counts.len()).is_ok_and(|have| have >= total) {
            return Ok(counts);
        }
    }
}

/// Messages of subjects that the stream would store no longer.
async fn uncaptured(
    api: &Api,
    name: &str,
    found: &FoundStream,
    new: &Tree,
    gone: &[String],
) -> Result<Loss, Failure> {
    let what = "stay, but nothing more is stored on their subjects";
    if found
        .config
        .get("subject_transform")
        .is_some_and(|transform| !transform.is_null())
    {
        // What is stored has other subjects than what was published.
        return Ok(Loss::counted(Count::UpTo, found.state.messages, what));
    }
    let kept = texts(new, "subjects");
    let mut messages = 0;
    for filter in gone {
        let counts = per_subject(api, name, filter).await?;
        let lost = counts
            .iter()
            .filter(|(subject, _)| !kept.iter().any(|kept| covers(kept, subject)));
        messages += lost.map(|(_, count)| count).sum::<u64>();
    }
    Ok(Loss::exact(messages, what))
}

/// A stored message, without its body.
#[derive(Deserialize)]
struct Stored {
    seq: u64,
    time: String,
}

/// Messages older than `age` nanoseconds: the first younger one is found by halving.
async fn older(api: &Api, name: &str, found: &FoundStream, age: u64) -> Result<Loss, Failure> {
    let what = "are older and are removed at once";
    let state = &found.state;
    let age = Duration::nanoseconds(i64::try_from(age).unwrap_or(i64::MAX));
    let now = found
        .ts
        .as_deref()
        .and_then(moment)
        .unwrap_or_else(OffsetDateTime::now_utc);
    let cutoff = now.checked_sub(age).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let young = |time: &str| moment(time).is_none_or(|time| time >= cutoff);
    if state.messages == 0 || young(&state.first_ts) {
        return Ok(Loss::exact(0, what));
    }
    if !young(&state.last_ts) {
        return Ok(Loss::exact(state.messages, what));
    }
    let (mut old, mut first_young) = (state.first_seq, state.last_seq);
    while old + 1 < first_young {
        let middle = old + (first_young - old) / 2;
        match message_from(api, name, middle).await? {
            Some(message) if young(&message.time) => first_young = middle,
            Some(message) => old = message.seq,
            None => first_young = middle,
        }
    }
    let span = first_young - state.first_seq;
    let (deleted, exact) = deleted_before(api, name, found, first_young).await?;
    let gone = span.saturating_sub(deleted).min(state.messages);
    Ok(if exact {
        Loss::exact(gone, what)
    } else {
        Loss::counted(Count::UpTo, gone, what)
    })
}

/// The first message at or after a sequence.
async fn message_from(api: &Api, name: &str, seq: u64) -> Result<Option<Stored>, Failure> {
    let body = json!({ "seq": seq, "next_by_subj": ">" });
    match api.ask(&format!("STREAM.MSG.GET.{name}"), &body).await {
        Ok(answer) => Ok(answer
            .get("message")
            .and_then(|message| Stored::deserialize(message).ok())),
        Err(Failure::Refused(refusal)) if refusal.status == 404 => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// How many sequences before `seq` hold nothing, and whether that is exact.
async fn deleted_before(
    api: &Api,
    name: &str,
    found: &FoundStream,
    seq: u64,
) -> Result<(u64, bool), Failure> {
    /// Beyond this many the list is not worth its size.
    const MANY: u64 = 100_000;
    match found.state.num_deleted {
        0 => return Ok((0, true)),
        many if many > MANY => return Ok((0, false)),
        _ => {}
    }
    let body = json!({ "deleted_details": true });
    let answer = api.ask(&format!("STREAM.INFO.{name}"), &body).await?;
    let deleted = answer.pointer("/state/deleted").and_then(Value::as_array);
    let before = deleted
        .into_iter()
        .flatten()
        .filter_map(Value::as_u64)
        .filter(|gone| *gone < seq);
    Ok((u64::try_from(before.count()).unwrap_or_default(), true))
}

fn moment(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_beyond_a_limit_are_whole_messages() {
        assert_eq!(beyond(10, 1000, 1000), 0);
        assert_eq!(beyond(10, 1000, 950), 1);
        assert_eq!(beyond(10, 1000, 0), 10);
        assert_eq!(beyond(0, 0, 5), 0);
    }
}
