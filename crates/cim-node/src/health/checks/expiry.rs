//! What expires: certificates that the server has loaded, and files.

use cim_spec::artefact::{Level, WatchedFileKind};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::health::check::{Check, Context, Subjects};
use crate::health::finding::{Figure, State, Unit, Verdict};
use crate::health::judge::written;

const STATES: &str = "WARNING, CRITICAL: what is left is no more than the level; CRITICAL: it has expired. UNKNOWN: the file is missing, cannot be read, or holds something else; or the clock was just set.";

pub const CHECKS: &[Check] = &[
    Check {
        name: "tls",
        of: "listener",
        looks_at: "`tls_cert_not_after` in `/varz` beside the certificate in the listener's file",
        states: "WARNING, CRITICAL: what is left of the loaded certificate is no more than the level; WARNING: the file holds another one. UNKNOWN: the file cannot be read, or the clock was just set.",
        option: "expiry",
        after: &["server"],
        gates: false,
        is_slow: false,
        meaning: "The certificate that a listener shows. nats-server goes on with what it loaded, whatever lies in the file, until it is told to read again.",
        causes: [
            (
                "the certificate was renewed and the server was not told",
                "systemctl reload {unit}",
            ),
            (
                "nobody renews it",
                "systemctl list-timers; openssl x509 -noout -enddate -in FILE",
            ),
            (
                "the file was replaced with half of a pair: nats-server keeps the old one",
                "journalctl -u {unit} -g 'Failed to reload' -n 5",
            ),
        ],
        subjects: |context| {
            Subjects::these(
                context
                    .health
                    .certificates
                    .iter()
                    .map(|of| listener(&of.block)),
            )
        },
        judge: loaded,
    },
    Check {
        name: "certificate",
        of: "file",
        looks_at: "certificates that this instance shows to others, and authorities (of several the one that lives longest)",
        states: STATES,
        option: "expiry",
        after: &[],
        gates: false,
        is_slow: false,
        meaning: "With it this instance proves who it is at its hub, or knows who others are. A link that stands goes on after it has expired, and does not come back once it is cut.",
        causes: [
            ("nobody renews it", "openssl x509 -noout -enddate -in {of}"),
            ("it was renewed elsewhere and not deployed", "ls -l {of}"),
            ("the file cannot be read by this user", "id; namei -l {of}"),
        ],
        subjects: |context| files(context, |kind| kind != WatchedFileKind::Credentials),
        judge: |context| judged(context, |kind| kind != WatchedFileKind::Credentials),
    },
    Check {
        name: "credential",
        of: "file",
        looks_at: "the JWT in each `.creds` file that a remote logs in with, and in operator mode our programs beside a hub's node (`--credential`)",
        states: STATES,
        option: "expiry",
        after: &[],
        gates: false,
        is_slow: false,
        meaning: "The user JWT by which the hub knows this leaf, or a program. The moment it expires the hub cuts the link or the connection and refuses every further try; a new file is taken at the next try, without a reload.",
        causes: [
            ("nobody renews it", "nix run .#identity"),
            ("a new one was issued and not deployed", "ls -l {of}"),
            ("the file cannot be read by this user", "id; namei -l {of}"),
        ],
        subjects: |context| files(context, |kind| kind == WatchedFileKind::Credentials),
        judge: |context| judged(context, |kind| kind == WatchedFileKind::Credentials),
    },
];

/// A listener as people call it; `health.json` has the block of `/varz`.
fn listener(block: &str) -> String {
    if block.is_empty() { "client" } else { block }.to_owned()
}

fn files(context: &Context, which: fn(WatchedFileKind) -> bool) -> Subjects {
    let watched = context.health.watch.files.iter();
    Subjects::these(
        watched
            .filter(|file| which(file.kind))
            .map(|file| file.file.clone()),
    )
}

fn judged(context: &Context, which: fn(WatchedFileKind) -> bool) -> Vec<(String, Verdict)> {
    let watched = context.health.watch.files.iter();
    let each = watched.filter(|file| which(file.kind)).map(|file| {
        let mut seen = context.look.slow.files.iter();
        let verdict = match seen.find(|(seen, _)| seen == file) {
            Some((_, Ok(Some(moment)))) => {
                let help = format!("put a new one at {}", file.file);
                left(context, *moment, help)
            }
            Some((_, Ok(None))) => Verdict::ok("does not expire"),
            Some((_, Err(why))) => Verdict::unknown(
                why.clone(),
                format!(
                    "put it there, readable by the user who runs this: {}",
                    file.file
                ),
            ),
            None => Verdict::unknown("it was not looked at yet", "look again"),
        };
        (file.file.clone(), verdict)
    });
    each.collect()
}

