//! Moments as JetStream writes them: RFC 3339.

use crate::problem::Refused;

/// Checks a moment with its offset, such as `2030-01-01T00:00:00Z`.
///
/// # Errors
/// Anything that Go's `time.RFC3339Nano` does not read.
pub fn check(text: &str) -> Result<(), Refused> {
    if is_moment(text) {
        return Ok(());
    }
    Err(Refused::new(
        "is not a moment",
        "write date, time and offset as RFC 3339 has them, for example \"2030-01-01T00:00:00Z\"",
    ))
}

fn is_moment(text: &str) -> bool {
    let Some((date, rest)) = text.split_once('T') else {
        return false;
    };
    let (time, offset) = match rest.strip_suffix('Z') {
        Some(time) => (time, "00:00"),
        None => match rest.rfind(['+', '-']).map(|at| rest.split_at(at)) {
            Some((time, offset)) => (time, &offset[1..]),
            None => return false,
        },
    };
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let (Some([year, month, day]), Some([hour, minute, second]), Some([hours, minutes])) = (
        numbers(date, '-', [4, 2, 2]),
        numbers(time, ':', [2, 2, 2]),
        numbers(offset, ':', [2, 2]),
    ) else {
        return false;
    };
    let digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    digits(fraction)
        && (1..=12).contains(&month)
        && (1..=days(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60
        && hours < 24
        && minutes < 60
}

/// Numbers of so many digits each.
fn numbers<const N: usize>(text: &str, between: char, digits: [usize; N]) -> Option<[u32; N]> {
    let mut found = [0; N];
    let mut parts = text.split(between);
    for (number, digits) in found.iter_mut().zip(digits) {
        let part = parts
            .next()
            .filter(|part| part.len() == digits && part.chars().all(|c| c.is_ascii_digit()))?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(found)
}

fn days(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_go_reads() {
        for good in [
            "2030-01-01T00:00:00Z",
            "2028-02-29T23:59:59.123456789+02:00",
            "2030-12-31T00:00:00-11:30",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "tomorrow",
            "2030-01-01",
            "2030-01-01T00:00:00",
            "2030-1-1T00:00:00Z",
            "2030-02-30T00:00:00Z",
            "2030-13-01T00:00:00Z",
            "2030-01-01T24:00:00Z",
            "2030-01-01T00:00:00.Z",
            "2030-01-01T00:00:00+2:00",
            "2030-01-01 00:00:00Z",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
