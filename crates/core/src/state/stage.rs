//! A stage: `waiting -> queued -> running -> ended`, with `retrying` and `held` between.

use super::Illegal;
use crate::code::ErrorCode;
use crate::definition::{OnInterrupt, Retries, RetryOn};
use crate::status::{AttemptStatus, StageStatus};
use crate::time::UtcMs;

/// How many interruptions in a row, without a new checkpoint between, a stage may go on after.
pub const INTERRUPTION_BUDGET: u32 = 3;

/// The state of a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StageState {
    /// Its needs have not ended.
    Waiting,
    /// May start when there is room.
    Queued,
    /// An attempt is live.
    Running {
        /// The attempt's number.
        attempt: u32,
    },
    /// Tried again at a known time.
    Retrying {
        /// When it is queued again.
        at: UtcMs,
    },
    /// Cannot start until something outside changes.
    Held {
        /// What is missing.
        code: ErrorCode,
    },
    /// Exit code 0.
    Completed,
    /// The same work was done before.
    Cached,
    /// Not run.
    Skipped {
        /// Why.
        code: ErrorCode,
    },
    /// Failed for good.
    Failed {
        /// Why.
        code: ErrorCode,
    },
    /// Ended by a wish.
    Cancelled,
    /// Its true end is not known, and it is not tried again by itself.
    Interrupted {
        /// Why.
        code: ErrorCode,
    },
}

/// What the end of an attempt means to its stage; decided by [`after_attempt`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AfterAttempt {
    /// Done.
    Completed,
    /// Queued again at once: the attempt was void, or an interruption with budget left.
    Again,
    /// Queued again at a known time.
    RetryAt(UtcMs),
    /// Failed for good.
    Failed(ErrorCode),
    /// Ended by a wish.
    Cancelled,
    /// Interrupted, and people decide.
    Interrupted(ErrorCode),
    /// Held until something outside changes.
    Held(ErrorCode),
}

/// What can happen to a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StageInput {
    /// Its needs have ended well (or `needs_any`), and its condition is true.
    Ready,
    /// It is not to run: a need did not complete, its condition was false, or a failure stops the run.
    Skip(ErrorCode),
    /// Its condition or its command could not be made from what there is.
    Unmakeable(ErrorCode),
    /// The owner committed an attempt for it.
    Launched {
        /// The attempt's number.
        attempt: u32,
    },
    /// Something outside is missing.
    Hold(ErrorCode),
    /// What it was held for may be there now.
    Release,
    /// Its attempt ended.
    AttemptEnded(AfterAttempt),
    /// Its retry is due.
    RetryDue,
    /// A cancel. A running stage is ended by its attempt's end instead.
    Cancel,
    /// Reopened by `retry` or `resume`: to be queued again.
    ReopenQueued,
    /// Reopened because something it needs was: waits again.
    ReopenWaiting,
}

impl StageState {
    /// The status that this state is stored and shown as.
    #[must_use]
    pub fn status(&self) -> StageStatus {
        match self {
            StageState::Waiting => StageStatus::Waiting,
            StageState::Queued => StageStatus::Queued,
            StageState::Running { .. } => StageStatus::Running,
            StageState::Retrying { .. } => StageStatus::Retrying,
            StageState::Held { .. } => StageStatus::Held,
            StageState::Completed => StageStatus::Completed,
            StageState::Cached => StageStatus::Cached,
            StageState::Skipped { .. } => StageStatus::Skipped,
            StageState::Failed { .. } => StageStatus::Failed,
            StageState::Cancelled => StageStatus::Cancelled,
            StageState::Interrupted { .. } => StageStatus::Interrupted,
        }
    }

    /// Why, where the state has a reason.
    #[must_use]
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            StageState::Held { code }
            | StageState::Skipped { code }
            | StageState::Failed { code }
            | StageState::Interrupted { code } => Some(*code),
            StageState::Cancelled => Some(ErrorCode::Cancelled),
            StageState::Waiting
            | StageState::Queued
            | StageState::Running { .. }
            | StageState::Retrying { .. }
            | StageState::Completed
            | StageState::Cached => None,
        }
    }
}

