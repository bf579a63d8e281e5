//! Throwaway identities: a CA of one day, certificates of it, and nkeys. Never for a real host.

use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result};
use nkeys::KeyPair as Nkey;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, SanType,
};
use time::{Duration, OffsetDateTime};

/// A throwaway certificate authority.
pub struct Identities {
    issuer: Issuer<'static, KeyPair>,
    ca: String,
}

impl Identities {
    /// Makes a new authority.
    ///
    /// # Errors
    /// What the cryptography library says.
    pub fn new() -> Result<Self> {
        let key = KeyPair::generate().context("making a throwaway key")?;
        let mut params = params("cim throwaway CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        let ca = params
            .self_signed(&key)
            .context("making a throwaway CA")?
            .pem();
        Ok(Self {
            issuer: Issuer::new(params, key),
            ca,
        })
    }

    /// The authority's certificate, PEM.
    pub fn ca(&self) -> &str {
        &self.ca
    }

    /// A certificate and key for `name` on loopback, PEM, for both server and client use.
    ///
    /// # Errors
    /// What the cryptography library says.
    pub fn certificate(&self, name: &str) -> Result<(String, String)> {
        let doing = || format!("making a throwaway certificate for {name}");
        let key = KeyPair::generate().with_context(doing)?;
        let mut params = params(name);
        params.subject_alt_names = vec![
            SanType::IpAddress(std::net::Ipv4Addr::LOCALHOST.into()),
            SanType::DnsName("localhost".try_into().with_context(doing)?),
        ];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        let certificate = params.signed_by(&key, &self.issuer).with_context(doing)?;
        Ok((certificate.pem(), key.serialize_pem()))
    }

    /// Writes the files that a copy in `dir` opens: `ca.pem`, `cert.pem`, `key.pem`.
    ///
    /// # Errors
    /// What the file system or the cryptography library says.
    pub fn write(&self, dir: &Path, name: &str) -> Result<()> {
        let (certificate, key) = self.certificate(name)?;
        put(&dir.join("ca.pem"), &self.ca)?;
        put(&dir.join("cert.pem"), &certificate)?;
        put(&dir.join("key.pem"), &key)
    }
}

/// A throwaway user nkey: public half and seed.
///
/// # Errors
/// What the cryptography library says.
pub(crate) fn nkey() -> Result<(String, String)> {
    let pair = Nkey::new_user();
    let seed = pair.seed().context("making a throwaway nkey")?;
    Ok((pair.public_key(), seed))
}

/// Writes a file that only its owner reads.
pub(crate) fn put(path: &Path, content: &str) -> Result<()> {
    use std::io::Write;
    fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(content.as_bytes()))
        .with_context(|| format!("writing {}", path.display()))
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    // rcgen's own dates are 1975 and 4096.
    let now = OffsetDateTime::now_utc();
    params.not_before = now - Duration::hours(1);
    params.not_after = now + Duration::days(1);
    params.use_authority_key_identifier_extension = true;
    params
}
