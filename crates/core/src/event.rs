//! Kept events: one for each change of state, written in the same transaction, replayable from a sequence number.

use serde::{Deserialize, Serialize};

use crate::code::ErrorCode;
use crate::status::{AttemptStatus, RunStatus, StageStatus};
use crate::view::DiskLevel;

/// What changed. The run's number stands beside it in the event's row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// A run was written down.
    RunSubmitted,
    /// A run's status, as derived, is another.
    RunStatus {
        /// Its new status.
        status: RunStatus,
    },
    /// A stage's status is another.
    StageStatus {
        /// The stage's index.
        stage: u32,
        /// Its new status.
        status: StageStatus,
        /// Why, where there is a reason.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "ts", ts(optional))]
        code: Option<ErrorCode>,
    },
    /// An attempt's status is another.
    AttemptStatus {
        /// The stage's index.
        stage: u32,
        /// The attempt's number.
        attempt: u32,
        /// Its new status.
        status: AttemptStatus,
        /// Why, where there is a reason.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "ts", ts(optional))]
        code: Option<ErrorCode>,
    },
    /// An attempt was paused or goes on.
    AttemptPaused {
        /// The stage's index.
        stage: u32,
        /// The attempt's number.
        attempt: u32,
        /// True: paused now.
        paused: bool,
    },
    /// An alert began, ended, or was dismissed.
    Alert {
        /// The stage's index.
        stage: u32,
        /// The attempt's number.
        attempt: u32,
        /// The alert's number in the store.
        alert: i64,
        /// Which of these.
        change: AlertChange,
    },
    /// A wish was done or refused.
    WishAnswered {
        /// The wish's id.
        wish: String,
        /// Whether it was done.
        done: bool,
        /// The code of a refusal.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "ts", ts(optional))]
        code: Option<ErrorCode>,
    },
    /// Something worth knowing that changes no state (`cancel came too late`, a dropped part of a log ...).
    Note {
        /// The stage's index, where it concerns one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "ts", ts(optional))]
        stage: Option<u32>,
        /// The sentence.
        text: String,
    },
    /// A run's name, tags, priority or queue is another.
    RunChanged,
    /// A run was removed; its number is not used again.
    RunRemoved,
    /// A queue's rule is another.
    QueueChanged {
        /// Its name.
        queue: String,
    },
    /// A schedule is new, paused, unpaused or removed, or has missed a time.
    ScheduleChanged {
        /// Its name.
        schedule: String,
    },
    /// The data folder's disk is below a mark, while something runs or waits. Told once, until there is room again or it is worse.
    Disk {
        /// Below which of the marks.
        level: DiskLevel,
        /// What was free, bytes.
        free: u64,
        /// The mark, bytes.
        mark: u64,
    },
}

/// What happened to an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum AlertChange {
    /// It began.
    Raised,
    /// It is not so any more, or its attempt ended.
    Ended,
    /// Somebody has seen to it.
    Dismissed,
}
