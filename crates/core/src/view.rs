//! What the doors show: the JSON of `show`, `list` and the API (5-doors). Built by the engine's Client from the store.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::alert::AlertFacts;
use crate::id::RunId;
use crate::status::{AttemptStatus, RunStatus, StageStatus};
use crate::time::UtcMs;
use crate::timetable::ScheduledBy;
use crate::usage::Usage;

/// Why something waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Waiting {
    /// A stable word: `dependency queue_paused queue_limit cpus memory gpus not_before after run_paused disk retry_at held no_owner`.
    pub reason: String,
    /// One sentence.
    pub detail: String,
}

/// Why something failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Failure {
    /// A stable word.
    pub code: String,
    /// In plain words.
    pub title: String,
    /// What is known.
    pub detail: String,
    /// What to do.
    #[serde(default)]
    pub hints: Vec<String>,
    /// The line of the log it was read from, from 1.
    #[serde(default)]
    pub log_line: Option<u64>,
    /// Where the reason is known: which it is. Title, detail and hints are its sentences then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub diagnosis: Option<Diagnosis>,
}

/// Why a program failed, as programs read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Diagnosis {
    /// A stable word: `gpu_out_of_memory`, `module_not_found` ..
    pub code: String,
    /// The values that stand in its sentences, by name. They may be a program's own text, cut.
    pub args: IndexMap<String, String>,
    /// The byte of the attempt's log at which the line begins that says so; none where the exit record does.
    pub log_offset: Option<u64>,
}

/// Something worth knowing about a run that changes no state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Note {
    /// When it was noted.
    pub time: UtcMs,
    /// The stage's name, where it concerns one.
    pub stage: Option<String>,
    /// The sentence.
    pub text: String,
}

/// One run; `cwd`, `notes`, `params` and `stages` are left out in lists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct RunView {
    /// UUIDv7.
    pub id: RunId,
    /// What people use.
    pub number: i64,
    /// Its name.
    pub name: String,
    /// The pipeline's name.
    pub pipeline: String,
    /// The experiment it belongs to.
    pub experiment: Option<String>,
    /// The queue of its stages that name none.
    pub queue: String,
    /// -100 to 100.
    pub priority: i32,
    /// Where it runs: `local`.
    pub target: String,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Derived from flags and stages.
    pub status: RunStatus,
    /// False where attempts are live but no owner confirms it.
    pub confirmed: bool,
    /// 0 to 1, over all stages.
    pub progress: Option<f64>,
    /// Seconds left.
    pub eta_s: Option<f64>,
    /// What it does now.
    pub message: Option<String>,
    /// Why it waits.
    pub waiting: Option<Waiting>,
    /// When it was submitted.
    pub created_at: UtcMs,
    /// When its first attempt started.
    pub started_at: Option<UtcMs>,
    /// When its last stage ended.
    pub finished_at: Option<UtcMs>,
    /// The result, fixed when all stages but the tails had ended.
    pub result: Option<RunStatus>,
    /// When the result was fixed.
    pub result_at: Option<UtcMs>,
    /// How often it was retried or resumed, plus one.
    pub generation: u32,
    /// Why it failed.
    pub error: Option<Failure>,
    /// The working folder it was submitted from; what is no UTF-8 in it is shown as U+FFFD.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// Its alerts, newest first; in lists only those that are open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "ts", ts(as = "Option<_>", optional))]
    pub alerts: Vec<AlertView>,
    /// The schedule that started it; left out where somebody submitted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub schedule: Option<ScheduledBy>,
    /// What was noted about it, oldest first; kept as long as events are (7 days), those of attempts for good with them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<Vec<Note>>,
    /// Its parameters, secrets left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub params: Option<IndexMap<String, Value>>,
    /// Its stages, in the order of the definition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub stages: Option<Vec<StageView>>,
}

/// An alert: a program that prints nothing, or a metric beyond what its stage's rules allow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct AlertView {
    /// Its number in the store.
    pub id: i64,
    /// The stage's name.
    pub stage: String,
    /// The attempt's number.
    pub attempt: u32,
    /// What is known of it.
    pub facts: AlertFacts,
    /// One sentence.
    pub detail: String,
    /// When it began: the first of the points, the last output.
    pub since: UtcMs,
    /// When it was raised.
    pub raised_at: UtcMs,
    /// When it ended by itself, or with its attempt.
    pub ended_at: Option<UtcMs>,
    /// When somebody said that it was seen.
    pub dismissed_at: Option<UtcMs>,
}

