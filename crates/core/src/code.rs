//! Errors: a code for programs, a sentence for people, and what to do.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal => $exit:literal,)+) => {
        /// Why something failed, waits or was refused: stable words for programs.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "ts", derive(ts_rs::TS))]
        #[serde(rename_all = "snake_case")]
        pub enum ErrorCode { $($(#[$doc])* $variant,)+ }

        impl ErrorCode {
            /// Every code.
            pub const ALL: &'static [ErrorCode] = &[$(ErrorCode::$variant),+];

            /// The word, as in JSON and in the store.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(ErrorCode::$variant => $text),+ }
            }

            /// The exit code of the command line for an error of this kind (5-doors: 1 the run failed, 2 usage, 3 invalid,
            /// 4 not found, 5 conflict, 6 refused, 7 another process holds the store, 8 storage, 130 cancelled).
            #[must_use]
            pub fn exit_code(self) -> u8 {
                match self { $(ErrorCode::$variant => $exit),+ }
            }
        }

        impl FromStr for ErrorCode {
            type Err = ();
            fn from_str(s: &str) -> Result<Self, ()> {
                match s { $($text => Ok(ErrorCode::$variant),)+ _ => Err(()) }
            }
        }
    };
}

codes! {
    /// The program ended with a code other than 0.
    ExitCode = "exit_code" => 1,
    /// The program was ended by a signal that Footplate did not send.
    Signal = "signal" => 1,
    /// The limit of running time was reached.
    TimedOut = "timed_out" => 1,
    /// Stopped because it printed nothing for as long as its `stall`.
    Stalled = "stalled" => 1,
    /// Stopped by a rule on one of its metrics.
    StoppedByAlert = "stopped_by_alert" => 1,
    /// The program could not be started, for a reason without a code of its own.
    LaunchFailed = "launch_failed" => 1,
    /// No such program in the search path.
    ProgramNotFound = "program_not_found" => 1,
    /// The file is there but cannot be executed.
    NotExecutable = "not_executable" => 1,
    /// The working folder is gone.
    CwdMissing = "cwd_missing" => 3,
    /// The disk that a folder lies on does not answer.
    DiskSilent = "disk_silent" => 8,
    /// A value from another stage, a parameter or a file is not there.
    InputMissing = "input_missing" => 1,
    /// A declared output path was not there at the stage's end.
    OutputMissing = "output_missing" => 1,
    /// An expression could not be evaluated.
    Expression = "expression" => 3,
    /// The end of the program is not known.
    Interrupted = "interrupted" => 130,
    /// The machine was restarted while it ran.
    Rebooted = "rebooted" => 130,
    /// The process that held the program was killed.
    ShimLost = "shim_lost" => 130,
    /// The attempt's folder was deleted.
    FolderDeleted = "folder_deleted" => 130,
    /// The session or the machine was ending.
    SessionEnd = "session_end" => 130,
    /// Ended by a wish.
    Cancelled = "cancelled" => 130,
    /// A stage it needs did not complete.
    NeedNotCompleted = "need_not_completed" => 1,
    /// Its condition was false.
    ConditionFalse = "condition_false" => 0,
    /// Another stage failed and the pipeline says `on_failure = "stop"`.
    StoppedByFailure = "stopped_by_failure" => 1,
    /// The run it comes after did not complete.
    AfterFailed = "after_failed" => 130,
    /// The log ends before the length that the record states.
    LogLost = "log_lost" => 1,
    /// A secret is not there.
    SecretMissing = "secret_missing" => 6,
    /// No room on the disk.
    DiskFull = "disk_full" => 8,
    /// Wrong arguments on the command line.
    Usage = "usage" => 2,
    /// An input that cannot be used.
    Invalid = "invalid" => 3,
    /// A pipeline file with faults.
    InvalidPipeline = "invalid_pipeline" => 3,
    /// Not a run id, number or name.
    NotARunId = "not_a_run_id" => 3,
    /// A prefix or suffix that fits several runs.
    Ambiguous = "ambiguous" => 3,
    /// More is asked for than this machine has.
    ImpossibleResources = "impossible_resources" => 3,
    /// No such run, stage, queue, template or file.
    NotFound = "not_found" => 4,
    /// The present state does not allow it.
    Conflict = "conflict" => 5,
    /// The run has already ended.
    AlreadyEnded = "already_ended" => 5,
    /// The run, or a part that matters here, is live.
    StillLive = "still_live" => 5,
    /// The run was started before.
    AlreadyStarted = "already_started" => 5,
    /// The run's definition leaves no checkpoint to go on from.
    NothingToResume = "nothing_to_resume" => 5,
    /// A policy or a setting forbids it.
    Refused = "refused" => 6,
    /// A template from elsewhere, or one that was changed, has not been allowed to run.
    ConsentMissing = "consent_missing" => 6,
    /// Nobody answered in time; the wish stays on record.
    NoAnswer = "no_answer" => 7,
    /// Another process holds the store.
    StoreHeld = "store_held" => 7,
    /// The store was written by a newer version.
    StoreNewer = "store_newer" => 8,
    /// The store is no store, or a part of it cannot be read; the owner restores it.
    StoreDamaged = "store_damaged" => 8,
    /// The store cannot be read or written.
    Storage = "storage" => 8,
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What happened (with the value), under a code, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[error("{message}")]
pub struct Fault {
    /// For programs.
    pub code: ErrorCode,
    /// One sentence or more for people: what happened, with the value.
    pub message: String,
    /// What to do, best first.
    #[serde(default)]
    pub hints: Vec<String>,
    /// Where several things are wrong at once: each by itself, with its own hint. All of it stands in `message` and `hints`, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "ts", ts(skip))]
    pub problems: Vec<FaultProblem>,
}

/// One of the things that are wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultProblem {
    /// For programs: `unknown_key`, `cycle` ...
    pub code: String,
    /// The file, as people named it.
    pub file: String,
    /// The line, from 1, where one can be named.
    pub line: Option<u32>,
    /// The column in characters, from 1.
    pub column: Option<u32>,
    /// What happened, with the value.
    pub message: String,
    /// What to do about this one.
    pub hint: Option<String>,
}

impl FaultProblem {
    /// `footplate.toml:12:5: message`.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = self.file.clone();
        for place in [self.line, self.line.and(self.column)].into_iter().flatten() {
            text.push_str(&format!(":{place}"));
        }
        format!("{text}: {}", self.message)
    }
}

impl Fault {
    /// A fault without hints.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Fault { code, message: message.into(), hints: Vec::new(), problems: Vec::new() }
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back_and_is_spelled_as_in_json() {
        for code in ErrorCode::ALL {
            assert_eq!(code.as_str().parse(), Ok(*code));
            assert_eq!(serde_json::to_string(code).unwrap(), format!("\"{code}\""));
        }
    }
}
