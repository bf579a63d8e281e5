//! Streams: as declared, led, and within the levels that they carry.

use cim_spec::asset::Stream as Declaration;

use super::capacity::asked;
use crate::health::check::{Check, Context, Subjects};
use crate::health::finding::{Figure, Unit, Verdict};
use crate::health::metadata::{Levels, Reached};
use crate::monitor::jsz::{Account, Group, Stream};
use crate::provision::asset::Asset;
use crate::provision::declared::Wanted;
use crate::provision::defaults;
use crate::provision::difference::{Difference, differences};

pub const CHECKS: &[Check] = &[Check {
    name: "stream",
    of: "account/stream",
    looks_at: "`/jsz` beside the files that declare streams and buckets; streams whose metadata says `io.nats.monitor.enabled` too",
    states: "OK: it is there and as declared. CRITICAL: it is missing, differs, has no leader, or reaches a critical level of its metadata. WARNING: a replica is behind or gone, says the leader, or a warning level is reached. UNKNOWN: a level in its metadata cannot be read; or because its account's declarations cannot.",
    option: "",
    after: &["server", "jetstream", "meta", "healthz"],
    gates: true,
    is_slow: true,
    meaning: "What should be stored is, and under the limits that were declared. Levels in metadata are those of `nats server check stream`.",
    causes: [
        (
            "cim-provision has not run since the last deploy, or was refused",
            "journalctl -u {unit}-provision -n 20; cim-provision plan {assets}/ACCOUNT",
        ),
        ("somebody changed or removed it by hand", "nats stream info"),
        (
            "its replicas have lost their majority",
            "cim-health {health} | grep -E 'route|meta'",
        ),
    ],
    subjects: |context| Subjects::these(streams(context).map(|(subject, _, _)| subject)),
    judge: |context| {
        let each = streams(context).map(|(subject, wanted, found)| {
            let verdict = judged(context, wanted, found);
            (subject, verdict.unwrap_or_else(|verdict| verdict))
        });
        each.collect()
    },
}];

/// Accounts as `/jsz` tells them; in operator mode the folder may have either of an account's names.
pub fn account<'a>(context: &'a Context, name: &str) -> Option<&'a Account> {
    let accounts = context.look.slow.jsz.as_ref().ok()?;
    let mut accounts = accounts.account_details.iter();
    accounts.find(|account| account.name == name || account.id == name)
}

/// Streams to judge: those declared, and those that are there and want it. In a cluster a stream need not have a copy on
/// this server: one that is not here is another's to judge.
fn streams<'a>(
    context: &'a Context,
) -> impl Iterator<Item = (String, Option<&'a Wanted>, Option<&'a Stream>)> {
    let is_alone = context.health.watch.peers.is_empty();
    let declared = context.look.slow.assets.accounts.iter();
    let declared = declared.flat_map(move |(name, declared)| {
        let here = account(context, name);
        let assets = declared.assets.iter();
        assets.filter_map(move |(asset, wanted)| {
            if matches!(asset, Asset::Consumer { .. }) {
                return None;
            }
            let stream = asset.stream();
            let mut streams = here.into_iter().flat_map(|account| &account.stream_detail);
            let found = streams.find(|found| found.name == stream);
            let judged = is_alone || found.is_some();
            judged.then(|| (format!("{name}/{stream}"), Some(wanted), found))
        })
    });
    let accounts = context.look.slow.jsz.as_ref().ok();
    let accounts = accounts.into_iter().flat_map(|jsz| &jsz.account_details);
    let watched = accounts.flat_map(move |account| {
        let streams = account.stream_detail.iter();
        streams
            .filter(move |stream| {
                (Levels::of(&stream.config).are_enabled() || is_unreadable(context, account))
                    && !is_declared(context, account, &stream.name)
            })
            .map(move |stream| {
                (
                    format!("{}/{}", account.name, stream.name),
                    None,
                    Some(stream),
                )
            })
    });
    declared.chain(watched)
}

/// Whether nobody knows what an account should have.
pub fn is_unreadable(context: &Context, account: &Account) -> bool {
    let unreadable = &context.look.slow.assets.unreadable;
    unreadable.contains(&account.name) || unreadable.contains(&account.id)
}

