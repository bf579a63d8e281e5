//! What the test modules share: the golden specs, and running many servers at a time.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use cim_render::{Artefacts, input};
use cim_spec::{Plan, Spec};

/// How many nats-servers run at a time: they mostly wait.
const WORKERS: usize = 4;

/// A folder below `tests/`.
pub fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(name)
}

/// The folders in a folder of cases; no case at all is a failure.
pub fn cases(name: &str) -> Vec<PathBuf> {
    cim_testkit::cases(&folder(name)).unwrap()
}

/// The last part of a case's path.
pub fn name(case: &Path) -> String {
    case.file_name().unwrap().to_string_lossy().into_owned()
}

/// A file of a case, as text.
pub fn text(case: &Path, file: &str) -> String {
    let path = case.join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every golden case with its spec.
pub fn golden_specs() -> Vec<(String, Spec)> {
    let read = |case: &PathBuf| (name(case), input::spec(&case.join("spec.json")).unwrap());
    cases("golden").iter().map(read).collect()
}

/// The plan of a spec that keeps every rule.
pub fn plan(spec: &Spec) -> Plan {
    Plan::from_spec(spec).unwrap_or_else(|problems| panic!("{}:\n{problems}", spec.name()))
}

/// What a spec that keeps every rule renders to.
pub fn render(spec: &Spec) -> Artefacts {
    Artefacts::render(&plan(spec)).unwrap()
}

/// Whether expected files are rewritten instead of compared.
pub fn updating() -> bool {
    env::var_os("UPDATE_GOLDEN").is_some()
}

/// Holds text against an expected file, or rewrites the file.
///
/// # Errors
/// Both texts where they differ.
pub fn expect(path: &Path, found: &str) -> Result<(), String> {
    if updating() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, found).unwrap();
        return Ok(());
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    if expected == found {
        return Ok(());
    }
    Err(format!(
        "{} is not what we give now\n--- expected\n{expected}\n--- found\n{found}\n\
         If that is meant: UPDATE_GOLDEN=1 cargo test -p cim-render",
        path.display()
    ))
}

/// Does `work` on each item, several at a time; fails with every complaint.
pub fn each<T: Send>(items: Vec<T>, work: impl Fn(T) -> Result<(), String> + Sync) {
    let items = Mutex::new(items);
    let complaints = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let item = items.lock().unwrap().pop();
                    let Some(item) = item else { return };
                    if let Err(complaint) = work(item) {
                        complaints.lock().unwrap().push(complaint);
                    }
                }
            });
        }
    });
    let complaints = complaints.into_inner().unwrap();
    assert!(complaints.is_empty(), "{}", complaints.join("\n\n"));
}
