//! What nats-server only counts: how much came in the last minute.

use cim_spec::artefact::Level;

use crate::health::backlog::Counters;
use crate::health::check::{Check, Context, Subjects, one};
use crate::health::finding::{Figure, Unit, Verdict, reached};

pub const CHECKS: &[Check] = &[
    Check {
        name: "slow-consumers",
        of: "",
        looks_at: "`slow_consumers` of `/varz`, between two looks",
        states: "WARNING, CRITICAL: as many connections as the level could not keep up in the last minute.",
        option: "slowConsumers",
        after: &["server"],
        gates: false,
        is_slow: false,
        meaning: "A client or leaf that does not read fast enough is cut off, and loses what was on the way to it.",
        causes: [
            (
                "a client does its work before it reads on",
                "journalctl -u {unit} -g 'Slow Consumer' -n 20",
            ),
            (
                "the network to it is too thin for what it subscribes to",
                "curl -s '{monitor}/connz?sort=pending&limit=5'",
            ),
            (
                "a burst is larger than limits.maxPending",
                "curl -s {monitor}/varz | grep -E 'max_pending|slow_consumer'",
            ),
        ],
        subjects: twice,
        judge: |context| {
            let level = context.level(|levels| levels.slow_consumers);
            let help = format!(
                "see who it is: journalctl -u {} -g 'Slow Consumer' -n 20",
                context.health.unit
            );
            one(grown(
                context,
                level,
                |counters| counters.slow_consumers,
                "connections too slow",
                &help,
            ))
        },
    },
    Check {
        name: "api-errors",
        of: "",
        looks_at: "`jetstream.stats.api.errors` of `/varz`, between two looks",
        states: "WARNING, CRITICAL: as many requests to JetStream as the level failed in the last minute.",
        option: "apiErrors",
        after: &["jetstream"],
        gates: false,
        is_slow: false,
        meaning: "Clients ask JetStream for what it refuses. Some of that is normal (\"is this stream there?\"), much of it is a client that tries again and again.",
        causes: [
            (
                "a client asks for a stream or consumer that is not there",
                "nats --server … event --js-advisory, or the client's log",
            ),
            (
                "limits are reached: storage, consumers of a stream",
                "cim-health {health} | grep -E 'storage|memory'",
            ),
            (
                "the meta group has no leader",
                "cim-health {health} | grep meta",
            ),
        ],
        subjects: |context| match context.health.watch.jetstream {
            Some(_) => twice(context),
            None => Subjects::Nothing,
        },
        judge: |context| {
            let level = context.level(|levels| levels.api_errors);
            let help = "see who asks for what: nats event --js-advisory";
            one(grown(
                context,
                level,
                |counters| counters.api_errors,
                "requests to JetStream failed",
                help,
            ))
        },
    },
];

/// A counter says nothing at the first look.
fn twice(context: &Context) -> Subjects {
    match context.look.varz.is_err() || context.look.backlog.increase().is_some() {
        true => Subjects::instance(true),
        false => Subjects::Later("it takes two looks: --over SECONDS, or the daemon"),
    }
}

fn grown(
    context: &Context,
    level: Level,
    of: fn(&Counters) -> u64,
    what: &str,
    help: &str,
) -> Result<Verdict, Verdict> {
    let Some(increase) = context.look.backlog.increase() else {
        return Err(Verdict::unknown("there was but one look", "look again"));
    };
    let count = of(&increase.counters);
    let message = format!(
        "{count} {what} in the last {:.0} s",
        increase.seconds.ceil()
    );
    Ok(Verdict::measured(reached(count, level), message, help)
        .figure(Figure::new("last_minute", count as f64, Unit::Count).against(level)))
}
