//! A consumer: nats-server's `ConsumerConfig`, without the fields that are the server's own (`direct`, `sourcing`).

use super::choice::{AckPolicy, DeliverPolicy, PriorityPolicy, ReplayPolicy};
use super::field::Change::{Depends, Impossible, InPlace, Name};
use super::field::{Kind, V2_9, V2_10, V2_11, fields};
use super::{Labels, Nanoseconds};

const FIXED: &str = "it is chosen when a consumer is made";

fields! {
    /// A consumer, as `nats consumer add --config` reads it; its stream is the folder it stands in.
    Consumer {
        /// Its name; stays when nobody uses it.
        durable_name: String, Kind::Text, V2_9, Name;
        /// Its name again; without `durable_name`, one that goes when nobody uses it.
        name: String, Kind::Text, V2_9, Name;
        /// For people.
        description: String, Kind::Text, V2_9, InPlace;
        /// Where it starts.
        deliver_policy: DeliverPolicy, Kind::Choice(DeliverPolicy::WORDS), V2_9, Impossible(FIXED);
        /// The sequence it starts at, with `by_start_sequence`.
        opt_start_seq: u64, Kind::Number, V2_9, Impossible(FIXED);
        /// The moment it starts at, with `by_start_time`, RFC 3339.
        opt_start_time: String, Kind::Time, V2_9, Impossible(FIXED);
        /// What clients must acknowledge; absent: nothing.
        ack_policy: AckPolicy, Kind::Choice(AckPolicy::WORDS), V2_9, Impossible(FIXED);
        /// How long an acknowledgement may take, in nanoseconds; absent: 30 s. `backoff` overrides it.
        ack_wait: Nanoseconds, Kind::Duration, V2_9, InPlace;
        /// How often a message is delivered; absent: until it is acknowledged.
        max_deliver: i64, Kind::Limit, V2_9, InPlace;
        /// How long each delivery waits for its acknowledgement, in nanoseconds.
        backoff: Vec<Nanoseconds>, Kind::Durations, V2_9, InPlace;
        /// Which subjects; absent: all.
        filter_subject: String, Kind::Text, V2_9,
            Depends("on a stream that keeps messages for its consumers, what only the old filter wants is removed");
        /// Which subjects, several; not beside `filter_subject`.
        filter_subjects: Vec<String>, Kind::Texts, V2_10,
            Depends("on a stream that keeps messages for its consumers, what only the old filters want is removed");
        /// How fast it catches up.
        replay_policy: ReplayPolicy, Kind::Choice(ReplayPolicy::WORDS), V2_9, Impossible(FIXED);
        /// Bits per second, for push consumers; absent: as fast as it can.
        rate_limit_bps: u64, Kind::Number, V2_9, InPlace;
        /// Per cent of acknowledgements that are published as samples, for example `"100"`.
        sample_freq: String, Kind::Text, V2_9, InPlace;
        /// How many pulls may wait, for pull consumers; absent: 512.
        max_waiting: i64, Kind::Number, V2_9, Impossible(FIXED);
        /// How many messages may be unacknowledged, -1 for any number; absent: 1000, or the stream's `consumer_limits`.
        max_ack_pending: i64, Kind::Number, V2_9, InPlace;
        /// Slow clients slow the server down, for push consumers; needs `idle_heartbeat`.
        flow_control: bool, Kind::Flag, V2_9, Impossible(FIXED);
        /// Delivers headers, without bodies.
        headers_only: bool, Kind::Flag, V2_9, InPlace;
        /// How many messages a pull may ask for.
        max_batch: i64, Kind::Number, V2_9, InPlace;
        /// How long a pull may wait, in nanoseconds, from 1 ms.
        max_expires: Nanoseconds, Kind::Duration, V2_9, InPlace;
        /// How many bytes a pull may ask for.
        max_bytes: i64, Kind::Number, V2_9, InPlace;
        /// Where messages are pushed; absent: clients pull.
        deliver_subject: String, Kind::Text, V2_9,
            Depends("to another subject while nobody listens on the old one; push never becomes pull, nor pull push");
        /// The queue group that messages are pushed to.
        deliver_group: String, Kind::Text, V2_9, InPlace;
        /// How often a quiet push consumer says that it is there, in nanoseconds, from 100 ms.
        idle_heartbeat: Nanoseconds, Kind::Duration, V2_9, Impossible(FIXED);
        /// Unused for longer it goes, in nanoseconds. Absent: the stream's `consumer_limits`, and a durable stays.
        inactive_threshold: Nanoseconds, Kind::Duration, V2_9, InPlace;
        /// On how many servers its state lives; absent: as the stream.
        num_replicas: i64, Kind::Number, V2_9, InPlace;
        /// Its state is kept in memory.
        mem_storage: bool, Kind::Flag, V2_9, Impossible(FIXED);
        /// Names and values, for tools.
        metadata: Labels, Kind::Labels, V2_10, InPlace;
        /// Delivers nothing until then, RFC 3339; absent: as it is, for operators pause consumers by hand. The server
        /// takes it when a consumer is made; later only `CONSUMER.PAUSE` changes it, an update keeps what it was.
        pause_until: String, Kind::Time, V2_11, InPlace;
        /// Groups that clients ask in, ADR-42.
        priority_groups: Vec<String>, Kind::List, V2_11, InPlace;
        /// Which client of a group is served.
        priority_policy: PriorityPolicy, Kind::Choice(PriorityPolicy::WORDS), V2_11, InPlace;
        /// How long a pinned client may be quiet, in nanoseconds; absent: 2 minutes.
        priority_timeout: Nanoseconds, Kind::Duration, V2_11, InPlace;
    }
}
