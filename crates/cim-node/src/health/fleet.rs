//! All hubs and leaves in one table: what each says of itself, beside the links that this hub's node has.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Result;
use cim_spec::artefact::Health;
use serde::{Deserialize, Serialize};

use super::look::Look;
use super::summary::Summary;
use super::wire::Received;
use crate::monitor::{LONGEST_LINKS, Monitor, duration};

/// Where no report has come for as many of its own intervals, there is none.
const MISSED: u64 = 3;

/// A hub's node and everybody who should be heard of there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fleet {
    /// The node that tells it.
    pub server: String,
    /// When, RFC 3339.
    pub at: String,
    /// Each server of the fleet that it knows: itself, the other nodes of its hub, then leaves by their names.
    pub servers: Vec<Row>,
}

/// One server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// What the fleet calls it.
    pub instance: String,
    /// Its own name.
    pub server: String,
    /// Whether it is a leaf.
    pub leaf: bool,
    /// `OK`, `WARNING`, `CRITICAL` or `UNKNOWN`, as it says itself; `SILENT`: it says nothing; `MISSING`: nor is it linked.
    pub state: String,
    /// The worst in one line.
    pub says: String,
    /// Nodes of hubs that a leaf is linked to.
    pub hubs: Vec<String>,
    /// The longest round trip of these links, in seconds.
    pub rtt: Option<f64>,
    /// Seconds since its last report; `None`: none ever came.
    pub heard: Option<u64>,
    /// Its last report.
    pub report: Option<Summary>,
}

impl Fleet {
    /// What a hub's daemon knows, by its pages.
    ///
    /// # Errors
    /// A daemon that does not answer, or that is not a hub's.
    pub fn ask(from: SocketAddr) -> Result<Self> {
        Monitor::new(&format!("http://{from}")).ask("/fleet.json", LONGEST_LINKS)
    }

    /// What a look at a hub's node shows of its fleet.
    pub fn of(health: &Health, look: &Look, own: &Summary) -> Self {
        let watch = &health.watch;
        let now = Instant::now();
        let heard = |server: &str| look.heard.as_ref()?.reports.get(server);
        let itself = Received {
            report: own.clone(),
            moment: now,
        };
        let mut servers = vec![row(&watch.instance, &own.server, Some(&itself), now)];
        for node in &watch.peers {
            let mut row = row(node, node, heard(node), now);
            let routes = look.routez.iter().flat_map(|routez| &routez.routes);
            let mut routes = routes.filter(|route| route.remote_name == *node);
            row.missing_unless(routes.next().is_some(), true, &own.server);
            servers.push(row);
        }
        // Where there are other nodes, a leaf may be linked to one of them.
        let is_alone = watch.peers.is_empty();
        for leaf in &watch.leaves {
            for server in &leaf.servers {
                let mut row = row(&leaf.leaf, server, heard(server), now);
                row.leaf = true;
                let leafs = look.leafz.iter().flat_map(|leafz| &leafz.leafs);
                let mut links = leafs.filter(|link| {
                    !link.is_spoke && link.name == *server && link.account == leaf.account_id
                });
                let link = links.next();
                row.missing_unless(link.is_some(), is_alone, &own.server);
                if let (Some(link), true) = (link, row.hubs.is_empty()) {
                    row.hubs = vec![own.server.clone()];
                    row.rtt = duration::seconds(&link.rtt);
                }
                servers.push(row);
            }
        }
        Self {
            server: own.server.clone(),
            at: own.at.clone(),
            servers,
        }
    }

    /// Exit code: the worst of all; who is missing is critical, who is silent unknown.
    pub fn code(&self) -> u8 {
        let has = |states: &[&str]| {
            let mut servers = self.servers.iter();
            servers.any(|row| states.contains(&row.state.as_str()))
        };
        match () {
            () if has(&["CRITICAL", "MISSING"]) => 2,
            () if has(&["UNKNOWN", "SILENT"]) => 3,
            () if has(&["WARNING"]) => 1,
            () => 0,
        }
    }
}

