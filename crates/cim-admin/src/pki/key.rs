//! Private keys: ours are P-256, others' are read as far as holding them against a certificate.

use std::fmt;

use anyhow::{Context, Result, anyhow, bail, ensure};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use zeroize::Zeroizing;

/// A private key as a file has it. `Debug` shows nothing of it.
pub struct Key {
    pem: Zeroizing<Vec<u8>>,
    public: Vec<u8>,
}

impl Key {
    /// Reads a key of any kind that nats-server takes.
    ///
    /// # Errors
    /// A text without a key, one with a passphrase, and damaged ones.
    pub fn read(pem: &[u8]) -> Result<Self> {
        let label = |label: &str| contains(pem, format!("-----BEGIN {label}-----").as_bytes());
        ensure!(
            !label("ENCRYPTED PRIVATE KEY"),
            "the key has a passphrase, which nats-server cannot ask for: remove it with `openssl pkey`"
        );
        let key = PrivateKeyDer::from_pem_slice(pem).map_err(|_| {
            if contains(pem, b"PRIVATE KEY-----") {
                anyhow!("the private key is damaged or cut off: copy it again, whole")
            } else if label("CERTIFICATE") {
                anyhow!("there is a certificate and no private key: are the two files swapped?")
            } else {
                anyhow!("there is no private key: it begins with -----BEGIN PRIVATE KEY-----")
            }
        })?;
        let signing = any_supported_type(&key)
            .ok()
            .context("the private key is damaged, or of a kind that NATS does not use")?;
        let public = signing
            .public_key()
            .context("the private key has no public half")?;
        Ok(Self {
            pem: Zeroizing::new(pem.to_vec()),
            public: public.as_ref().to_vec(),
        })
    }

    /// The public half, DER.
    pub fn public(&self) -> &[u8] {
        &self.public
    }

    /// The key as one that we sign with.
    ///
    /// # Errors
    /// Other kinds than P-256.
    pub(super) fn signing(&self) -> Result<KeyPair> {
        let text = std::str::from_utf8(&self.pem).context("reading the key")?;
        if let Ok(pair) = KeyPair::from_pkcs8_pem_and_sign_algo(text, &PKCS_ECDSA_P256_SHA256) {
            return Ok(pair);
        }
        if contains(&self.pem, b"-----BEGIN EC PRIVATE KEY-----") {
            bail!(
                "the key is in OpenSSL's old form: convert it with `openssl pkcs8 -topk8 -nodes`"
            );
        }
        bail!(
            "the key is not P-256, the one kind that cim signs with: make the CA with `cim-admin pki init`"
        );
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// A new key, and its PEM text.
pub(super) fn generate() -> Result<(KeyPair, Zeroizing<String>)> {
    let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).context("making a key")?;
    let pem = Zeroizing::new(pair.serialize_pem());
    Ok((pair, pem))
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
