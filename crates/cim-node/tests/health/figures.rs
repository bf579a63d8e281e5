//! What Prometheus reads of a fault's own subject: its figures before, and while it lasts.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use anyhow::{Context, Result};
use regex::Regex;

use crate::transcript::Told;

/// Figures of one subject, by their series.
type Figures = BTreeMap<String, f64>;

/// Parts of series that move by themselves: how long loopback or a drill takes, what was counted until now, how full this
/// machine's disk is, how far apart two are who are asked for the time one after the other, how long ago nats-server spoke last.
const RESTLESS: [&str; 6] = [
    "_rtt_seconds",
    "_took_seconds",
    "_total",
    "cim_disk_",
    "cim_clock_",
    "_silent_seconds",
];

/// What is no older than that is as old as another: the test itself takes a while.
const MINUTE: f64 = 60.0;

fn of(told: &Told, check: &str, of: &str) -> Result<Figures> {
    static SAMPLE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let label = |name: &str| format!("{name}=\"((?:[^\"\\\\]|\\\\.)*)\"");
        let labels = ["check", "of"].map(label).join(",");
        let line = format!("^(cim_[a-z_]+)\\{{server=\"[^\"]*\",{labels}\\}} (\\S+)$");
        Regex::new(&line).ok()
    });
    let sample = SAMPLE.as_ref().context("the expression")?;
    let lines = told.metrics.out.lines();
    let samples = lines.filter_map(|line| sample.captures(line));
    let own = samples.filter_map(|found| {
        let [series, its_check, its_of, value] = found.extract().1;
        let is_restless = RESTLESS.iter().any(|part| series.contains(part));
        let is_own = (its_check, its_of) == (check, of) && !is_restless;
        is_own.then(|| Ok((series.to_owned(), value.parse()?)))
    });
    own.collect()
}

/// `cim_link_up: 1 -> 0`, a line for each: nothing and one as they are, other numbers only as more or less than before.
pub fn moved(check: &str, subject: &str, before: &Told, told: &Told) -> Result<String> {
    let (then, now) = (of(before, check, subject)?, of(told, check, subject)?);
    let new = now.keys().filter(|name| !then.contains_key(*name));
    let each = then.keys().chain(new).map(|series| {
        let is_age = series.ends_with("_age_seconds");
        // Of two clocks that are right the difference is some microseconds, or none.
        let is_exact = !is_age && !series.ends_with("_apart_seconds");
        let text = |value: Option<&f64>| match value {
            Some(value) if is_exact && (*value == 0.0 || *value == 1.0) => value.to_string(),
            Some(_) => "#".to_owned(),
            None => "none".to_owned(),
        };
        let (then, now) = (then.get(series), now.get(series));
        let way = then.zip(now).map_or("", |(then, now)| match now - then {
            moved if moved == 0.0 || is_age && moved.abs() < MINUTE => ", the same",
            moved if moved > 0.0 => ", more",
            _ => ", less",
        });
        format!("figure {series}: {} -> {}{way}\n", text(then), text(now))
    });
    Ok(each.collect())
}
