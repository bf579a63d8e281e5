//! What of a PEM certificate counts here: whose it is, where it holds, until when.

use std::net::IpAddr;

use x509_parser::extensions::GeneralName;
use x509_parser::pem::Pem;
use x509_parser::prelude::X509Certificate;

/// A certificate of a PEM text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Its subject, such as `CN=hub-1`.
    pub subject: String,
    /// DNS names and addresses that it holds for.
    pub names: Vec<String>,
    /// Its last second, since 1970.
    pub ends: i64,
}

impl Certificate {
    /// The certificates of a PEM text in their order: the owner's first, then those of the CAs above it. Other
    /// blocks are passed over.
    ///
    /// # Errors
    /// A text without certificates, or with one that cannot be read, as a sentence.
    pub fn all(pem: &str) -> Result<Vec<Self>, String> {
        let mut all = Vec::new();
        for block in Pem::iter_from_buffer(pem.as_bytes()) {
            let block = block.map_err(|error| format!("is not PEM: {error}"))?;
            if block.label != "CERTIFICATE" {
                continue;
            }
            let parsed = block.parse_x509();
            let parsed =
                parsed.map_err(|error| format!("holds a certificate that is none: {error}"))?;
            all.push(Self::of(&parsed));
        }
        if all.is_empty() {
            return Err("holds no PEM certificate".to_owned());
        }
        Ok(all)
    }

    fn of(parsed: &X509Certificate<'_>) -> Self {
        let names = parsed.subject_alternative_name().ok().flatten();
        let names = names.iter().flat_map(|names| &names.value.general_names);
        Self {
            subject: parsed.subject().to_string(),
            names: names.filter_map(name).collect(),
            ends: parsed.validity().not_after.timestamp(),
        }
    }

    /// Whether it holds for a host name or address; a wildcard stands for one label.
    pub fn holds_for(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let host = host.parse::<IpAddr>().map_or(host, |ip| ip.to_string());
        self.names.iter().any(|name| {
            let name = name.to_ascii_lowercase();
            let below = host.split_once('.').map(|(_, rest)| rest);
            name == host
                || name
                    .strip_prefix("*.")
                    .is_some_and(|rest| below == Some(rest))
        })
    }
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => {
            let v4 = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
            let ip = v4.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from));
            ip.ok().map(|ip| ip.to_string())
        }
        _ => None,
    }
}
