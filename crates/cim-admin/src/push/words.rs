//! Values of JWTs as people read them.

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A limit.
pub(super) fn limit(value: &Value) -> String {
    match value.as_i64() {
        Some(-1) => "unlimited".to_owned(),
        _ => value.to_string(),
    }
}

/// An end, in seconds since 1970; 0 is none.
pub(super) fn until(seconds: i64) -> String {
    if seconds == 0 {
        return "for ever".to_owned();
    }
    let time = OffsetDateTime::from_unix_timestamp(seconds).ok();
    let time = time.and_then(|time| time.format(&Rfc3339).ok());
    let time = time.unwrap_or_else(|| format!("second {seconds}"));
    format!("until {time}")
}