fn is_declared(context: &Context, account: &Account, stream: &str) -> bool {
    let accounts = &context.look.slow.assets.accounts;
    let declared = accounts.get(&account.name).or(accounts.get(&account.id));
    declared.is_some_and(|declared| {
        let mut assets = declared.assets.keys();
        assets.any(|asset| !matches!(asset, Asset::Consumer { .. }) && asset.stream() == stream)
    })
}

fn judged(
    context: &Context,
    wanted: Option<&Wanted>,
    found: Option<&Stream>,
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
    if let Some(wanted) = wanted {
        let full = defaults::stream(&wanted.config);
        let held = defaults::stream(&found.config);
        let differences = differences(Declaration::FIELDS, &held, &full);
        if let Some(message) = differing(&differences) {
            let help = format!(
                "see what each difference would cost: cim-provision plan; journalctl -u {unit}-provision -n 20"
            );
            return Err(Verdict::critical(message, help));
        }
    }
    let verdict = match carried(context, found)? {
        Some(reached) => {
            Verdict::measured(reached.state, reached.message, "nats stream info says more")
        }
        None => copies(context, found),
    };
    let count = |name, value: u64| Figure::new(name, value as f64, Unit::Count);
    Ok(verdict
        .figure(count("messages", found.state.messages))
        .figure(Figure::new(
            "stored_bytes",
            found.state.bytes as f64,
            Unit::Bytes,
        )))
}

/// What differs from the declaration; `None`: nothing.
pub fn differing(differences: &[Difference]) -> Option<String> {
    let first = differences.first()?;
    let more = match differences.len() - 1 {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    Some(format!(
        "differs from its declaration: {} is {}, declared is {}{more}",
        first.field, first.from, first.to
    ))
}

/// Whether it is led, and its copies keep up. Only the leader knows the others: to a copy all other copies look behind.
fn copies(context: &Context, found: &Stream) -> Verdict {
    let holds = format!("{} messages", found.state.messages);
    let Some(group) = &found.cluster else {
        return Verdict::ok(holds);
    };
    if group.leader.is_empty() {
        return Verdict::critical(
            "it has no leader: nothing can be stored or read",
            "see which of its servers are gone: nats stream info",
        );
    }
    let leads = group.leader == context.health.server_name;
    let mut behind = group
        .replicas
        .iter()
        .filter(|copy| copy.offline || !copy.current);
    match behind.next().filter(|_| leads) {
        Some(copy) => Verdict::warning(
            format!(
                "its copy on {} {}",
                copy.name,
                if copy.offline { "is gone" } else { "is behind" }
            ),
            "see whether that server runs and catches up: nats stream info",
        ),
        None => Verdict::ok(format!("{holds}, led by {}", group.leader)),
    }
}

/// The first level of its metadata that is reached.
fn carried(context: &Context, found: &Stream) -> Result<Option<Reached>, Verdict> {
    let levels = Levels::of(&found.config);
    let leads = Group::led_by(found.cluster.as_ref(), &context.health.server_name);
    if !leads {
        return Ok(None);
    }
    levels.readable()?;
    let mut reached = vec![
        levels.above("msgs", found.state.messages, "messages")?,
        levels.between("subjects", found.state.num_subjects, "subjects")?,
    ];
    let sources = found.sources.len() as u64;
    let counted = |name: &str, is_wrong: fn(u64, u64) -> bool, value: u64, what: &str| {
        let level = levels.number(name)?.filter(|level| is_wrong(value, *level));
        Ok(level.map(|level| Reached {
            state: crate::health::finding::State::Critical,
            message: format!("{value} {what}, io.nats.monitor.{name} is {level}"),
        }))
    };
    reached.push(counted(
        "min-sources",
        |value, level| value < level,
        sources,
        "sources",
    )?);
    reached.push(counted(
        "max-sources",
        |value, level| value > level,
        sources,
        "sources",
    )?);
    let replicas = found.cluster.iter().flat_map(|group| &group.replicas);
    reached.push(counted(
        "peer-expect",
        |value, level| value != level,
        1 + replicas.clone().count() as u64,
        "copies",
    )?);
    for copy in replicas {
        reached.push(counted(
            "peer-lag-critical",
            |value, level| value > level,
            copy.lag,
            &format!("operations that {} is behind", copy.name),
        )?);
        let heard = format!("{} was heard of", copy.name);
        let seconds = copy.active as f64 / 1e9;
        reached.push(levels.within("peer-seen-critical", seconds, &heard)?);
    }
    Ok(reached
        .into_iter()
        .flatten()
        .max_by_key(|reached| reached.state))
}
