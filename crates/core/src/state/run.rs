//! A run: flags and stages. Its status is derived by one function; what follows from a stage's change is found here too.

use super::stage::StageState;
use crate::code::ErrorCode;
use crate::definition::OnFailure;
use crate::status::{RunStatus, StageStatus};

/// What the law needs to know of a stage, beside its state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StageRule {
    /// Indexes of the stages it needs, sorted.
    pub needs: Vec<u32>,
    /// Its failure does not fail the run.
    pub allow_failure: bool,
    /// Runs whatever the needs' end.
    pub needs_any: bool,
    /// Nobody waits for it.
    pub tail: bool,
}

/// The shape of a run: fixed when it is submitted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// One rule a stage, by index.
    pub rules: Vec<StageRule>,
    /// For each stage, who needs it.
    pub dependants: Vec<Vec<u32>>,
    /// What a failure does to independent branches.
    pub on_failure: OnFailure,
}

impl Shape {
    /// Builds the shape; `dependants` follows from the needs.
    #[must_use]
    pub fn new(rules: Vec<StageRule>, on_failure: OnFailure) -> Self {
        let mut dependants = vec![Vec::new(); rules.len()];
        for (index, rule) in rules.iter().enumerate() {
            for need in &rule.needs {
                dependants[*need as usize].push(index as u32);
            }
        }
        Shape { rules, dependants, on_failure }
    }
}

/// The run's own flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunFlags {
    /// Not started yet.
    pub draft: bool,
    /// Paused by the user.
    pub paused: bool,
    /// The run it comes after did not complete.
    pub after_failed: bool,
}

/// The status of a run, derived.
#[must_use]
pub fn derive(flags: RunFlags, shape: &Shape, stages: &[StageState]) -> RunStatus {
    if flags.draft {
        return RunStatus::Draft;
    }
    let left = stages.iter().any(|s| !s.status().is_ended());
    if left && flags.paused {
        return RunStatus::Paused;
    }
    let live = stages.iter().any(|s| matches!(s.status(), StageStatus::Running | StageStatus::Retrying));
    if live {
        RunStatus::Running
    } else if left {
        RunStatus::Queued
    } else {
        outcome(flags, shape, stages)
    }
}

/// The result of a run: fixed when all stages but the tails have ended. `None` before.
#[must_use]
pub fn result(flags: RunFlags, shape: &Shape, stages: &[StageState]) -> Option<RunStatus> {
    let waited_for = |i: usize| !shape.rules[i].tail;
    let open = stages.iter().enumerate().any(|(i, s)| waited_for(i) && !s.status().is_ended());
    (!open && !flags.draft).then(|| outcome(flags, shape, stages))
}

fn outcome(flags: RunFlags, shape: &Shape, stages: &[StageState]) -> RunStatus {
    let counted = || stages.iter().zip(&shape.rules).filter(|(_, rule)| !rule.tail);
    let any = |status: StageStatus| counted().any(|(s, _)| s.status() == status);
    if flags.after_failed || any(StageStatus::Cancelled) {
        RunStatus::Cancelled
    } else if counted().any(|(s, rule)| s.status() == StageStatus::Failed && !rule.allow_failure) {
        RunStatus::Failed
    } else if any(StageStatus::Interrupted) {
        // `allow_failure` allows a failure; an end that is not known is never `completed`.
        RunStatus::Interrupted
    } else {
        RunStatus::Completed
    }
}

/// What follows for a waiting stage from the ends of what it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// Its needs have ended as it wants: look at its condition, then queue it.
    Ready,
    /// It is skipped because of this stage.
    Skip {
        /// The need that did not complete.
        need: u32,
    },
}

/// What follows for a waiting stage now; `None`: it goes on waiting.
#[must_use]
pub fn follow(shape: &Shape, stages: &[StageState], stage: u32) -> Option<Follow> {
    let rule = &shape.rules[stage as usize];
    if stages[stage as usize] != StageState::Waiting {
        return None;
    }
    let mut all_ended = true;
    for need in &rule.needs {
        let state = &stages[*need as usize];
        let status = state.status();
        if !status.is_ended() {
            all_ended = false;
            continue;
        }
        let in_the_way = !suits(rule, status);
        if in_the_way {
            return Some(Follow::Skip { need: *need });
        }
    }
    all_ended.then_some(Follow::Ready)
}

