//! Certificates, read from PEM wherever they were made.

use std::fmt;

use anyhow::{Result, anyhow, bail, ensure};
use data_encoding::BASE64;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, ServerName};
use time::OffsetDateTime;
use webpki::EndEntityCert;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::name::Address;

/// A certificate.
#[derive(Clone)]
pub struct Certificate {
    der: CertificateDer<'static>,
    public: Vec<u8>,
    common_name: Option<String>,
    subject: String,
    names: Vec<String>,
    not_before: OffsetDateTime,
    not_after: OffsetDateTime,
    is_ca: bool,
    is_root: bool,
}

impl Certificate {
    /// Reads every certificate of a PEM file, in its order.
    ///
    /// # Errors
    /// A file without one, or with a damaged one.
    pub fn read_all(pem: &[u8]) -> Result<Vec<Self>> {
        let all = CertificateDer::pem_slice_iter(pem).map(|one| one.map_err(broken)?.try_into());
        let all: Vec<Self> = all.collect::<Result<_>>()?;
        ensure!(
            !all.is_empty(),
            "there is no certificate in it: one begins with -----BEGIN CERTIFICATE-----"
        );
        Ok(all)
    }

    /// Common name.
    pub fn common_name(&self) -> Option<&str> {
        self.common_name.as_deref()
    }

    /// Whole subject.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Alternative names: hosts and addresses.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// First moment.
    pub fn not_before(&self) -> OffsetDateTime {
        self.not_before
    }

    /// Last moment.
    pub fn not_after(&self) -> OffsetDateTime {
        self.not_after
    }

    /// Its bytes.
    pub fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// Whether a key is its own: of its key the public half, DER.
    pub fn is_of(&self, public: &[u8]) -> bool {
        self.public == public
    }

    /// Whether it holds where somebody dials; of a wildcard, for a name that it covers.
    pub fn holds_for(&self, address: &Address) -> bool {
        let name = ServerName::try_from(address.to_string().replace('*', "any"));
        let parsed = EndEntityCert::try_from(&self.der);
        parsed.is_ok_and(|parsed| {
            name.is_ok_and(|name| parsed.verify_is_valid_for_subject_name(&name).is_ok())
        })
    }

    /// Its PEM text.
    pub fn pem(&self) -> String {
        let body = BASE64.encode(&self.der);
        let mut text = String::from("-----BEGIN CERTIFICATE-----\n");
        let (mut rest, mut line);
        rest = body.as_str();
        while !rest.is_empty() {
            (line, rest) = rest.split_at(rest.len().min(64));
            text.push_str(line);
            text.push('\n');
        }
        text.push_str("-----END CERTIFICATE-----\n");
        text
    }

    /// Whether it may sign others.
    pub fn is_ca(&self) -> bool {
        self.is_ca
    }

    /// Whether it names itself as its issuer.
    pub fn is_root(&self) -> bool {
        self.is_root
    }
}

impl TryFrom<CertificateDer<'static>> for Certificate {
    type Error = anyhow::Error;

    fn try_from(der: CertificateDer<'static>) -> Result<Self> {
        let parsed = X509Certificate::from_der(&der);
        let (rest, parsed) =
            parsed.map_err(|_| anyhow!("a certificate in it is damaged: copy it again"))?;
        ensure!(
            rest.is_empty(),
            "a certificate in it has bytes after its end"
        );
        let common_name = parsed.subject().iter_common_name().next();
        let names = match parsed.subject_alternative_name() {
            Ok(Some(names)) => names.value.general_names.iter().filter_map(name).collect(),
            Ok(None) => Vec::new(),
            Err(_) => bail!("a certificate in it has its alternative names twice"),
        };
        let constraints = parsed.basic_constraints().ok().flatten();
        let validity = parsed.validity();
        Ok(Self {
            common_name: common_name
                .and_then(|name| name.as_str().ok())
                .map(str::to_owned),
            subject: parsed.subject().to_string(),
            names,
            not_before: validity.not_before.to_datetime(),
            not_after: validity.not_after.to_datetime(),
            is_ca: constraints.is_some_and(|found| found.value.ca),
            is_root: parsed.subject().as_raw() == parsed.issuer().as_raw(),
            public: parsed.public_key().raw.to_vec(),
            der: der.clone(),
        })
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.subject)
    }
}

fn broken(error: pem::Error) -> anyhow::Error {
    match error {
        pem::Error::MissingSectionEnd { .. } => {
            anyhow!("the file was cut: a -----BEGIN line has no -----END; copy it again, whole")
        }
        _ => anyhow!("it is no PEM file: text between -----BEGIN and -----END lines"),
    }
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(host) => Some((*host).to_owned()),
        GeneralName::IPAddress(bytes) => {
            let four = <[u8; 4]>::try_from(*bytes).map(std::net::IpAddr::from);
            let any = four.or_else(|_| <[u8; 16]>::try_from(*bytes).map(std::net::IpAddr::from));
            any.ok().map(|ip| ip.to_string())
        }
        _ => None,
    }
}
