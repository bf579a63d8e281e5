//! Certificates: read, and held against what they are for, wherever they were made. Private keys stay at the desk.

mod certificate;
mod chain;
mod name;

pub use certificate::Certificate;
pub use chain::{Expected, Usage, check};
pub use name::{Address, CommonName};
use time::OffsetDateTime;

/// A moment as people read it.
pub fn date(at: OffsetDateTime) -> String {
    let at = at.to_offset(time::UtcOffset::UTC);
    let (date, hour, minute) = (at.date(), at.hour(), at.minute());
    format!("{date} {hour:02}:{minute:02} UTC")
}
