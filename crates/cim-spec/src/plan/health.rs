//! What `cim-health` watches: levels, and who is at the other end of each link.

use std::collections::BTreeSet;

use super::server::duration;
use crate::artefact::{Level, Levels, WatchedCanary, WatchedFlow, WatchedLeaf, WatchedLink};
use crate::implied;
use crate::path::OptionPath;
use crate::problem::{Problems, Rule};
use crate::spec::{
    BackupOptions, CountLevels, Fleet, HealthOptions, HubSpec, LeafSpec, PercentLevels, TimeLevels,
};

/// What `cim-health` watches of one server.
#[derive(Debug, Clone)]
pub struct Watched {
    /// Milliseconds between two looks at the server and its links.
    pub interval: u64,
    /// Milliseconds between two looks at everything else.
    pub slow_interval: u64,
    /// From where on what is not well.
    pub levels: Levels,
    /// Links to hubs, by the fleet's accounts: an uplink's stands in [`super::Link`].
    pub links: Vec<WatchedLink>,
    /// Leaves that dial this hub.
    pub leaves: Vec<WatchedLeaf>,
    /// The other nodes of the cluster.
    pub peers: Vec<String>,
    /// What may cross the links of a leaf.
    pub flows: Vec<WatchedFlow>,
    /// Accounts that are backed up.
    pub backups: BTreeSet<String>,
    /// Whether their backups are restored for proof.
    pub drill: bool,
}

pub(super) fn of_hub(
    spec: &HubSpec,
    hub_name: &str,
    at: &OptionPath,
    problems: &mut Problems,
) -> Option<Watched> {
    let watched = levels(&spec.hub.server.health, at, problems)?;
    let nodes = spec.fleet.hubs.get(hub_name).map(|hub| hub.nodes.keys());
    let others = nodes.into_iter().flatten();
    let leaves = spec.fleet.leaves.iter().map(|(name, leaf)| WatchedLeaf {
        leaf: name.clone(),
        account: leaf.account.clone(),
        account_id: account_id(&spec.fleet, &leaf.account),
        servers: match leaf.nodes.is_empty() {
            true => vec![name.clone()],
            false => leaf.nodes.keys().cloned().collect(),
        },
        domain: leaf.domain.clone(),
        canaries: implied::all_within(leaf)
            .map(|(direction, ends)| WatchedCanary {
                direction,
                subject: ends.hub,
            })
            .collect(),
    });
    let backup = &spec.hub.server.backup;
    Some(Watched {
        backups: backed_up(backup, spec.fleet.assets.accounts.keys()),
        drill: backup.drill,
        leaves: leaves.collect(),
        peers: others.filter(|name| **name != spec.node).cloned().collect(),
        ..watched
    })
}

/// What nats-server's monitoring pages call an account.
fn account_id(fleet: &Fleet, name: &str) -> String {
    let account = fleet
        .accounts
        .get(name)
        .filter(|_| fleet.operator.is_some());
    let key = account.and_then(|account| account.fields.text("nkey"));
    key.unwrap_or(name).to_owned()
}

pub(super) fn of_leaf(
    spec: &LeafSpec,
    at: &OptionPath,
    problems: &mut Problems,
) -> Option<Watched> {
    let watched = levels(&spec.leaf.server.health, at, problems)?;
    let member = spec.fleet.leaf.as_ref()?;
    let links = member.remotes.iter().filter_map(|(name, remote)| {
        let hub = spec.fleet.hubs.get(&remote.hub)?;
        Some(WatchedLink {
            remote: name.clone(),
            account: member.local_account.clone(),
            servers: hub.nodes.keys().cloned().collect(),
            domain: hub.domain.clone(),
        })
    });
    let own = spec.leaf.node.as_ref();
    let peers = member.nodes.keys().filter(|name| Some(*name) != own);
    let backup = &spec.leaf.server.backup;
    Some(Watched {
        backups: backed_up(backup, spec.leaf.assets.keys()),
        drill: backup.drill,
        links: links.collect(),
        peers: peers.cloned().collect(),
        flows: implied::flows(member)
            .map(|(direction, flow)| WatchedFlow {
                name: implied::name(direction, &flow.subject),
                direction,
                subject: flow.subject.clone(),
                within: implied::within(direction, flow),
            })
            .collect(),
        ..watched
    })
}

/// Accounts that are backed up, of those that are declared to hold something where none is named.
fn backed_up<'a>(
    options: &'a BackupOptions,
    holding: impl Iterator<Item = &'a String>,
) -> BTreeSet<String> {
    match (&options.accounts, options.enable) {
        (_, false) => BTreeSet::new(),
        (Some(named), true) => named.iter().cloned().collect(),
        (None, true) => holding.cloned().collect(),
    }
}

