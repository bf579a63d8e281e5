//! Looking at a thing until it is as it should be.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(25);

/// Looks until there is something to see; gives what was seen.
///
/// # Errors
/// The last error of `look` when the patience is over.
pub fn until<T>(what: &str, patience: Duration, mut look: impl FnMut() -> Result<T>) -> Result<T> {
    let end = Instant::now() + patience;
    loop {
        let seen = look();
        if seen.is_ok() || Instant::now() >= end {
            return seen.with_context(|| format!("waited {} s until {what}", patience.as_secs()));
        }
        thread::park_timeout(LOOK);
    }
}
