//! Counters of the last minute. nats-server counts from its start, and nobody wants to know that.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::monitor::Varz;

/// How far back it reaches.
const MINUTE: Duration = Duration::from_secs(60);

/// Counters at some moments of the last minute.
#[derive(Debug, Clone, Default)]
pub struct Backlog {
    start: String,
    moments: VecDeque<(Instant, Counters)>,
}

/// What nats-server has counted since its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counters {
    /// Connections that could not keep up.
    pub slow_consumers: u64,
    /// Failed JetStream requests.
    pub api_errors: u64,
    /// Messages received.
    pub in_msgs: u64,
    /// Messages sent.
    pub out_msgs: u64,
}

/// What came between two moments.
#[derive(Debug, Clone, Copy)]
pub struct Increase {
    /// How long that was, in seconds.
    pub seconds: f64,
    /// How many came.
    pub counters: Counters,
}

impl Backlog {
    /// Takes a moment in. A server that was started again counts from nothing.
    pub fn add(&mut self, moment: Instant, varz: &Varz) {
        if self.start != varz.start {
            self.moments.clear();
            self.start.clone_from(&varz.start);
        }
        let stats = varz.jetstream.stats.as_ref();
        let counters = Counters {
            slow_consumers: varz.slow_consumers,
            api_errors: stats.map_or(0, |stats| stats.api.errors),
            in_msgs: varz.in_msgs,
            out_msgs: varz.out_msgs,
        };
        self.moments.push_back((moment, counters));
        while self.moments.len() > 2
            && (self.moments.get(1)).is_some_and(|(then, _)| moment.duration_since(*then) >= MINUTE)
        {
            self.moments.pop_front();
        }
    }

    /// What came in the last minute, or since the first look where that is shorter; `None`: there was but one look.
    pub fn increase(&self) -> Option<Increase> {
        let (then, before) = self.moments.front()?;
        let (now, after) = self.moments.back().filter(|_| self.moments.len() > 1)?;
        let since = |of: fn(&Counters) -> u64| of(after).saturating_sub(of(before));
        Some(Increase {
            seconds: now.duration_since(*then).as_secs_f64().max(0.001),
            counters: Counters {
                slow_consumers: since(|c| c.slow_consumers),
                api_errors: since(|c| c.api_errors),
                in_msgs: since(|c| c.in_msgs),
                out_msgs: since(|c| c.out_msgs),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn varz(start: &str, slow_consumers: u64) -> Varz {
        let text = format!(
            r#"{{"server_name": "a", "config_load_time": "", "start": "{start}", "slow_consumers": {slow_consumers}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_minute_is_remembered_and_no_more() {
        let begin = Instant::now();
        let mut backlog = Backlog::default();
        let mut slow = |seconds, count| {
            backlog.add(begin + Duration::from_secs(seconds), &varz("then", count));
            backlog
                .increase()
                .map(|increase| increase.counters.slow_consumers)
        };
        assert_eq!(slow(0, 7), None);
        assert_eq!(slow(1, 9), Some(2));
        assert_eq!(slow(30, 10), Some(3));
        assert_eq!(slow(61, 10), Some(1));
        assert_eq!(slow(90, 10), Some(0));
    }

    #[test]
    fn a_server_that_started_again_counts_from_nothing() {
        let begin = Instant::now();
        let mut backlog = Backlog::default();
        backlog.add(begin, &varz("then", 7));
        backlog.add(begin + Duration::from_secs(1), &varz("now", 1));
        assert!(backlog.increase().is_none());
    }
}
