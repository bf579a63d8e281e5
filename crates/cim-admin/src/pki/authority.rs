//! A CA and what it issues, each kind with the rights of its kind and no more.

use std::fmt;

use anyhow::{Context, Result, anyhow, ensure};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PublicKeyData, SanType, SerialNumber,
};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::key::{self, Key};
use super::request::Request;
use super::{Address, Certificate, CommonName, Validity, date};

/// A certificate that was made.
pub struct Made {
    /// PEM: the certificate, then those of its issuers up to the root, without it.
    pub certificate: String,
    /// Its private key, PEM; none for a device that keeps its own.
    pub key: Option<Zeroizing<String>>,
    /// What it says.
    pub facts: Certificate,
}

impl fmt::Debug for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.facts.fmt(f)
    }
}

/// A CA that can sign.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    chain: Vec<Certificate>,
}

impl Authority {
    /// A new root CA: it signs issuing CAs, and stays in a safe.
    ///
    /// # Errors
    /// What the cryptography library says.
    pub fn root(name: &CommonName, validity: Validity) -> Result<(Self, Made)> {
        let (pair, pem) = key::generate()?;
        let params = ca(name, validity, 1)?;
        let certificate = params.self_signed(&pair).context("signing the root CA")?;
        let facts: Certificate = certificate.der().clone().try_into()?;
        let made = Made {
            certificate: certificate.pem(),
            key: Some(pem),
            facts: facts.clone(),
        };
        let issuer = Issuer::new(params, pair);
        Ok((
            Self {
                issuer,
                chain: vec![facts],
            },
            made,
        ))
    }

    /// A CA from its files: its certificate, perhaps with those above it, and its key.
    ///
    /// # Errors
    /// Files that cannot be read or do not belong together, a certificate that may not sign or
    /// is out of date, and keys other than P-256.
    pub fn read(certificate: &[u8], key: &Key, now: OffsetDateTime) -> Result<Self> {
        let chain = Certificate::read_all(certificate)?;
        let own = chain.first().context("there is no certificate")?;
        ensure!(
            own.is_ca(),
            "{own:?} is no CA: give the issuing CA's certificate"
        );
        ensure!(
            now <= own.not_after(),
            "the CA {own:?} expired on {}: make a new one before issuing",
            date(own.not_after())
        );
        ensure!(
            now >= own.not_before(),
            "the CA {own:?} is valid from {} on: is this machine's clock right?",
            date(own.not_before())
        );
        let pair = key.signing()?;
        ensure!(
            own.is_of(key.public()),
            "the key is not that of the CA {own:?}: give the key that was made with it"
        );
        let issuer = Issuer::from_ca_cert_der(own.der(), pair).context("reading the CA")?;
        Ok(Self { issuer, chain })
    }

    /// An issuing CA below this one.
    ///
    /// # Errors
    /// One that would outlive this, and what the cryptography library says.
    pub fn intermediate(&self, name: &CommonName, validity: Validity) -> Result<Made> {
        self.issue(&ca(name, validity, 0)?, None)
    }

    /// A server's certificate: it also dials, as routes and remotes do.
    ///
    /// # Errors
    /// No address, one that would outlive its CA.
    pub fn server(
        &self,
        name: &CommonName,
        addresses: &[Address],
        validity: Validity,
    ) -> Result<Made> {
        ensure!(
            !addresses.is_empty(),
            "a server's certificate needs an address: clients look for it and not for its name"
        );
        self.issue(&reached_at(name, addresses, validity)?, None)
    }

    /// A leaf's or a device's certificate: its name alone says who it is.
    ///
    /// # Errors
    /// One that would outlive its CA.
    pub fn client(&self, name: &CommonName, validity: Validity) -> Result<Made> {
        self.issue(&end(name, validity)?, None)
    }

    /// A certificate for the key in a device's request; all else is as [`Authority::client`] has it.
    ///
    /// # Errors
    /// One that would outlive its CA.
    pub fn sign(&self, request: &Request, name: &CommonName, validity: Validity) -> Result<Made> {
        self.issue(&end(name, validity)?, Some(request))
    }

