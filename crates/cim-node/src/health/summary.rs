//! What an instance tells its hub of itself: a report in short, whatever the number of its streams.

use std::collections::{BTreeMap, BTreeSet};

use cim_spec::artefact::{Health, LimitKind};
use serde::{Deserialize, Serialize};

use super::accounts::Connected;
use super::finding::State;
use super::judge::Report;
use super::look::Look;
use super::text;
use super::whereabouts::{Place, Whereabouts};

/// The longest words of a finding.
const LONGEST: usize = 400;

/// `cim.health.<instance>`. What another version of ours does not say is absent, and what it says beyond is passed over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// The leaf, or the hub's node.
    pub instance: String,
    /// The server: a leaf may have several.
    pub server: String,
    /// `OK`, `WARNING`, `CRITICAL` or `UNKNOWN`.
    pub state: String,
    /// The worst in one line.
    pub says: String,
    /// When it was looked, RFC 3339.
    pub at: String,
    /// Seconds after which the next comes at the latest.
    #[serde(default)]
    pub every: u64,
    /// Links of a leaf.
    #[serde(default)]
    pub links: Vec<SummaryLink>,
    /// Of a hub's node: servers of declared leaves that are linked to it; `None`: it is no hub's, or does not know.
    #[serde(default)]
    pub leaves: Option<BTreeSet<String>>,
    /// Of a node of a cluster: what is connected to it in each account that has a limit of that; `None`: it is none, or does
    /// not know.
    #[serde(default)]
    pub accounts: Option<BTreeMap<String, Connected>>,
    /// Messages a second that the server received in the last minute; `None`: it was looked at but once.
    #[serde(default)]
    pub in_rate: Option<f64>,
    /// Messages a second that it sent.
    #[serde(default)]
    pub out_rate: Option<f64>,
    /// Messages that the source or consumer that is furthest behind has still to copy or deliver; `None`: there is none of
    /// which that is known.
    #[serde(default)]
    pub lag: Option<u64>,
    /// nats-server's version; `None`: it does not answer.
    #[serde(default)]
    pub version: Option<String>,
    /// cim-health's.
    #[serde(default)]
    pub cim: String,
    /// Whether another config runs than the one that was deployed; `None`: nobody knows.
    #[serde(default)]
    pub drift: Option<bool>,
    /// Seconds until the first certificate, JWT or .creds file expires; `None`: none does.
    #[serde(default)]
    pub expires: Option<i64>,
}

/// A link as the leaf sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SummaryLink {
    /// The remote.
    pub remote: String,
    /// The hub's node that it leads to; `None`: to none.
    pub server: Option<String>,
    /// Round trip in seconds; `None`: not measured.
    pub rtt: Option<f64>,
}

impl Summary {
    /// A report in short.
    pub fn of(health: &Health, look: &Look, report: &Report) -> Self {
        let rates = look.backlog.increase();
        let rate = |count: u64, seconds: f64| count as f64 / seconds;
        let figures = |name: &'static str| {
            let figures = report
                .findings
                .iter()
                .flat_map(|found| &found.verdict.figures);
            figures.filter(move |figure| figure.name == name)
        };
        let of = |check: &str| report.findings.iter().find(|found| found.check == check);
        Self {
            instance: health.watch.instance.clone(),
            server: report.server.clone(),
            state: report.state().word().to_owned(),
            says: text::line(report).chars().take(LONGEST).collect(),
            at: report.at.clone(),
            every: health.watch.slow_interval.div_ceil(1000),
            links: links(health, look),
            leaves: leaves(health, look),
            accounts: accounts(health, look),
            in_rate: rates.map(|rates| rate(rates.counters.in_msgs, rates.seconds)),
            out_rate: rates.map(|rates| rate(rates.counters.out_msgs, rates.seconds)),
            lag: figures("lag")
                .chain(figures("pending"))
                .map(|figure| figure.value as u64)
                .max(),
            version: look.varz.as_ref().ok().map(|varz| varz.version.clone()),
            cim: env!("CARGO_PKG_VERSION").to_owned(),
            drift: of("config").and_then(|found| match found.verdict.state {
                State::Ok | State::Warning => Some(false),
                State::Critical => Some(true),
                State::Unknown => None,
            }),
            expires: figures("left_seconds")
                .map(|figure| figure.value as i64)
                .min(),
        }
    }
}

fn links(health: &Health, look: &Look) -> Vec<SummaryLink> {
    let links = health.watch.links.iter().map(|link| {
        let found = look.leafz.as_ref().ok();
        let found = found.and_then(|leafz| leafz.link(link));
        SummaryLink {
            remote: link.remote.clone(),
            server: found.map(|leaf| leaf.name.clone()),
            rtt: found.and_then(|leaf| crate::monitor::duration::seconds(&leaf.rtt)),
        }
    });
    links.collect()
}

fn accounts(health: &Health, look: &Look) -> Option<BTreeMap<String, Connected>> {
    let limits = health.watch.limits.iter();
    let mut limits = limits.filter(|limit| limit.kind != LimitKind::Subscriptions);
    let has_any = !health.watch.peers.is_empty() && limits.clone().next().is_some();
    if !has_any {
        return None;
    }
    let accounts = &look.slow.accounts;
    limits.try_fold(BTreeMap::new(), |mut all, limit| {
        all.insert(limit.account.clone(), accounts.here(&limit.account_id)?);
        Some(all)
    })
}

fn leaves(health: &Health, look: &Look) -> Option<BTreeSet<String>> {
    let watched = health.watch.leaves.iter();
    if watched.len() == 0 || look.leafz.is_err() {
        return None;
    }
    let whereabouts = Whereabouts::of(health, look);
    let servers = watched.flat_map(|leaf| leaf.servers.iter().map(move |server| (leaf, server)));
    let here = servers.filter(|(leaf, server)| {
        let place = whereabouts.place(leaf, server);
        matches!(place, Place::Here(_))
    });
    Some(here.map(|(_, server)| server.clone()).collect())
}
