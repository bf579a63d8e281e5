//! Figures beside what was promised: one that is not held fails the benchmark, at its end.

use anyhow::{Result, ensure};

/// What was promised, as far as it was measured.
#[derive(Default)]
pub struct Promises {
    broken: Vec<String>,
}

impl Promises {
    /// A figure that must be this at most.
    pub fn at_most(&mut self, what: &str, figure: f64, limit: f64) {
        let is_held = figure <= limit;
        let held = if is_held { "held" } else { "NOT HELD" };
        println!("  {what:<42} {figure:>6.2}, at most {limit:.2}: {held}");
        if !is_held {
            self.broken
                .push(format!("{what}: {figure:.2}, at most {limit:.2}"));
        }
    }

    /// That all of them were held.
    pub fn held(self) -> Result<()> {
        ensure!(
            self.broken.is_empty(),
            "promised and not held:\n{}",
            self.broken.join("\n")
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Promises;

    #[test]
    fn what_is_not_held_fails_and_so_does_no_number() {
        let mut promises = Promises::default();
        promises.at_most("this", 1.0, 1.0);
        assert!(promises.held().is_ok());
        for figure in [1.01, f64::NAN] {
            let mut promises = Promises::default();
            promises.at_most("that", figure, 1.0);
            promises.at_most("this", 0.5, 1.0);
            let said = promises.held().unwrap_err().to_string();
            assert!(said.contains("that: "), "{said}");
            assert!(!said.contains("this: "), "{said}");
        }
    }
}