/// One move of a stage.
///
/// # Errors
/// `Illegal` for a move that the law does not have.
pub fn step(state: &StageState, input: StageInput) -> Result<StageState, Illegal> {
    use StageInput as I;
    use StageState as S;
    let illegal = |input: I| Err(Illegal::at("stage", state, &input));
    match input {
        I::Ready => match state {
            S::Waiting => Ok(S::Queued),
            S::Queued
            | S::Running { .. }
            | S::Retrying { .. }
            | S::Held { .. }
            | S::Completed
            | S::Cached
            | S::Skipped { .. }
            | S::Failed { .. }
            | S::Cancelled
            | S::Interrupted { .. } => illegal(I::Ready),
        },
        I::Skip(code) => match state {
            S::Waiting | S::Queued | S::Retrying { .. } | S::Held { .. } => Ok(S::Skipped { code }),
            S::Running { .. }
            | S::Completed
            | S::Cached
            | S::Skipped { .. }
            | S::Failed { .. }
            | S::Cancelled
            | S::Interrupted { .. } => illegal(I::Skip(code)),
        },
        I::Unmakeable(code) => match state {
            S::Waiting | S::Queued => Ok(S::Failed { code }),
            S::Running { .. }
            | S::Retrying { .. }
            | S::Held { .. }
            | S::Completed
            | S::Cached
            | S::Skipped { .. }
            | S::Failed { .. }
            | S::Cancelled
            | S::Interrupted { .. } => illegal(I::Unmakeable(code)),
        },
        I::Launched { attempt } => match state {
            S::Queued => Ok(S::Running { attempt }),
            S::Waiting
            | S::Running { .. }
            | S::Retrying { .. }
            | S::Held { .. }
            | S::Completed
            | S::Cached
            | S::Skipped { .. }
            | S::Failed { .. }
            | S::Cancelled
            | S::Interrupted { .. } => illegal(I::Launched { attempt }),
        },
        I::Hold(code) => match state {
            S::Queued => Ok(S::Held { code }),
            S::Waiting
            | S::Running { .. }
            | S::Retrying { .. }
            | S::Held { .. }
            | S::Completed
            | S::Cached
            | S::Skipped { .. }
            | S::Failed { .. }
            | S::Cancelled
            | S::Interrupted { .. } => illegal(I::Hold(code)),
        },
        I::Release => match state {
            S::Held { .. } => Ok(S::Queued),
            S::Waiting
            | S::Queued
            | S::Running { .. }
            | S::Retrying { .. }
            | S::Completed
            | S::Cached
            | S::Skipped { .. }
            | S::Failed { .. }
            | S::Cancelled
            | S::Interrupted { .. } => illegal(I::Release),
        },
        I::RetryDue => match state {
            S::Retrying { .. } => Ok(S::Queued),
            S::Waiting
            | S::Queued
            | S::Running { .. }
            | S::Held { .. }
            | S::Completed
            | S::Cached
            | S::Skipped { .. }
            | S::Failed { .. }
            | S::Cancelled
            | S::Interrupted { .. } => illegal(I::RetryDue),
        },
        I::Cancel => match state {
            S::Waiting | S::Queued | S::Retrying { .. } | S::Held { .. } => Ok(S::Cancelled),
            S::Running { .. }
            | S::Completed
            | S::Cached
            | S::Skipped { .. }
            | S::Failed { .. }
            | S::Cancelled
            | S::Interrupted { .. } => illegal(I::Cancel),
        },
        I::AttemptEnded(after) => match state {
            S::Running { .. } => Ok(ended(after)),
            S::Waiting
            | S::Queued
            | S::Retrying { .. }
            | S::Held { .. }
            | S::Completed
            | S::Cached
            | S::Skipped { .. }
            | S::Failed { .. }
            | S::Cancelled
            | S::Interrupted { .. } => illegal(I::AttemptEnded(after)),
        },
        I::ReopenQueued => match state {
            S::Completed | S::Cached | S::Skipped { .. } | S::Failed { .. } | S::Cancelled | S::Interrupted { .. } => {
                Ok(S::Queued)
            }
            S::Waiting | S::Queued | S::Running { .. } | S::Retrying { .. } | S::Held { .. } => illegal(input),
        },
        I::ReopenWaiting => match state {
            S::Waiting
            | S::Completed
            | S::Cached
            | S::Skipped { .. }
            | S::Failed { .. }
            | S::Cancelled
            | S::Interrupted { .. } => Ok(S::Waiting),
            S::Queued | S::Running { .. } | S::Retrying { .. } | S::Held { .. } => illegal(input),
        },
    }
}

