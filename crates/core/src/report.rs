//! The report of a run: where the time went, what ran side by side, what failed. Pure over what is handed in.
//!
//! The fields are those of `report --json` (docs/API.md). Not here: reading the store, diagnosis, and text for people.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::dag;
use crate::status::{AttemptStatus, RunStatus, StageStatus};
use crate::time::UtcMs;
use crate::usage::Usage;
use crate::view::{AlertView, Failure, Submitted};

/// What a report is made from.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportInput {
    /// Which run.
    pub run: Submitted,
    /// Its status as derived.
    pub status: RunStatus,
    /// Its result, once fixed: the report ends there, whatever tails still do.
    pub result: Option<RunStatus>,
    /// When the result was fixed.
    pub result_at: Option<UtcMs>,
    /// When it was submitted.
    pub created_at: UtcMs,
    /// Seconds until the plan stood, where they were measured.
    pub planning_s: Option<f64>,
    /// Its alerts, newest first.
    pub alerts: Vec<AlertView>,
    /// All stages, in the order of the definition.
    pub stages: Vec<StageInput>,
}

/// One stage, started or not.
#[derive(Clone, Debug, PartialEq)]
pub struct StageInput {
    /// Its name.
    pub name: String,
    /// Indexes of the stages it needs.
    pub needs: Vec<u32>,
    /// Its status.
    pub status: StageStatus,
    /// Its failure does not fail the run.
    pub allow_failure: bool,
    /// Nobody waits for it.
    pub tail: bool,
    /// When it was queued first in its latest generation.
    pub queued_at: Option<UtcMs>,
    /// When it ended.
    pub finished_at: Option<UtcMs>,
    /// Why it failed.
    pub error: Option<Failure>,
    /// The run's generation in which it was queued last.
    pub generation: u32,
    /// All attempts, oldest first.
    pub attempts: Vec<AttemptInput>,
}

/// One attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct AttemptInput {
    /// From 1.
    pub number: u32,
    /// The run's generation it belongs to.
    pub generation: u32,
    /// Its status.
    pub status: AttemptStatus,
    /// When its program started; `None` where it never ran.
    pub started_at: Option<UtcMs>,
    /// When it ended.
    pub finished_at: Option<UtcMs>,
    /// Seconds it ran without sleep and pauses, where known.
    pub running_s: Option<f64>,
    /// The exit code.
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// What it used, or has used so far.
    pub usage: Option<Usage>,
    /// Why it failed.
    pub error: Option<Failure>,
}

/// The report of a run. Seconds are never negative; a run that has not ended is reported up to now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Report {
    /// Which run.
    pub run: Submitted,
    /// Its result once fixed, else its status.
    pub status: RunStatus,
    /// Seconds until the plan stood: reading and checking the definition, the parameters and the surroundings, up to `created_at`,
    /// when the run was ready to be written down. Measured by who submitted it, to the millisecond; `null` where nobody did.
    pub planning_s: Option<f64>,
    /// From `created_at` to the first attempt's start.
    pub queued_s: f64,
    /// From the first attempt's start to the result.
    pub execution_s: f64,
    /// `planning_s`, `queued_s` and `execution_s` together.
    pub total_s: f64,
    /// The stages' names by level: each stands in the first level at which all it needs stands before it.
    pub levels: Vec<Vec<String>>,
    /// Stages that may run side by side: the widest level, or the peak where that was higher (stages do not wait for their level).
    pub max_parallelism: u32,
    /// Attempts that ran side by side.
    pub peak_parallelism: u32,
    /// The chain of needs that ran longest, first stage first; without tails and what did not run.
    pub critical_path: Vec<String>,
    /// Seconds that its stages ran.
    pub critical_path_s: f64,
    /// Every status with the number of stages in it; the sum is the number of stages.
    pub totals: IndexMap<StageStatus, u64>,
    /// All stages, in the order of the definition, those never started too.
    pub stages: Vec<StageReport>,
    /// The stage that ran longest; `null` where none ran.
    pub longest_stage: Option<String>,
    /// Mean of `run_s` over the stages that ran; `null` where none ran.
    pub average_stage_s: Option<f64>,
    /// Everything that failed, attempts that were tried again too.
    pub errors: Vec<ErrorReport>,
    /// What people were told of while it ran, newest first.
    #[serde(default)]
    pub alerts: Vec<AlertView>,
}

