//! Measured times, as a table.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;

/// What was measured, in order; several threads may.
#[derive(Debug, Default)]
pub struct Times(Mutex<Vec<(String, Duration)>>);

impl Times {
    /// Does `work` and notes how long it took, if it went well.
    ///
    /// # Errors
    /// What `work` says.
    pub fn measure<T>(&self, what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.measure_since(Instant::now(), what, work)
    }

    /// As [`Times::measure`], counted from an earlier moment.
    ///
    /// # Errors
    /// What `work` says.
    pub fn measure_since<T>(
        &self,
        since: Instant,
        what: &str,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let done = work()?;
        let took = since.elapsed();
        eprintln!("      {what}: {:.2} s", took.as_secs_f64());
        self.all().push((what.to_owned(), took));
        Ok(done)
    }

    fn all(&self) -> MutexGuard<'_, Vec<(String, Duration)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| measured | seconds |\n| --- | ---: |")?;
        for (what, took) in self.all().iter() {
            writeln!(f, "| {what} | {:.2} |", took.as_secs_f64())?;
        }
        Ok(())
    }
}