/// The levels alone: who is at the other ends is still to come.
fn levels(options: &HealthOptions, at: &OptionPath, problems: &mut Problems) -> Option<Watched> {
    let mut reader = Reader { at, problems };
    let interval = reader.span("interval", &options.interval, (100, 60_000), "\"1s\"");
    let slow_interval = reader.span(
        "slowInterval",
        &options.slow_interval,
        (1000, 3_600_000),
        "\"15s\"",
    );
    let levels = Levels {
        storage: reader.percent("storage", options.storage)?,
        memory: reader.percent("memory", options.memory)?,
        disk: reader.percent("disk", options.disk)?,
        connections: reader.percent("connections", options.connections)?,
        subscriptions: reader.percent("subscriptions", options.subscriptions)?,
        rtt: reader.time("rtt", &options.rtt, false)?,
        expiry: reader.time("expiry", &options.expiry, true)?,
        sources: reader.time("sources", &options.sources, false)?,
        clock: reader.time("clock", &options.clock, false)?,
        backup: reader.time("backup", &options.backup, false)?,
        drill: reader.time("drill", &options.drill, false)?,
        slow_consumers: reader.count("slowConsumers", options.slow_consumers)?,
        api_errors: reader.count("apiErrors", options.api_errors)?,
        pending: reader.count("pending", options.pending)?,
        redeliveries: reader.count("redeliveries", options.redeliveries)?,
    };
    Some(Watched {
        interval: interval?,
        slow_interval: slow_interval?,
        levels,
        links: Vec::new(),
        leaves: Vec::new(),
        peers: Vec::new(),
        flows: Vec::new(),
        backups: BTreeSet::new(),
        drill: false,
    })
}

struct Reader<'a> {
    at: &'a OptionPath,
    problems: &'a mut Problems,
}

impl Reader<'_> {
    fn span(
        &mut self,
        name: &str,
        text: &str,
        (least, most): (u64, u64),
        right: &str,
    ) -> Option<u64> {
        let at = self.at.join(name);
        let millis = duration(text, &at, self.problems)?.as_millis();
        if millis < least || millis > most {
            let what = if millis < least {
                "is too often: it would be a load of its own"
            } else {
                "is too seldom to be of use"
            };
            let help = format!("write {least} ms to {most} ms, for example {right}");
            self.problems
                .add(Rule::HealthLevels, &at, format!("{text:?} {what}"), help);
        }
        Some(millis)
    }

    fn percent(&mut self, name: &str, levels: PercentLevels) -> Option<Level> {
        let at = self.at.join(name);
        for (word, value) in [("warning", levels.warning), ("critical", levels.critical)] {
            if value > 100 {
                self.problems.add(
                    Rule::HealthLevels,
                    &at.join(word),
                    format!("{value} is more than everything: it would never be reached"),
                    "write 0 to 100, for example 90",
                );
            }
        }
        let words = (levels.warning.to_string(), levels.critical.to_string());
        self.ordered(&at, levels.warning, levels.critical, words);
        Some(Level {
            warning: Some(levels.warning),
            critical: Some(levels.critical),
        })
    }

    /// `falls`: less is worse.
    fn time(&mut self, name: &str, levels: &TimeLevels, falls: bool) -> Option<Level> {
        let at = self.at.join(name);
        let warning = duration(&levels.warning, &at.join("warning"), self.problems);
        let critical = duration(&levels.critical, &at.join("critical"), self.problems);
        // Both are read before one is given up: each has its own message.
        let (warning, critical) = (warning?.as_millis(), critical?.as_millis());
        let words = (
            format!("{:?}", levels.warning),
            format!("{:?}", levels.critical),
        );
        match falls {
            true => self.ordered(&at, critical, warning, words),
            false => self.ordered(&at, warning, critical, words),
        }
        Some(Level {
            warning: Some(warning),
            critical: Some(critical),
        })
    }

    fn count(&mut self, name: &str, levels: CountLevels) -> Option<Level> {
        let at = self.at.join(name);
        if let (Some(warning), Some(critical)) = (levels.warning, levels.critical) {
            let words = (warning.to_string(), critical.to_string());
            self.ordered(&at, warning, critical, words);
        }
        Some(Level {
            warning: levels.warning,
            critical: levels.critical,
        })
    }

    /// A warning that comes after it is critical is never seen.
    fn ordered(&mut self, at: &OptionPath, first: u64, then: u64, words: (String, String)) {
        if first > then {
            self.problems.add(
                Rule::HealthLevels,
                &at.join("warning"),
                format!(
                    "{} comes after {at}.critical = {}: nobody would be warned",
                    words.0, words.1
                ),
                format!(
                    "exchange them: {at} = {{ warning = {}; critical = {}; }}",
                    words.1, words.0
                ),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_is_backed_up_or_else_what_holds_something() {
        let backups = |enable, accounts: Option<&[&str]>| {
            let accounts =
                accounts.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
            let options = BackupOptions {
                enable,
                accounts,
                drill: true,
            };
            let holding = ["A".to_owned(), "B".to_owned()];
            let found = backed_up(&options, holding.iter());
            found.into_iter().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(backups(false, None), "");
        assert_eq!(backups(false, Some(&["C"])), "");
        assert_eq!(backups(true, None), "A B");
        assert_eq!(backups(true, Some(&["C", "A", "C"])), "A C");
    }
}
