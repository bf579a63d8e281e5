//! What a command that takes more than two seconds is at.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// How long people wait before they wonder.
const PATIENCE: Duration = Duration::from_secs(2);

/// Tells every two seconds what is being done and how far it is.
pub struct Progress {
    state: Arc<State>,
    /// Dropped with this, which ends the thread that tells.
    _told: Option<Sender<()>>,
}

#[derive(Default)]
struct State {
    phase: Mutex<(String, usize)>,
    done: AtomicUsize,
}

impl Progress {
    /// Tells nobody.
    pub fn silent() -> Self {
        Self {
            state: Arc::default(),
            _told: None,
        }
    }

    /// Tells `say`.
    pub fn told(say: fn(&str)) -> Self {
        let state: Arc<State> = Arc::default();
        let (sender, receiver) = mpsc::channel::<()>();
        let seen = Arc::clone(&state);
        thread::spawn(move || {
            while receiver.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                if let Some(line) = seen.line() {
                    say(&line);
                }
            }
        });
        Self {
            state,
            _told: Some(sender),
        }
    }

    /// Begins something that is to be done `total` times.
    pub fn doing(&self, what: &str, total: usize) {
        let mut phase = self
            .state
            .phase
            .lock()
            .unwrap_or_else(|broken| broken.into_inner());
        *phase = (what.to_owned(), total);
        self.state.done.store(0, Ordering::Relaxed);
    }

    /// One of them is done.
    pub fn step(&self) {
        self.state.done.fetch_add(1, Ordering::Relaxed);
    }
}

impl State {
    fn line(&self) -> Option<String> {
        let phase = self
            .phase
            .lock()
            .unwrap_or_else(|broken| broken.into_inner());
        let (what, total) = &*phase;
        let done = self.done.load(Ordering::Relaxed);
        match (what.is_empty(), done) {
            (true, _) => None,
            (false, 0) => Some(format!("{what} ({total})")),
            (false, done) => Some(format!("{what} ({done} of {total})")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_is_being_done_and_how_far_it_is() {
        let progress = Progress::silent();
        assert_eq!(progress.state.line(), None);
        progress.doing("signing", 3);
        assert_eq!(progress.state.line().as_deref(), Some("signing (3)"));
        progress.step();
        assert_eq!(progress.state.line().as_deref(), Some("signing (1 of 3)"));
        progress.doing("sealing", 2);
        assert_eq!(progress.state.line().as_deref(), Some("sealing (2)"));
    }
}
