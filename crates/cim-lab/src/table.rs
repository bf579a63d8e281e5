//! Measured times, as a table.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::Result;

/// What was measured, in order.
#[derive(Debug, Default)]
pub struct Times(Vec<(String, Duration)>);

impl Times {
    /// Does `work` and notes how long it took, if it went well.
    ///
    /// # Errors
    /// What `work` says.
    pub fn measure<T>(&mut self, what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.measure_since(Instant::now(), what, work)
    }

    /// As [`Times::measure`], counted from an earlier moment.
    ///
    /// # Errors
    /// What `work` says.
    pub fn measure_since<T>(
        &mut self,
        since: Instant,
        what: &str,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let done = work()?;
        let took = since.elapsed();
        eprintln!("      {what}: {:.2} s", took.as_secs_f64());
        self.0.push((what.to_owned(), took));
        Ok(done)
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| measured | seconds |\n| --- | ---: |")?;
        for (what, took) in &self.0 {
            writeln!(f, "| {what} | {:.2} |", took.as_secs_f64())?;
        }
        Ok(())
    }
}