/// Whether the host's clock was just set, so that nobody knows how old or how young anything is.
pub fn clock_was_set(context: &Context) -> bool {
    let clock = context.finding("clock", "");
    clock.is_some_and(|clock| {
        clock.verdict.state == State::Unknown && clock.verdict.because.is_none()
    })
}

/// What is left until a moment.
pub fn left(context: &Context, moment: OffsetDateTime, help: String) -> Verdict {
    if clock_was_set(context) {
        return Verdict::because("clock");
    }
    let level = context.level(|levels| levels.expiry);
    let seconds = (moment - context.look.at).as_seconds_f64();
    let message = match seconds > 0.0 {
        true => format!("expires {}, in {}", written(moment), days(seconds)),
        false => format!("expired {}, {} ago", written(moment), days(-seconds)),
    };
    Verdict::measured(falls(seconds, level), message, help)
        .figure(Figure::new("left_seconds", seconds, Unit::Seconds).against(level))
}

/// `3 days`, `26 hours`, `59 minutes`.
pub fn days(seconds: f64) -> String {
    match seconds {
        seconds if seconds >= 2.0 * 86400.0 => format!("{:.0} days", (seconds / 86400.0).floor()),
        seconds if seconds >= 2.0 * 3600.0 => format!("{:.0} hours", (seconds / 3600.0).floor()),
        seconds => format!("{:.0} minutes", (seconds / 60.0).floor()),
    }
}

/// Where a number stands that is worse the less it is; nothing left is critical whatever the levels.
fn falls(seconds: f64, level: Level) -> State {
    let within = |bound: Option<u64>| bound.is_some_and(|bound| seconds * 1000.0 <= bound as f64);
    match () {
        () if seconds <= 0.0 || within(level.critical) => State::Critical,
        () if within(level.warning) => State::Warning,
        () => State::Ok,
    }
}

fn loaded(context: &Context) -> Vec<(String, Verdict)> {
    let each = context.health.certificates.iter().map(|certificate| {
        let verdict = context.varz().and_then(|varz| {
            let told = varz.certificate_not_after(&certificate.block);
            shown(context, told, &certificate.file)
        });
        (
            listener(&certificate.block),
            verdict.unwrap_or_else(|verdict| verdict),
        )
    });
    each.collect()
}

fn shown(context: &Context, told: Option<&str>, file: &str) -> Result<Verdict, Verdict> {
    let unit = &context.health.unit;
    let mut seen = context.look.slow.files.iter();
    let in_file = seen
        .find(|(seen, _)| seen.file == file)
        .map(|(_, expires)| expires);
    let in_file = match in_file {
        Some(Ok(Some(moment))) => *moment,
        Some(Err(why)) => {
            let help =
                format!("put the certificate there, readable by the user who runs this: {file}");
            return Err(Verdict::unknown(why.clone(), help));
        }
        _ => return Err(Verdict::unknown("it was not looked at yet", "look again")),
    };
    let Some(told) = told else {
        let help = format!("put a new one at {file}, then: systemctl reload {unit}");
        return Ok(left(context, in_file, help)); // before 2.12 the server does not tell
    };
    let loaded = OffsetDateTime::parse(told, &Rfc3339).map_err(|_| {
        let message =
            format!("the server says that its certificate expires {told:?}, which is no moment");
        Verdict::unknown(
            message,
            "see what answers: curl the monitoring URL of health.json",
        )
    })?;
    if loaded != in_file {
        let of_loaded = left(context, loaded, format!("systemctl reload {unit}"));
        let message = format!(
            "the server shows a certificate that expires {}, but {file} holds one that expires {}",
            written(loaded),
            written(in_file)
        );
        let state = of_loaded.state.max(State::Warning);
        let mut verdict = Verdict::measured(state, message, format!("systemctl reload {unit}"));
        verdict.figures = of_loaded.figures;
        return Ok(verdict);
    }
    let help = format!("put a new one at {file}, then: systemctl reload {unit}");
    Ok(left(context, loaded, help))
}
