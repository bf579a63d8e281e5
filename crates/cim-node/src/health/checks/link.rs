//! Leaf links: each remote that is declared here, and each leaf that the fleet has dial this hub.

use super::capacity::asked;
use crate::health::check::{Check, Context, Subjects};
use crate::health::finding::{Figure, State, Unit, Verdict, reached};
use crate::monitor::duration;
use crate::monitor::links::Leaf;

pub const CHECKS: &[Check] = &[
    Check {
        name: "link",
        of: "remote",
        looks_at: "`/leafz` beside the remotes that the fleet gives this leaf",
        states: "OK: the remote is linked to a node of its hub, in its account. WARNING: the round trip reaches the level. CRITICAL: it is not linked, or the round trip reaches the level.",
        option: "rtt",
        after: &["server"],
        gates: true,
        is_slow: false,
        meaning: "The leaf hangs on its hub. nats-server lists only links that stand, and its `/healthz` says ok without any. While the link is down, flows stop; what is durable waits on the leaf.",
        causes: [
            (
                "the hub is down, or the network between",
                "journalctl -u {unit} -g 'leafnode|Leafnode' -n 20",
            ),
            (
                "the hub does not take the leaf's key or certificate: a leaf's log says only \"Client Closed\", the hub's log says why",
                "on the hub: journalctl -u 'cim-*' -g 'authentication error|x509' -n 20",
            ),
            (
                "a certificate or .creds file has expired",
                "cim-health {health} | grep -E 'certificate|credential'",
            ),
        ],
        subjects: |context| {
            Subjects::these(
                context
                    .health
                    .watch
                    .links
                    .iter()
                    .map(|link| link.remote.clone()),
            )
        },
        judge: links,
    },
    Check {
        name: "leaf",
        of: "leaf",
        looks_at: "`/leafz` beside the leaves that the fleet has dial this hub",
        states: "OK: all servers of the leaf are linked. WARNING: some are. CRITICAL: none is.",
        option: "",
        after: &["server"],
        gates: false,
        is_slow: false,
        meaning: "A leaf of the fleet hangs on this hub. Judged where the hub has one node: of several, each sees only the leaves that chose it.",
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
        subjects: |context| {
            let leaves = &context.health.watch.leaves;
            match context.health.watch.peers.is_empty() || leaves.is_empty() {
                true => Subjects::these(leaves.iter().map(|leaf| leaf.leaf.clone())),
                false => Subjects::Later(
                    "of a hub with several nodes each sees only the leaves that chose it",
                ),
            }
        },
        judge: leaves,
    },
];

fn links(context: &Context) -> Vec<(String, Verdict)> {
    let level = context.level(|levels| levels.rtt);
    let watched = context.health.watch.links.iter();
    let each = watched.map(|link| {
        let verdict = asked(&context.look.leafz).map_or_else(
            |verdict| verdict,
            |leafz| {
                match leafz.leafs.iter().find(|leaf| leaf.is_link(link)) {
                    Some(leaf) => linked(leaf, level),
                    None => Verdict::critical(
                        format!(
                            "not linked to {} in account {}",
                            link.servers.join(" or "),
                            link.account
                        ),
                        format!(
                            "see what the server says: journalctl -u {} -g Leafnode -n 20; then whether the hub is up and takes this leaf",
                            context.health.unit
                        ),
                    )
                    .figure(Figure::new("up", 0.0, Unit::Count)),
                }
            },
        );
        (link.remote.clone(), verdict)
    });
    each.collect()
}

fn linked(leaf: &Leaf, level: cim_spec::artefact::Level) -> Verdict {
    let to = format!("linked to {} ({}:{})", leaf.name, leaf.ip, leaf.port);
    let up = Figure::new("up", 1.0, Unit::Count);
    let verdict = match duration::seconds(&leaf.rtt) {
        Some(rtt) => Verdict::measured(
            reached((rtt * 1000.0) as u64, level),
            format!("{to}, round trip {:.1} ms", rtt * 1000.0),
            format!(
                "see the way to {}: mtr {}; a busy hub answers late too",
                leaf.ip, leaf.ip
            ),
        )
        .figure(up)
        .figure(Figure::new("rtt_seconds", rtt, Unit::Seconds).against(level)),
        None => Verdict::ok(format!("{to}, round trip not measured yet")).figure(up),
    };
    let total = |name, value: u64| Figure::new(name, value as f64, Unit::Count);
    verdict
        .figure(total("in_messages", leaf.in_msgs))
        .figure(total("out_messages", leaf.out_msgs))
}

fn leaves(context: &Context) -> Vec<(String, Verdict)> {
    let watched = context.health.watch.leaves.iter();
    let each = watched.map(|wanted| {
        let verdict = asked(&context.look.leafz).map_or_else(
            |verdict| verdict,
            |leafz| {
                let missing: Vec<_> = wanted
                    .servers
                    .iter()
                    .filter(|server| {
                        !leafz.leafs.iter().any(|leaf| {
                            !leaf.is_spoke
                                && leaf.name == **server
                                && leaf.account == wanted.account_id
                        })
                    })
                    .map(String::as_str)
                    .collect();
                let up = wanted.servers.len() - missing.len();
                let state = match (missing.len(), up) {
                    (0, _) => State::Ok,
                    (_, 0) => State::Critical,
                    _ => State::Warning,
                };
                let message = match missing.is_empty() {
                    true => format!("linked in account {}", wanted.account),
                    false => format!("not linked: {}", missing.join(", ")),
                };
                let help = format!(
                    "see whether it dials and is refused: journalctl -u {} -g 'leafnode|authentication' -n 20; then look at the leaf",
                    context.health.unit
                );
                Verdict::measured(state, message, help)
                    .figure(Figure::new("up", up as f64, Unit::Count))
            },
        );
        (wanted.leaf.clone(), verdict)
    });
    each.collect()
}
