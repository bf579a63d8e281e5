//! A certificate held against what it is for, and here, where private keys are, against its own.

use cim_identity::pki;
use time::OffsetDateTime;

use super::key::Key;
use super::{Address, Certificate, Usage};

/// What a certificate must be.
#[derive(Debug)]
pub struct Expected<'a> {
    /// The moment that it must be valid at.
    pub now: OffsetDateTime,
    /// The CAs that peers trust.
    pub roots: &'a [Certificate],
    /// What it is for.
    pub usage: Usage,
    /// Its common name, where that counts.
    pub common_name: Option<&'a str>,
    /// Where it must hold.
    pub addresses: &'a [Address],
    /// The private key that is to be used with it.
    pub key: Option<&'a Key>,
}

/// What is wrong with the first certificate of a chain; nothing, if all is well.
pub fn check(chain: &[Certificate], expected: &Expected<'_>) -> Vec<String> {
    let expected = pki::Expected {
        now: expected.now,
        roots: expected.roots,
        usage: expected.usage,
        common_name: expected.common_name,
        addresses: expected.addresses,
        public: expected.key.map(Key::public),
    };
    pki::check(chain, &expected)
}
