//! Requests for certificates, read from PEM.

use anyhow::{Context, Result, anyhow, ensure};
use rcgen::SubjectPublicKeyInfo;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::oid_registry::{OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY};
use x509_parser::prelude::FromDer;
use x509_parser::x509;

/// What counts of a certificate request: the public key, whose owner signed it.
pub struct Request {
    pub(super) public: SubjectPublicKeyInfo,
}

impl Request {
    /// Reads a request; its subject, extensions and wishes are not looked at.
    ///
    /// # Errors
    /// A damaged one, one that another key signed, and keys other than P-256.
    pub fn read(pem: &[u8]) -> Result<Self> {
        let (_, block) = x509_parser::pem::parse_x509_pem(pem)
            .map_err(|_| anyhow!("there is no whole request in it: copy it again, from -----BEGIN CERTIFICATE REQUEST----- to its end"))?;
        ensure!(
            matches!(
                block.label.as_str(),
                "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST"
            ),
            "it is a {}, no certificate request: the device makes one with `openssl req -new`",
            block.label.to_lowercase()
        );
        let parsed = X509CertificationRequest::from_der(&block.contents);
        let (_, request) = parsed.map_err(|_| anyhow!("the request is damaged: make it again"))?;
        let info = &request.certification_request_info.subject_pki;
        ensure!(
            is_p256(info),
            "the request's key is not P-256: make it with `openssl ecparam -genkey -name prime256v1`"
        );
        let signed = request.verify_signature();
        signed
            .ok()
            .context("the request is not signed by its own key: make it again")?;
        let public = SubjectPublicKeyInfo::from_der(info.raw).context("reading its key")?;
        Ok(Self { public })
    }
}

fn is_p256(info: &x509::SubjectPublicKeyInfo<'_>) -> bool {
    let algorithm = &info.algorithm;
    let curve = algorithm
        .parameters
        .as_ref()
        .and_then(|found| found.as_oid().ok());
    algorithm.algorithm == OID_KEY_TYPE_EC_PUBLIC_KEY && curve == Some(OID_EC_P256)
}
