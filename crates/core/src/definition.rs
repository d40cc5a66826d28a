//! A pipeline's definition, as frozen in a run. Its serde form is the pipeline file's form (TOML or JSON); reading files with all faults
//! at once, expressions and checks are in `spec`. Source: docs/PIPELINE.md.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::alert::{AlertAction, AlertRule, Better};
use crate::quantity::{ByteSize, Span};

/// The version of the file format that this program writes and reads.
pub const FORMAT: u32 = 1;
/// Most stages a pipeline may have.
pub const MAX_STAGES: usize = 5_000;

/// A pipeline: named stages, what each runs, what each needs, and the parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// The version of the format: 1.
    pub format: u32,
    /// `[a-z0-9-]`, 1 to 64 characters.
    pub name: String,
    /// What people read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub title: Option<String>,
    /// One or two sentences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub description: Option<String>,
    /// The queue for stages that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub queue: Option<String>,
    /// The run's own priority, -100 to 100.
    #[serde(default, skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "ts", ts(as = "Option<_>", optional))]
    pub priority: i32,
    /// Whether a failure lets independent branches go on.
    #[serde(default, skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "ts", ts(as = "Option<_>", optional))]
    pub on_failure: OnFailure,
    /// The parameters, in the order of the form.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[cfg_attr(feature = "ts", ts(as = "Option<_>", optional))]
    pub params: IndexMap<String, Param>,
    /// Named sets of parameter values (and a `title`).
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[cfg_attr(feature = "ts", ts(as = "Option<_>", optional))]
    pub presets: IndexMap<String, IndexMap<String, Value>>,
    /// The stages, in the order of the file; a stage's index is its place here.
    pub stages: IndexMap<String, Stage>,
}

/// What a failure does to branches that do not depend on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// They go on.
    #[default]
    Continue,
    /// What runs goes on to its end; nothing new starts.
    Stop,
}

/// A parameter: what `-p NAME=VALUE` and the form accept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Param {
    /// The kind of value.
    #[serde(rename = "type")]
    pub kind: ParamKind,
    /// The value where none is given. Without one the parameter is required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub default: Option<Value>,
    /// Least number allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub minimum: Option<f64>,
    /// Greatest number allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub maximum: Option<f64>,
    /// The values of a `choice`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "ts", ts(as = "Option<_>", optional))]
    pub choices: Vec<Value>,
    /// A regular expression that the whole text must match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub pattern: Option<String>,
    /// For paths: must it exist when the run is submitted?
    #[serde(default, skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "ts", ts(as = "Option<_>", optional))]
    pub exists: bool,
    /// The label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub title: Option<String>,
    /// The explanation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub help: Option<String>,
    /// The heading it stands under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub group: Option<String>,
    /// Folded away at first.
    #[serde(default, skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "ts", ts(as = "Option<_>", optional))]
    pub advanced: bool,
}

/// The kinds of parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ParamKind {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// One of `choices`.
    Choice,
    /// A file or folder.
    Path,
    /// A data set: a file or folder, shown with a preview.
    Dataset,
    /// A secret: usable in `env` only, never stored with the run.
    Secret,
}

/// A stage: one node of the DAG.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// The program and its arguments; never goes through a shell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "ts", ts(as = "Option<_>", optional))]
    pub command: Vec<String>,
    /// A line for `/bin/sh -c`, in place of `command`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub shell: Option<String>,
    /// Stages that must have ended first. References in expressions are added by the checker.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "ts", ts(as = "Option<_>", optional))]
    pub needs: Vec<String>,
    /// What people read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub title: Option<String>,
    /// The queue; else the pipeline's, else `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub queue: Option<String>,
    /// Arguments appended when the stage starts again and a valid checkpoint exists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "ts", ts(as = "Option<_>", optional))]
    pub resume: Vec<String>,
    /// Environment over that of the submitter.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[cfg_attr(feature = "ts", ts(as = "Option<_>", optional))]
    pub env: IndexMap<String, String>,
    /// Names taken from the secret store into the environment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "ts", ts(as = "Option<_>", optional))]
    pub secrets: Vec<String>,
    /// The working folder; default: where the run was submitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub cwd: Option<String>,
    /// Limit of running time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub timeout: Option<Span>,
    /// Time between TERM and KILL; default 30s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub grace: Option<Span>,
    /// So much running time without output raises an alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub stall: Option<Span>,
    /// What follows from that alert.
    #[serde(default, skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "ts", ts(as = "Option<_>", optional))]
    pub stall_action: AlertAction,
    /// Conditions on its metrics that people are told of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "ts", ts(as = "Option<_>", optional))]
    pub alerts: Vec<AlertRule>,
    /// Tries again after a failure.
    #[serde(default, skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "ts", ts(as = "Option<_>", optional))]
    pub retries: Retries,
    /// What an interruption leads to; default: `resume` where `resume` is given, else `ask`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub on_interrupt: Option<OnInterrupt>,
    /// Reserved for scheduling.
    #[serde(default, skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "ts", ts(as = "Option<_>", optional))]
    pub resources: Resources,
    /// Where checkpoints appear; the newest valid one is what `resume` goes on from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub checkpoints: Option<Checkpoints>,
    /// A regular expression with named groups `step`, `total`, `epoch`, `epochs`, `progress`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub progress_pattern: Option<String>,
    /// A regular expression whose named groups are metrics (or `name` and `value`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub metric_pattern: Option<String>,
    /// A bare expression; false: skipped, and so is what needs it.
    #[serde(default, rename = "if", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub condition: Option<String>,
    /// Values and paths handed on; paths are checked at the stage's end.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[cfg_attr(feature = "ts", ts(as = "Option<_>", optional))]
    pub outputs: IndexMap<String, String>,
    /// Its failure does not fail the run.
    #[serde(default, skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "ts", ts(as = "Option<_>", optional))]
    pub allow_failure: bool,
    /// Runs whatever the needs' end, except after interrupted or cancel.
    #[serde(default, skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "ts", ts(as = "Option<_>", optional))]
    pub needs_any: bool,
    /// Nobody waits for it.
    #[serde(default, skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "ts", ts(as = "Option<_>", optional))]
    pub tail: bool,
    /// Wait for every process of the tree, not only for the program.
    #[serde(default, skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "ts", ts(as = "Option<_>", optional))]
    pub wait_group: bool,
    /// RFC 3339; not started before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub not_before: Option<String>,
    /// Nothing here is a template: what `footplate add` submits is run as it was typed. Pipeline files cannot say it.
    #[serde(default, skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "ts", ts(as = "Option<_>", optional))]
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub literal: bool,
    /// Of arguments that are no UTF-8 their true bytes, by their place in `command`, which has U+FFFD for what is none. What
    /// `footplate add` submits may have such; pipeline files cannot say it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub bytes: BTreeMap<u32, Vec<u8>>,
}