/// One stage of a report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct StageReport {
    /// Its name.
    pub name: String,
    /// Its level, from 0.
    pub level: u32,
    /// Its status.
    pub status: StageStatus,
    /// Its failure does not fail the run.
    pub allow_failure: bool,
    /// Nobody waits for it.
    pub tail: bool,
    /// Seconds from queued to the first start after that; up to its end, or now, where it has not started.
    pub queued_s: f64,
    /// Seconds that its attempts ran.
    pub run_s: f64,
    /// All attempts, oldest first.
    pub attempts: Vec<AttemptReport>,
    /// Why it failed.
    pub error: Option<Failure>,
}

/// One attempt of a report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct AttemptReport {
    /// From 1.
    pub number: u32,
    /// Its status.
    pub status: AttemptStatus,
    /// When its program started.
    pub started_at: Option<UtcMs>,
    /// When it ended.
    pub finished_at: Option<UtcMs>,
    /// Seconds it ran.
    pub run_s: f64,
    /// The exit code.
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// What it used, or has used so far.
    pub usage: Option<Usage>,
    /// Why it failed.
    pub error: Option<Failure>,
    /// Another attempt followed, or will, without a wish.
    pub will_retry: bool,
}

/// One line of the error summary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct ErrorReport {
    /// The stage's name.
    pub stage: String,
    /// The attempt, where one failed.
    pub attempt: Option<u32>,
    /// Another attempt followed, or will.
    pub will_retry: bool,
    /// It does not fail the run.
    pub allowed: bool,
    /// Why.
    pub error: Failure,
}

/// Makes the report of a run as it stands at `now`.
#[must_use]
pub fn report(input: &ReportInput, now: UtcMs) -> Report {
    let end = input.result.and(input.result_at).unwrap_or(now);
    let stages: Vec<StageReport> = input.stages.iter().map(|stage| stage_report(stage, now)).collect();
    let needs: Vec<Vec<u32>> = input.stages.iter().map(|stage| stage.needs.clone()).collect();
    // A stored definition has no circle; were there one, all would stand in one level rather than nowhere.
    let levels = dag::levels(&needs).unwrap_or_else(|_| vec![(0..needs.len() as u32).collect()]);
    let stages = with_levels(stages, &levels);

    let first_start = input.stages.iter().flat_map(|stage| &stage.attempts).filter_map(|a| a.started_at).min();
    let queued_s = first_start.unwrap_or(end).seconds_since(input.created_at);
    let execution_s = first_start.map_or(0.0, |start| end.seconds_since(start));
    // Nobody waits for a tail, so it is on no path; nor is what never ran.
    let on_path = |stage: &StageReport| !stage.tail && stage.run_s > 0.0;
    let run_s: Vec<f64> = stages.iter().map(|stage| if on_path(stage) { stage.run_s } else { 0.0 }).collect();
    let (mut path, critical_path_s) = dag::critical_path(&needs, &run_s);
    path.retain(|index| on_path(&stages[*index as usize]));
    let peak = peak_parallelism(input, now);
    let name = |index: &u32| stages[*index as usize].name.clone();

    let mut totals: IndexMap<StageStatus, u64> = StageStatus::ALL.iter().map(|status| (*status, 0)).collect();
    for stage in &input.stages {
        *totals.entry(stage.status).or_default() += 1;
    }
    let ran = || stages.iter().filter(|stage| stage.attempts.iter().any(|a| a.started_at.is_some()));
    // Of equal ones the first in the definition, so that the answer is always the same.
    let longest = ran().reduce(|longest, stage| if stage.run_s > longest.run_s { stage } else { longest });
    let count = ran().count();
    Report {
        run: input.run.clone(),
        status: input.result.unwrap_or(input.status),
        planning_s: input.planning_s,
        queued_s,
        execution_s,
        total_s: input.planning_s.unwrap_or(0.0) + queued_s + execution_s,
        max_parallelism: (dag::max_parallelism(&levels) as u32).max(peak),
        peak_parallelism: peak,
        critical_path: path.iter().map(name).collect(),
        critical_path_s,
        levels: levels.iter().map(|level| level.iter().map(name).collect()).collect(),
        totals,
        longest_stage: longest.map(|stage| stage.name.clone()),
        average_stage_s: (count > 0).then(|| ran().map(|stage| stage.run_s).sum::<f64>() / count as f64),
        errors: stages.iter().flat_map(errors).collect(),
        alerts: input.alerts.clone(),
        stages,
    }
}

fn with_levels(mut stages: Vec<StageReport>, levels: &[Vec<u32>]) -> Vec<StageReport> {
    for (level, members) in levels.iter().enumerate() {
        for member in members {
            stages[*member as usize].level = level as u32;
        }
    }
    stages
}

