//! Durations as Go writes them: `1h2m3.5s`, `330µs`; and as people write them for `nats`: `2d`.

/// What Go knows.
const UNITS: [(&str, f64); 8] = [
    ("ns", 1e-9),
    ("us", 1e-6),
    ("µs", 1e-6),
    ("μs", 1e-6),
    ("ms", 1e-3),
    ("s", 1.0),
    ("m", 60.0),
    ("h", 3600.0),
];

/// What `ParseDuration` of jsm.go knows beyond: <https://pkg.go.dev/github.com/nats-io/jsm.go#ParseDuration>.
const LONG_UNITS: [(&str, f64); 7] = [
    ("d", 86_400.0),
    ("D", 86_400.0),
    ("w", 7.0 * 86_400.0),
    ("W", 7.0 * 86_400.0),
    ("M", 30.0 * 86_400.0),
    ("y", 365.0 * 86_400.0),
    ("Y", 365.0 * 86_400.0),
];

/// Seconds; `None`: no duration.
pub fn seconds(text: &str) -> Option<f64> {
    by_units(text, &UNITS)
}

/// Seconds of what `nats` takes for a duration, days and more too; `None`: no duration.
pub fn long_seconds(text: &str) -> Option<f64> {
    by_units(text, &[&UNITS[..], &LONG_UNITS].concat())
}

fn by_units(text: &str, units: &[(&str, f64)]) -> Option<f64> {
    let mut rest = text;
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(digits);
        let unit = after.find(|c: char| c.is_ascii_digit());
        let (unit, after) = after.split_at(unit.unwrap_or(after.len()));
        let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
        total += number.parse::<f64>().ok()? * factor;
        rest = after;
    }
    (!text.is_empty() && total.is_finite()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::{long_seconds, seconds};

    #[test]
    fn durations_of_go_are_read() {
        assert_eq!(seconds("1h2m3.5s"), Some(3723.5));
        assert_eq!(seconds("250ms"), Some(0.25));
        assert!((seconds("330µs").unwrap() - 330e-6).abs() < 1e-12);
        assert_eq!(seconds("0s"), Some(0.0));
        for wrong in ["", "s", "1", "1 s", "-1s", "1d", "1.2.3s", "NaNs", "1e5s"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn longer_units_are_those_of_nats() {
        assert_eq!(long_seconds("1w2d3h"), Some(9.0 * 86_400.0 + 10_800.0));
        assert_eq!(long_seconds("1m"), Some(60.0));
        assert_eq!(long_seconds("1M"), Some(2_592_000.0));
        assert_eq!(long_seconds("1Y"), long_seconds("365D"));
        assert_eq!(long_seconds("1 d"), None);
    }
}
