//! What works and should not stay: warnings that an operator can acknowledge one by one, with a reason.
//!
//! A lint is known by its id and the option it is about. `acknowledged."<id> <option>" = "<why>"` beside that option
//! keeps it, and says so in every report; an acknowledgement that fits nothing any more is a lint itself.

mod advisories;
mod assets;
mod fleet;
mod instance;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

pub use advisories::{ADVISORIES, Advisory};
pub use fleet::of_fleet;
pub use instance::of_instance;

use crate::path::OptionPath;

macro_rules! lints {
    ($($(#[doc = $doc:literal])+ $name:ident = $id:literal,)+) => {
        /// Ids of lints; those of advisories stand in `advisories.json`.
        pub mod id { $($(#[doc = $doc])+ pub const $name: &str = $id;)+ }

        /// Every id but the advisories'.
        pub const IDS: &[&str] = &[$(id::$name,)+];
    };
}

lints! {
    /// A power cut loses what a server on its own acknowledged.
    SYNC_INTERVAL = "sync-interval",
    /// More store than any disk has: nothing bounds streams before the disk is full.
    STORE_SIZE = "store-size",
    /// Messages of a size for which nats-server is not made.
    LARGE_PAYLOAD = "large-payload",
    /// Payloads stand in the log.
    TRACE = "trace",
    /// A dead hub is noticed too late.
    PING_INTERVAL = "ping-interval",
    /// A link across a network compresses nothing.
    UNCOMPRESSED_LINK = "uncompressed-link",
    /// Clients, leaves or servers talk without TLS.
    PLAINTEXT = "plaintext",
    /// Whoever connects is let in.
    ANONYMOUS = "anonymous",
    /// Whoever connects is let in where leaves and servers connect too.
    ANONYMOUS_AND_LEAVES = "anonymous-and-leaves",
    /// A user has a password where an nkey could be.
    PASSWORD = "password",
    /// TLS that proves less than it seems to.
    WEAK_TLS = "weak-tls",
    /// Leaves older than 2.15 cannot connect to this hub.
    NO_ADVERTISE = "no-advertise",
    /// A link is declared and never dialled.
    DISABLED_REMOTE = "disabled-remote",
    /// Subjects of flows follow the fleet's naming.
    SUBJECT_NAMES = "subject-names",
    /// A stream acknowledges requests, and who asks takes that for the answer.
    REQUESTS_STORED = "requests-stored",
    /// A stream stores what another account's users publish, who get no acknowledgement.
    UNACKNOWLEDGED = "unacknowledged",
    /// A stream stores what nobody may publish.
    NOBODY_PUBLISHES = "nobody-publishes",
    /// Messages are kept for consumers, and there is none.
    INTEREST_WITHOUT_CONSUMERS = "interest-without-consumers",
    /// Messages go before a cut link is back.
    OFFLINE_WINDOW = "offline-window",
    /// A full stream drops what did not cross yet.
    DISCARD_OLD = "discard-old",
    /// A stream that collects others drops what two of them have under one id.
    DUPLICATE_WINDOW = "duplicate-window",
    /// A stream is on one disk of a cluster, whose server acknowledges before it has written.
    SINGLE_REPLICA = "single-replica",
    /// An acknowledgement of something that is not there.
    STALE = "stale",
}

/// One warning: where it stands, what could happen, and what would be better.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Lint {
    /// Stable name of this kind of warning.
    pub id: &'static str,
    /// The option it is about.
    pub option: OptionPath,
    /// What is there, and what could happen.
    pub what: String,
    /// What to write instead.
    pub help: String,
    /// Why the operator keeps it; `None`: nobody has said so.
    pub acknowledged: Option<String>,
    /// What holds the acknowledgement.
    #[serde(skip)]
    list: OptionPath,
}

impl Lint {
    /// What an operator acknowledges it by.
    pub fn key(&self) -> String {
        format!("{} {}", self.id, self.option)
    }
}

impl fmt::Display for Lint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}\n  help: {}", self.option, self.what, self.help)?;
        match &self.acknowledged {
            Some(why) => write!(f, "\n  acknowledged: {why}"),
            None if self.id == id::STALE => Ok(()),
            None => write!(
                f,
                "\n  to keep it: {} = \"<why>\";",
                self.list.join(&self.key())
            ),
        }
    }
}

/// Collects lints, and settles which are acknowledged.
struct Lints<'a> {
    list: OptionPath,
    acknowledged: &'a BTreeMap<String, String>,
    found: BTreeSet<Lint>,
}

impl<'a> Lints<'a> {
    /// For the lints that are acknowledged in this list.
    fn new(list: OptionPath, acknowledged: &'a BTreeMap<String, String>) -> Self {
        Self {
            list,
            acknowledged,
            found: BTreeSet::new(),
        }
    }

    fn add(
        &mut self,
        id: &'static str,
        option: &OptionPath,
        what: impl Into<String>,
        help: impl Into<String>,
    ) {
        let mut lint = Lint {
            id,
            option: option.clone(),
            what: what.into(),
            help: help.into(),
            acknowledged: None,
            list: self.list.clone(),
        };
        lint.acknowledged = self.acknowledged.get(&lint.key()).cloned();
        self.found.insert(lint);
    }

    /// All of them, in the order of their ids, with what is acknowledged in vain.
    fn settle(mut self) -> Vec<Lint> {
        let keys: BTreeSet<String> = self.found.iter().map(Lint::key).collect();
        for key in self.acknowledged.keys().filter(|key| !keys.contains(*key)) {
            let at = self.list.join(key);
            self.found.insert(Lint {
                id: id::STALE,
                option: at.clone(),
                what: "acknowledges a warning that is not given".to_owned(),
                help: "take it away; if the option has moved, acknowledge the new warning"
                    .to_owned(),
                acknowledged: None,
                list: self.list.clone(),
            });
        }
        self.found.into_iter().collect()
    }
}
