//! nats-server versions: what the modules need, and which ones to stay away from.

use crate::problem::Refused;

/// The oldest nats-server that the rendered configuration is for.
pub const MINIMUM: Version = Version(2, 12, 0);

/// Releases to stay away from, a line each: the version, and what to do. Nix reads the same file.
const KNOWN_BAD: &str = include_str!("known-bad.txt");

/// A nats-server release: major, minor, patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32, pub u32);

impl Version {
    /// Reads `2.15.1`, with or without a leading `v` or a pre-release suffix.
    ///
    /// # Errors
    /// Anything that does not start with three numbers.
    pub fn parse(text: &str) -> Result<Self, Refused> {
        let mut numbers = text
            .trim_start_matches('v')
            .split('.')
            .map(|part| part.split(['-', '+']).next().unwrap_or(part).parse::<u32>());
        match (numbers.next(), numbers.next(), numbers.next()) {
            (Some(Ok(major)), Some(Ok(minor)), Some(Ok(patch))) => Ok(Self(major, minor, patch)),
            _ => Err(Refused::new(
                "is not a nats-server version",
                "use a nats-server package with a version such as \"2.15.1\"",
            )),
        }
    }
}

/// A warning about a version that works until it does not; `None` for all others.
pub fn advice(version: Version) -> Option<String> {
    let Version(major, minor, patch) = version;
    let start = format!("{major}.{minor}.{patch} ");
    KNOWN_BAD
        .lines()
        .find(|line| line.starts_with(&start))
        .map(|line| format!("nats-server {line}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        assert!(Version::parse("2.9.10").unwrap() < MINIMUM);
        assert!(Version::parse("v2.15.0-dev").unwrap() > MINIMUM);
        assert!(Version::parse("unstable").is_err());
        assert!(advice(Version(2, 14, 4)).is_some());
        assert!(advice(Version(2, 14, 5)).is_none());
    }
}
