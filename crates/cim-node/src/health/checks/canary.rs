//! What crosses: the hub's cim-health answers, its clock, and a canary for each flow.

mod words;

use std::time::Duration;

use cim_spec::artefact::{WatchedFlow, WatchedLink};
use cim_spec::implied::PLAIN;

use crate::health::check::{Check, Context, Subjects};
use crate::health::finding::{Figure, State, Unit, Verdict, reached};
use crate::health::wire::{Answer, Round, ask};

/// How long links may change before nobody knows whether flows cross: a round takes 2 s.
const RESTLESS: Duration = Duration::from_secs(10);

pub const CHECKS: &[Check] = &[
    Check {
        name: "login",
        of: "account",
        looks_at: "cim-health's own connection to the server, one for each account that leaf links are bound to",
        states: "OK: it is logged in. UNKNOWN: it is not, or may not speak there, and the message says why.",
        option: "",
        after: &["server"],
        gates: false,
        is_slow: false,
        meaning: "cim-health asks and answers canaries as a user of its own, `health`, who may do nothing else. While it is not logged in, nobody knows whether flows cross, and on a hub its leaves are not answered.",
        causes: [
            (
                "the unit has the key of a server that was started again since",
                "systemctl restart {unit}-health",
            ),
            (
                "in operator mode, the account's JWT that knows the login was not pushed",
                "cim-admin accounts diff --server URL",
            ),
            (
                "the server listens elsewhere, or with another certificate",
                "systemctl cat {unit}-health; ss -ltnp",
            ),
        ],
        subjects: accounts,
        judge: logins,
    },
    Check {
        name: "hub-health",
        of: "remote",
        looks_at: "a canary that belongs to no flow, over the link and back",
        states: "OK: cim-health of the hub answered. UNKNOWN: the link stands and nobody answered, or nobody asked; or because of the link or the login.",
        option: "",
        after: &["server"],
        gates: false,
        is_slow: false,
        meaning: "Somebody at the other end answers for flows. Where nobody does the link may be as good as ever: nobody knows.",
        causes: [
            (
                "the hub's cim-health does not run, or is not logged in",
                "on the hub: systemctl status 'cim-*-health'",
            ),
            (
                "the hub was not deployed since this leaf was declared, so that it lets no canary across",
                "on the hub: grep -c cim.canary /etc/cim/*/nats.conf; in operator mode: cim-admin accounts diff --server URL",
            ),
            (
                "the link has just come back",
                "cim-health {health} | grep -E 'link|hub-health'",
            ),
        ],
        subjects: |context| asked(context, remotes(context)),
        judge: hubs,
    },
    Check {
        name: "hub-clock",
        of: "remote",
        looks_at: "the hub's time in the answer to that canary, beside the host's clock halfway between asking and answer",
        states: "WARNING, CRITICAL: they are further apart than the level, whatever half of the round trip is taken off. UNKNOWN: because nobody answered.",
        option: "clock",
        after: &["server"],
        gates: false,
        is_slow: false,
        meaning: "Hub and leaf have one time. Certificates and JWTs hold by the clock of who looks at them: a leaf that is behind refuses a hub whose certificate is new, and is refused with creds that it takes for good.",
        causes: [
            (
                "this host has no time server that it reaches",
                "timedatectl timesync-status; journalctl -u systemd-timesyncd -n 20",
            ),
            (
                "the hub's clock is the wrong one: all leaves say so then",
                "on the hub: timedatectl",
            ),
            (
                "a virtual machine was paused and goes on",
                "journalctl -k -n 50; timedatectl",
            ),
        ],
        subjects: |context| asked(context, remotes(context)),
        judge: clocks,
    },
    Check {
        name: "canary",
        of: "remote/flow",
        looks_at: "a message of cim-health's own that takes the flow's way over the link, and its answer; where the flow's option canary is set, by that subject of the flow",
        states: "OK: it came back. CRITICAL: it did not, in three tries, while the hub's cim-health answers. UNKNOWN: because of the link, the login, or because nobody answers at the hub.",
        option: "",
        after: &["server"],
        gates: false,
        is_slow: false,
        meaning: "What the fleet lets cross does cross: the hub lets this flow's canary through, in the account of the link, in the flow's own direction. It is no message of the flow itself, and says nothing of who listens there. With the flow's option canary it is one: then what the flow is called at both ends, accounts in between and the right to its very subjects are tried too.",
        causes: [
            (
                "the hub was not deployed since the flow was declared, or was deployed without it",
                "cim-render diff OLD NEW; on the hub: grep cim.canary /etc/cim/*/nats.conf",
            ),
            (
                "in operator mode, the account's JWT was not pushed",
                "cim-admin accounts diff --server URL",
            ),
            (
                "the link stands with the rights that it was made with",
                "on the hub: journalctl -u 'cim-*' -g 'Permissions Violation' -n 20",
            ),
        ],
        subjects: |context| {
            asked(
                context,
                canaries(context).map(|(subject, ..)| subject).collect(),
            )
        },
        judge: |context| {
            let each = canaries(context);
            let each = each.map(|(subject, link, flow)| (subject, crosses(context, link, flow)));
            told(each)
        },
    },
];

