//! The law of states: one pure `step` per level. Data lives in the variant, no wildcard arms, `Illegal` where a move is not in the law.
//! docs/STATES.md prints the tables; snapshots in `tests/` hold them.

pub mod attempt;
pub mod run;
pub mod settle;
pub mod stage;

/// A move that the law does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{level} in state {state} has no move for {input}")]
pub struct Illegal {
    /// `attempt`, `stage` or `run`.
    pub level: &'static str,
    /// The state, as debug text.
    pub state: String,
    /// The input, as debug text.
    pub input: String,
}

impl Illegal {
    fn at(level: &'static str, state: &impl std::fmt::Debug, input: &impl std::fmt::Debug) -> Self {
        Illegal { level, state: format!("{state:?}"), input: format!("{input:?}") }
    }
}
