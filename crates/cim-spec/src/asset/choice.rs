//! Fields that hold one of a few words.

use serde::{Deserialize, Serialize};

macro_rules! choice {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Every word; the first is the server's default.
            pub const WORDS: &'static [&'static str] = &[$($word,)+];
        }
    };
}

choice! {
    /// When a message is removed.
    Retention {
        /// When a limit is reached.
        Limits = "limits",
        /// When every consumer has acknowledged it; at once where there is none.
        Interest = "interest",
        /// When one consumer has acknowledged it.
        WorkQueue = "workqueue",
    }
}

choice! {
    /// What happens to a message that would exceed a limit.
    Discard {
        /// The oldest messages go.
        Old = "old",
        /// It is refused.
        New = "new",
    }
}

choice! {
    /// Where messages are kept.
    Storage {
        /// On disk.
        File = "file",
        /// In memory: gone with the server.
        Memory = "memory",
    }
}

choice! {
    /// How blocks on disk are compressed.
    Compression {
        /// Not at all.
        None = "none",
        /// With S2.
        S2 = "s2",
    }
}

choice! {
    /// When a message counts as stored, ADR-49 and 2.12's `persist_mode`.
    PersistMode {
        /// When it is written.
        Default = "default",
        /// Before: a killed server may lose acknowledged messages.
        Async = "async",
    }
}

choice! {
    /// Where a consumer starts.
    DeliverPolicy {
        /// At the first message.
        All = "all",
        /// At the last one.
        Last = "last",
        /// At the next one.
        New = "new",
        /// At `opt_start_seq`.
        ByStartSequence = "by_start_sequence",
        /// At `opt_start_time`.
        ByStartTime = "by_start_time",
        /// At the last one of every subject.
        LastPerSubject = "last_per_subject",
    }
}

choice! {
    /// What a client must acknowledge.
    AckPolicy {
        /// Nothing. The server's default, though clients make `explicit` consumers.
        None = "none",
        /// The last message, for all before it.
        All = "all",
        /// Every message.
        Explicit = "explicit",
        /// By flow control, for sourcing; 2.14.
        FlowControl = "flow_control",
    }
}

choice! {
    /// How fast a consumer catches up.
    ReplayPolicy {
        /// As fast as it can.
        Instant = "instant",
        /// As fast as messages came in.
        Original = "original",
    }
}

choice! {
    /// Which of a consumer's clients is served, ADR-42.
    PriorityPolicy {
        /// Whoever asks.
        None = "none",
        /// One that asks only when much is pending.
        Overflow = "overflow",
        /// One, until it is gone.
        PinnedClient = "pinned_client",
        /// By the priority that each asks with; 2.12.
        Prioritized = "prioritized",
    }
}
