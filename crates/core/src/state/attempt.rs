//! An attempt: `launching -> running -> (stopping) -> ended`; `launching -> launch_failed / void`.

use super::Illegal;
use super::settle::Verdict;
use crate::status::AttemptStatus;

/// The state of an attempt. Final is final.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptState {
    /// Its row is committed; its program has not been seen to run.
    Launching,
    /// Its start record was seen.
    Running,
    /// Told to stop by a wish; holds its slot until the whole tree is gone.
    Stopping,
    /// Over, with the verdict.
    Ended(Verdict),
}

/// What can happen to an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptInput {
    /// The shim's start record is there.
    Started,
    /// A stop wish is on disk and its signal goes out.
    StopRequested,
    /// Settled: the folder was read in the order claim, lock, exit, and this is what follows.
    Settled(Verdict),
}

impl AttemptState {
    /// The status that this state is stored and shown as.
    #[must_use]
    pub fn status(&self) -> AttemptStatus {
        match self {
            AttemptState::Launching => AttemptStatus::Launching,
            AttemptState::Running => AttemptStatus::Running,
            AttemptState::Stopping => AttemptStatus::Stopping,
            AttemptState::Ended(verdict) => verdict.status,
        }
    }

    /// The state that a stored status stands for; `None` where only a verdict would do.
    #[must_use]
    pub fn live(status: AttemptStatus) -> Option<Self> {
        match status {
            AttemptStatus::Launching => Some(AttemptState::Launching),
            AttemptStatus::Running => Some(AttemptState::Running),
            AttemptStatus::Stopping => Some(AttemptState::Stopping),
            AttemptStatus::Completed
            | AttemptStatus::Failed
            | AttemptStatus::TimedOut
            | AttemptStatus::Cancelled
            | AttemptStatus::Interrupted
            | AttemptStatus::LaunchFailed
            | AttemptStatus::Void => None,
        }
    }
}

/// One move of an attempt.
///
/// # Errors
/// `Illegal` for any input to an ended attempt, and for a verdict that is no end.
pub fn step(state: &AttemptState, input: AttemptInput) -> Result<AttemptState, Illegal> {
    match (state, input) {
        (AttemptState::Launching | AttemptState::Running, AttemptInput::Started) => Ok(AttemptState::Running),
        // The start record may be seen only after the stop went out.
        (AttemptState::Stopping, AttemptInput::Started) => Ok(AttemptState::Stopping),
        (AttemptState::Launching | AttemptState::Running | AttemptState::Stopping, AttemptInput::StopRequested) => {
            Ok(AttemptState::Stopping)
        }
        // `void` and `launch_failed` after `running` too: the start record is written before the gate opens, and before exec.
        (AttemptState::Launching | AttemptState::Running | AttemptState::Stopping, AttemptInput::Settled(verdict)) => {
            match verdict.status {
                AttemptStatus::Completed
                | AttemptStatus::Failed
                | AttemptStatus::TimedOut
                | AttemptStatus::Cancelled
                | AttemptStatus::Interrupted
                | AttemptStatus::LaunchFailed
                | AttemptStatus::Void => Ok(AttemptState::Ended(verdict)),
                AttemptStatus::Launching | AttemptStatus::Running | AttemptStatus::Stopping => {
                    Err(Illegal::at("attempt", state, &AttemptInput::Settled(verdict)))
                }
            }
        }
        (
            AttemptState::Ended(_),
            input @ (AttemptInput::Started | AttemptInput::StopRequested | AttemptInput::Settled(_)),
        ) => Err(Illegal::at("attempt", state, &input)),
    }
}
