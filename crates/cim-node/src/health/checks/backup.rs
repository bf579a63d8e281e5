//! Backups of accounts: how old the newest good one is, and whether it came back when it was tried.

use std::time::Duration;

use cim_spec::artefact::{Level, WatchedBackup};

use super::expiry::{clock_was_set, days};
use super::jetstream::bytes;
use crate::backup::status::{Newest, moment};
use crate::backup::told::{Drill, Told};
use crate::health::check::{Check, Context, Subjects};
use crate::health::finding::{Figure, State, Unit, Verdict, name, reached};

pub const CHECKS: &[Check] = &[
    Check {
        name: "backup",
        of: "account",
        looks_at: "what `cim-backup` tells everybody in `/var/lib/cim-<name>-backup/<account>.json`: counts and moments",
        states: "WARNING, CRITICAL: the newest good backup began as long ago as the level. Where there is none: WARNING, and CRITICAL once the server runs for as long as the critical level. WARNING: the last try failed. UNKNOWN: the file cannot be read, or tells of the future; or the clock was just set.",
        option: "backup",
        after: &[],
        gates: false,
        is_slow: false,
        meaning: "What was stored since the newest good backup began is lost with the disk. The age counts from its beginning, for nothing later is in it.",
        causes: [
            (
                "the backup fails: the server refuses it, the disk is full, the account holds nothing",
                "journalctl -u {unit}-backup -n 50; systemctl status {unit}-backup",
            ),
            (
                "it was never time for it, or the timer is stopped",
                "systemctl list-timers {unit}-backup; systemctl start {unit}-backup",
            ),
            (
                "backup.onCalendar is more seldom than health.backup says",
                "systemctl cat {unit}-backup.timer; grep -A3 '\"backup\"' {health}",
            ),
        ],
        subjects: |context| Subjects::these(watched(context, |_| true)),
        judge: |context| each(context, |_| true, backup),
    },
    Check {
        name: "drill",
        of: "account",
        looks_at: "the last drill, as `cim-backup` tells it in the same file",
        states: "CRITICAL: what was restored was not what was backed up. WARNING, CRITICAL: the last drill is as old as the level. Where there is none: WARNING, and CRITICAL once the server runs for as long as the critical level. UNKNOWN: because of the account's backup, while that is critical or unknown; or the clock was just set.",
        option: "drill",
        after: &[],
        gates: false,
        is_slow: false,
        meaning: "A backup that was never restored is a hope. After each backup a drill restores it into a throwaway server and compares.",
        causes: [
            (
                "the backup on the disk is damaged",
                "journalctl -u {unit}-backup -n 50; cim-backup check /var/backup/{unit}/ACCOUNT",
            ),
            (
                "the drill has no room: it needs that of the largest stream twice",
                "df -h /var/cache",
            ),
            (
                "the backup before it fails, so it is never its turn",
                "systemctl status {unit}-backup; cim-health {health} | grep backup",
            ),
        ],
        subjects: drills,
        judge: |context| each(context, is_drilled, drill),
    },
];

/// One account's backups, as they are told.
type Backups = (WatchedBackup, Result<Option<Told>, String>);

/// Whether its backups are to be tried, and there is one: without, `backup` says so.
fn is_drilled((watched, told): &Backups) -> bool {
    let never = |told: &Option<Told>| told.as_ref().is_none_or(|told| told.newest.is_none());
    watched.drill && !told.as_ref().is_ok_and(never)
}

fn drills(context: &Context) -> Subjects {
    let tried = watched(context, is_drilled);
    match tried.is_empty() && context.health.watch.backups.iter().any(|all| all.drill) {
        true => Subjects::Later("there is no backup yet that could be tried"),
        false => Subjects::these(tried),
    }
}

fn watched(context: &Context, is: fn(&Backups) -> bool) -> Vec<String> {
    let backups = context.look.slow.backups.iter().filter(|one| is(one));
    backups
        .map(|(watched, _)| watched.account.clone())
        .collect()
}

fn each(
    context: &Context,
    is: fn(&Backups) -> bool,
    judge: fn(&Context, &WatchedBackup, &Told) -> Result<Verdict, Verdict>,
) -> Vec<(String, Verdict)> {
    let backups = context.look.slow.backups.iter().filter(|one| is(one));
    let judged = backups.map(|(watched, told)| {
        let nothing = Told::default();
        let backup = context.finding("backup", &watched.account);
        let verdict = match (clock_was_set(context), asked_of(told)) {
            (true, _) => Err(Verdict::because("clock")),
            // One file, one finding.
            (false, Err(unreadable)) => {
                Err(backup.map_or(unreadable, |backup| Verdict::because(&backup.name())))
            }
            (false, Ok(told)) => judge(context, watched, told.unwrap_or(&nothing)),
        };
        let verdict = verdict.unwrap_or_else(|verdict| verdict);
        (watched.account.clone(), verdict)
    });
    judged.collect()
}

fn asked_of(told: &Result<Option<Told>, String>) -> Result<Option<&Told>, Verdict> {
    let told = told.as_ref().map_err(|why| {
        Verdict::unknown(
            why.clone(),
            "see whether this user may read it: namei -l; the next backup writes it anew",
        )
    })?;
    Ok(told.as_ref())
}