/// Whether a need that ended so lets this stage run.
fn suits(rule: &StageRule, need: StageStatus) -> bool {
    if rule.needs_any {
        need.is_ended() && !matches!(need, StageStatus::Interrupted | StageStatus::Cancelled)
    } else {
        need.satisfies_a_need()
    }
}

/// True where the run must start nothing more because of a failure (`on_failure = "stop"`).
#[must_use]
pub fn stopped_by_failure(shape: &Shape, stages: &[StageState]) -> bool {
    shape.on_failure == OnFailure::Stop
        && stages
            .iter()
            .zip(&shape.rules)
            .any(|(s, rule)| s.status() == StageStatus::Failed && !rule.allow_failure && !rule.tail)
}

/// Which stages a `retry` or `resume` reopens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reopen {
    /// All that failed, were cancelled or were interrupted, and those not run because a failure stopped the run.
    Failed,
    /// One stage, whatever its end, and all that depends on it.
    From(u32),
    /// The same, from their checkpoints.
    Resume,
    /// The same, and this stage, whatever its end: it goes on from a checkpoint that was chosen.
    ResumeAt(u32),
}

/// The stages to reopen: those to queue again (or to wait, where a need of theirs is reopened too), and those that wait again.
/// Sorted by index.
///
/// # Errors
/// `StillLive` where one of them has not ended, or one that depends on them is live; `Conflict` where nothing is to be done again;
/// `NotFound` where there is no such stage.
pub fn reopen(shape: &Shape, stages: &[StageState], which: &Reopen) -> Result<(Vec<u32>, Vec<u32>), ErrorCode> {
    let named = match which {
        Reopen::From(stage) | Reopen::ResumeAt(stage) => Some(*stage),
        Reopen::Failed | Reopen::Resume => None,
    };
    let rest = !matches!(which, Reopen::From(_));
    let chosen: Vec<u32> =
        (0..stages.len() as u32).filter(|i| named == Some(*i) || (rest && to_do_again(&stages[*i as usize]))).collect();
    if let Some(stage) = named {
        let state = stages.get(stage as usize).ok_or(ErrorCode::NotFound)?;
        if !state.status().is_ended() {
            return Err(ErrorCode::StillLive);
        }
    }
    if chosen.is_empty() {
        return Err(ErrorCode::Conflict);
    }
    let mut below = vec![false; stages.len()];
    let mut todo = chosen.clone();
    while let Some(stage) = todo.pop() {
        for dependant in &shape.dependants[stage as usize] {
            if !std::mem::replace(&mut below[*dependant as usize], true) {
                todo.push(*dependant);
            }
        }
    }
    let live = |i: &u32| {
        matches!(
            stages[*i as usize].status(),
            StageStatus::Queued | StageStatus::Running | StageStatus::Retrying | StageStatus::Held
        )
    };
    let waiting_again: Vec<u32> = (0..stages.len() as u32).filter(|i| below[*i as usize]).collect();
    if chosen.iter().chain(&waiting_again).any(live) {
        return Err(ErrorCode::StillLive);
    }
    let mut queued = Vec::new();
    let mut waiting = waiting_again;
    for stage in chosen {
        if below[stage as usize] {
            continue;
        }
        // A chosen stage whose own needs have not ended as it wants waits for them (and `follow` says what becomes of it).
        let rule = &shape.rules[stage as usize];
        let met = rule.needs.iter().all(|need| suits(rule, stages[*need as usize].status()));
        if met { queued.push(stage) } else { waiting.push(stage) }
    }
    waiting.sort_unstable();
    Ok((queued, waiting))
}

/// True for what a retry of the failed does again. A branch that a failure stopped never ran: left out, the run could complete without it.
fn to_do_again(state: &StageState) -> bool {
    match state {
        StageState::Failed { .. } | StageState::Cancelled | StageState::Interrupted { .. } => true,
        StageState::Skipped { code } => *code == ErrorCode::StoppedByFailure,
        StageState::Waiting
        | StageState::Queued
        | StageState::Running { .. }
        | StageState::Retrying { .. }
        | StageState::Held { .. }
        | StageState::Completed
        | StageState::Cached => false,
    }
}
