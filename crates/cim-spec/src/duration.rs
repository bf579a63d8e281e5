//! Durations as operators write them (`"30s"`, `"7d"`) and as Go reads them (`"168h"`).

use std::fmt;

use crate::problem::Refused;

/// A span of time in whole milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration(u64);

const UNITS: &[(&str, u64)] = &[
    ("ms", 1),
    ("s", 1000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
    ("w", 604_800_000),
];

/// Go keeps durations in a signed 64-bit count of nanoseconds.
const MAX_MILLIS: u64 = i64::MAX as u64 / 1_000_000;

impl Duration {
    /// Reads a whole number and one unit of `ms`, `s`, `m`, `h`, `d`, `w`.
    ///
    /// # Errors
    /// Anything else, and what is longer than Go can count (292 years).
    pub fn parse(text: &str) -> Result<Self, Refused> {
        let refused = || {
            Refused::new(
                "is not a duration",
                "write a whole number and one unit of ms, s, m, h, d or w, for example \"30s\"",
            )
        };
        let split = text
            .find(|c: char| !c.is_ascii_digit())
            .ok_or_else(refused)?;
        let (number, unit) = text.split_at(split);
        let factor = UNITS
            .iter()
            .find_map(|(name, factor)| (*name == unit).then_some(*factor))
            .ok_or_else(refused)?;
        number
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(factor))
            .filter(|millis| *millis <= MAX_MILLIS)
            .map(Self)
            .ok_or_else(refused)
    }

    /// Whole milliseconds.
    pub fn as_millis(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Duration {
    /// Go's notation, which has no days or weeks: the largest unit that divides it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, factor) = UNITS
            .iter()
            .take(4)
            .rev()
            .find(|(_, factor)| self.0 != 0 && self.0.is_multiple_of(*factor))
            .unwrap_or(&("s", 1));
        write!(f, "{}{unit}", self.0 / factor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_hours_because_go_has_no_days() {
        assert_eq!(Duration::parse("7d").unwrap().to_string(), "168h");
        assert_eq!(Duration::parse("90s").unwrap().to_string(), "90s");
        assert_eq!(Duration::parse("120s").unwrap().to_string(), "2m");
        assert_eq!(Duration::parse("0s").unwrap().to_string(), "0s");
    }

    #[test]
    fn what_has_no_unit_or_too_many_is_refused() {
        for text in [
            "",
            "7",
            "7dd",
            "1h30m",
            "-1s",
            "1.5h",
            "s",
            "9999999999999w",
        ] {
            assert!(Duration::parse(text).is_err(), "{text}");
        }
    }
}