fn backup(context: &Context, _: &WatchedBackup, told: &Told) -> Result<Verdict, Verdict> {
    let unit = &context.health.unit;
    let level = context.level(|levels| levels.backup);
    let again = format!(
        "see why: journalctl -u {unit}-backup -n 50; take one: systemctl start {unit}-backup"
    );
    let failed = told.attempt.as_ref().filter(|attempt| attempt.exit > 1);
    let failed = failed.map(|attempt| {
        let ago = age(context, &attempt.at, "the last try ended");
        ago.map(|ago| format!("the last try, {} ago, failed; ", days(ago)))
    });
    let failed = failed.transpose()?.unwrap_or_default();
    let Some(newest) = &told.newest else {
        let message = format!("{failed}there is no good backup yet");
        return Ok(Verdict::measured(missing(context, level), message, again));
    };
    let age = age(context, &newest.start, "the newest backup began")?;
    let state = match failed.is_empty() {
        true => reached(millis(age), level),
        false => reached(millis(age), level).max(State::Warning),
    };
    let message = format!("{failed}{}", words(newest, age));
    Ok(Verdict::measured(state, message, again)
        .figure(Figure::new("age_seconds", age, Unit::Seconds).against(level))
        .figure(Figure::new("messages", newest.messages as f64, Unit::Count))
        .figure(Figure::new("size_bytes", newest.bytes as f64, Unit::Bytes)))
}

fn words(newest: &Newest, age: f64) -> String {
    format!(
        "the newest good one began {} ago: {} streams, {} messages, {}",
        days(age),
        newest.streams,
        newest.messages,
        bytes(newest.bytes)
    )
}

fn drill(context: &Context, watched: &WatchedBackup, told: &Told) -> Result<Verdict, Verdict> {
    let unit = &context.health.unit;
    let level = context.level(|levels| levels.drill);
    let see = format!("see what did not: journalctl -u {unit}-backup -n 50");
    let failed = told.drill.as_ref().filter(|drill| !drill.ok);
    let backup = context.finding("backup", &watched.account);
    let blocked = backup.filter(|backup| backup.verdict.state >= State::Unknown);
    match (failed, blocked, &told.drill) {
        // That it failed is so whatever else is.
        (Some(drill), ..) => {
            let age = age(context, &drill.at, "the last drill ended")?;
            let message = format!(
                "the drill {} ago failed: {} of {} did not come back as it was",
                days(age),
                match drill.problems {
                    1 => "1 thing".to_owned(),
                    count => format!("{count} things"),
                },
                drill.backup
            );
            Ok(measured(Verdict::critical(message, see), drill, age, level))
        }
        (None, Some(_), _) => Err(Verdict::because(&name("backup", &watched.account))),
        (None, None, None) => {
            let message = "no backup was ever tried";
            let help = format!("take and try one: systemctl start {unit}-backup");
            Ok(Verdict::measured(missing(context, level), message, help))
        }
        (None, None, Some(drill)) => {
            let age = age(context, &drill.at, "the last drill ended")?;
            let message = format!(
                "{} came back whole {} ago, in {:.1} s",
                drill.backup,
                days(age),
                drill.seconds
            );
            let state = reached(millis(age), level);
            let verdict = Verdict::measured(state, message, see);
            Ok(measured(verdict, drill, age, level))
        }
    }
}

fn measured(verdict: Verdict, drill: &Drill, age: f64, level: Level) -> Verdict {
    verdict
        .figure(Figure::new("age_seconds", age, Unit::Seconds).against(level))
        .figure(Figure::new("took_seconds", drill.seconds, Unit::Seconds))
}

/// How it is where there is none: a host that is new has none yet and says so; one that runs for as long as is critical
/// should have had one.
fn missing(context: &Context, level: Level) -> State {
    let varz = context.look.varz.as_ref().ok();
    let start = varz.and_then(|varz| moment(&varz.start));
    let up = start.map_or(0.0, |start| (context.look.at - start).as_seconds_f64());
    reached(millis(up), level).max(State::Warning)
}

/// Seconds since a moment that was written down.
fn age(context: &Context, text: &str, what: &str) -> Result<f64, Verdict> {
    let help = "see whether the host's clock is right: timedatectl; the next backup writes it anew";
    let Some(at) = moment(text) else {
        let message = format!("{what} at {text:?}, which is no moment");
        return Err(Verdict::unknown(message, help));
    };
    let age = (context.look.at - at).as_seconds_f64();
    // It is written by this very host; a look that began a moment before it was is no jump of the clock.
    match age < -JUMP.as_secs_f64() {
        true => {
            let message = format!("{what} at {text}, which is still to come");
            Err(Verdict::unknown(message, help))
        }
        false => Ok(age.max(0.0)),
    }
}

/// How far ahead of a look what is written down may be.
const JUMP: Duration = Duration::from_secs(60);

/// Milliseconds, as levels have them.
fn millis(seconds: f64) -> u64 {
    (seconds * 1000.0) as u64
}
