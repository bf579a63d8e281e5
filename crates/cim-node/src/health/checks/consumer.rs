//! Consumers: as declared, and keeping up.

use cim_spec::asset::Consumer as Declaration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::capacity::asked;
use super::stream::{account, differing, is_unreadable};
use crate::health::check::{Check, Context, Subjects};
use crate::health::finding::{Figure, State, Unit, Verdict, reached};
use crate::health::metadata::{Levels, Reached};
use crate::monitor::jsz::{Consumer, Group, Place, Stream};
use crate::provision::asset::Asset;
use crate::provision::changes::without_consequences;
use crate::provision::declared::Wanted;
use crate::provision::defaults;
use crate::provision::difference::differences;

pub const CHECKS: &[Check] = &[Check {
    name: "consumer",
    of: "account/stream/consumer",
    looks_at: "`/jsz` beside the files that declare consumers, on the consumer's leader (other copies show 0); consumers whose metadata says `io.nats.monitor.enabled` too",
    states: "OK: it is there, as declared, and keeps up. WARNING, CRITICAL: what it has not delivered, or has delivered again, reaches the level. CRITICAL: it is missing, differs, or reaches a level of its metadata. UNKNOWN: a level in its metadata cannot be read; or because its account's declarations cannot.",
    option: "pending, redeliveries",
    after: &["server", "jetstream", "meta", "healthz"],
    gates: true,
    is_slow: true,
    meaning: "Whoever reads the stream gets its messages. Levels in metadata are those of `nats server check consumer`.",
    causes: [
        (
            "its client is gone or stuck",
            "nats consumer info; the client's log",
        ),
        (
            "a message that its client cannot handle comes again and again",
            "nats consumer info: look at redelivered; nats stream get",
        ),
        (
            "cim-provision has not run since the last deploy, or was refused",
            "journalctl -u {unit}-provision -n 20",
        ),
    ],
    subjects: |context| Subjects::these(consumers(context).map(|(subject, ..)| subject)),
    judge: |context| {
        let each = consumers(context).map(|(subject, wanted, stream, found)| {
            let verdict = judged(context, wanted, stream, found);
            (subject, verdict.unwrap_or_else(|verdict| verdict))
        });
        each.collect()
    },
}];

type Judged<'a> = (
    String,
    Option<&'a Wanted>,
    Option<&'a Stream>,
    Option<&'a Consumer>,
);

/// Consumers to judge, as with streams: declared ones, and those that want it.
fn consumers<'a>(context: &'a Context) -> impl Iterator<Item = Judged<'a>> {
    let is_alone = context.health.watch.peers.is_empty();
    let declared = context.look.slow.assets.accounts.iter();
    let declared = declared.flat_map(move |(of, declared)| {
        let here = account(context, of);
        let assets = declared.assets.iter();
        assets.filter_map(move |(asset, wanted)| {
            let Asset::Consumer { stream, name } = asset else {
                return None;
            };
            let mut streams = here.into_iter().flat_map(|account| &account.stream_detail);
            let held = streams.find(|held| held.name == *stream);
            let mut found = held.into_iter().flat_map(|held| &held.consumer_detail);
            let found = found.find(|found| found.name == *name);
            let judged = is_alone || found.is_some();
            judged.then(|| (format!("{of}/{stream}/{name}"), Some(wanted), held, found))
        })
    });
    let accounts = context.look.slow.jsz.as_ref().ok();
    let accounts = accounts.into_iter().flat_map(|jsz| &jsz.account_details);
    let watched = accounts.flat_map(move |account| {
        let declared = &context.look.slow.assets.accounts;
        let declared = declared.get(&account.name).or(declared.get(&account.id));
        account.stream_detail.iter().flat_map(move |stream| {
            let consumers = stream.consumer_detail.iter();
            consumers.filter_map(move |found| {
                let asset = Asset::Consumer {
                    stream: stream.name.clone(),
                    name: found.name.clone(),
                };
                let is_declared =
                    declared.is_some_and(|declared| declared.assets.contains_key(&asset));
                let wants =
                    Levels::of(&found.config).are_enabled() || is_unreadable(context, account);
                let judged = wants && !is_declared;
                let subject = || format!("{}/{}/{}", account.name, stream.name, found.name);
                judged.then(|| (subject(), None, Some(stream), Some(found)))
            })
        })
    });
    declared.chain(watched)
}

