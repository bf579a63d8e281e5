//! What others could see while something runs: arguments and environments of all processes, and every version of the
//! files in some folders. Looked at all the time by a thread of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Result, anyhow};

/// How often it looks.
const LOOK: Duration = Duration::from_millis(5);

/// A watch that goes on until it is ended.
pub struct Watch {
    over: Arc<AtomicBool>,
    thread: JoinHandle<Seen>,
}

/// What was seen: each text once, with where it was first.
#[derive(Default)]
pub struct Seen {
    /// Text → where.
    pub texts: BTreeMap<Vec<u8>, String>,
    /// How many processes, counted by what they ran.
    pub processes: usize,
    /// How many versions of files.
    pub files: usize,
    known: BTreeSet<(u64, Vec<u8>)>,
    versions: BTreeSet<(u64, i64, i64, u64)>,
}

impl Watch {
    /// Begins to watch all processes, and these folders.
    pub fn begin(folders: Vec<PathBuf>) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&over);
        let thread = thread::spawn(move || {
            let mut seen = Seen::default();
            loop {
                // What is there when it ends is looked at, too.
                let last = until.load(Ordering::SeqCst);
                seen.processes();
                for folder in &folders {
                    seen.folder(folder);
                }
                if last {
                    return seen;
                }
                thread::park_timeout(LOOK);
            }
        });
        Self { over, thread }
    }

    /// Looks once more; gives all that was seen.
    pub fn end(self) -> Result<Seen> {
        self.over.store(true, Ordering::SeqCst);
        self.thread.thread().unpark();
        let seen = self.thread.join();
        seen.map_err(|_| anyhow!("watching processes and folders: the thread stopped"))
    }
}

impl Seen {
    /// Processes come and go: what cannot be read is gone, or another user's.
    fn processes(&mut self) {
        let Ok(entries) = fs::read_dir("/proc") else {
            return;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            let Ok(line) = fs::read(entry.path().join("cmdline")) else {
                continue;
            };
            // One that runs another program is another one.
            if line.is_empty() || !self.known.insert((pid, line.clone())) {
                continue;
            }
            self.processes += 1;
            let shown = String::from_utf8_lossy(&line).replace('\0', " ");
            if let Ok(environment) = fs::read(entry.path().join("environ")) {
                self.text(environment, || format!("the environment of `{shown}`"));
            }
            self.text(line, || format!("the arguments of `{shown}`"));
        }
    }

    fn folder(&mut self, folder: &Path) {
        let Ok(entries) = fs::read_dir(folder) else {
            return;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            let Ok(found) = path.symlink_metadata() else {
                continue;
            };
            if found.is_dir() {
                self.folder(&path);
                continue;
            }
            let version = (found.ino(), found.mtime(), found.mtime_nsec(), found.size());
            if found.is_file()
                && self.versions.insert(version)
                && let Ok(content) = fs::read(&path)
            {
                self.files += 1;
                self.text(content, || path.display().to_string());
            }
        }
    }

    fn text(&mut self, text: Vec<u8>, place: impl FnOnce() -> String) {
        self.texts.entry(text).or_insert_with(place);
    }
}
