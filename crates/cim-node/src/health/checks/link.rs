//! Leaf links: each remote that is declared here.

use cim_spec::artefact::Level;

use super::capacity::asked;
use crate::health::check::{Check, Context, Subjects};
use crate::health::finding::{Figure, Unit, Verdict, reached};
use crate::health::judge::written;
use crate::health::standing::Since;
use crate::monitor::duration;
use crate::monitor::links::Leaf;

pub const CHECKS: &[Check] = &[Check {
    name: "link",
    of: "remote",
    looks_at: "`/leafz` beside the remotes that the fleet gives this leaf; since when a link stands, from look to look",
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
}];

fn links(context: &Context) -> Vec<(String, Verdict)> {
    let level = context.level(|levels| levels.rtt);
    let watched = context.health.watch.links.iter();
    let each = watched.map(|link| {
        let verdict = asked(&context.look.leafz).map_or_else(
            |verdict| verdict,
            |leafz| {
                match leafz.link(link) {
                    Some(leaf) => linked(leaf, context.look.standing.get(&link.remote), level),
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

fn linked(leaf: &Leaf, since: Option<&Since>, level: Level) -> Verdict {
    let when = since.map_or(String::new(), |since| {
        format!(" since {}", written(since.at))
    });
    let to = format!("linked to {} ({}:{}){when}", leaf.name, leaf.ip, leaf.port);
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
    let verdict = match since {
        Some(since) => {
            let stood = since.stood.as_secs_f64();
            verdict.figure(Figure::new("since_seconds", stood, Unit::Seconds))
        }
        None => verdict,
    };
    let total = |name, value: u64| Figure::new(name, value as f64, Unit::Total);
    verdict
        .figure(total("in_messages", leaf.in_msgs))
        .figure(total("out_messages", leaf.out_msgs))
}