fn row(instance: &str, server: &str, received: Option<&Received>, now: Instant) -> Row {
    let heard = received.map(|received| now.duration_since(received.moment));
    let is_fresh =
        |received: &Received, ago: Duration| ago.as_secs() <= received.report.every.max(1) * MISSED;
    let fresh = received
        .zip(heard)
        .filter(|(received, ago)| is_fresh(received, *ago));
    let (state, says) = match (fresh, heard) {
        (Some((received, _)), _) => (received.report.state.clone(), received.report.says.clone()),
        (None, Some(ago)) => {
            let says = format!("its cim-health has said nothing for {} s", ago.as_secs());
            ("SILENT".to_owned(), says)
        }
        (None, None) => {
            let says = "no report of its cim-health has come here".to_owned();
            ("SILENT".to_owned(), says)
        }
    };
    let links = fresh
        .iter()
        .flat_map(|(received, _)| &received.report.links);
    Row {
        instance: instance.to_owned(),
        server: server.to_owned(),
        leaf: false,
        state,
        says,
        hubs: links
            .clone()
            .filter_map(|link| link.server.clone())
            .collect(),
        rtt: links.filter_map(|link| link.rtt).reduce(f64::max),
        heard: heard.map(|ago| ago.as_secs()),
        report: received.map(|received| received.report.clone()),
    }
}

impl Row {
    /// Who is silent may be gone altogether; who is linked nowhere else is gone, whatever he said a moment ago.
    fn missing_unless(&mut self, is_linked: bool, is_only_here: bool, to: &str) {
        if is_linked || !is_only_here && self.state != "SILENT" {
            return;
        }
        self.says = match (self.state.as_str(), self.heard) {
            ("SILENT", _) | (_, None) => format!("not linked to {to}, and {}", self.says),
            (_, Some(ago)) => format!("not linked to {to}; {ago} s ago it said {}", self.says),
        };
        self.state = "MISSING".to_owned();
        self.hubs.clear();
        self.rtt = None;
    }

    /// In the order of [`HEAD`].
    fn cells(&self) -> Vec<String> {
        let none = || "-".to_owned();
        let of = |tell: fn(&Summary) -> Option<String>| {
            self.report.as_ref().and_then(tell).unwrap_or_else(none)
        };
        vec![
            self.server.clone(),
            if self.leaf { "leaf" } else { "hub" }.to_owned(),
            self.state.clone(),
            match self.hubs.is_empty() {
                true => none(),
                false => self.hubs.join(","),
            },
            self.rtt
                .map_or_else(none, |rtt| format!("{:.1} ms", rtt * 1000.0)),
            of(|report| report.in_rate.map(|rate| format!("{rate:.1}"))),
            of(|report| report.out_rate.map(|rate| format!("{rate:.1}"))),
            of(|report| report.lag.map(|lag| lag.to_string())),
            of(|report| report.version.clone()),
            of(|report| Some(report.cim.clone())),
            of(|report| {
                let word = |drift| if drift { "DRIFT" } else { "ok" };
                report.drift.map(|drift| word(drift).to_owned())
            }),
            of(|report| report.expires.map(span)),
            self.heard.map_or_else(none, |ago| format!("{ago} s ago")),
        ]
    }
}

const HEAD: [&str; 13] = [
    "SERVER", "IS", "STATE", "HUB", "RTT", "IN/s", "OUT/s", "LAG", "NATS", "CIM", "CONFIG",
    "EXPIRES", "HEARD",
];

/// `9 d`, `5 h`: enough to see whether it is soon.
fn span(seconds: i64) -> String {
    match seconds {
        ..0 => "expired".to_owned(),
        0..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86400),
    }
}

/// The table for people, and below it what is wrong.
pub fn text(fleet: &Fleet) -> String {
    let head = HEAD.map(str::to_owned).to_vec();
    let rows: Vec<_> = std::iter::once(head)
        .chain(fleet.servers.iter().map(Row::cells))
        .collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..HEAD.len()).map(width).collect();
    let mut text = format!("the fleet as {} sees it at {}\n", fleet.server, fleet.at);
    for row in &rows {
        let cells = row.iter().zip(&widths);
        let line: Vec<_> = cells
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        text.push_str(line.join("  ").trim_end());
        text.push('\n');
    }
    let wrong = fleet.servers.iter().filter(|row| row.state != "OK");
    for row in wrong {
        // A report of its own begins with its state.
        let said = match row.says.starts_with(&row.state) {
            true => row.says.clone(),
            false => format!("{} {}", row.state, row.says),
        };
        text.push_str(&format!("{}: {said}\n", row.server));
    }
    text
}
