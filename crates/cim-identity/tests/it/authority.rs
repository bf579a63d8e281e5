//! A CA with an issuing one below its root, and another of the same kind: what a case wants of certificates is made by them.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, SanType,
};
use serde::Deserialize;
use time::{Duration, OffsetDateTime};

use crate::fleet::ISSUED;

/// A certificate that a case wants.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Wanted {
    /// Its common name.
    name: String,
    /// Where it holds.
    #[serde(default)]
    names: Vec<String>,
    /// `server`, `client`.
    uses: Vec<String>,
    /// Whether another CA than the one in ca.pem issues it.
    #[serde(default)]
    by_another: bool,
    /// Whether the issuing CA's certificate is left out.
    #[serde(default)]
    bare: bool,
}

/// A root, and the CA below it that issues.
pub struct Authority {
    issuing: Issuer<'static, KeyPair>,
    /// The root's certificate, PEM.
    pub root: String,
    below: String,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let key = || KeyPair::generate().unwrap();
        let (root_key, issuing_key) = (key(), key());
        let root = ca(&format!("{name} root"), 1);
        let pem = root.self_signed(&root_key).unwrap().pem();
        let root = Issuer::new(root, root_key);
        let issuing = ca(&format!("{name} issuing"), 0);
        let below = issuing.signed_by(&issuing_key, &root).unwrap().pem();
        Self {
            issuing: Issuer::new(issuing, issuing_key),
            root: pem,
            below,
        }
    }

    /// The certificate and what leads up to the root.
    pub fn issue(&self, wanted: &Wanted) -> String {
        let mut params = params(&wanted.name);
        let name = |name: &String| match name.parse() {
            Ok(ip) => SanType::IpAddress(ip),
            Err(_) => SanType::DnsName(name.as_str().try_into().unwrap()),
        };
        params.subject_alt_names = wanted.names.iter().map(name).collect();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let usage = |usage: &String| match usage.as_str() {
            "server" => ExtendedKeyUsagePurpose::ServerAuth,
            "client" => ExtendedKeyUsagePurpose::ClientAuth,
            other => panic!("{other} is no use"),
        };
        params.extended_key_usages = wanted.uses.iter().map(usage).collect();
        let key = KeyPair::generate().unwrap();
        let mut pem = params.signed_by(&key, &self.issuing).unwrap().pem();
        if !wanted.bare {
            pem.push_str(&self.below);
        }
        pem
    }
}

/// The CA of ca.pem, and another one.
pub struct Authorities(pub Authority, Authority);

impl Authorities {
    pub fn new() -> Self {
        Self(Authority::new("cim"), Authority::new("another"))
    }

    pub fn issue(&self, wanted: &Wanted) -> String {
        let by = if wanted.by_another { &self.1 } else { &self.0 };
        by.issue(wanted)
    }
}

fn ca(name: &str, below: u8) -> CertificateParams {
    let mut params = params(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(below));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = OffsetDateTime::from_unix_timestamp(ISSUED).unwrap();
    params.not_after = params.not_before + Duration::days(30);
    params.use_authority_key_identifier_extension = true;
    params
}
