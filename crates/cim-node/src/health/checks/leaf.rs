//! Leaves that the fleet has dial this hub.

use std::time::Instant;

use cim_spec::artefact::WatchedLeaf;

use super::capacity::asked;
use crate::health::check::{Check, Context, Subjects};
use crate::health::finding::{Figure, Unit, Verdict};
use crate::health::whereabouts::{Place, Whereabouts};
use crate::health::wire::MISSED;

pub const CHECKS: &[Check] = &[Check {
    name: "leaf",
    of: "leaf",
    looks_at: "`/leafz` beside the leaves that the fleet has dial this hub; in a cluster, what the other nodes say of theirs in their reports too",
    states: "OK: all servers of the leaf are linked, to whichever node. WARNING: some are. CRITICAL: none is. UNKNOWN: it is not linked here, and another node has a route and says nothing; or because of the login.",
    option: "",
    after: &["server"],
    gates: false,
    is_slow: false,
    meaning: "A leaf of the fleet hangs on this hub. In a cluster each node sees the leaves that chose it, and hears of the others: so only where it is logged in, and by the daemon.",
    causes: [
        (
            "the leaf is off, or its network",
            "ask who runs {of}; on the leaf: cim-health /etc/cim/{of}/health.json",
        ),
        (
            "this hub does not take its key or certificate",
            "journalctl -u {unit} -g 'authentication error|x509' -n 20",
        ),
        (
            "it was never deployed, or is no longer",
            "grep -n {of} fleet.nix",
        ),
    ],
    subjects,
    judge,
}];

fn subjects(context: &Context) -> Subjects {
    let watch = &context.health.watch;
    if !watch.peers.is_empty() && !watch.leaves.is_empty() {
        if context.look.heard.is_none() {
            return Subjects::Later(
                "of a hub with several nodes each sees only the leaves that chose it, and none asked the others: the daemon does",
            );
        }
        if context.blocked_by("server").is_none() && judge(context).is_empty() {
            return Subjects::Later("the other nodes have not said yet which leaves they have");
        }
    }
    Subjects::these(watch.leaves.iter().map(|leaf| leaf.leaf.clone()))
}

fn judge(context: &Context) -> Vec<(String, Verdict)> {
    let whereabouts = Whereabouts::of(context.health, context.look);
    let watched = context.health.watch.leaves.iter();
    let each = watched.filter_map(|wanted| {
        let verdict = match asked(&context.look.leafz) {
            Ok(_) => Places::of(&whereabouts, wanted).judged(context, wanted)?,
            Err(verdict) => verdict,
        };
        Some((wanted.leaf.clone(), verdict))
    });
    each.collect()
}

/// Where all servers of a leaf are.
#[derive(Default)]
struct Places<'a> {
    up: usize,
    elsewhere: Vec<&'a str>,
    missing: Vec<&'a str>,
    unknown: Vec<&'a str>,
    silent: Vec<&'a str>,
}

impl<'a> Places<'a> {
    fn of(whereabouts: &Whereabouts<'a>, wanted: &'a WatchedLeaf) -> Self {
        let mut places = Self::default();
        for server in &wanted.servers {
            match whereabouts.place(wanted, server) {
                Place::Here(_) => places.up += 1,
                Place::At(node) => {
                    places.up += 1;
                    places.elsewhere.push(node);
                }
                Place::Nowhere => places.missing.push(server),
                Place::Unknown(silent) => {
                    places.unknown.push(server);
                    places.silent = silent;
                }
            }
        }
        places
    }

    /// `None`: the other nodes may still say where it is.
    fn judged(&self, context: &Context, wanted: &WatchedLeaf) -> Option<Verdict> {
        let help = format!(
            "see whether it dials and is refused: journalctl -u {} -g 'leafnode|authentication' -n 20; then look at the leaf",
            context.health.unit
        );
        let to = match context.health.watch.peers.is_empty() {
            true => "",
            false => " to any node",
        };
        let missing = format!("not linked{to}: {}", self.missing.join(", "));
        let verdict = match (self.up, self.missing.len(), self.unknown.len()) {
            (_, 0, 0) => Verdict::ok(self.linked(&wanted.account)),
            (0, 1.., 0) => Verdict::critical(missing, help),
            (1.., 1.., _) => Verdict::warning(missing, help),
            (_, _, 1..) => self.unknown(context)?,
        };
        Some(verdict.figure(Figure::new("up", self.up as f64, Unit::Count)))
    }

    fn linked(&self, account: &str) -> String {
        match self.elsewhere.is_empty() {
            true => format!("linked in account {account}"),
            false => format!("linked to {}", self.elsewhere.join(", ")),
        }
    }

    fn unknown(&self, context: &Context) -> Option<Verdict> {
        if let Some(login) = context.blocked_by("login") {
            let because = login.verdict.because.clone();
            return Some(Verdict::because(&because.unwrap_or_else(|| login.name())));
        }
        let since = context.look.heard.as_ref()?.since()?;
        let listened = Instant::now().duration_since(since).as_millis();
        let long = u128::from(context.health.watch.slow_interval * MISSED);
        (listened >= long).then(|| {
            let silent = self.silent.join(", ");
            Verdict::unknown(
                format!(
                    "not linked here, and nothing is heard of the leaves of {silent}: {}",
                    self.unknown.join(", ")
                ),
                format!("on {silent}: systemctl status 'cim-*-health'; here: cim-health fleet"),
            )
        })
    }
}
