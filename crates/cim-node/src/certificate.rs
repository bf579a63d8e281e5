//! When a certificate file expires.

use std::fs;

use anyhow::{Context, Result};
use time::OffsetDateTime;
use x509_parser::pem::Pem;

/// Expiry of the first certificate in a PEM file.
///
/// # Errors
/// A file that is missing or holds no certificate.
pub fn not_after(file: &str) -> Result<OffsetDateTime> {
    let bytes = fs::read(file).with_context(|| format!("reading the certificate {file}"))?;
    // A key may stand before the certificate.
    let pem = Pem::iter_from_buffer(&bytes)
        .find(|pem| !matches!(pem, Ok(pem) if pem.label != "CERTIFICATE"))
        .with_context(|| format!("{file} holds no PEM certificate"))?
        .with_context(|| format!("reading the certificate {file}"))?;
    let certificate = pem
        .parse_x509()
        .with_context(|| format!("reading the certificate {file}"))?;
    Ok(certificate.validity().not_after.to_datetime())
}
