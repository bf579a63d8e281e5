//! The table of an asset's fields: what each holds, since when, and what a change of it means.

use crate::version::Version;

/// One field of an asset's JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Upstream's name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// The first nats-server that knows it.
    pub since: Version,
    /// What a change of it means on an asset that exists.
    pub change: Change,
}

/// What a field holds, and which of its values are the same as none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text; empty is none.
    Text,
    /// Texts whose order means nothing; empty is none.
    Texts,
    /// Texts in an order that counts; empty is none.
    List,
    /// `false` is none.
    Flag,
    /// A number; 0 is none.
    Number,
    /// A number; anything below 1 is no limit.
    Limit,
    /// A number; anything below 1 is 1.
    Positive,
    /// Nanoseconds; 0 is none.
    Duration,
    /// Nanoseconds each, in an order that counts; empty is none.
    Durations,
    /// A moment, RFC 3339.
    Time,
    /// One of these words; the first is the same as none.
    Choice(&'static [&'static str]),
    /// An object with these fields; without any it is none.
    Part(&'static [Field]),
    /// Objects with these fields, whose order means nothing.
    Parts(&'static [Field]),
    /// Objects with these fields, in an order that counts.
    PartList(&'static [Field]),
    /// Names and values.
    Labels,
}

/// What a change means on an asset that exists, by nats-server's update checks
/// (`configUpdateCheck` in stream.go, `checkNewConsumerConfig` in consumer.go) and by test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The server takes it over; nothing that is stored goes.
    InPlace,
    /// The server takes it over, and what is stored may go at once; when, in words.
    Lossy(&'static str),
    /// No update does it; why, in words.
    Impossible(&'static str),
    /// In place one way, not the other; which, in words.
    Depends(&'static str),
    /// It names the asset: with another name it is another asset.
    Name,
    /// As the whole that it is a part of.
    Part,
    /// A bucket's field: as this field of its stream.
    Stream(&'static str),
}

/// Makes a type of an asset and its table from the same lines, which build.rs writes.
macro_rules! fields {
    ($(#[$meta:meta])* $type_name:ident {
        $($(#[$doc:meta])* $field:ident: $type:ty, $kind:expr, $since:expr, $change:expr;)+
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $type_name {
            $(
                $(#[$doc])*
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub $field: Option<$type>,
            )+
        }

        impl $type_name {
            /// Every field.
            pub const FIELDS: &'static [$crate::asset::Field] = &[$(
                $crate::asset::Field {
                    name: stringify!($field),
                    kind: $kind,
                    since: $since,
                    change: $change,
                },
            )+];
        }
    };
}
pub(super) use fields;
