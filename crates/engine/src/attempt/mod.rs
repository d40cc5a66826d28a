//! An attempt as it stands on disk and among the processes, for whoever has to know: what its folder says, and the word by which its processes
//! are found. Decides nothing, and changes nothing: the owner does.

use footplate_core::{AttemptKey, RunId};

pub(crate) mod look;
pub(crate) mod told;

/// The mark of an attempt's processes.
#[must_use]
pub(crate) fn mark(run: &RunId, key: AttemptKey) -> String {
    format!("{run}.{}.{}", key.stage, key.attempt)
}
