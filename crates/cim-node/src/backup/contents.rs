//! What a stream holds, as far as two copies of it can be compared.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What is in one stream's snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contents {
    /// How it is packed.
    pub format: Format,
    /// Messages.
    pub messages: u64,
    /// Sequence of the first one; one after the last sequence where there is none.
    pub first_seq: u64,
    /// The last sequence that was given out.
    pub last_seq: u64,
    /// Sequences between them that hold no message.
    pub deleted: u64,
    /// SHA-256 over all messages: sequence, time, subject, headers, body. `None`: see [`Format::Tar`].
    pub digest: Option<String>,
    /// Messages with a lifetime of their own (`Nats-TTL`): a server drops them when it is over, also while restoring.
    pub with_ttl: u64,
    /// Consumers, by name.
    pub consumers: BTreeMap<String, Position>,
}

/// How nats-server packed it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Messages and consumers, one after the other: since 2.15 (`server/stream_backup.go`). We read it.
    #[default]
    Archive,
    /// The store's files, before 2.15. We do not read those: numbers are what the server said, consumers are as they
    /// were just before the snapshot, and there is no digest.
    Tar,
}

/// Where a consumer is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// Whether it outlives its clients.
    pub durable: bool,
    /// Last delivery.
    pub delivered: Pair,
    /// All up to here is acknowledged.
    pub ack_floor: Pair,
    /// Delivered and not acknowledged.
    pub ack_pending: u64,
    /// Of those, delivered more than once.
    pub redelivered: u64,
    /// Messages that it has yet to get. `None`: it gets the last of each subject, which a snapshot does not count.
    pub pending: Option<u64>,
}

/// A place in the consumer's own count and in the stream's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// Sequence of the consumer.
    pub consumer_seq: u64,
    /// Sequence of the stream.
    pub stream_seq: u64,
}

impl Contents {
    /// What `STREAM.INFO` and `CONSUMER.LIST` say of a stream.
    pub fn told(state: &Value, consumers: &[Value]) -> Self {
        let number = |name: &str| state.get(name).and_then(Value::as_u64).unwrap_or_default();
        let positions = consumers.iter().filter_map(|info| {
            let name = info.get("name").and_then(Value::as_str)?;
            Some((name.to_owned(), Position::told(info)))
        });
        Self {
            format: Format::Tar,
            messages: number("messages"),
            first_seq: number("first_seq"),
            last_seq: number("last_seq"),
            deleted: number("num_deleted"),
            digest: None,
            with_ttl: 0,
            consumers: positions.collect(),
        }
    }

    /// In what `found`, which nobody has used since, is not this; nothing: in nothing.
    pub fn differences(&self, found: &Self) -> Vec<String> {
        self.compared(found, &|_| true)
    }

    /// The same where clients may use it already: messages may have come, and consumers gone on.
    pub fn losses(&self, found: &Self) -> Vec<String> {
        let mut found = found.clone();
        let newer = found.last_seq.saturating_sub(self.last_seq);
        if newer > 0 {
            found.last_seq -= newer;
            found.messages = found.messages.saturating_sub(newer);
        }
        self.compared(&found, &|moved| newer == 0 && !moved)
    }

    /// `exact`: whether a consumer's numbers must be equal, or only none smaller; it is told whether it moved.
    fn compared(&self, found: &Self, exact: &dyn Fn(bool) -> bool) -> Vec<String> {
        let mut all = self.differences_of_messages(found);
        for (name, position) in &self.consumers {
            match found.consumers.get(name) {
                Some(found) => {
                    let moved = found.delivered.consumer_seq > position.delivered.consumer_seq
                        || found.ack_floor.consumer_seq > position.ack_floor.consumer_seq;
                    let exact = self.format == Format::Archive && exact(moved);
                    let [position, found] = [position, found].map(|one| one.from(self.first_seq));
                    let words = position.differences(&found, exact);
                    all.extend(
                        words
                            .iter()
                            .map(|words| format!("consumer {name}: {words}")),
                    );
                }
                // It lives as long as its client, which is not here.
                None if !position.durable => {}
                None => all.push(format!("consumer {name} is missing")),
            }
        }
        all
    }

