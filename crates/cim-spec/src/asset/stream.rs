//! A stream: nats-server's `StreamConfig`.

use super::choice::{Compression, Discard, PersistMode, Retention, Storage};
use super::field::Change::{Depends, Impossible, InPlace, Lossy, Name};
use super::field::{Kind, V2_9, V2_10, V2_11, V2_12, V2_14, fields};
use super::part::{ConsumerLimits, Placement, Republish, Source, SubjectTransform};
use super::{Labels, Nanoseconds};

fields! {
    /// A stream, as `nats stream add --config` reads it.
    Stream {
        /// Its name, without `.`, `*`, `>`, `/`, `\` and white space.
        name: String, Kind::Text, V2_9, Name;
        /// For people.
        description: String, Kind::Text, V2_9, InPlace;
        /// What it stores. Absent: its own name, where it is no mirror and has no sources.
        subjects: Vec<String>, Kind::Texts, V2_9,
            Lossy("a subject that goes while the stream holds messages of it is no longer stored");
        /// When messages are removed.
        retention: Retention, Kind::Choice(Retention::WORDS), V2_9,
            Depends("a work queue is one for ever and nothing becomes one; limits to interest removes what no consumer waits for");
        /// How many consumers it may have.
        max_consumers: i64, Kind::Limit, V2_9, InPlace;
        /// How many messages it holds.
        max_msgs: i64, Kind::Limit, V2_9, Lossy("with discard `old` the oldest messages beyond it go at once");
        /// How many bytes it holds, its messages' headers and subjects included.
        max_bytes: i64, Kind::Limit, V2_9, Lossy("with discard `old` the oldest messages beyond it go at once");
        /// How old messages get, in nanoseconds, from 100 ms; absent: they do not expire.
        max_age: Nanoseconds, Kind::Duration, V2_9, Lossy("older messages go at once");
        /// How many messages it holds of each subject.
        max_msgs_per_subject: i64, Kind::Limit, V2_9, Lossy("the oldest messages of each subject beyond it go at once");
        /// How many bytes a message may have; bigger ones are refused.
        max_msg_size: i32, Kind::Limit, V2_9, InPlace;
        /// What goes when it is full.
        discard: Discard, Kind::Choice(Discard::WORDS), V2_9,
            Depends("`new` to `old` on a stream beyond its limits removes the oldest messages");
        /// Where messages are kept.
        storage: Storage, Kind::Choice(Storage::WORDS), V2_9, Impossible("the server never moves messages between disk and memory");
        /// On how many servers it lives: 1 to 5, more than one needs a cluster.
        num_replicas: i64, Kind::Positive, V2_9, InPlace;
        /// Publishers get no acknowledgement.
        no_ack: bool, Kind::Flag, V2_9, InPlace;
        /// For how long a repeated `Nats-Msg-Id` is dropped, in nanoseconds. Absent: 2 minutes, or `max_age` where that is
        /// shorter; nothing where it has sources.
        duplicate_window: Nanoseconds, Kind::Duration, V2_9, InPlace;
        /// On which servers it lives.
        placement: Placement, Kind::Part(Placement::FIELDS), V2_9, InPlace;
        /// The stream that this one copies, sequences included.
        mirror: Source, Kind::Part(Source::FIELDS), V2_9,
            Depends("a mirror can be made a stream of its own (2.12); nothing becomes a mirror, or one of another stream");
        /// Streams that this one collects.
        sources: Vec<Source>, Kind::Parts(Source::FIELDS), V2_9,
            Depends("a source with another filter or transform starts over, and what it copied before is copied again");
        /// How blocks on disk are compressed; what is stored already stays as it is.
        compression: Compression, Kind::Choice(Compression::WORDS), V2_10, InPlace;
        /// Sequence of the first message.
        first_seq: u64, Kind::Number, V2_10, Impossible("sequences are given when a stream is made");
        /// What subjects become before anything else.
        subject_transform: SubjectTransform, Kind::Part(SubjectTransform::FIELDS), V2_10, InPlace;
        /// What is published again once stored.
        republish: Republish, Kind::Part(Republish::FIELDS), V2_9, InPlace;
        /// Any replica answers gets, ADR-31.
        allow_direct: bool, Kind::Flag, V2_9, InPlace;
        /// As a mirror, answers gets for the stream it copies; the server sets it where it can see that stream.
        mirror_direct: bool, Kind::Flag, V2_9, InPlace;
        /// `discard = new` counts by subject.
        discard_new_per_subject: bool, Kind::Flag, V2_9, InPlace;
        /// Nothing goes in or out any more.
        sealed: bool, Kind::Flag, V2_9,
            Depends("sealing is for ever, so it needs consent; nothing unseals a stream");
        /// No message can be deleted.
        deny_delete: bool, Kind::Flag, V2_9, Depends("it can be set, not taken back");
        /// The stream cannot be purged.
        deny_purge: bool, Kind::Flag, V2_9, Depends("it can be set, not taken back");
        /// A message may replace those before it (`Nats-Rollup`).
        allow_rollup_hdrs: bool, Kind::Flag, V2_9, InPlace;
        /// What its consumers may not exceed.
        consumer_limits: ConsumerLimits, Kind::Part(ConsumerLimits::FIELDS), V2_10, InPlace;
        /// Messages may have an age of their own (`Nats-TTL`), ADR-43.
        allow_msg_ttl: bool, Kind::Flag, V2_11, Depends("it can be set, not taken back");
        /// For how long a marker stands for a subject whose last message expired, in nanoseconds, from 1 s. Sets
        /// `allow_msg_ttl` and `allow_rollup_hdrs`.
        subject_delete_marker_ttl: Nanoseconds, Kind::Duration, V2_11, InPlace;
        /// The stream counts, ADR-49.
        allow_msg_counter: bool, Kind::Flag, V2_12, Impossible("a stream is a counter from the start or never");
        /// Batches are stored wholly or not at all, ADR-50.
        allow_atomic: bool, Kind::Flag, V2_12, InPlace;
        /// Messages may be scheduled, ADR-51. Sets `allow_rollup_hdrs`.
        allow_msg_schedules: bool, Kind::Flag, V2_12, Depends("it can be set, not taken back");
        /// When a message counts as stored.
        persist_mode: PersistMode, Kind::Choice(PersistMode::WORDS), V2_12, Impossible("it is chosen when a stream is made");
        /// Fast batches are allowed, ADR-50.
        allow_batched: bool, Kind::Flag, V2_14, InPlace;
        /// Names and values, for tools; at most 128 KiB.
        metadata: Labels, Kind::Labels, V2_10, InPlace;
    }
}
