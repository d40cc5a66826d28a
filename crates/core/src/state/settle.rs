//! The end of an attempt as a pure function of (what its folder says, the wishes of this generation).

use crate::code::ErrorCode;
use crate::status::AttemptStatus;

/// What the folder of an attempt says, once claim, lock, exit record (and, after our own sweep, nothing else) were read in that order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The claim is `void`: nobody ever ran it.
    Voided,
    /// Shims came and went without a claim, for a reason (errno).
    NoClaim {
        /// The error number of the last one's reason, 0 where it gave none.
        errno: i32,
    },
    /// The shim could not exec the program.
    ExecFailed {
        /// The error number.
        errno: i32,
        /// What failed: `exec`, `cwd` or another word of the shim's; `interpreter` where the program itself is there.
        what: String,
    },
    /// The program ended and its shim wrote it down.
    Exited {
        /// The exit code, unless a signal ended it.
        code: Option<i32>,
        /// The signal that ended it.
        signal: Option<i32>,
        /// The wish whose stop took effect before the end.
        by_wish: Option<String>,
        /// Stopped by the shim at its limit of running time.
        timed_out: bool,
        /// Ended because the session or the machine was ending.
        session_end: bool,
    },
    /// Claimed, but there is no exit record and nobody holds the lock.
    Lost {
        /// Whether there is a start record: without one the program never ran.
        started: bool,
        /// What is known of the reason.
        why: ErrorCode,
    },
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// A final status.
    pub status: AttemptStatus,
    /// Why, unless it completed or is void.
    pub code: Option<ErrorCode>,
    /// The exit code, where one is known.
    pub exit_code: Option<i32>,
    /// The signal, where one ended it.
    pub signal: Option<i32>,
    /// A remark for people: `cancel came too late`.
    pub note: Option<&'static str>,
}

/// How the owner's own wishes begin that stop an attempt which prints nothing; the alert's number follows.
pub const STALL_WISH: &str = "stall.";
/// The same, of a rule on a metric.
pub const ALERT_WISH: &str = "alert.";

/// Why the wish that took effect stopped the attempt, where it was the owner's own.
fn guard(wish: &str) -> Option<ErrorCode> {
    if wish.starts_with(STALL_WISH) {
        Some(ErrorCode::Stalled)
    } else if wish.starts_with(ALERT_WISH) {
        Some(ErrorCode::StoppedByAlert)
    } else {
        None
    }
}

const ENOENT: i32 = 2;
const EACCES: i32 = 13;
const ENOEXEC: i32 = 8;
const ENOSPC: i32 = 28;
/// Linux's; on macOS it is the number of nothing that could come here.
const EDQUOT: i32 = 122;

/// Decides how an attempt ended. `cancel_wished`: an accepted cancel of this attempt's generation is on record.
#[must_use]
pub fn settle(evidence: &Evidence, cancel_wished: bool) -> Verdict {
    let plain = |status, code| Verdict { status, code, exit_code: None, signal: None, note: None };
    match evidence {
        Evidence::Voided => plain(AttemptStatus::Void, None),
        Evidence::NoClaim { errno: ENOSPC } => plain(AttemptStatus::LaunchFailed, Some(ErrorCode::DiskFull)),
        Evidence::NoClaim { .. } => plain(AttemptStatus::LaunchFailed, Some(ErrorCode::LaunchFailed)),
        Evidence::ExecFailed { errno, what } => {
            let code = match (*errno, what.as_str()) {
                (_, "cwd") => ErrorCode::CwdMissing,
                // Claimed, but the start record found no room: the gate never opened.
                (ENOSPC | EDQUOT, "start") => ErrorCode::DiskFull,
                // The file is there; what its first line names to read it is not.
                (ENOENT, "interpreter") => ErrorCode::NotExecutable,
                (ENOENT, _) => ErrorCode::ProgramNotFound,
                (EACCES | ENOEXEC, _) => ErrorCode::NotExecutable,
                _ => ErrorCode::LaunchFailed,
            };
            plain(AttemptStatus::LaunchFailed, Some(code))
        }
        Evidence::Exited { code, signal, by_wish, timed_out, session_end } => {
            let mut verdict = Verdict { exit_code: *code, signal: *signal, ..plain(AttemptStatus::Completed, None) };
            let guard = by_wish.as_deref().filter(|_| !cancel_wished).and_then(guard);
            let (status, why) = if guard.is_some() {
                (AttemptStatus::Failed, guard)
            } else if by_wish.is_some() {
                (AttemptStatus::Cancelled, Some(ErrorCode::Cancelled))
            } else if *timed_out {
                (AttemptStatus::TimedOut, Some(ErrorCode::TimedOut))
            } else if *code == Some(0) {
                verdict.note = cancel_wished.then_some("cancel came too late");
                (AttemptStatus::Completed, None)
            } else if *session_end {
                (AttemptStatus::Interrupted, Some(ErrorCode::SessionEnd))
            } else {
                verdict.note = cancel_wished.then_some("cancel came too late");
                let why = if signal.is_some() { ErrorCode::Signal } else { ErrorCode::ExitCode };
                (AttemptStatus::Failed, Some(why))
            };
            verdict.status = status;
            verdict.code = why;
            verdict
        }
        Evidence::Lost { .. } if cancel_wished => plain(AttemptStatus::Cancelled, Some(ErrorCode::Cancelled)),
        // Without a start record the gate never opened: nothing ran, so it costs nothing.
        Evidence::Lost { started: false, why: _ } => plain(AttemptStatus::Void, None),
        Evidence::Lost { started: true, why } => plain(AttemptStatus::Interrupted, Some(*why)),
    }
}
