//! Since when links stand, as far as somebody watched: nats-server does not tell.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use cim_spec::artefact::Health;
use time::OffsetDateTime;

use crate::monitor::{Leafz, Varz};

/// Since when a link stands.
#[derive(Debug, Clone, Copy)]
pub struct Since {
    /// By the host's clock.
    pub at: OffsetDateTime,
    /// How long that is, whatever became of the clock.
    pub stood: Duration,
}

/// By remote; at a first look nobody knows.
pub type Standing = BTreeMap<String, Since>;

/// The links of the look before.
#[derive(Debug, Default)]
pub struct Links(Option<BTreeMap<Link, (OffsetDateTime, Instant)>>);

/// One connection: the next one to the same server is another link.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Link {
    remote: String,
    server: String,
    start: String,
    id: u64,
}

impl Links {
    /// Takes a look in. A link that was there at the first one stands at least since then.
    pub fn add(
        &mut self,
        (moment, at): (Instant, OffsetDateTime),
        health: &Health,
        varz: &Varz,
        leafz: &Leafz,
    ) -> Standing {
        let before = self.0.take();
        let mut now = BTreeMap::new();
        let mut standing = Standing::new();
        for link in &health.watch.links {
            let Some(leaf) = leafz.link(link) else {
                continue;
            };
            let key = Link {
                remote: link.remote.clone(),
                server: leaf.name.clone(),
                start: varz.start.clone(),
                id: leaf.id,
            };
            let since = before.as_ref().and_then(|before| before.get(&key));
            let since = *since.unwrap_or(&(at, moment));
            if before.is_some() {
                let since = Since {
                    at: since.0,
                    stood: moment.duration_since(since.1),
                };
                standing.insert(link.remote.clone(), since);
            }
            now.insert(key, since);
        }
        self.0 = Some(now);
        standing
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const HEALTH: &str = include_str!("../../../cim-render/tests/golden/cim-prod-001/health.json");

    /// For how many seconds the link has stood at each look, 10 s apart, of (server's start, hub, number); `None`: nobody
    /// knows.
    fn stood(looks: &[Option<(&str, &str, u64)>]) -> Vec<Option<u64>> {
        let health: Health = serde_json::from_str(HEALTH).unwrap();
        let (begin, at) = (Instant::now(), OffsetDateTime::now_utc());
        let mut links = Links::default();
        let each = looks.iter().zip((0..).step_by(10)).map(|(look, seconds)| {
            let start = look.map_or("then", |(start, ..)| start);
            let varz =
                json!({"server_name": "cim-prod-001", "config_load_time": "", "start": start});
            let leafs: Vec<_> = look
                .iter()
                .map(|(_, hub, id)| {
                    json!({"name": hub, "id": id, "is_spoke": true, "account": "CIM"})
                })
                .collect();
            let leafz = json!({ "leafs": leafs });
            let standing = links.add(
                (begin + Duration::from_secs(seconds), at),
                &health,
                &serde_json::from_value(varz).unwrap(),
                &serde_json::from_value(leafz).unwrap(),
            );
            standing.get("hub").map(|since| since.stood.as_secs())
        });
        each.collect()
    }

    #[test]
    fn a_link_stands_since_it_was_first_seen() {
        let one = Some(("then", "hub-1", 7));
        assert_eq!(stood(&[one, one, one]), [None, Some(10), Some(20)]);
        assert_eq!(stood(&[None, one, one]), [None, Some(0), Some(10)]);
    }

    #[test]
    fn another_node_another_dial_or_another_start_is_another_link() {
        let one = Some(("then", "hub-1", 7));
        for other in [
            ("then", "hub-2", 7),
            ("then", "hub-1", 8),
            ("now", "hub-1", 7),
        ] {
            let other = Some(other);
            let looks = [one, one, other, other];
            assert_eq!(stood(&looks), [None, Some(10), Some(0), Some(10)]);
        }
        assert_eq!(
            stood(&[one, one, None, one]),
            [None, Some(10), None, Some(0)]
        );
    }
}
