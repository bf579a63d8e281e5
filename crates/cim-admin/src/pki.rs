//! Certificates: made under our policy with rcgen, and read and checked wherever they were made.
//!
//! P-256 throughout, since OpenSSL reads no Ed25519 key that ring writes. Dates are always set:
//! rcgen's own reach from 1975 to 4096. A device's request gives its public key and nothing else.
//! nats-server has no revocation list: what ends a certificate is its date.

mod authority;
mod key;
mod request;

use anyhow::{Context, Result, ensure};
use time::{Duration, OffsetDateTime};

pub use authority::{Authority, Made};
pub(crate) use cim_identity::pki::date;
pub use cim_identity::pki::{Address, Certificate, CommonName, Expected, Usage, check};
pub use key::Key;
pub use request::Request;

/// How long a server's certificate lasts: seed 000's `ttl` of 720 h.
pub const SERVER: Duration = Duration::hours(720);

/// How long a device's certificate lasts: seed 000's `ttl` of 168 h.
pub const DEVICE: Duration = Duration::hours(168);

/// How long a leaf's certificate lasts: seed 003's year.
pub const LEAF: Duration = Duration::days(365);

/// How long a root CA lasts.
pub const ROOT: Duration = Duration::days(3650);

/// How long an issuing CA lasts.
pub const ISSUER: Duration = Duration::days(1825);

/// Clocks of hosts differ: a certificate is valid a little before it is made.
pub(crate) const BACKDATED: Duration = Duration::minutes(5);

/// From when to when a certificate is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// First moment.
    pub not_before: OffsetDateTime,
    /// Last moment.
    pub not_after: OffsetDateTime,
}

impl Validity {
    /// From five minutes before `now`, for `lifetime` after it.
    ///
    /// # Errors
    /// A lifetime of nothing, or beyond the year 9999.
    pub fn starting(now: OffsetDateTime, lifetime: Duration) -> Result<Self> {
        ensure!(
            lifetime >= Duration::MINUTE,
            "a certificate lasts a minute at least: give a longer lifetime, for example 720h"
        );
        let now = now.replace_nanosecond(0)?;
        let not_after = now.checked_add(lifetime).filter(|end| end.year() <= 9999);
        Ok(Self {
            not_before: now - BACKDATED,
            not_after: not_after
                .context("the lifetime reaches beyond the year 9999: shorten it")?,
        })
    }
}
