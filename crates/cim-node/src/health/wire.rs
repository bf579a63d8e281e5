//! What is said over leaf links: canaries asked and answered, reports sent and heard. It goes on beside the looks, which
//! never wait for it.

pub mod answer;
pub mod ask;
mod canary;
pub mod logins;
mod speak;
mod speaks;

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use cim_spec::artefact::Health;
use tokio::sync::watch;

use super::look::Seen;
use super::summary::Summary;
pub use ask::{Answer, Round};
use canary::{Canary, Within};
pub use logins::Logins;
pub use speaks::Speaks;

/// Whom an instance asks, and whom it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Setup {
    /// The leaf, or the hub's node.
    instance: String,
    server: String,
    /// As whom the nodes of a hub answer together: its first node, by name. Of those that listen in one group nats-server
    /// asks one alone, be it of another hub that the same leaf dials.
    group: String,
    /// Accounts in which something is said.
    accounts: Vec<String>,
    /// What is asked; none on a hub.
    canaries: Vec<Canary>,
    /// What is asked and answered by subjects of flows; none on a leaf.
    within: Vec<Within>,
    /// Of each link the servers that may be at its other end.
    links: Vec<Vec<String>>,
    /// Whose reports count, by server.
    members: BTreeMap<String, Member>,
    /// The pause after a round in which somebody did not answer.
    pause: Duration,
}

/// A server that reports.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Member {
    instance: String,
    /// The account that it must speak in; `None`: it is a node of the hub.
    account: Option<String>,
}

impl Setup {
    fn of(health: &Health) -> Self {
        let watch = &health.watch;
        let flows = watch.flows.iter();
        let flows = flows.map(|flow| Canary::of(flow, &watch.instance));
        let plain = (!watch.links.is_empty()).then(|| Canary::plain(&watch.instance));
        let leaves = watch.leaves.iter().flat_map(|leaf| {
            leaf.servers.iter().map(|server| {
                let member = Member {
                    instance: leaf.leaf.clone(),
                    account: Some(leaf.account.clone()),
                };
                (server.clone(), member)
            })
        });
        let nodes = watch.peers.iter().map(|node| {
            let member = Member {
                instance: node.clone(),
                account: None,
            };
            (node.clone(), member)
        });
        let hub = watch.peers.iter().chain([&health.server_name]).min();
        let first = hub.unwrap_or(&health.server_name);
        Self {
            instance: watch.instance.clone(),
            server: health.server_name.clone(),
            group: format!("cim-health.{first}"),
            accounts: watch.accounts.clone(),
            canaries: plain.into_iter().chain(flows).collect(),
            within: watch.leaves.iter().flat_map(Within::of).collect(),
            links: watch
                .links
                .iter()
                .map(|link| link.servers.clone())
                .collect(),
            members: leaves.chain(nodes).collect(),
            pause: Duration::from_millis(watch.interval),
        }
    }

    fn is_hub(&self) -> bool {
        self.links.is_empty()
    }
}

/// Where no report has come for as many of its own intervals, there is none.
pub const MISSED: u64 = 3;

/// What was heard until now.
#[derive(Debug, Clone, Default)]
pub struct Heard {
    /// By account, whether we are logged in there; what was not tried to the end yet is missing.
    pub logins: BTreeMap<String, Seen<()>>,
    /// The last round of canaries that came to its end, since a link last changed.
    pub round: Option<Round>,
    /// Since when no round has come to its end because links change; `None`: one has.
    pub waits: Option<Instant>,
    /// By server, the last report of it.
    pub reports: BTreeMap<String, Received>,
    /// By account, since when nothing that is said there is missed.
    listens: BTreeMap<String, Instant>,
}

impl Heard {
    /// Since when all reports are heard; `None`: nobody listens.
    pub fn since(&self) -> Option<Instant> {
        self.listens.values().max().copied()
    }

    /// The report of a server that holds: one that is not old, and after which none was missed.
    pub fn current(&self, server: &str, now: Instant) -> Option<&Summary> {
        let received = self.reports.get(server)?;
        let since = self.since()?;
        let holds = received.is_fresh(now) && received.moment >= since;
        holds.then_some(&received.report)
    }

    /// What became of a login.
    fn login(&mut self, account: &str, login: Seen<()>) {
        match login {
            Ok(()) => {
                _ = self
                    .listens
                    .entry(account.to_owned())
                    .or_insert_with(Instant::now)
            }
            Err(_) => _ = self.listens.remove(account),
        }
        self.logins.insert(account.to_owned(), login);
    }
}

