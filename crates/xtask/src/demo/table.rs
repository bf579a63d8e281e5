//! What the demo saw: a row for each claim, with how long it took and whether it held.

use std::fmt;
use std::time::Duration;

/// Claims and what came of them.
#[derive(Default)]
pub struct Table {
    rows: Vec<Row>,
}

struct Row {
    claim: String,
    saw: String,
    took: Option<Duration>,
    held: bool,
}

impl Table {
    /// Adds a claim that held.
    pub fn held(&mut self, claim: &str, saw: impl Into<String>, took: Duration) {
        self.add(claim, saw.into(), Some(took), true);
    }

    /// Adds a claim that did not hold.
    pub fn broken(&mut self, claim: &str, saw: impl Into<String>) {
        self.add(claim, saw.into(), None, false);
    }

    /// Whether there are claims, and all held.
    pub fn all_held(&self) -> bool {
        !self.rows.is_empty() && self.rows.iter().all(|row| row.held)
    }

    fn add(&mut self, claim: &str, saw: String, took: Option<Duration>, held: bool) {
        self.rows.push(Row {
            claim: claim.to_owned(),
            saw,
            took,
            held,
        });
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let claims = self.rows.iter().map(|row| row.claim.chars().count()).max();
        let claims = claims.unwrap_or(0);
        for row in &self.rows {
            let mark = if row.held { "held  " } else { "BROKEN" };
            let took = match row.took {
                Some(took) => format!("{:>6} ms", took.as_millis()),
                None => "        -".to_owned(),
            };
            writeln!(f, "{mark}  {took}  {:claims$}  {}", row.claim, row.saw)?;
        }
        Ok(())
    }
}
