//! Key-value buckets and object stores: streams with a shape of their own, made here as nats.go makes them.

use super::choice::{Compression, Discard, Storage};
use super::{
    KeyValue, Labels, Nanoseconds, ObjectStore, Placement, Source, Stream, SubjectTransform,
};

/// How many values of a key a bucket can hold, ADR-8.
pub const MAX_HISTORY: i64 = 64;

/// What nats-server takes where a stream says nothing of `duplicate_window`.
const DUPLICATE_WINDOW: Nanoseconds = 120_000_000_000;

impl KeyValue {
    /// The stream that holds the bucket.
    pub fn stream(&self) -> Stream {
        let bucket = self.bucket.as_deref().unwrap_or_default();
        let marker = self.limit_marker_ttl.filter(|ttl| *ttl != 0);
        Stream {
            name: Some(format!("KV_{bucket}")),
            subjects: self.mirror.is_none().then(|| vec![keys(bucket)]),
            max_msgs_per_subject: Some(self.history.unwrap_or(1).max(1)),
            max_bytes: self.max_bytes,
            max_age: self.ttl,
            max_msg_size: self.max_value_size,
            duplicate_window: Some(window(self.ttl)),
            allow_rollup_hdrs: Some(true),
            deny_delete: Some(true),
            allow_direct: Some(true),
            discard: Some(Discard::New),
            republish: self.republish.clone(),
            allow_msg_ttl: marker.map(|_| true),
            subject_delete_marker_ttl: marker,
            mirror: self.mirror.as_ref().map(of_bucket),
            mirror_direct: self.mirror.as_ref().map(|_| true),
            sources: self.collected(bucket),
            ..plain(
                &self.description,
                self.storage,
                self.num_replicas,
                &self.placement,
                self.compression,
                &self.metadata,
            )
        }
    }

    /// Sources by bucket become sources by stream, whose keys become keys of this bucket.
    fn collected(&self, bucket: &str) -> Option<Vec<Source>> {
        let sources = self.sources.as_ref()?;
        let collected = sources.iter().map(|source| {
            if source
                .subject_transforms
                .as_ref()
                .is_some_and(|t| !t.is_empty())
            {
                return source.clone(); // any stream, said in full
            }
            let of = of_bucket(source);
            let theirs = of.name.as_deref().unwrap_or_default();
            let theirs = theirs.strip_prefix("KV_").unwrap_or(theirs);
            if source.external.is_some() && theirs == bucket {
                return of;
            }
            let transform = SubjectTransform {
                src: Some(keys(theirs)),
                dest: Some(keys(bucket)),
            };
            Source {
                subject_transforms: Some(vec![transform]),
                ..of
            }
        });
        Some(collected.collect())
    }
}

impl ObjectStore {
    /// The stream that holds the objects.
    pub fn stream(&self) -> Stream {
        let bucket = self.bucket.as_deref().unwrap_or_default();
        Stream {
            name: Some(format!("OBJ_{bucket}")),
            subjects: Some(vec![format!("$O.{bucket}.C.>"), format!("$O.{bucket}.M.>")]),
            max_bytes: self.max_bytes,
            max_age: self.max_age,
            discard: Some(Discard::New),
            allow_rollup_hdrs: Some(true),
            allow_direct: Some(true),
            ..plain(
                &self.description,
                self.storage,
                self.num_replicas,
                &self.placement,
                self.compression,
                &self.metadata,
            )
        }
    }
}

/// What both kinds hand on as it is.
fn plain(
    description: &Option<String>,
    storage: Option<Storage>,
    num_replicas: Option<i64>,
    placement: &Option<Placement>,
    compression: Option<bool>,
    metadata: &Option<Labels>,
) -> Stream {
    Stream {
        description: description.clone(),
        storage,
        num_replicas,
        placement: placement.clone(),
        compression: compression.map(|on| {
            if on {
                Compression::S2
            } else {
                Compression::None
            }
        }),
        metadata: metadata.clone(),
        ..Stream::default()
    }
}

fn keys(bucket: &str) -> String {
    format!("$KV.{bucket}.>")
}

fn window(ttl: Option<Nanoseconds>) -> Nanoseconds {
    ttl.filter(|ttl| *ttl > 0)
        .map_or(DUPLICATE_WINDOW, |ttl| ttl.min(DUPLICATE_WINDOW))
}

/// A source that may name its bucket names the bucket's stream.
fn of_bucket(source: &Source) -> Source {
    let name = source.name.as_deref().unwrap_or_default();
    Source {
        name: Some(if name.starts_with("KV_") {
            name.to_owned()
        } else {
            format!("KV_{name}")
        }),
        ..source.clone()
    }
}