fn ended(after: AfterAttempt) -> StageState {
    match after {
        AfterAttempt::Completed => StageState::Completed,
        AfterAttempt::Again => StageState::Queued,
        AfterAttempt::RetryAt(at) => StageState::Retrying { at },
        AfterAttempt::Failed(code) => StageState::Failed { code },
        AfterAttempt::Cancelled => StageState::Cancelled,
        AfterAttempt::Interrupted(code) => StageState::Interrupted { code },
        AfterAttempt::Held(code) => StageState::Held { code },
    }
}

/// The budgets of a stage, as used up in this generation of its run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budgets {
    /// Retries used.
    pub retries: u32,
    /// Interruptions in a row without a new checkpoint.
    pub interruptions: u32,
}

/// What the end of an attempt means to its stage.
///
/// `cancelled`: an accepted cancel of this generation. `jitter` in [0, 1), from whoever has randomness.
/// Returns what follows and the budgets after it.
#[must_use]
pub fn after_attempt(
    verdict: &super::settle::Verdict,
    cancelled: bool,
    retries: &Retries,
    on_interrupt: OnInterrupt,
    used: Budgets,
    now: UtcMs,
    jitter: f64,
) -> (AfterAttempt, Budgets) {
    let code = verdict.code.unwrap_or(ErrorCode::LaunchFailed);
    let failure = |kind: RetryOn| {
        if cancelled {
            (AfterAttempt::Failed(code), used)
        } else if used.retries < retries.max && retries.on.contains(&kind) {
            let at = UtcMs(now.0.saturating_add(retry_delay_ms(retries, used.retries, jitter)));
            (AfterAttempt::RetryAt(at), Budgets { retries: used.retries + 1, ..used })
        } else {
            (AfterAttempt::Failed(code), used)
        }
    };
    match verdict.status {
        AttemptStatus::Completed => (AfterAttempt::Completed, Budgets { interruptions: 0, ..used }),
        AttemptStatus::Cancelled => (AfterAttempt::Cancelled, used),
        AttemptStatus::Void if cancelled => (AfterAttempt::Cancelled, used),
        AttemptStatus::Void => (AfterAttempt::Again, used),
        AttemptStatus::Failed => failure(RetryOn::Failed),
        AttemptStatus::TimedOut => failure(RetryOn::TimedOut),
        AttemptStatus::LaunchFailed => {
            // A working folder may come back (a disk not mounted), and so may room: the stage waits for it.
            let held = matches!(code, ErrorCode::CwdMissing | ErrorCode::DiskFull) && !cancelled;
            (if held { AfterAttempt::Held(code) } else { AfterAttempt::Failed(code) }, used)
        }
        AttemptStatus::Interrupted => {
            let next = Budgets { interruptions: used.interruptions + 1, ..used };
            let again = on_interrupt != OnInterrupt::Ask && next.interruptions < INTERRUPTION_BUDGET && !cancelled;
            if again { (AfterAttempt::Again, next) } else { (AfterAttempt::Interrupted(code), next) }
        }
        AttemptStatus::Launching | AttemptStatus::Running | AttemptStatus::Stopping => {
            (AfterAttempt::Interrupted(ErrorCode::Interrupted), used)
        }
    }
}

/// The delay before retry number `used + 1`, milliseconds: `delay * backoff^used`, at most `max_delay`, varied by `jitter`.
#[must_use]
pub fn retry_delay_ms(retries: &Retries, used: u32, jitter: f64) -> i64 {
    let base = retries.delay.0 as f64 * retries.backoff.max(1.0).powi(used.min(1000) as i32);
    let capped = base.min(retries.max_delay.0 as f64);
    let varied = capped * (1.0 + retries.jitter.clamp(0.0, 1.0) * (2.0 * jitter - 1.0));
    varied.max(0.0).round() as i64
}
