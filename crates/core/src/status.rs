//! The statuses, spelled so in every door and in the store.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! statuses {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "ts", derive(ts_rs::TS))]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant,)+ }

        impl $name {
            /// Every status, in the order of its life.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The word used in every door and in the store.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownStatus;
            fn from_str(s: &str) -> Result<Self, UnknownStatus> {
                match s { $($text => Ok($name::$variant),)+ _ => Err(UnknownStatus(s.to_owned())) }
            }
        }
    };
}

/// A word that is no status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a status")]
pub struct UnknownStatus(pub String);

statuses! {
    /// A run's status: derived from its flags and stages, never set by itself.
    RunStatus {
        /// Written down, not yet started.
        Draft = "draft",
        /// Something is left to do and nothing is live.
        Queued = "queued",
        /// An attempt is live or a retry is due.
        Running = "running",
        /// The user paused it.
        Paused = "paused",
        /// Every stage that counts completed.
        Completed = "completed",
        /// A failure that is not allowed.
        Failed = "failed",
        /// Ended by a wish.
        Cancelled = "cancelled",
        /// Its true end is not known, or its budget of interruptions is spent.
        Interrupted = "interrupted",
    }
}

statuses! {
    /// A stage's status.
    StageStatus {
        /// Its needs have not ended.
        Waiting = "waiting",
        /// May start when there is room.
        Queued = "queued",
        /// An attempt is live.
        Running = "running",
        /// Failed, and tried again at a known time.
        Retrying = "retrying",
        /// Cannot start until something outside changes.
        Held = "held",
        /// Its program ended with exit code 0.
        Completed = "completed",
        /// The same work was done before.
        Cached = "cached",
        /// Not run: a need did not complete, or its condition was false.
        Skipped = "skipped",
        /// Its program failed, timed out, or could not start.
        Failed = "failed",
        /// Ended by a wish.
        Cancelled = "cancelled",
        /// Its true end is not known.
        Interrupted = "interrupted",
    }
}

statuses! {
    /// An attempt's status.
    AttemptStatus {
        /// Committed; its program has not been seen to run.
        Launching = "launching",
        /// Its program runs.
        Running = "running",
        /// Told to stop; its tree is not gone yet.
        Stopping = "stopping",
        /// Exit code 0.
        Completed = "completed",
        /// Another exit code, or a signal not sent by us.
        Failed = "failed",
        /// Stopped by us at its limit of running time.
        TimedOut = "timed_out",
        /// Stopped by a wish.
        Cancelled = "cancelled",
        /// Its true end is not known.
        Interrupted = "interrupted",
        /// Its program could not be started.
        LaunchFailed = "launch_failed",
        /// Given up before anything ran; costs nothing.
        Void = "void",
    }
}

impl RunStatus {
    /// True once nothing more happens by itself.
    #[must_use]
    pub fn is_ended(self) -> bool {
        match self {
            RunStatus::Draft | RunStatus::Queued | RunStatus::Running | RunStatus::Paused => false,
            RunStatus::Completed | RunStatus::Failed | RunStatus::Cancelled | RunStatus::Interrupted => true,
        }
    }
}

impl StageStatus {
    /// True once nothing more happens by itself.
    #[must_use]
    pub fn is_ended(self) -> bool {
        match self {
            StageStatus::Waiting
            | StageStatus::Queued
            | StageStatus::Running
            | StageStatus::Retrying
            | StageStatus::Held => false,
            StageStatus::Completed
            | StageStatus::Cached
            | StageStatus::Skipped
            | StageStatus::Failed
            | StageStatus::Cancelled
            | StageStatus::Interrupted => true,
        }
    }

    /// True where a stage that needs this one may run.
    #[must_use]
    pub fn satisfies_a_need(self) -> bool {
        matches!(self, StageStatus::Completed | StageStatus::Cached)
    }
}

impl AttemptStatus {
    /// True for `launching`, `running` and `stopping`: it holds a slot.
    #[must_use]
    pub fn is_live(self) -> bool {
        match self {
            AttemptStatus::Launching | AttemptStatus::Running | AttemptStatus::Stopping => true,
            AttemptStatus::Completed
            | AttemptStatus::Failed
            | AttemptStatus::TimedOut
            | AttemptStatus::Cancelled
            | AttemptStatus::Interrupted
            | AttemptStatus::LaunchFailed
            | AttemptStatus::Void => false,
        }
    }
}
