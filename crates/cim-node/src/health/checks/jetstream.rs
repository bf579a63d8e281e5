//! JetStream of this server: on, with room, with a leader, and without complaints.

use super::capacity::{asked, percent};
use crate::health::check::{Check, Context, Subjects, one};
use crate::health::finding::{Figure, Unit, Verdict, reached};
use crate::monitor::varz::{JetStreamConfig, JetStreamStats};

pub const CHECKS: &[Check] = &[
    Check {
        name: "jetstream",
        of: "",
        looks_at: "`jetstream` of `/varz`",
        states: "OK: it is on. CRITICAL: it is declared and off.",
        option: "",
        after: &["server"],
        gates: true,
        is_slow: false,
        meaning: "The server stores messages. `/healthz?js-enabled-only=true` says ok where JetStream is not configured at all.",
        causes: [
            (
                "it turned itself off: the store cannot be written",
                "journalctl -u {unit} -g JetStream -n 20; df -h /var/lib/{unit}",
            ),
            (
                "the server runs another config",
                "cim-health {health} | grep config",
            ),
            (
                "the store cannot be decrypted",
                "journalctl -u {unit} -g 'encrypt|cipher' -n 20",
            ),
        ],
        subjects: declared,
        judge: |context| one(enabled(context)),
    },
    Check {
        name: "storage",
        of: "",
        looks_at: "`storage` beside `max_storage` in `/varz`",
        states: "WARNING, CRITICAL: the share of `jetstream.maxFileStore` that is used reaches the level.",
        option: "storage",
        after: &["jetstream"],
        gates: false,
        is_slow: false,
        meaning: "Room for file streams. Where it is full, nats-server refuses messages of every stream: \"insufficient resources\".",
        causes: [
            (
                "a stream has no limits and keeps everything",
                "curl -s '{monitor}/jsz?streams=true' | jq '.account_details[].stream_detail[] | {name, bytes: .state.bytes}'",
            ),
            (
                "a consumer of a work queue stands still",
                "cim-health {health} | grep consumer",
            ),
            (
                "maxFileStore is too low",
                "curl -s {monitor}/varz | grep max_storage",
            ),
        ],
        subjects: declared,
        judge: |context| one(storage(context)),
    },
    Check {
        name: "memory",
        of: "",
        looks_at: "`memory` beside `max_memory` in `/varz`",
        states: "WARNING, CRITICAL: the share of `jetstream.maxMemoryStore` that is used reaches the level.",
        option: "memory",
        after: &["jetstream"],
        gates: false,
        is_slow: false,
        meaning: "Room for streams in memory. Where it is full, nats-server refuses their messages.",
        causes: [
            (
                "a stream in memory has no limits",
                "curl -s '{monitor}/jsz?streams=true&config=true' | jq '.account_details[].stream_detail[] | select(.config.storage==\"memory\") | .name'",
            ),
            (
                "a client made a stream in memory that nobody declared",
                "curl -s '{monitor}/jsz?streams=true' | jq '.account_details[].stream_detail[].name'",
            ),
            (
                "maxMemoryStore is too low",
                "curl -s {monitor}/varz | grep max_memory",
            ),
        ],
        subjects: declared,
        judge: |context| one(memory(context)),
    },
    Check {
        name: "meta",
        of: "",
        looks_at: "`jetstream.meta` of `/varz`",
        states: "OK: the meta group has a leader. CRITICAL: it has none.",
        option: "",
        after: &["server", "jetstream", "route"],
        gates: true,
        is_slow: false,
        meaning: "The group of servers that knows where streams are. Without a leader nothing can be made, changed or moved, and streams that lose theirs get none.",
        causes: [
            (
                "a majority of the cluster's nodes is down or frozen",
                "curl -s {monitor}/varz | jq .jetstream.meta",
            ),
            (
                "routes stand, and nothing comes through: a network that drops",
                "curl -s {monitor}/routez | jq '.routes[] | {remote_name, rtt, pending_size}'",
            ),
            (
                "disks are so slow that leaders are voted out",
                "journalctl -u {unit} -g 'leader|quorum' -n 20",
            ),
        ],
        subjects: |context| {
            let watch = &context.health.watch;
            Subjects::instance(watch.jetstream.is_some() && !watch.peers.is_empty())
        },
        judge: |context| one(meta(context)),
    },
    Check {
        name: "healthz",
        of: "",
        looks_at: "nats-server's own `/healthz`",
        states: "OK: it says ok. CRITICAL: it says anything else.",
        option: "",
        after: &["server", "jetstream", "meta"],
        gates: true,
        is_slow: false,
        meaning: "nats-server holds each of its streams and consumers against what it should have. It looks at no leaf link: that it says ok is not enough.",
        causes: [
            (
                "a stream could not be read at the start: a wrong key, a damaged file",
                "journalctl -u {unit} -g 'recover|restor' -n 20",
            ),
            (
                "a replica is behind after a restart and catches up",
                "curl -s '{monitor}/healthz?details=true'",
            ),
            (
                "the server is stopping (lame duck)",
                "systemctl status {unit}",
            ),
        ],
        subjects: |_| Subjects::instance(true),
        judge: |context| one(healthz(context)),
    },
];

