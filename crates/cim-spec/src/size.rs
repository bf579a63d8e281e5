//! Sizes as operators write them (`"10GiB"`); nats.conf gets plain bytes.

use crate::problem::Refused;

const UNITS: &[(&str, u64)] = &[
    ("", 1),
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// Reads a whole number of bytes, or one with a binary unit.
///
/// `"10GB"` is refused on purpose: nats-server reads it as 2³⁰-based, everybody else as 10⁹.
///
/// # Errors
/// Anything else, and what does not fit a signed 64-bit integer.
pub fn parse(text: &str) -> Result<u64, Refused> {
    let split = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    UNITS
        .iter()
        .find_map(|(name, factor)| (*name == unit).then_some(*factor))
        .zip(number.parse::<u64>().ok())
        .and_then(|(factor, number)| number.checked_mul(factor))
        .filter(|bytes| i64::try_from(*bytes).is_ok())
        .ok_or_else(|| {
            Refused::new(
                "is not a size",
                "write bytes, or a whole number and one of KiB, MiB, GiB, TiB, for example \"10GiB\"",
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_units_only() {
        assert_eq!(parse("64MiB"), Ok(64 << 20));
        assert_eq!(parse("4096"), Ok(4096));
        for text in ["10GB", "10G", "", "KiB", "1.5GiB", "-1", "99999999999TiB"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
