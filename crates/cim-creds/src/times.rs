//! Whether a JWT holds at a given time.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::claims::{Claims, ClaimsData};

/// Why a JWT does not hold now. Times are seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// `exp` is past.
    #[error("expired at {}, {} ago: issue it anew", utc(*.exp), span(*.now, *.exp))]
    Expired {
        /// Last second of validity.
        exp: i64,
        /// The time that was asked about.
        now: i64,
    },
    /// `nbf` is still to come.
    #[error("not valid before {}, in {}: wait, or issue it with an earlier nbf", utc(*.nbf), span(*.nbf, *.now))]
    NotYetValid {
        /// First second of validity.
        nbf: i64,
        /// The time that was asked about.
        now: i64,
    },
    /// `iat` is still to come: the issuer's clock or ours is wrong.
    #[error("issued at {}, {} ahead of this clock: set the clock here, or where it was issued", utc(*.iat), span(*.iat, *.now))]
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

/// Seconds since 1970 as people read them, such as `2026-11-21T14:31:43Z`.
fn utc(seconds: i64) -> String {
    OffsetDateTime::from_unix_timestamp(seconds)
        .ok()
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_else(|| format!("second {seconds}"))
}

/// How much later `late` is, in the largest unit of which there are two.
fn span(late: i64, early: i64) -> String {
    let seconds = late.saturating_sub(early);
    [(86_400, "d"), (3_600, "h"), (60, "min")]
        .into_iter()
        .find(|(unit, _)| seconds >= 2 * unit)
        .map_or_else(
            || format!("{seconds} s"),
            |(unit, name)| format!("{} {name}", seconds / unit),
        )
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
            Err("issued at 1970-01-01T00:01:40Z, 61 s ahead of this clock: set the clock here, or where it was issued".into())
        );
        let late = data(0, 0, 1_795_269_905).holds_at(1_795_269_905 + 200_000, 0);
        assert_eq!(
            late.map_err(|error| error.to_string()),
            Err("expired at 2026-11-21T14:05:05Z, 2 d ago: issue it anew".into())
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
