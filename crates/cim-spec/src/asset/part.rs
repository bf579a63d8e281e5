//! Objects inside streams and buckets.

use super::Nanoseconds;
use super::field::Change::Part;
use super::field::{Kind, V2_9, V2_10, V2_11, V2_14, fields};

fields! {
    /// On which servers a stream lives, ADR-7.
    Placement {
        /// Name of the cluster.
        cluster: String, Kind::Text, V2_9, Part;
        /// Tags that each server must have (`server_tags`).
        tags: Vec<String>, Kind::Texts, V2_9, Part;
        /// A server to lead; nats-server refuses it in a configuration.
        preferred: String, Kind::Text, V2_11, Part;
    }
}

fields! {
    /// A stream whose messages are copied here.
    Source {
        /// Name of that stream.
        name: String, Kind::Text, V2_9, Part;
        /// The first sequence to copy.
        opt_start_seq: u64, Kind::Number, V2_9, Part;
        /// The first moment to copy from, RFC 3339.
        opt_start_time: String, Kind::Time, V2_9, Part;
        /// Which subjects to copy; absent: all. Not beside `subject_transforms`.
        filter_subject: String, Kind::Text, V2_9, Part;
        /// Which subjects to copy, and what they become.
        subject_transforms: Vec<SubjectTransform>, Kind::PartList(SubjectTransform::FIELDS), V2_10, Part;
        /// Another account or domain that the stream is in.
        external: External, Kind::Part(External::FIELDS), V2_9, Part;
        /// A durable consumer to copy through; absent: the server makes one.
        consumer: SourceConsumer, Kind::Part(SourceConsumer::FIELDS), V2_14, Part;
    }
}

fields! {
    /// Another account's or domain's JetStream API.
    External {
        /// Prefix of its API, `$JS.<domain>.API` for a domain.
        api: String, Kind::Text, V2_9, Part;
        /// Prefix of the subjects that messages are delivered on.
        deliver: String, Kind::Text, V2_9, Part;
    }
}

fields! {
    /// A durable consumer that a source or mirror reads through.
    SourceConsumer {
        /// Its name.
        name: String, Kind::Text, V2_14, Part;
        /// The subject that it delivers on.
        deliver_subject: String, Kind::Text, V2_14, Part;
    }
}

fields! {
    /// What consumers of a stream get unless they say otherwise, and may not exceed.
    ConsumerLimits {
        /// How long a consumer may be unused, in nanoseconds.
        inactive_threshold: Nanoseconds, Kind::Duration, V2_10, Part;
        /// How many messages a consumer may have unacknowledged.
        max_ack_pending: i64, Kind::Number, V2_10, Part;
    }
}

fields! {
    /// A subject that becomes another, ADR-36.
    SubjectTransform {
        /// The subject, with wildcards.
        src: String, Kind::Text, V2_10, Part;
        /// What it becomes.
        dest: String, Kind::Text, V2_10, Part;
    }
}

fields! {
    /// Messages that are published again once stored, ADR-28.
    Republish {
        /// Which subjects; absent: all.
        src: String, Kind::Text, V2_9, Part;
        /// What they become.
        dest: String, Kind::Text, V2_9, Part;
        /// Without the messages' bodies.
        headers_only: bool, Kind::Flag, V2_9, Part;
    }
}