fn judged(
    context: &Context,
    wanted: Option<&Wanted>,
    stream: Option<&Stream>,
    found: Option<&Consumer>,
) -> Result<Verdict, Verdict> {
    asked(&context.look.slow.jsz)?;
    let unit = &context.health.unit;
    let Some(found) = found else {
        return Err(Verdict::critical(
            "it is declared and not there",
            format!("see why it was not made: journalctl -u {unit}-provision -n 20"),
        ));
    };
    if wanted.is_none() && !Levels::of(&found.config).are_enabled() {
        return Err(Verdict::because("assets"));
    }
    if let (Some(wanted), Some(stream)) = (wanted, stream) {
        let stream = defaults::stream(&stream.config);
        let mut full = defaults::consumer(&wanted.config, &stream);
        let held = defaults::consumer(&found.config, &stream);
        // An operator's pause is no difference.
        if let Some(until) = held.get("pause_until") {
            full.entry("pause_until").or_insert_with(|| until.clone());
        }
        let mut differences = differences(Declaration::FIELDS, &held, &full);
        without_consequences(&mut differences);
        if let Some(message) = differing(&differences) {
            let help = format!(
                "see what each difference would cost: cim-provision plan; journalctl -u {unit}-provision -n 20"
            );
            return Err(Verdict::critical(message, help));
        }
    }
    if !Group::led_by(found.cluster.as_ref(), &context.health.server_name) {
        return Ok(Verdict::ok(
            "there; its leader is another server, which knows the rest",
        ));
    }
    keeps_up(context, found)
}

fn keeps_up(context: &Context, found: &Consumer) -> Result<Verdict, Verdict> {
    let pending = context.level(|levels| levels.pending);
    let again = context.level(|levels| levels.redeliveries);
    let state = reached(found.num_pending, pending).max(reached(found.num_redelivered, again));
    let message = format!(
        "{} to deliver, {} to acknowledge, {} of them delivered again",
        found.num_pending, found.num_ack_pending, found.num_redelivered
    );
    let help = "see whether its client lives and what it says: nats consumer info";
    let verdict = match carried(context, found)? {
        Some(reached) if reached.state >= state => {
            Verdict::measured(reached.state, reached.message, help)
        }
        _ => Verdict::measured(state, message, help),
    };
    let count = |name, value: u64| Figure::new(name, value as f64, Unit::Count);
    Ok(verdict
        .figure(count("pending", found.num_pending).against(pending))
        .figure(count("ack_pending", found.num_ack_pending))
        .figure(count("redelivered", found.num_redelivered).against(again)))
}

/// The first level of its metadata that is reached.
fn carried(context: &Context, found: &Consumer) -> Result<Option<Reached>, Verdict> {
    let levels = Levels::of(&found.config);
    let ago = |place: &Place| {
        let last = place.last_active.as_deref().unwrap_or(&found.created);
        let last = OffsetDateTime::parse(last, &Rfc3339).ok()?;
        Some((context.look.at - last).as_seconds_f64())
    };
    levels.readable()?;
    let mut reached = vec![
        levels.below(
            "outstanding-ack-critical",
            found.num_ack_pending,
            "to acknowledge",
        )?,
        levels.below("waiting-critical", found.num_waiting, "waiting requests")?,
        levels.below("unprocessed-critical", found.num_pending, "to deliver")?,
        levels.below(
            "redelivery-critical",
            found.num_redelivered,
            "delivered again",
        )?,
    ];
    if let Some(seconds) = ago(&found.delivered) {
        reached.push(levels.within("last-delivery-critical", seconds, "last delivery")?);
    }
    if let Some(seconds) = ago(&found.ack_floor) {
        reached.push(levels.within("last-ack-critical", seconds, "last acknowledgement")?);
    }
    let worst = reached
        .into_iter()
        .flatten()
        .max_by_key(|reached| reached.state);
    Ok(worst.filter(|reached| reached.state != State::Ok))
}