fn stage_report(stage: &StageInput, now: UtcMs) -> StageReport {
    let attempts: Vec<AttemptReport> = stage
        .attempts
        .iter()
        .enumerate()
        .map(|(index, attempt)| AttemptReport {
            number: attempt.number,
            status: attempt.status,
            started_at: attempt.started_at,
            finished_at: attempt.finished_at,
            run_s: attempt_run_s(attempt, now),
            exit_code: attempt.exit_code,
            signal: attempt.signal,
            usage: attempt.usage.clone(),
            error: attempt.error.clone(),
            will_retry: match stage.attempts.get(index + 1) {
                Some(next) => next.generation == attempt.generation,
                None => attempt.generation == stage.generation && comes_again(stage.status, attempt),
            },
        })
        .collect();
    StageReport {
        name: stage.name.clone(),
        level: 0,
        status: stage.status,
        allow_failure: stage.allow_failure,
        tail: stage.tail,
        queued_s: queued_s(stage, now),
        // Not `sum`: that of nothing is -0.0.
        run_s: attempts.iter().fold(0.0, |sum, attempt| sum + attempt.run_s),
        attempts,
        error: stage.error.clone(),
    }
}

fn comes_again(stage: StageStatus, last: &AttemptInput) -> bool {
    !last.status.is_live()
        && match stage {
            StageStatus::Queued | StageStatus::Retrying | StageStatus::Held => true,
            StageStatus::Waiting
            | StageStatus::Running
            | StageStatus::Completed
            | StageStatus::Cached
            | StageStatus::Skipped
            | StageStatus::Failed
            | StageStatus::Cancelled
            | StageStatus::Interrupted => false,
        }
}

fn attempt_run_s(attempt: &AttemptInput, now: UtcMs) -> f64 {
    match (attempt.running_s, attempt.started_at) {
        (Some(seconds), _) => seconds.max(0.0),
        (None, Some(start)) => end_of(attempt, start, now).seconds_since(start),
        (None, None) => 0.0,
    }
}

/// The end of an attempt that started: its end, `now` while it is live, and nothing after its start where no end is known.
fn end_of(attempt: &AttemptInput, start: UtcMs, now: UtcMs) -> UtcMs {
    attempt.finished_at.unwrap_or(if attempt.status.is_live() { now } else { start })
}

fn queued_s(stage: &StageInput, now: UtcMs) -> f64 {
    let Some(queued_at) = stage.queued_at else { return 0.0 };
    let of_generation = || stage.attempts.iter().filter(|a| a.generation == stage.generation);
    let started = of_generation().find_map(|attempt| attempt.started_at);
    started.or(stage.finished_at).unwrap_or(now).seconds_since(queued_at)
}

/// The greatest number of attempts that ran at the same moment. One that ends in the millisecond in which another starts does not
/// count with it; one that took less than a millisecond counts with those around it.
fn peak_parallelism(input: &ReportInput, now: UtcMs) -> u32 {
    #[derive(PartialEq, Eq, PartialOrd, Ord)]
    enum Edge {
        End,
        Start,
        Instant,
    }
    let mut edges = Vec::new();
    for attempt in input.stages.iter().flat_map(|stage| &stage.attempts) {
        let Some(start) = attempt.started_at else { continue };
        let end = end_of(attempt, start, now);
        if end > start {
            edges.push((start, Edge::Start));
            edges.push((end, Edge::End));
        } else {
            edges.push((start, Edge::Instant));
        }
    }
    edges.sort_unstable();
    let (mut running, mut peak) = (0u32, 0u32);
    for (_, edge) in edges {
        match edge {
            Edge::End => running -= 1,
            Edge::Start => running += 1,
            Edge::Instant => peak = peak.max(running + 1),
        }
        peak = peak.max(running);
    }
    peak
}

/// One line for each attempt that failed; one for the stage where it failed without an attempt (`input_missing`), or in another way
/// than its last attempt.
fn errors(stage: &StageReport) -> Vec<ErrorReport> {
    let line = |attempt, will_retry, error: &Failure| ErrorReport {
        stage: stage.name.clone(),
        attempt,
        will_retry,
        allowed: stage.allow_failure || stage.tail,
        error: error.clone(),
    };
    let mut lines: Vec<ErrorReport> = stage
        .attempts
        .iter()
        .filter_map(|a| a.error.as_ref().map(|error| line(Some(a.number), a.will_retry, error)))
        .collect();
    if let Some(error) = &stage.error {
        let told = stage.attempts.last().and_then(|a| a.error.as_ref()).is_some_and(|last| last.code == error.code);
        if !told {
            lines.push(line(None, false, error));
        }
    }
    lines
}
