//! What the stages of a plan need and do not find now.

use footplate_engine::ready::Missing;

/// Stages that are named.
const NAMED: usize = 3;

/// For people: `train, evaluate: "trian" was not found. Install it, or name its whole path.`
pub(super) fn sentence(one: &Missing) -> String {
    let mut names = one.stages.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    if let Some(more) = one.stages.len().checked_sub(NAMED).filter(|more| *more > 0) {
        names.push_str(&format!(" and {more} more"));
    }
    format!("{names}: {} {}", one.detail, one.hint)
}
