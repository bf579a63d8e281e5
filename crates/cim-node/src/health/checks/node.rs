//! The other nodes of the cluster.

use super::capacity::asked;
use crate::health::check::{Check, Context, Subjects};
use crate::health::finding::{Figure, Unit, Verdict};

pub const CHECKS: &[Check] = &[Check {
    name: "route",
    of: "server",
    looks_at: "`/routez` beside the nodes that the fleet declares",
    states: "OK: there is a route. WARNING: there is none, and the nodes that are left are a majority. CRITICAL: they are not.",
    option: "",
    after: &["server"],
    gates: false,
    is_slow: false,
    meaning: "Each node of a cluster has a route to each other. Without a majority JetStream of the cluster stands still: nothing is stored in streams of several replicas, nothing is made.",
    causes: [
        (
            "the other node is down, or being deployed",
            "ssh {of} systemctl status 'cim-*'",
        ),
        (
            "its port for routes is not reached: firewall, name, address",
            "journalctl -u {unit} -g route -n 20",
        ),
        (
            "the certificates of the cluster are no longer taken",
            "journalctl -u {unit} -g 'TLS|x509' -n 20",
        ),
    ],
    subjects: |context| Subjects::these(context.health.watch.peers.iter().cloned()),
    judge: routes,
}];

fn routes(context: &Context) -> Vec<(String, Verdict)> {
    let peers = &context.health.watch.peers;
    let judged = asked(&context.look.routez).map(|routez| {
        let count = |peer: &String| {
            let to = routez
                .routes
                .iter()
                .filter(|route| route.remote_name == *peer);
            to.count()
        };
        let here = 1 + peers.iter().filter(|peer| count(peer) > 0).count();
        let majority = here * 2 > peers.len() + 1;
        (count, here, majority)
    });
    let each = |peer: &String| {
        let verdict = match &judged {
            Err(verdict) => verdict.clone(),
            Ok((count, here, majority)) => {
                let count = count(peer);
                let all = peers.len() + 1;
                let help = format!(
                    "see whether {peer} runs, and what this one says: journalctl -u {} -g route -n 20",
                    context.health.unit
                );
                let verdict = match (count, majority) {
                    (1.., _) => Verdict::ok(format!("{count} routes")),
                    (0, true) => Verdict::warning(
                        format!("no route to {peer}; {here} of {all} nodes are left"),
                        help,
                    ),
                    (0, false) => Verdict::critical(
                        format!(
                            "no route to {peer}; {here} of {all} nodes are left, which is no majority: JetStream stands still"
                        ),
                        help,
                    ),
                };
                verdict.figure(Figure::new("count", count as f64, Unit::Count))
            }
        };
        (peer.clone(), verdict)
    };
    peers.iter().map(each).collect()
}