/// What needs a login, where there is one.
fn spoken(context: &Context, subjects: Vec<String>) -> Subjects {
    match (subjects.is_empty(), &context.look.heard) {
        (true, _) => Subjects::Nothing,
        (false, None) => {
            Subjects::Later("nothing was asked: --host-keys or --login ACCOUNT=FILE, or the daemon")
        }
        (false, Some(_)) => Subjects::These(subjects),
    }
}

/// Accounts that were tried; those that were not yet say nothing.
fn accounts(context: &Context) -> Subjects {
    let accounts = context.health.watch.accounts.iter();
    let heard = context.look.heard.as_ref();
    let tried = |account: &&String| heard.is_some_and(|heard| heard.logins.contains_key(*account));
    match heard.is_some() && !accounts.clone().any(|account| tried(&account)) {
        true if accounts.len() > 0 => Subjects::Later("it is logging in"),
        _ => spoken(context, accounts.cloned().collect()),
    }
}

/// What needs canaries: those that are on their way say nothing yet, unless link after link takes them away.
fn asked(context: &Context, subjects: Vec<String>) -> Subjects {
    let heard = context.look.heard.as_ref();
    let waits = heard.is_some_and(|heard| {
        heard.round.is_none()
            && heard.logins.values().all(Result::is_ok)
            && heard.waits.is_none_or(|since| since.elapsed() < RESTLESS)
    });
    let stands = context.health.watch.links.iter();
    let mut stands = stands.filter(|link| blocked(context, link).is_none());
    match waits && stands.next().is_some() && !subjects.is_empty() {
        true => Subjects::Later("canaries are on their way"),
        false => spoken(context, subjects),
    }
}

fn remotes(context: &Context) -> Vec<String> {
    let links = context.health.watch.links.iter();
    links.map(|link| link.remote.clone()).collect()
}

/// Each flow over each link.
fn canaries<'a>(
    context: &'a Context,
) -> impl Iterator<Item = (String, &'a WatchedLink, &'a WatchedFlow)> {
    let watch = &context.health.watch;
    watch.links.iter().flat_map(|link| {
        let flows = watch.flows.iter();
        flows.map(move |flow| (format!("{}/{}", link.remote, flow.name), link, flow))
    })
}

fn told(each: impl Iterator<Item = (String, Result<Verdict, Verdict>)>) -> Vec<(String, Verdict)> {
    each.map(|(subject, verdict)| (subject, verdict.unwrap_or_else(|verdict| verdict)))
        .collect()
}

fn logins(context: &Context) -> Vec<(String, Verdict)> {
    let accounts = context.health.watch.accounts.iter();
    let each = accounts.filter_map(|account| {
        let verdict = match context.look.heard.as_ref()?.logins.get(account)? {
            Ok(()) => Verdict::ok("logged in"),
            Err(why) => Verdict::unknown(why.clone(), help(context)),
        };
        Some((account.clone(), verdict))
    });
    each.collect()
}

fn help(context: &Context) -> String {
    format!(
        "see the login that the unit gives it, and what the server says: systemctl cat {0}-health; journalctl -u {0} -g 'authentication|Permissions' -n 20",
        context.health.unit
    )
}

/// Why nothing can be asked over a link.
fn blocked(context: &Context, link: &WatchedLink) -> Option<Verdict> {
    // A leaf has one login, and where flows are renamed it need not be in the account that the link is bound to.
    let logins = context.health.watch.accounts.iter();
    let ways = [("link", &link.remote)].into_iter();
    let mut found = ways
        .chain(logins.map(|account| ("login", account)))
        .filter_map(|(check, of)| context.finding(check, of));
    found
        .find(|finding| finding.verdict.state >= State::Unknown)
        .map(|finding| {
            let because = finding.verdict.because.clone();
            Verdict::because(&because.unwrap_or_else(|| finding.name()))
        })
}

