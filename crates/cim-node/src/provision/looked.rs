//! Progress of what only asks: told once it takes long.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// Tells how many assets were looked at, once that takes long.
pub struct Looked<'a> {
    all: usize,
    done: Cell<usize>,
    told: Cell<Instant>,
    tell: &'a dyn Fn(&str),
}

impl<'a> Looked<'a> {
    /// How often.
    const TELL: Duration = Duration::from_secs(2);

    /// Of so many; `tell` hears of it.
    pub fn new(all: usize, tell: &'a dyn Fn(&str)) -> Self {
        Self {
            all,
            done: Cell::new(0),
            told: Cell::new(Instant::now()),
            tell,
        }
    }

    /// One more.
    pub fn one(&self) {
        self.done.set(self.done.get() + 1);
        if self.told.get().elapsed() >= Self::TELL {
            self.told.set(Instant::now());
            (self.tell)(&format!(
                "looked at {} of {} assets",
                self.done.get(),
                self.all
            ));
        }
    }
}