/// Tries again after a failure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Retries {
    /// How often, 0 to 100; default 0.
    pub max: u32,
    /// Before the first; default 30s.
    pub delay: Span,
    /// The delay's factor from one to the next; default 2.
    pub backoff: f64,
    /// The longest delay; default 10m.
    pub max_delay: Span,
    /// The share of the delay that varies at random, 0 to 1; default 0.1.
    pub jitter: f64,
    /// After what; default both.
    pub on: Vec<RetryOn>,
}

impl Default for Retries {
    fn default() -> Self {
        Retries {
            max: 0,
            delay: Span(30_000),
            backoff: 2.0,
            max_delay: Span(600_000),
            jitter: 0.1,
            on: vec![RetryOn::Failed, RetryOn::TimedOut],
        }
    }
}

/// Ends of an attempt that may lead to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RetryOn {
    /// Exit code other than 0, or a signal.
    Failed,
    /// The limit of running time.
    TimedOut,
}

/// What an interruption leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OnInterrupt {
    /// Starts again from the newest valid checkpoint.
    Resume,
    /// Starts again from nothing.
    Restart,
    /// The stage ends `interrupted`; people decide.
    Ask,
}

/// What a stage reserves while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Resources {
    /// Cores; default 1.
    pub cpus: u32,
    /// Bytes; default 0. No hard limit.
    pub memory: ByteSize,
    /// GPUs; default 0.
    pub gpus: u32,
}

impl Default for Resources {
    fn default() -> Self {
        Resources { cpus: 1, memory: ByteSize(0), gpus: 0 }
    }
}

/// A signal that asks a program for a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "UPPERCASE")]
pub enum SaveSignal {
    /// SIGUSR1
    Usr1,
    /// SIGUSR2
    Usr2,
    /// SIGHUP
    Hup,
    /// SIGINT
    Int,
}

/// Where checkpoints appear, and how one is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Checkpoints {
    /// A path with `*` and `?` in its last part.
    pub files: String,
    /// Sent to the program before it is stopped, so that it saves; a program that does not handle it is ended by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<SaveSignal>,
    /// How long the program may take to save before it is told to end; 30 s where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<Span>,
    /// The metric that says which is best; without one, keeping the best means nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub metric: Option<String>,
    /// Which of two values of it is better; default `min`.
    #[serde(default, skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "ts", ts(as = "Option<_>", optional))]
    pub mode: Better,
    /// Keep so many of the best; others are removed. Nothing is removed unless this or `keep_last` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub keep_best: Option<u32>,
    /// Keep so many of the newest; others are removed. At least the newest stays in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub keep_last: Option<u32>,
}

impl Stage {
    /// The grace in force, milliseconds.
    #[must_use]
    pub fn grace_ms(&self) -> u64 {
        self.grace.map_or(30_000, |s| s.0)
    }

    /// How long the program may take to save a checkpoint before it is told to end, milliseconds; 0 where it is not asked to.
    #[must_use]
    pub fn save_ms(&self) -> u64 {
        let asked = self.checkpoints.as_ref().filter(|checkpoints| checkpoints.signal.is_some());
        asked.map_or(0, |checkpoints| checkpoints.wait.map_or(30_000, |wait| wait.0))
    }

    /// The longest a stop may take, milliseconds.
    #[must_use]
    pub fn stop_ms(&self) -> u64 {
        self.save_ms().saturating_add(self.grace_ms())
    }

    /// What an interruption leads to, default applied.
    #[must_use]
    pub fn interruption(&self) -> OnInterrupt {
        match self.on_interrupt {
            Some(choice) => choice,
            None if self.resume.is_empty() => OnInterrupt::Ask,
            None => OnInterrupt::Resume,
        }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