/// A report, and when it came.
#[derive(Debug, Clone)]
pub struct Received {
    /// What it says.
    pub report: Summary,
    /// When it came.
    pub moment: Instant,
}

impl Received {
    /// Whether the next one is not overdue.
    pub fn is_fresh(&self, now: Instant) -> bool {
        now.duration_since(self.moment).as_secs() <= self.report.every.max(1) * MISSED
    }
}

/// What the looks tell those who speak.
#[derive(Debug, Clone, Default)]
struct Said {
    report: Option<Arc<str>>,
    /// Counts changes of links.
    links: u64,
}

#[derive(Debug, Default)]
struct Shared {
    heard: Mutex<Heard>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, change: impl FnOnce(&mut Heard)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }
}

/// Speaks until it is dropped.
#[derive(Debug)]
pub struct Wire {
    setup: Setup,
    shared: Arc<Shared>,
    said: watch::Sender<Said>,
}

impl Wire {
    /// Begins to speak for an instance.
    ///
    /// # Errors
    /// No thread to do it.
    pub fn start(health: &Health, logins: &Logins) -> Result<Self> {
        let setup = Setup::of(health);
        let shared = Arc::new(Shared::default());
        let (said, hears) = watch::channel(Said::default());
        speak::spawn(setup.clone(), logins.to(health), Arc::clone(&shared), hears)?;
        Ok(Self {
            setup,
            shared,
            said,
        })
    }

    /// Whether it is what an instance needs that may have been deployed anew.
    pub fn fits(&self, health: &Health) -> bool {
        self.setup == Setup::of(health)
    }

    /// What was heard until now.
    pub fn heard(&self) -> Heard {
        self.shared.lock().clone()
    }

    /// Waits until every account was tried and, where `asks`, canaries have come back or been given up.
    pub fn settle(&self, asks: bool, patience: Duration) {
        let until = Instant::now() + patience;
        let mut heard = self.shared.lock();
        loop {
            let tried = self.setup.accounts.iter();
            let tried = tried
                .filter_map(|account| heard.logins.get(account))
                .collect::<Vec<_>>();
            let all = tried.len() == self.setup.accounts.len();
            let asks = asks && tried.iter().any(|login| login.is_ok());
            let left = until.saturating_duration_since(Instant::now());
            if all && (!asks || heard.round.is_some()) || left.is_zero() {
                return;
            }
            let waited = self.shared.changed.wait_timeout(heard, left);
            heard = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Links are others than before: what was asked over them says nothing any more.
    pub fn ask_again(&self) {
        self.shared.tell(|heard| {
            heard.round = None;
            heard.waits.get_or_insert_with(Instant::now);
        });
        self.said.send_modify(|said| said.links += 1);
    }

    /// Has a report sent.
    pub fn publish(&self, report: String) {
        self.said
            .send_modify(|said| said.report = Some(report.into()));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn received(moment: Instant) -> Received {
        let report = json!({"instance": "hub-2", "server": "hub-2", "state": "OK", "says": "", "at": "", "every": 15});
        Received {
            report: serde_json::from_value(report).unwrap(),
            moment,
        }
    }

    #[test]
    fn a_report_holds_until_another_is_overdue_or_may_have_been_missed() {
        let mut heard = Heard::default();
        let now = Instant::now;
        let mut holds = |change: &dyn Fn(&mut Heard), later: u64| {
            change(&mut heard);
            let then = now() + Duration::from_secs(later);
            heard.current("hub-2", then).is_some()
        };
        let comes = |heard: &mut Heard| {
            heard.reports.insert("hub-2".to_owned(), received(now()));
        };
        // Nobody is logged in.
        assert!(!holds(&comes, 0));
        assert!(!holds(&|heard| heard.login("A", Ok(())), 0));
        assert!(holds(&comes, 0));
        assert!(holds(&|_| {}, 45));
        assert!(!holds(&|_| {}, 47));
        // One that is logged in still is.
        assert!(holds(&|heard| heard.login("A", Ok(())), 0));
        assert!(!holds(&|heard| heard.login("A", Err("lost".to_owned())), 0));
        assert!(!holds(&|heard| heard.login("A", Ok(())), 0));
        assert!(holds(&comes, 0));
    }
}
