//! Whether a JWT holds at a given time.

use crate::claims::{Claims, ClaimsData};

/// Why a JWT does not hold now. Times are seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// `exp` is past.
    #[error("expired at {exp}, {} s ago: issue it anew", .now.saturating_sub(*.exp))]
    Expired {
        /// Last second of validity.
        exp: i64,
        /// The time that was asked about.
        now: i64,
    },
    /// `nbf` is still to come.
    #[error("not valid before {nbf}, in {} s: wait, or issue it with an earlier nbf", .nbf.saturating_sub(*.now))]
    NotYetValid {
        /// First second of validity.
        nbf: i64,
        /// The time that was asked about.
        now: i64,
    },
    /// `iat` is still to come: the issuer's clock or ours is wrong.
    #[error("issued at {iat}, which is {} s ahead of this clock: set the clock here, or where it was issued", .iat.saturating_sub(*.now))]
    IssuedInFuture {
        /// When it says it was issued.
        iat: i64,
        /// The time that was asked about.
        now: i64,
    },
}

impl ClaimsData {
    /// Whether it holds at `now`, clocks being up to `leeway` seconds apart. nats-server has a
    /// leeway of 0 and does not look at `iat`.
    ///
    /// # Errors
    /// Too late, too early, or issued in the future.
    pub fn holds_at(&self, now: i64, leeway: i64) -> Result<(), TimeError> {
        let (exp, nbf, iat) = (self.exp, self.nbf, self.iat);
        if exp > 0 && now > exp.saturating_add(leeway) {
            return Err(TimeError::Expired { exp, now });
        }
        let soon = now.saturating_add(leeway);
        if nbf > soon {
            return Err(TimeError::NotYetValid { nbf, now });
        }
        if iat > soon {
            return Err(TimeError::IssuedInFuture { iat, now });
        }
        Ok(())
    }
}

impl<T> Claims<T> {
    /// Whether it holds at `now`, clocks being up to `leeway` seconds apart; see
    /// [`ClaimsData::holds_at`].
    ///
    /// # Errors
    /// Too late, too early, or issued in the future.
    pub fn holds_at(&self, now: i64, leeway: i64) -> Result<(), TimeError> {
        self.data.holds_at(now, leeway)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn data(nbf: i64, iat: i64, exp: i64) -> ClaimsData {
        ClaimsData {
            nbf,
            iat,
            exp,
            ..ClaimsData::default()
        }
    }

    #[test]
    fn the_edges_are_inside() {
        let claims = data(10, 10, 20);
        assert!(claims.holds_at(10, 0).is_ok());
        assert!(claims.holds_at(20, 0).is_ok());
        assert_eq!(
            claims.holds_at(21, 0),
            Err(TimeError::Expired { exp: 20, now: 21 })
        );
        assert_eq!(
            claims.holds_at(9, 0),
            Err(TimeError::NotYetValid { nbf: 10, now: 9 })
        );
        assert!(claims.holds_at(21, 1).is_ok());
        assert!(claims.holds_at(9, 1).is_ok());
        assert_eq!(
            data(0, 100, 0).holds_at(39, 60).map_err(|e| e.to_string()),
            Err("issued at 100, which is 61 s ahead of this clock: set the clock here, or where it was issued".into())
        );
    }

    #[test]
    fn without_an_end_it_never_ends() {
        assert!(data(0, 0, 0).holds_at(i64::MAX, 0).is_ok());
    }

    proptest! {
        #[test]
        fn no_numbers_panic(a in any::<[i64; 5]>()) {
            if let Err(error) = data(a[0], a[1], a[2]).holds_at(a[3], a[4]) {
                let _ = error.to_string();
            }
        }
    }
}
