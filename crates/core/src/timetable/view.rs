//! What the doors show of schedules.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::status::RunStatus;
use crate::time::UtcMs;

/// What becomes of times that went by while nobody was there: in sleep, with the machine off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum CatchUp {
    /// One run for all of them.
    #[default]
    Once,
    /// None; they are told as missed.
    Skip,
}

/// What becomes of a start while the schedule's last run has not ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum Overlap {
    /// It is left out, and told as missed.
    #[default]
    Skip,
    /// A run is queued that begins after that one; never more than one.
    Queue,
}

/// What a schedule runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum ScheduleKind {
    /// A template, as it is at each start.
    Template,
    /// A pipeline's file or folder, as it is at each start.
    File,
    /// One command.
    Command,
    /// The pipeline of a run, as it was then.
    Run,
}

/// Times that went by without a start, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Missed {
    /// The first of them.
    pub from: UtcMs,
    /// The last of them.
    pub until: UtcMs,
    /// How many; 10,000 stands for that many or more.
    pub times: u32,
    /// One sentence.
    pub why: String,
}

/// The run that a schedule started last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct ScheduleRun {
    /// What people use.
    pub number: i64,
    /// Its name.
    pub name: String,
    /// Its status.
    pub status: RunStatus,
    /// When it was submitted.
    pub created_at: UtcMs,
    /// When its last stage ended.
    pub finished_at: Option<UtcMs>,
}

/// The schedule that started a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct ScheduledBy {
    /// Its name.
    pub name: String,
    /// The time it was started for; where somebody asked for the run, when that was.
    pub due: UtcMs,
}

/// One schedule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct ScheduleView {
    /// UUIDv7.
    pub id: String,
    /// What people call it; no other has the same.
    pub name: String,
    /// What kind of thing it runs.
    pub kind: ScheduleKind,
    /// What it runs: a template's name, a path, a command line, a pipeline's name.
    pub what: String,
    /// A named set of values.
    pub preset: Option<String>,
    /// The values that were given, secrets left out.
    pub params: IndexMap<String, Value>,
    /// The queue of its runs; none: the pipeline's.
    pub queue: Option<String>,
    /// The priority of its runs; none: the pipeline's.
    pub priority: Option<i32>,
    /// The working folder of its runs.
    pub cwd: String,
    /// `30 2 * * *`, `@daily` or `every 6h`.
    pub timing: String,
    /// The IANA name of the time zone it is meant in.
    pub zone: String,
    /// What becomes of times that nobody saw.
    pub catch_up: CatchUp,
    /// What becomes of a start while the last run has not ended.
    pub overlap: Overlap,
    /// False: it is paused.
    pub enabled: bool,
    /// When it is due next; none where it is paused or never due again.
    pub next_at: Option<UtcMs>,
    /// The next times, at most five; empty where it is paused.
    pub upcoming: Vec<UtcMs>,
    /// The run that it started last, as long as that is kept.
    pub last_run: Option<ScheduleRun>,
    /// The newest times it missed, at most 20, newest first.
    pub missed: Vec<Missed>,
    /// When it was made.
    pub created_at: UtcMs,
}

/// All schedules.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct SchedulesView {
    /// An owner stays as long as a schedule is to be due, so that starts are on time with nobody around.
    pub keep_owner: bool,
    /// By name.
    pub all: Vec<ScheduleView>,
}
