//! Durations as Go writes them: `1h2m3.5s`, `330µs`.

/// Seconds; `None`: no duration.
pub fn seconds(text: &str) -> Option<f64> {
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
    let mut rest = text;
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(digits);
        let unit = after.find(|c: char| c.is_ascii_digit());
        let (unit, after) = after.split_at(unit.unwrap_or(after.len()));
        let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
        total += number.parse::<f64>().ok()? * factor;
        rest = after;
    }
    (!text.is_empty() && total.is_finite()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::seconds;

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
}
