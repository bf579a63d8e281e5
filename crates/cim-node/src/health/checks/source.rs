//! Sources and mirrors: whether what is copied still comes.

use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::capacity::asked;
use crate::health::check::{Check, Context, Subjects};
use crate::health::finding::{Figure, State, Unit, Verdict, reached};
use crate::health::metadata::Levels;
use crate::health::progress::Key;
use crate::monitor::jsz::{Account, Group, Source, Stream};

pub const CHECKS: &[Check] = &[Check {
    name: "source",
    of: "account/stream/source, with @domain where it is in another one",
    looks_at: "`active` of each source and mirror in `/jsz`, on the stream's leader; `lag`, which is 0 while the source is cut off, beside the stream's last sequence, from look to look",
    states: "WARNING, CRITICAL: it has not been heard of for as long as the level (since the server started, where it never was), or is heard of and has brought nothing for as long although more waits. CRITICAL: `lag-critical` or `seen-critical` of the stream's metadata is reached. UNKNOWN: because the link to it is down.",
    option: "sources",
    after: &["server", "jetstream", "meta", "healthz"],
    gates: false,
    is_slow: true,
    meaning: "What is stored at the other end arrives here. After a cut of more than 10 s nats-server takes up to a minute to go on; nothing is lost meanwhile.",
    causes: [
        (
            "the link between was down a moment ago",
            "cim-health {health} | grep -E 'link|leaf'",
        ),
        (
            "the stream at the other end is gone or has another name; or this one is full, and its discard is new",
            "nats stream info; nats --js-domain DOMAIN stream info",
        ),
        (
            "the leaf's user may not use the subjects of JetStream that it needs",
            "journalctl -u {unit} -g 'Permissions Violation' -n 20",
        ),
    ],
    subjects: |context| Subjects::these(sources(context).map(|copied| copied.subject())),
    judge: |context| {
        let each = sources(context).map(|copied| {
            let verdict = judged(context, &copied);
            (copied.subject(), verdict.unwrap_or_else(|verdict| verdict))
        });
        each.collect()
    },
}];

/// A source of a stream.
struct Copied<'a> {
    account: &'a Account,
    stream: &'a Stream,
    source: &'a Source,
}

impl Copied<'_> {
    /// Streams of several leaves have one name, each in its domain.
    fn subject(&self) -> String {
        let Self {
            account,
            stream,
            source,
        } = self;
        let at = domain(source).map_or_else(String::new, |domain| format!("@{domain}"));
        format!("{}/{}/{}{at}", account.name, stream.name, source.name)
    }
}

/// Sources of streams that this server leads.
fn sources<'a>(context: &'a Context) -> impl Iterator<Item = Copied<'a>> {
    let accounts = context.look.slow.jsz.as_ref().ok();
    let accounts = accounts.into_iter().flat_map(|jsz| &jsz.account_details);
    accounts.flat_map(move |account| {
        let streams = account
            .stream_detail
            .iter()
            .filter(|stream| Group::led_by(stream.cluster.as_ref(), &context.health.server_name));
        streams.flat_map(move |stream| {
            let sources = stream.sources.iter().chain(&stream.mirror);
            sources.map(move |source| Copied {
                account,
                stream,
                source,
            })
        })
    })
}

/// Which domain a source is in; `None`: this one.
fn domain(source: &Source) -> Option<&str> {
    let api = &source.external.as_ref()?.api;
    api.strip_prefix("$JS.")?.strip_suffix(".API")
}

/// The finding that says why a source in another domain cannot be heard of.
fn cut(context: &Context, domain: &str) -> Option<String> {
    let watch = &context.health.watch;
    let links = watch.links.iter().filter(|link| link.domain == domain);
    let links = links.map(|link| ("link", &link.remote));
    let leaves = watch.leaves.iter().filter(|leaf| leaf.domain == domain);
    let leaves = leaves.map(|leaf| ("leaf", &leaf.leaf));
    links
        .chain(leaves)
        .filter_map(|(check, of)| context.finding(check, of))
        .find(|finding| finding.verdict.state >= State::Unknown)
        .map(|finding| {
            finding
                .verdict
                .because
                .clone()
                .unwrap_or_else(|| finding.name())
        })
}

/// A leaf of that domain of which nobody knows here whether it is linked.
fn unknown<'a>(context: &Context<'a>, domain: &str) -> Option<&'a str> {
    let leaves = context.health.watch.leaves.iter();
    let mut leaves = leaves.filter(|leaf| leaf.domain == domain);
    let leaf = leaves.find(|leaf| context.finding("leaf", &leaf.leaf).is_none())?;
    Some(&leaf.leaf)
}

fn judged(context: &Context, copied: &Copied) -> Result<Verdict, Verdict> {
    let Copied {
        account,
        stream,
        source,
    } = *copied;
    asked(&context.look.slow.jsz)?;
    if let Some(because) = domain(source).and_then(|domain| cut(context, domain)) {
        return Err(Verdict::because(&because));
    }
    let level = context.level(|levels| levels.sources);
    let at = |seconds: f64| reached((seconds * 1000.0) as u64, level);
    let (silent, heard) = match source.active {
        0.. => {
            let seconds = source.active as f64 / 1e9;
            (seconds, format!("heard of {seconds:.1} s ago"))
        }
        _ => {
            let seconds = alive(context, stream);
            (seconds, format!("never heard of in {seconds:.0} s"))
        }
    };
    let standing = context
        .look
        .slow
        .stuck
        .get(&Key::of(account, stream, source));
    let standing = standing.map_or(0.0, Duration::as_secs_f64);
    let gone = "see whether the stream is there and the link carries JetStream: nats stream info; journalctl -g 'Permissions Violation'";
    let full = "see whether this stream is full and refuses more: nats stream info; then have what is in it used up, or raise its limits";
    let levels = Levels::of(&stream.config);
    let behind = levels.below("lag-critical", source.lag, "messages behind")?;
    let unseen = levels.within("seen-critical", silent, "heard of")?;
    let is_silent = at(silent) > State::Ok || unseen.is_some();
    if let (true, Some(leaf)) = (
        is_silent,
        domain(source).and_then(|at| unknown(context, at)),
    ) {
        let name = format!("leaf {leaf}");
        let mut verdict = Verdict::because(&name);
        verdict.message = format!("because {name} (not known here)");
        return Err(verdict);
    }
    let verdict = match behind.or(unseen) {
        Some(reached) => Verdict::measured(reached.state, reached.message, gone),
        None if at(standing) > at(silent) => {
            let message = format!(
                "{heard}, and has brought nothing for {standing:.0} s: {} messages and more wait",
                source.lag
            );
            Verdict::measured(at(standing), message, full)
        }
        None => Verdict::measured(at(silent), heard, gone),
    };
    Ok(verdict
        .figure(Figure::new("silent_seconds", silent, Unit::Seconds).against(level))
        .figure(Figure::new("standing_seconds", standing, Unit::Seconds).against(level))
        .figure(Figure::new("lag", source.lag as f64, Unit::Count)))
}

/// Since when it could have been heard of: the server's start, or the stream's, whichever was later.
fn alive(context: &Context, stream: &Stream) -> f64 {
    let start = context.look.varz.as_ref().map_or("", |varz| &varz.start);
    let moments = [start, &stream.created];
    let moments = moments.map(|text| OffsetDateTime::parse(text, &Rfc3339).ok());
    let since = moments.into_iter().flatten().max();
    since.map_or(0.0, |since| {
        (context.look.at - since).as_seconds_f64().max(0.0)
    })
}
