//! Connections and subscriptions beside their limits: the server's, and those of accounts.

use cim_spec::artefact::{LimitKind, WatchedLimit};

use super::account;
use crate::health::check::{Check, Context, Subjects};
use crate::health::finding::{Figure, Unit, Verdict, reached};
use crate::health::look::Seen;
use crate::monitor::links::Connection;

/// Limits of accounts that have the levels of `connections`.
const CONNECTED: &[LimitKind] = &[LimitKind::Connections, LimitKind::Leafnodes];

const SUBSCRIBED: &[LimitKind] = &[LimitKind::Subscriptions];

pub const CHECKS: &[Check] = &[
    Check {
        name: "connections",
        of: "instance, and limit of an account",
        looks_at: "`connections` of `/varz` beside `max_connections`; `/accstatz` beside `limits.maxConnections` and `limits.maxLeafnodes` of accounts, on a hub of several nodes with what the others tell in their reports",
        states: "WARNING, CRITICAL: the share that is used reaches the level.",
        option: "connections",
        after: &["server"],
        gates: false,
        is_slow: false,
        meaning: "How many clients the server still lets in, and each account that has a limit. At the limit it refuses every new one with \"maximum connections exceeded\" or \"maximum account active connections exceeded\", and a leaf link until another one is gone. Leaf links count among the connections of an account; a limit that is just as large as what connects is always reached.",
        causes: [
            (
                "a client opens a connection for each message and never closes it",
                "curl -s '{monitor}/connz?sort=start&limit=20'",
            ),
            (
                "clients that are gone are not noticed: pingInterval is long",
                "curl -s '{monitor}/connz?sort=last&limit=20'",
            ),
            (
                "the limit is too low",
                "curl -s {monitor}/varz | grep max_connections; grep -A9 '\"limits\"' {health}",
            ),
        ],
        subjects: |context| named(true, context, CONNECTED),
        judge: |context| {
            let own = Some(connections(context));
            judged(own, context, CONNECTED, account::connections)
        },
    },
    Check {
        name: "subscriptions",
        of: "instance, and limit of an account",
        looks_at: "`/connz?sort=subs&limit=1` beside `max_subscriptions`, and with `acc` beside `limits.maxSubscriptions` of accounts",
        states: "WARNING, CRITICAL: the share that the greediest connection uses reaches the level.",
        option: "subscriptions",
        after: &["server"],
        gates: false,
        is_slow: false,
        meaning: "How many subscriptions one connection may still make, where `limits.maxSubscriptions` of the server or of its account is set. Beyond, the server refuses each with \"maximum subscriptions exceeded\".",
        causes: [
            (
                "a client subscribes in a loop and never unsubscribes",
                "curl -s '{monitor}/connz?sort=subs&limit=5&subs=1'",
            ),
            (
                "a client makes an inbox for each request",
                "curl -s '{monitor}/connz?sort=subs&limit=1&subs=1' | grep _INBOX | wc -l",
            ),
            (
                "the limit is too low",
                "curl -s {monitor}/varz | grep max_subscriptions; grep -A9 '\"limits\"' {health}",
            ),
        ],
        subjects: |context| named(has_subscriptions_limited(context), context, SUBSCRIBED),
        judge: |context| {
            let own = has_subscriptions_limited(context).then(|| subscriptions(context));
            judged(own, context, SUBSCRIBED, account::subscriptions)
        },
    },
];

/// Whether the server limits the subscriptions of a connection.
fn has_subscriptions_limited(context: &Context) -> bool {
    let limited = context.look.varz.as_ref();
    limited.is_ok_and(|varz| varz.max_subscriptions > 0)
}

/// The instance itself, where it has a limit, and accounts that have one.
fn named(own: bool, context: &Context, kinds: &'static [LimitKind]) -> Subjects {
    let own = own.then(String::new).into_iter();
    Subjects::these(own.chain(account::limits(context, kinds).map(account::name)))
}

fn judged(
    own: Option<Result<Verdict, Verdict>>,
    context: &Context,
    kinds: &'static [LimitKind],
    judge: fn(&Context, &WatchedLimit) -> Result<Verdict, Verdict>,
) -> Vec<(String, Verdict)> {
    let own = own.into_iter().map(|verdict| (String::new(), verdict));
    let accounts =
        account::limits(context, kinds).map(|limit| (account::name(limit), judge(context, limit)));
    let all = own.chain(accounts);
    all.map(|(of, verdict)| (of, verdict.unwrap_or_else(|verdict| verdict)))
        .collect()
}

/// Whole percent of a limit.
pub fn percent(used: u64, limit: u64) -> u64 {
    let share = u128::from(used) * 100 / u128::from(limit.max(1));
    u64::try_from(share).unwrap_or(u64::MAX)
}

fn connections(context: &Context) -> Result<Verdict, Verdict> {
    let varz = context.varz()?;
    let level = context.level(|levels| levels.connections);
    let used = percent(varz.connections, varz.max_connections);
    Ok(Verdict::measured(
        reached(used, level),
        format!(
            "{} of {} connections: {used} %",
            varz.connections, varz.max_connections
        ),
        "see who they are: /connz; then raise limits.maxConnections, or mend the client",
    )
    .figure(Figure::new("count", varz.connections as f64, Unit::Count))
    .figure(Figure::new("used_percent", used as f64, Unit::Percent).against(level)))
}

fn subscriptions(context: &Context) -> Result<Verdict, Verdict> {
    let varz = context.varz()?;
    let connz = asked(&context.look.slow.connz)?;
    let level = context.level(|levels| levels.subscriptions);
    let most = connz.connections.first();
    let count = most.map_or(0, |connection| connection.subscriptions);
    let used = percent(count, varz.max_subscriptions);
    let who = most.map_or("nobody".to_owned(), Connection::who);
    Ok(Verdict::measured(
        reached(used, level),
        format!("{who} has {count} of {} subscriptions: {used} %", varz.max_subscriptions),
        "see what it subscribes to: /connz?sort=subs&subs=1; then raise limits.maxSubscriptions, or mend the client",
    )
    .figure(Figure::new("most", count as f64, Unit::Count))
    .figure(Figure::new("used_percent", used as f64, Unit::Percent).against(level)))
}

/// An answer, or that it was no good.
pub fn asked<T>(seen: &Seen<T>) -> Result<&T, Verdict> {
    seen.as_ref().map_err(|why| {
        Verdict::unknown(
            why.clone(),
            "see what answers on the monitoring port; where it is busy, the next look judges again",
        )
    })
}
