//! A throwaway authority and certificates that carry the names of lab hosts.

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, SanType,
};
use time::{Duration, OffsetDateTime};

/// An authority of one day.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its certificate, PEM.
    pub certificate: String,
}

impl Authority {
    /// Makes a new one.
    pub fn new() -> Result<Self> {
        let key = KeyPair::generate().context("making a throwaway key")?;
        let mut params = params("cim lab CA", Duration::days(365));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        let certificate = params.self_signed(&key).context("making a throwaway CA")?;
        Ok(Self {
            issuer: Issuer::new(params, key),
            certificate: certificate.pem(),
        })
    }

    /// A certificate and its key, PEM, in the name of `common_name`, for DNS names and addresses.
    pub fn certify(
        &self,
        common_name: &str,
        names: &[String],
        addresses: &[&str],
        life: Duration,
    ) -> Result<(String, String)> {
        let doing = || format!("making a throwaway certificate for {common_name}");
        let key = KeyPair::generate().with_context(doing)?;
        let mut params = params(common_name, life);
        for name in names {
            let name = name.as_str().try_into().with_context(doing)?;
            params.subject_alt_names.push(SanType::DnsName(name));
        }
        for address in addresses {
            let address = address.parse().with_context(doing)?;
            params.subject_alt_names.push(SanType::IpAddress(address));
        }
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        let certificate = params.signed_by(&key, &self.issuer).with_context(doing)?;
        Ok((certificate.pem(), key.serialize_pem()))
    }
}

fn params(name: &str, life: Duration) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    // rcgen's own dates are 1975 and 4096.
    let now = OffsetDateTime::now_utc();
    params.not_before = now - Duration::hours(1);
    params.not_after = now + life;
    params.use_authority_key_identifier_extension = true;
    params
}
