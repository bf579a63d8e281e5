//! nats-server versions, and the oldest that the modules are for. Those to stay away from: `lint/advisories.rs`.

use crate::problem::Refused;

/// The oldest nats-server that the rendered configuration is for.
pub const MINIMUM: Version = Version(2, 12, 0);

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        assert!(Version::parse("2.9.10").unwrap() < MINIMUM);
        assert!(Version::parse("v2.15.0-dev").unwrap() > MINIMUM);
        assert!(Version::parse("unstable").is_err());
    }
}