fn round<'a>(context: &'a Context, link: &WatchedLink) -> Result<&'a Round, Verdict> {
    if let Some(verdict) = blocked(context, link) {
        return Err(verdict);
    }
    let heard = context.look.heard.as_ref();
    let round = heard.and_then(|heard| heard.round.as_ref());
    let round = round.ok_or_else(|| match heard.and_then(|heard| heard.waits) {
        Some(since) => Verdict::unknown(
            format!(
                "no canary has come to its end in {} s: links change too often",
                since.elapsed().as_secs()
            ),
            format!(
                "see why links come and go: journalctl -u {} -g Leafnode -n 20",
                context.health.unit
            ),
        ),
        None => Verdict::unknown(
            "no canary has come to its end yet",
            "look again in a moment",
        ),
    })?;
    let pause = Duration::from_millis(context.health.watch.interval);
    match round.stale(pause) {
        None => Ok(round),
        Some(ago) => Err(Verdict::unknown(
            format!(
                "the last canaries came to their end {} s ago: cim-health asks no more",
                ago.as_secs()
            ),
            format!("systemctl restart {}-health", context.health.unit),
        )),
    }
}

/// The plain canary's answer, for what depends on it.
fn answered(context: &Context, link: &WatchedLink) -> Result<Answer, Verdict> {
    if let Some(verdict) = blocked(context, link) {
        return Err(verdict);
    }
    let because = || Verdict::because(&format!("hub-health {}", link.remote));
    let round = round(context, link).map_err(|_| because())?;
    let answer = round.answer(PLAIN, &link.servers);
    answer.map(|(_, answer)| answer).ok_or_else(because)
}

fn millis(answer: Answer) -> String {
    format!("{:.1} ms", answer.round_trip.as_secs_f64() * 1000.0)
}

fn trip(verdict: Verdict, answer: Answer) -> Verdict {
    let seconds = answer.round_trip.as_secs_f64();
    verdict.figure(Figure::new("rtt_seconds", seconds, Unit::Seconds))
}

fn hubs(context: &Context) -> Vec<(String, Verdict)> {
    let links = context.health.watch.links.iter();
    told(links.map(|link| {
        let verdict = round(context, link).map(|round| {
            match round.answer(PLAIN, &link.servers) {
                Some((server, answer)) => {
                    let message = format!("cim-health of {server} answered after {}", millis(answer));
                    trip(Verdict::ok(message), answer)
                }
                None => Verdict::unknown(
                    format!(
                        "the link stands, but no cim-health answers at {} in {} s: nobody knows whether flows cross",
                        link.servers.join(" or "),
                        ask::PATIENCE.as_secs()
                    ),
                    "on the hub: systemctl status 'cim-*-health'; then whether the hub was deployed since this leaf was declared",
                ),
            }
        });
        (link.remote.clone(), verdict)
    }))
}

fn clocks(context: &Context) -> Vec<(String, Verdict)> {
    let level = context.level(|levels| levels.clock);
    let links = context.health.watch.links.iter();
    told(links.map(|link| {
        let verdict = answered(context, link).map(|answer| {
            let unsure = answer.round_trip.as_secs_f64() / 2.0;
            let apart = answer.ahead.abs();
            let sure = (apart - unsure).max(0.0);
            let way = if answer.ahead < 0.0 {
                "behind"
            } else {
                "ahead of"
            };
            Verdict::measured(
                reached((sure * 1000.0) as u64, level),
                format!("the hub's clock is {apart:.3} s {way} the host's (± {unsure:.3} s)"),
                "see which of them is wrong, and set it right: timedatectl, here and on the hub",
            )
            .figure(Figure::new("apart_seconds", apart, Unit::Seconds).against(level))
        });
        (link.remote.clone(), verdict)
    }))
}

fn crosses(context: &Context, link: &WatchedLink, flow: &WatchedFlow) -> Result<Verdict, Verdict> {
    answered(context, link)?;
    let round = round(context, link)?;
    Ok(match round.answer(&flow.name, &link.servers) {
        Some((_, answer)) => {
            let message = format!(
                "{}: {} there and back",
                words::crosses(flow),
                millis(answer)
            );
            trip(Verdict::ok(message), answer)
        }
        None => Verdict::critical(words::missing(flow), words::what_to_see(flow)),
    })
}
