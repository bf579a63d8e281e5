//! What the text of an instance's unit must say, given the options.

use anyhow::{Result, anyhow};
use cim_spec::duration::Duration;
use serde::Deserialize;

/// File descriptors that are not for clients: store files, routes, leaves.
const RESERVE: u64 = 16384;

/// What the unit of an instance follows.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Instance {
    /// Name of its unit, without `.service`.
    pub unit: String,
    memory_max_bytes: Option<u64>,
    lame_duck: LameDuck,
    max_connections: u64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LameDuck {
    duration: String,
    grace_period: String,
}

/// What is wrong with the unit's text, one text for each.
///
/// # Errors
/// Options that are no durations: such a host is not rendered.
pub fn problems(text: &str, instance: &Instance) -> Result<Vec<String>> {
    let unit = Unit(text);
    let mut problems = Vec::new();
    let mut must = |holds: bool, what: String| {
        if !holds {
            problems.push(format!("{}.service: {what}", instance.unit));
        }
    };
    let user = unit.one("User");
    must(
        user == Some(&instance.unit) && unit.one("DynamicUser").is_none(),
        format!("runs as {user:?}, not as a static user of its own"),
    );
    for key in [
        "X-Reload-Triggers",
        "X-Restart-Triggers",
        "ExecReload",
        "ExecStartPost",
    ] {
        must(
            unit.one(key).is_some_and(|value| !value.is_empty()),
            format!("needs one {key}"),
        );
    }
    must(
        unit.one("KillSignal") == Some("SIGUSR2"),
        "KillSignal must be SIGUSR2: lame duck".to_owned(),
    );
    let files = unit.number("LimitNOFILE");
    let wanted = instance.max_connections + RESERVE;
    must(
        files == Some(wanted),
        format!("LimitNOFILE is {files:?}, must be limits.maxConnections + {RESERVE}: {wanted}"),
    );
    let stop = unit.number("TimeoutStopSec").unwrap_or_default() * 1000;
    let lame_duck = milliseconds(&instance.lame_duck.duration)?
        + milliseconds(&instance.lame_duck.grace_period)?;
    must(
        stop > lame_duck,
        format!("TimeoutStopSec is {stop} ms, shorter than lame duck: {lame_duck} ms"),
    );
    must(
        memory_is_right(&unit, instance.memory_max_bytes),
        "GOMEMLIMIT must be nine tenths of MemoryMax, and absent where there is no memoryMaxBytes"
            .to_owned(),
    );
    Ok(problems)
}

/// The garbage collector starts before the kernel ends the process.
fn memory_is_right(unit: &Unit, wanted: Option<u64>) -> bool {
    let prefix = "\"GOMEMLIMIT=";
    let aim = unit.all("Environment").find_map(|value| {
        let number = value.strip_prefix(prefix)?.strip_suffix('"')?;
        number.parse::<u64>().ok()
    });
    let max = unit.number("MemoryMax");
    // Whole bytes: a tenth is rounded down.
    let nine_tenths = wanted.map(|bytes| bytes / 10 * 9);
    max == wanted && aim == nine_tenths
}

fn milliseconds(text: &str) -> Result<u64> {
    let duration = Duration::parse(text).map_err(|_| anyhow!("{text:?} is not a duration"))?;
    Ok(duration.as_millis())
}

/// The text of a unit file.
struct Unit<'a>(&'a str);

impl<'a> Unit<'a> {
    /// Every value of a key, whichever section it is in: no key of ours is in two.
    fn all(&self, key: &'a str) -> impl Iterator<Item = &'a str> {
        let lines = self.0.lines().filter_map(|line| line.split_once('='));
        lines
            .filter(move |(name, _)| *name == key)
            .map(|(_, value)| value)
    }

    /// The value of a key that is there once.
    fn one(&self, key: &'a str) -> Option<&'a str> {
        let mut values = self.all(key);
        let first = values.next();
        if values.next().is_some() { None } else { first }
    }

    fn number(&self, key: &'a str) -> Option<u64> {
        self.one(key)?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[Unit]\nX-Reload-Triggers=a\nX-Restart-Triggers=b\n\n[Service]\n\
        Environment=\"GOMEMLIMIT=900\"\nExecReload=+/r\nExecStartPost=/p\nKillSignal=SIGUSR2\n\
        LimitNOFILE=16484\nMemoryMax=1000\nTimeoutStopSec=50\nUser=cim-a\n";

    fn problems_of(text: &str) -> Vec<String> {
        let instance = Instance {
            unit: "cim-a".to_owned(),
            memory_max_bytes: Some(1000),
            lame_duck: LameDuck {
                duration: "30s".to_owned(),
                grace_period: "5s".to_owned(),
            },
            max_connections: 100,
        };
        problems(text, &instance).unwrap()
    }

    #[test]
    fn each_line_is_held_against_its_option() {
        assert_eq!(problems_of(GOOD), Vec::<String>::new());
        let wrong = [
            ("User=cim-a\n", "User=root\n"),
            ("User=cim-a\n", "User=cim-a\nDynamicUser=true\n"),
            ("X-Reload-Triggers=a\n", ""),
            ("X-Restart-Triggers=b\n", ""),
            ("ExecReload=+/r\n", ""),
            ("ExecStartPost=/p\n", ""),
            ("SIGUSR2", "SIGTERM"),
            ("LimitNOFILE=16484", "LimitNOFILE=16384"),
            ("TimeoutStopSec=50", "TimeoutStopSec=35"),
            ("GOMEMLIMIT=900", "GOMEMLIMIT=1000"),
            ("MemoryMax=1000\n", ""),
        ];
        for (old, new) in wrong {
            assert_eq!(
                problems_of(&GOOD.replace(old, new)).len(),
                1,
                "{old} → {new}"
            );
        }
    }
}
