//! Connections and subscriptions beside their limits.

use crate::health::check::{Check, Context, Subjects, one};
use crate::health::finding::{Figure, Unit, Verdict, reached};
use crate::health::look::Seen;

pub const CHECKS: &[Check] = &[
    Check {
        name: "connections",
        of: "",
        looks_at: "`connections` of `/varz` beside `max_connections`",
        states: "WARNING, CRITICAL: the share that is used reaches the level.",
        option: "connections",
        after: &["server"],
        gates: false,
        is_slow: false,
        meaning: "How many clients the server still lets in. At the limit it refuses every new one with \"maximum connections exceeded\".",
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
                "curl -s {monitor}/varz | grep max_connections",
            ),
        ],
        subjects: |_| Subjects::instance(true),
        judge: |context| one(connections(context)),
    },
    Check {
        name: "subscriptions",
        of: "",
        looks_at: "`/connz?sort=subs&limit=1` beside `max_subscriptions`",
        states: "WARNING, CRITICAL: the share that the greediest connection uses reaches the level.",
        option: "subscriptions",
        after: &["server"],
        gates: false,
        is_slow: false,
        meaning: "How many subscriptions one connection may still make, where `limits.maxSubscriptions` is set. Beyond, the server refuses each with \"maximum subscriptions exceeded\".",
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
                "curl -s {monitor}/varz | grep max_subscriptions",
            ),
        ],
        subjects: |context| {
            let limited = context.look.varz.as_ref();
            Subjects::instance(limited.is_ok_and(|varz| varz.max_subscriptions > 0))
        },
        judge: |context| one(subscriptions(context)),
    },
];

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
    let who = most.map_or("nobody".to_owned(), |most| {
        format!("connection {} ({:?})", most.cid, most.name)
    });
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