impl AlertView {
    /// It is still so, and nobody has said that it was seen.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.ended_at.is_none() && self.dismissed_at.is_none()
    }
}

/// One stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct StageView {
    /// Its name.
    pub name: String,
    /// Its status.
    pub status: StageStatus,
    /// Its queue.
    pub queue: String,
    /// The names of the stages it needs.
    pub needs: Vec<String>,
    /// The program and its arguments as the definition has them, templates among them, U+FFFD for what is no UTF-8; empty where it is a line for a shell.
    pub command: Vec<String>,
    /// The line for a shell.
    pub shell: Option<String>,
    /// 0 to 1.
    pub progress: Option<f64>,
    /// Seconds left.
    pub eta_s: Option<f64>,
    /// What it does now.
    pub message: Option<String>,
    /// The newest values by name: position (`step`, `epoch`) and metrics.
    pub metrics: IndexMap<String, f64>,
    /// Why it waits.
    pub waiting: Option<Waiting>,
    /// Values handed on.
    pub outputs: IndexMap<String, Value>,
    /// True: its failure does not fail the run.
    pub allow_failure: bool,
    /// True: nobody waits for it.
    pub tail: bool,
    /// When it was queued first in this generation.
    pub queued_at: Option<UtcMs>,
    /// When its first attempt of this generation started.
    pub started_at: Option<UtcMs>,
    /// When it ended.
    pub finished_at: Option<UtcMs>,
    /// Why it failed.
    pub error: Option<Failure>,
    /// All attempts, oldest first.
    pub attempts: Vec<AttemptView>,
}

/// One attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct AttemptView {
    /// From 1.
    pub number: u32,
    /// Its status.
    pub status: AttemptStatus,
    /// The program and its arguments as it was really started, U+FFFD for what is no UTF-8; empty where its folder is gone or not
    /// built yet, and outside of `show`.
    #[serde(default)]
    pub command: Vec<String>,
    /// The user stopped it for a while.
    pub paused: bool,
    /// The program's process id, once it runs.
    pub pid: Option<i32>,
    /// The exit code.
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// When its program started.
    pub started_at: Option<UtcMs>,
    /// When it ended.
    pub finished_at: Option<UtcMs>,
    /// Seconds it ran, without sleep and pauses.
    pub running_s: Option<f64>,
    /// Bytes of log.
    pub log_size: Option<u64>,
    /// What it used, or has used so far.
    pub usage: Option<Usage>,
    /// The ids of the GPUs that it holds, or held.
    #[serde(default)]
    pub gpus: Vec<String>,
    /// Remarks: `cancel came too late`, progress out of bounds, metrics left out ..
    pub notes: Vec<String>,
    /// Why it failed.
    pub error: Option<Failure>,
}

/// One queue with its counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct QueueView {
    /// Its name.
    pub name: String,
    /// Higher starts first.
    pub priority: i32,
    /// Stages at once.
    pub limit: u32,
    /// Starts nothing.
    pub paused: bool,
    /// Stages queued in it.
    pub queued: u64,
    /// Stages running in it.
    pub running: u64,
}

/// How much room is left on a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum DiskLevel {
    /// Above both marks.
    Enough,
    /// Below the warning mark: nothing starts.
    Low,
    /// Below the critical mark: what runs is paused.
    Critical,
}

/// The disk of the data folder, and the marks that keep room on it; bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct DiskView {
    /// What this user can still write.
    pub free: u64,
    /// The whole disk.
    pub total: u64,
    /// Below it nothing starts; 0: never.
    pub warning: u64,
    /// Below it what runs is paused; 0: never.
    pub critical: u64,
    /// Where it stands.
    pub level: DiskLevel,
}

/// What a submit answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Submitted {
    /// UUIDv7.
    pub id: RunId,
    /// What people use.
    pub number: i64,
    /// Its name.
    pub name: String,
}
