//! How long each source has brought nothing although more of it waits. nats-server tells how far it is behind, and a copy that
//! refuses what comes is heard of all the same.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::monitor::Jsz;
use crate::monitor::jsz::{Account, Source, Stream};

/// One source of one stream.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    account: String,
    stream: String,
    source: String,
    api: String,
}

impl Key {
    /// That of a source, wherever it is.
    pub fn of(account: &Account, stream: &Stream, source: &Source) -> Self {
        let external = source.external.as_ref();
        Self {
            account: account.name.clone(),
            stream: stream.name.clone(),
            source: source.name.clone(),
            api: external.map_or_else(String::new, |external| external.api.clone()),
        }
    }
}

/// For how long sources have stood still of which more waits; who comes on is not among them.
pub type Stuck = BTreeMap<Key, Duration>;

/// How far copies were at the looks before.
#[derive(Debug, Default)]
pub struct Progress(BTreeMap<Key, Place>);

#[derive(Debug, Clone, Copy)]
struct Place {
    last_seq: u64,
    lag: u64,
    since: Instant,
}

impl Progress {
    /// Takes a look in. Of a stream with several sources nobody knows which one brought a message: all have come on.
    pub fn add(&mut self, moment: Instant, jsz: &Jsz) -> Stuck {
        let mut now = BTreeMap::new();
        for account in &jsz.account_details {
            for stream in &account.stream_detail {
                for source in stream.sources.iter().chain(&stream.mirror) {
                    let key = Key::of(account, stream, source);
                    let before = self.0.get(&key);
                    let stands = |before: &&Place| {
                        before.lag > 0
                            && source.lag >= before.lag
                            && stream.state.last_seq == before.last_seq
                    };
                    let place = Place {
                        last_seq: stream.state.last_seq,
                        lag: source.lag,
                        since: before.filter(stands).map_or(moment, |before| before.since),
                    };
                    now.insert(key, place);
                }
            }
        }
        self.0 = now;
        let standing = self.0.iter().map(|(key, place)| {
            let stood = moment.duration_since(place.since);
            (key.clone(), stood)
        });
        standing.filter(|(_, stood)| !stood.is_zero()).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// For how many seconds a copy has stood still at each look, 10 s apart, of (last sequence, lag).
    fn stood(looks: &[(u64, u64)]) -> Vec<u64> {
        let begin = Instant::now();
        let mut progress = Progress::default();
        let each = looks.iter().zip((0..).step_by(10));
        let each = each.map(|((last_seq, lag), seconds)| {
            let jsz = json!({"server_id": "N", "account_details": [{"name": "A", "stream_detail": [{
                "name": "COPY", "state": {"last_seq": last_seq},
                "sources": [{"name": "FROM", "lag": lag, "active": 0}],
            }]}]});
            let jsz: Jsz = serde_json::from_value(jsz).unwrap();
            let standing = progress.add(begin + Duration::from_secs(seconds), &jsz);
            standing.values().next().map_or(0, Duration::as_secs)
        });
        each.collect()
    }

    #[test]
    fn who_has_more_to_come_and_brings_nothing_stands_still() {
        assert_eq!(stood(&[(5, 3), (5, 3), (5, 4), (5, 4)]), [0, 10, 20, 30]);
        assert_eq!(stood(&[(5, 3), (5, 3), (6, 3), (6, 3)]), [0, 10, 0, 10]);
        // Fewer wait: some were brought, and something else was removed.
        assert_eq!(stood(&[(5, 3), (5, 3), (5, 2), (5, 2)]), [0, 10, 0, 10]);
        // Nothing waits: it is idle.
        assert_eq!(stood(&[(5, 0), (5, 0), (5, 3), (5, 3)]), [0, 0, 0, 10]);
    }
}
