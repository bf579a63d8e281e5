//! Names in certificates: few characters, since nats-server compares whole subjects as text.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use anyhow::{Result, bail, ensure};

/// X.509 allows no longer common name.
const LONGEST: usize = 64;

/// A common name. nats-server's `verify_and_map` knows its owner as the user `CN=…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommonName(String);

impl CommonName {
    /// A name as it is.
    ///
    /// # Errors
    /// Characters that a subject writes escaped, and more than 64 of them.
    pub fn new(name: &str) -> Result<Self> {
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        ensure!(
            name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(good),
            "{name:?} cannot name a certificate's owner: write letters, digits, dots, dashes and underscores"
        );
        ensure!(
            name.len() <= LONGEST,
            "{name} has {} characters, and a common name has {LONGEST} at most: shorten a part of it",
            name.len()
        );
        Ok(Self(name.to_owned()))
    }

    /// A leaf's, as seed 003 has it: `leaf.{site}.{tenant}.{domain}`.
    ///
    /// # Errors
    /// Parts that are no labels, and more than 64 characters in all.
    pub fn leaf(site: &str, tenant: &str, domain: &str) -> Result<Self> {
        label(site)?;
        label(tenant)?;
        labels(domain)?;
        Self::new(&format!("leaf.{site}.{tenant}.{domain}"))
    }

    /// A device's, as seed 000 has it: `device-{id}.{domain}`, or `device-{id}` alone.
    ///
    /// # Errors
    /// Parts that are no labels, and more than 64 characters in all.
    pub fn device(id: &str, domain: Option<&str>) -> Result<Self> {
        label(id)?;
        let Some(domain) = domain else {
            return Self::new(&format!("device-{id}"));
        };
        labels(domain)?;
        Self::new(&format!("device-{id}.{domain}"))
    }

    /// A CA's, where people write words.
    ///
    /// # Errors
    /// Other characters than letters, digits, spaces, dots, dashes and underscores.
    pub fn authority(name: &str) -> Result<Self> {
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '.' | '-' | '_');
        ensure!(
            name.starts_with(|c: char| c.is_ascii_alphanumeric())
                && name.chars().all(good)
                && name.len() <= LONGEST,
            "{name:?} cannot name a CA: write up to {LONGEST} letters, digits, spaces, dots, dashes and underscores"
        );
        Ok(Self(name.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The user that nats-server's `verify_and_map` looks for.
    pub fn user(&self) -> String {
        format!("CN={}", self.0)
    }
}

impl fmt::Display for CommonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a server is reached: a host name, perhaps `*.` and one, or an IP address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A host name, in lower case.
    Host(String),
    /// An address.
    Ip(IpAddr),
}

impl FromStr for Address {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let bare = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'));
        if let Ok(ip) = bare.unwrap_or(text).parse() {
            return Ok(Address::Ip(ip));
        }
        let host = text.to_ascii_lowercase();
        let digits = |label: &str| label.bytes().all(|b| b.is_ascii_digit());
        let wrong = labels(host.strip_prefix("*.").unwrap_or(&host)).is_err();
        if wrong || host.rsplit('.').next().is_none_or(digits) {
            bail!(
                "{text:?} is no address: write a host name or an IP address, without scheme and port"
            );
        }
        Ok(Address::Host(host))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Host(host) => f.write_str(host),
            Address::Ip(ip) => ip.fmt(f),
        }
    }
}

fn labels(text: &str) -> Result<()> {
    ensure!(
        text.len() <= 253,
        "{text:?} is longer than a host name may be"
    );
    text.split('.').try_for_each(label)
}

fn label(text: &str) -> Result<()> {
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let good = (1..=63).contains(&text.len())
        && text.chars().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-');
    ensure!(
        good,
        "{text:?} cannot be a part of a name: write 1 to 63 letters, digits and dashes, no dash at an end"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_seeds() {
        let leaf = CommonName::leaf("plant-7", "acme", "serviceradar").unwrap();
        assert_eq!(leaf.user(), "CN=leaf.plant-7.acme.serviceradar");
        let device = |domain| CommonName::device("0001", domain).unwrap().to_string();
        assert_eq!(device(None), "device-0001");
        assert_eq!(
            device(Some("device.synadia.local")),
            "device-0001.device.synadia.local"
        );
    }

    #[test]
    fn what_a_subject_would_escape_is_refused() {
        for name in ["", "a/b", "a\nb", "a,b", "a=b", "a b", "-a", "ä", "a\0"] {
            assert!(CommonName::new(name).is_err(), "{name:?}");
            assert!(CommonName::leaf(name, "t", "d").is_err(), "{name:?}");
            assert!(CommonName::device(name, None).is_err(), "{name:?}");
        }
        assert!(CommonName::leaf("a.b", "t", "d").is_err());
        assert!(CommonName::new(&"a".repeat(64)).is_ok());
        assert!(CommonName::new(&"a".repeat(65)).is_err());
        assert!(CommonName::authority("Example CIM root").is_ok());
        assert!(CommonName::authority("a\nb").is_err());
    }

    #[test]
    fn addresses_are_hosts_or_ips() {
        for (text, shown) in [
            ("Hub-1.Example.com", "hub-1.example.com"),
            ("*.nats.svc", "*.nats.svc"),
            ("10.0.0.1", "10.0.0.1"),
            ("[::1]", "::1"),
            ("localhost", "localhost"),
        ] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), shown);
        }
        for text in [
            "",
            "*",
            "*.",
            "a..b",
            "a:4222",
            "tls://a",
            "10.0.0",
            "1.2.3.256",
            "a/b",
            "a\n",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