    fn differences_of_messages(&self, found: &Self) -> Vec<String> {
        // Those whose life is over are not there any more, and nothing else may be missing.
        let expired = self.messages.saturating_sub(found.messages);
        if expired > 0 && expired <= self.with_ttl && self.last_seq == found.last_seq {
            return Vec::new();
        }
        let numbers = [
            ("messages", self.messages, found.messages),
            ("first sequence", self.first_seq, found.first_seq),
            ("last sequence", self.last_seq, found.last_seq),
            ("deleted", self.deleted, found.deleted),
        ];
        let mut all = unequal(&numbers);
        if let (Some(here), Some(there)) = (&self.digest, &found.digest)
            && here != there
            && all.is_empty()
        {
            all.push(format!(
                "its messages are others: digest {there} instead of {here}"
            ));
        }
        all
    }
}

impl Position {
    /// What `CONSUMER.INFO` says.
    pub fn told(info: &Value) -> Self {
        let number = |name: &str| info.get(name).and_then(Value::as_u64).unwrap_or_default();
        let last = info
            .pointer("/config/deliver_policy")
            .and_then(Value::as_str);
        let durable = info
            .pointer("/config/durable_name")
            .is_some_and(Value::is_string);
        Self {
            durable,
            delivered: Pair::told(info.get("delivered")),
            ack_floor: Pair::told(info.get("ack_floor")),
            ack_pending: number("num_ack_pending"),
            redelivered: number("num_redelivered"),
            pending: (last != Some("last_per_subject")).then(|| number("num_pending")),
        }
    }

    /// A consumer that stands before the first message is moved up to it by a restore: nothing is between.
    fn from(&self, first_seq: u64) -> Self {
        let mut moved = self.clone();
        for pair in [&mut moved.delivered, &mut moved.ack_floor] {
            pair.stream_seq = pair.stream_seq.max(first_seq.saturating_sub(1));
        }
        moved
    }

    /// `exact`: it is known to the last number; else it may have gone on.
    fn differences(&self, found: &Self, exact: bool) -> Vec<String> {
        if !exact {
            let back = |name, here: u64, there: u64| {
                (there < here).then(|| format!("{name} is {there} and was {here} already"))
            };
            let (here, there) = (self.delivered.stream_seq, found.delivered.stream_seq);
            let floors = (self.ack_floor.stream_seq, found.ack_floor.stream_seq);
            return back("delivered", here, there)
                .into_iter()
                .chain(back("ack floor", floors.0, floors.1))
                .collect();
        }
        let mut numbers = vec![
            (
                "delivered",
                self.delivered.stream_seq,
                found.delivered.stream_seq,
            ),
            (
                "delivered, of its own",
                self.delivered.consumer_seq,
                found.delivered.consumer_seq,
            ),
            (
                "ack floor",
                self.ack_floor.stream_seq,
                found.ack_floor.stream_seq,
            ),
            (
                "ack floor, of its own",
                self.ack_floor.consumer_seq,
                found.ack_floor.consumer_seq,
            ),
            ("ack pending", self.ack_pending, found.ack_pending),
            ("redelivered", self.redelivered, found.redelivered),
        ];
        if let (Some(here), Some(there)) = (self.pending, found.pending) {
            numbers.push(("pending", here, there));
        }
        unequal(&numbers)
    }
}

impl Pair {
    fn told(pair: Option<&Value>) -> Self {
        pair.and_then(|pair| serde_json::from_value(pair.clone()).ok())
            .unwrap_or_default()
    }
}

fn unequal(numbers: &[(&str, u64, u64)]) -> Vec<String> {
    let unequal = numbers.iter().filter(|(_, here, there)| here != there);
    unequal
        .map(|(name, here, there)| format!("{name} is {there} instead of {here}"))
        .collect()
}