/// The instance itself, where it has JetStream.
pub fn declared(context: &Context) -> Subjects {
    Subjects::instance(context.health.watch.jetstream.is_some())
}

/// JetStream as it runs, or that it is off.
fn running<'a>(context: &'a Context) -> Result<(&'a JetStreamConfig, &'a JetStreamStats), Verdict> {
    let jetstream = &context.varz()?.jetstream;
    match (&jetstream.config, &jetstream.stats) {
        (Some(config), Some(stats)) => Ok((config, stats)),
        _ => Err(Verdict::critical(
            "JetStream is off",
            format!(
                "see why: journalctl -u {} -g JetStream -n 20; then systemctl restart {0}",
                context.health.unit
            ),
        )),
    }
}

fn enabled(context: &Context) -> Result<Verdict, Verdict> {
    let (config, stats) = running(context)?;
    let domain = config.domain.as_deref().unwrap_or("none");
    let total = |name, value: u64| Figure::new(name, value as f64, Unit::Total);
    Ok(Verdict::ok(format!("on, domain {domain}"))
        .figure(total("api_requests", stats.api.total))
        .figure(total("api_errors", stats.api.errors)))
}

fn storage(context: &Context) -> Result<Verdict, Verdict> {
    let (config, stats) = running(context)?;
    let level = context.level(|levels| levels.storage);
    let help = "see which stream it is: /jsz?streams=true; then give it max_bytes or max_age, or raise jetstream.maxFileStore";
    Ok(room(stats.storage, config.max_storage, level, help))
}

fn memory(context: &Context) -> Result<Verdict, Verdict> {
    let (config, stats) = running(context)?;
    let level = context.level(|levels| levels.memory);
    let help = "see which stream it is: /jsz?streams=true&config=true; then give it max_bytes or max_age, or raise jetstream.maxMemoryStore";
    Ok(room(stats.memory, config.max_memory, level, help))
}

fn room(used: u64, limit: i64, level: cim_spec::artefact::Level, help: &str) -> Verdict {
    let Ok(limit @ 1..) = u64::try_from(limit) else {
        return Verdict::ok(format!("{} used, without a limit", bytes(used))).figure(Figure::new(
            "used_bytes",
            used as f64,
            Unit::Bytes,
        ));
    };
    let share = percent(used, limit);
    let message = format!("{} of {} used: {share} %", bytes(used), bytes(limit));
    Verdict::measured(reached(share, level), message, help)
        .figure(Figure::new("used_bytes", used as f64, Unit::Bytes))
        .figure(Figure::new("limit_bytes", limit as f64, Unit::Bytes))
        .figure(Figure::new("used_percent", share as f64, Unit::Percent).against(level))
}

/// A size with three digits.
pub fn bytes(count: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut size = count as f64;
    let mut unit = 0;
    while size >= 1000.0 && unit + 1 < units.len() {
        size /= 1024.0;
        unit += 1;
    }
    let name = units.get(unit).copied().unwrap_or_default();
    match unit {
        0 => format!("{count} B"),
        _ if size < 10.0 => format!("{size:.1} {name}"),
        _ => format!("{size:.0} {name}"),
    }
}

fn meta(context: &Context) -> Result<Verdict, Verdict> {
    running(context)?;
    let size = 1 + context.health.watch.peers.len();
    match context.varz()?.jetstream.meta.as_ref() {
        Some(meta) if !meta.leader.is_empty() => {
            let size = Figure::new("size", meta.cluster_size as f64, Unit::Count);
            let message = format!("led by {}, {} servers", meta.leader, meta.cluster_size);
            Ok(Verdict::ok(message).figure(size))
        }
        _ => Ok(Verdict::critical(
            format!("the meta group of {size} servers has no leader"),
            format!(
                "see whether the other nodes live, not only their routes: cim-health there; journalctl -u {} -g 'leader|quorum' -n 20",
                context.health.unit
            ),
        )),
    }
}

fn healthz(context: &Context) -> Result<Verdict, Verdict> {
    Ok(match asked(&context.look.slow.healthz)? {
        None => Verdict::ok("nats-server says ok"),
        Some(complaint) => Verdict::critical(
            format!("nats-server says: {complaint}"),
            format!(
                "journalctl -u {} -n 50; curl -s '{}/healthz?details=true'",
                context.health.unit, context.health.monitor
            ),
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn sizes_are_short() {
        let shown = [0, 999, 1000, 10 << 20, 1 << 40, u64::MAX].map(bytes);
        assert_eq!(
            shown,
            ["0 B", "999 B", "1.0 KiB", "10 MiB", "1.0 TiB", "16 EiB"]
        );
    }
}