    /// A certificate for a key that is there: a server's where it has addresses, as [`Authority::server`] and
    /// [`Authority::client`] make them otherwise.
    ///
    /// # Errors
    /// Keys other than P-256, and one that would outlive its CA.
    pub fn again(
        &self,
        key: &Key,
        name: &CommonName,
        addresses: &[Address],
        validity: Validity,
    ) -> Result<Made> {
        let params = if addresses.is_empty() {
            end(name, validity)?
        } else {
            reached_at(name, addresses, validity)?
        };
        self.fits(&params)?;
        self.signed(&params, &key.signing()?, None)
    }

    /// The issuing CA below this one again, with its key.
    ///
    /// # Errors
    /// As [`Authority::intermediate`], and keys other than P-256.
    pub fn intermediate_again(
        &self,
        key: &Key,
        name: &CommonName,
        validity: Validity,
    ) -> Result<Made> {
        let params = ca(name, validity, 0)?;
        self.fits(&params)?;
        self.signed(&params, &key.signing()?, None)
    }

    fn issue(&self, params: &CertificateParams, request: Option<&Request>) -> Result<Made> {
        self.fits(params)?;
        match request {
            Some(request) => self.signed(params, &request.public, None),
            None => {
                let (pair, pem) = key::generate()?;
                self.signed(params, &pair, Some(pem))
            }
        }
    }

    /// What outlives its CA ends with it, and nobody sees when.
    fn fits(&self, params: &CertificateParams) -> Result<()> {
        let own = self.chain.first().context("a CA has a certificate")?;
        ensure!(
            params.not_after <= own.not_after(),
            "it would last until {}, longer than its CA {own:?}, which expires on {}: shorten --lifetime, or make a new CA",
            date(params.not_after),
            date(own.not_after())
        );
        Ok(())
    }

    fn signed(
        &self,
        params: &CertificateParams,
        public: &impl PublicKeyData,
        key: Option<Zeroizing<String>>,
    ) -> Result<Made> {
        let signed = params.signed_by(public, &self.issuer).context("signing")?;
        let mut certificate = signed.pem();
        // Peers hold the root themselves; what leads up to it they do not.
        for above in self.chain.iter().filter(|above| !above.is_root()) {
            certificate.push_str(&above.pem());
        }
        Ok(Made {
            certificate,
            key,
            facts: signed.der().clone().try_into()?,
        })
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.chain).finish()
    }
}

fn base(name: &CommonName, validity: Validity) -> Result<CertificateParams> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, name.as_str());
    params.not_before = validity.not_before;
    params.not_after = validity.not_after;
    params.use_authority_key_identifier_extension = true;
    params.serial_number = Some(serial()?);
    Ok(params)
}

fn ca(name: &CommonName, validity: Validity, below: u8) -> Result<CertificateParams> {
    let mut params = base(name, validity)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(below));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn end(name: &CommonName, validity: Validity) -> Result<CertificateParams> {
    let mut params = base(name, validity)?;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    Ok(params)
}

fn reached_at(
    name: &CommonName,
    addresses: &[Address],
    validity: Validity,
) -> Result<CertificateParams> {
    let mut params = end(name, validity)?;
    for address in addresses {
        params.subject_alt_names.push(match address {
            Address::Host(host) => SanType::DnsName(host.as_str().try_into()?),
            Address::Ip(ip) => SanType::IpAddress(*ip),
        });
    }
    let server = ExtendedKeyUsagePurpose::ServerAuth;
    params.extended_key_usages.push(server);
    Ok(params)
}

/// rcgen's own would be the same again for a certificate renewed with its old key.
fn serial() -> Result<SerialNumber> {
    let mut bytes = [0; 16];
    rustls::crypto::ring::default_provider()
        .secure_random
        .fill(&mut bytes)
        .map_err(|_| anyhow!("asking the system for random bytes"))?;
    // Positive, and never zero.
    bytes[0] = bytes[0] & 0x7f | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}
