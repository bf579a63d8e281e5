//! Tells how far a run is, once it takes longer than two seconds.

use std::time::{Duration, Instant};

use super::report::bytes;

/// From then on, and how often.
const EVERY: Duration = Duration::from_secs(2);

/// How far a run is.
pub struct Progress<'a> {
    tell: &'a dyn Fn(&str),
    told: Instant,
    all: usize,
    over: usize,
    bytes: u64,
}

impl<'a> Progress<'a> {
    /// Of so many streams, none yet.
    pub fn new(all: usize, tell: &'a dyn Fn(&str)) -> Self {
        Self {
            tell,
            told: Instant::now(),
            all,
            over: 0,
            bytes: 0,
        }
    }

    /// A stream is over.
    pub fn next(&mut self) {
        self.over += 1;
    }

    /// Bytes of a stream came or went.
    pub fn more(&mut self, stream: &str, count: u64) {
        self.bytes += count;
        if self.told.elapsed() >= EVERY {
            self.told = Instant::now();
            let (over, all, bytes) = (self.over, self.all, bytes(self.bytes));
            (self.tell)(&format!("[{over}/{all}] {stream}: {bytes} so far"));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn it_tells_after_two_seconds_and_not_before() {
        let told = RefCell::new(Vec::new());
        let tell = |line: &str| told.borrow_mut().push(line.to_owned());
        let mut progress = Progress::new(3, &tell);
        progress.more("A", 1 << 20);
        assert!(told.borrow().is_empty());
        progress.next();
        progress.told -= EVERY;
        progress.more("B", 1 << 20);
        progress.more("B", 1 << 20);
        assert_eq!(*told.borrow(), ["[1/3] B: 2.0 MiB so far"]);
    }
}
