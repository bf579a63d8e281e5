//! One JWT: kept while it says what it should, else signed anew for the same key.

use anyhow::{Context, Result, ensure};
use cim_creds::{Body, Claims, KeyPair, decode};

use super::outcome::Did;

/// Clocks of desks differ by a few minutes.
const LEEWAY: i64 = 300;

/// From when to when JWTs and certificates hold. Seconds since 1970, and of time.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// Now.
    pub now: i64,
    /// What ends within this is renewed.
    pub horizon: i64,
}

/// Decodes a JWT that is there; `None`: there is none.
///
/// # Errors
/// One that was changed or cut, that this program would drop a part of, or of the future.
pub fn read<T: Body>(jwt: Option<&str>, times: Times) -> Result<Option<Claims<T>>> {
    jwt.map(|jwt| whole(jwt, times.now)).transpose()
}

/// Decodes a JWT, which may have ended.
///
/// # Errors
/// As [`read`].
pub fn whole<T: Body>(jwt: &str, now: i64) -> Result<Claims<T>> {
    let claims = decode::decode::<T>(jwt)?.whole()?;
    if claims.data.iat > now + LEEWAY {
        claims.holds_at(now, LEEWAY)?;
    }
    Ok(claims)
}

/// What a JWT is to be.
pub struct Wish<'a, T> {
    /// About whom, with a name; no times.
    pub claims: Claims<T>,
    /// Who signs it.
    pub signer: &'a KeyPair,
    /// Seconds from its issue to its end; `None`: it does not end.
    pub lifetime: Option<i64>,
    /// JWTs issued up to then are refused, in seconds since 1970.
    pub refused: Option<i64>,
}

impl<T: Body + PartialEq> Wish<'_, T> {
    /// The JWT, and what became of the one that was there.
    ///
    /// # Errors
    /// A JWT about another key, and claims that nats-server would not take.
    pub fn settle(
        mut self,
        old: Option<(&str, &Claims<T>)>,
        times: Times,
    ) -> Result<(String, Did)> {
        self.claims.nats.arrange();
        let did = match old {
            None => Did::Made,
            Some((_, old)) => {
                let (found, wanted) = (&old.data.sub, &self.claims.data.sub);
                ensure!(
                    found == wanted,
                    "it is about {found}, and the sealed key is that of {wanted}: take both from one commit"
                );
                self.compare(old, times)
            }
        };
        if let (Did::Kept, Some((jwt, _))) = (did, old) {
            return Ok((jwt.to_owned(), did));
        }
        let end = self.lifetime.map_or(0, |lifetime| times.now + lifetime);
        let jwt = self.claims.expiring(end).encode(self.signer, times.now);
        Ok((jwt.context("signing it")?, did))
    }

    fn compare(&self, old: &Claims<T>, times: Times) -> Did {
        let (found, wanted) = (&old.data, &self.claims.data);
        let lifetime = (found.exp != 0).then(|| found.exp - found.iat);
        let mut nats = old.nats.clone();
        nats.arrange();
        let same = found.iss == self.signer.public_key()
            && (&found.name, &found.aud, found.nbf) == (&wanted.name, &wanted.aud, 0)
            && lifetime == self.lifetime
            && self.refused.is_none_or(|refused| found.iat > refused)
            && nats == self.claims.nats;
        match (same, lifetime) {
            (false, _) => Did::Changed,
            (true, Some(_)) if found.exp <= times.now + times.horizon => Did::Renewed,
            (true, _) => Did::Kept,
        }
    }
}
