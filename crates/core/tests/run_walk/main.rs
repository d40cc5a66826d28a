//! A million random operations on runs: the law of `state` and a reference model that knows nothing of it agree after each.

#[path = "../common/mod.rs"]
mod common;
mod model;

use std::collections::BTreeMap;

use common::Random;
use footplate_core::code::ErrorCode;
use footplate_core::definition::{OnFailure, OnInterrupt, Retries, RetryOn};
use footplate_core::quantity::Span;
use footplate_core::state::attempt::{self, AttemptInput, AttemptState};
use footplate_core::state::run::{self, Follow, Reopen, RunFlags, Shape, StageRule};
use footplate_core::state::settle::{Evidence, settle};
use footplate_core::state::stage::{self, Budgets, StageInput, StageState};
use footplate_core::status::{AttemptStatus, StageStatus};
use footplate_core::time::UtcMs;
use model::{End, Model, Rule};

/// A run driven by the law alone: it decides nothing, it only hands results on.
struct Run {
    shape: Shape,
    flags: RunFlags,
    stages: Vec<StageState>,
    attempts: Vec<Vec<AttemptState>>,
    used: Vec<Budgets>,
    cancelled: Vec<bool>,
    conditions: Vec<bool>,
    retries: Vec<Retries>,
    on_interrupt: Vec<OnInterrupt>,
}

impl Run {
    fn new(rules: &[Rule], stop: bool) -> Self {
        let shape = Shape::new(
            rules
                .iter()
                .map(|rule| StageRule {
                    needs: rule.needs.iter().map(|need| *need as u32).collect(),
                    allow_failure: rule.allow_failure,
                    needs_any: rule.needs_any,
                    tail: rule.tail,
                })
                .collect(),
            if stop { OnFailure::Stop } else { OnFailure::Continue },
        );
        let retries = |rule: &Rule| Retries {
            max: rule.retries,
            delay: Span(10_000),
            backoff: 2.0,
            max_delay: Span(25_000),
            jitter: 0.0,
            on: if rule.retry_timeouts { vec![RetryOn::Failed, RetryOn::TimedOut] } else { vec![RetryOn::Failed] },
        };
        Run {
            flags: RunFlags { draft: true, ..RunFlags::default() },
            stages: vec![StageState::Waiting; rules.len()],
            attempts: vec![Vec::new(); rules.len()],
            used: vec![Budgets::default(); rules.len()],
            cancelled: vec![false; rules.len()],
            conditions: rules.iter().map(|rule| rule.condition).collect(),
            retries: rules.iter().map(retries).collect(),
            on_interrupt: rules.iter().map(|r| if r.ask { OnInterrupt::Ask } else { OnInterrupt::Resume }).collect(),
            shape,
        }
    }

    fn input(&mut self, stage: usize, input: StageInput) -> bool {
        match stage::step(&self.stages[stage], input) {
            Ok(next) => {
                self.stages[stage] = next;
                true
            }
            Err(_) => false,
        }
    }

    fn attempt_input(&mut self, stage: usize, input: AttemptInput) -> bool {
        let Some(last) = self.attempts[stage].last_mut() else { return false };
        match attempt::step(last, input) {
            Ok(next) => {
                *last = next;
                true
            }
            Err(_) => false,
        }
    }

    /// Follows what follows until nothing does, looking at the stages in any order: the outcome must not depend on it.
    fn settle_needs(&mut self, random: &mut Random) {
        if self.flags.draft {
            return;
        }
        loop {
            let mut moved = false;
            let from = random.below(self.stages.len());
            for offset in 0..self.stages.len() {
                let stage = (from + offset) % self.stages.len();
                // A failure that stops the run is looked at first, then what the stage needs.
                if run::stopped_by_failure(&self.shape, &self.stages) {
                    for other in 0..self.stages.len() {
                        moved |= self.input(other, StageInput::Skip(ErrorCode::StoppedByFailure));
                    }
                }
                let input = match run::follow(&self.shape, &self.stages, stage as u32) {
                    None => continue,
                    Some(Follow::Skip { need }) => {
                        assert!(self.shape.rules[stage].needs.contains(&need));
                        StageInput::Skip(ErrorCode::NeedNotCompleted)
                    }
                    Some(Follow::Ready) if self.conditions[stage] => StageInput::Ready,
                    Some(Follow::Ready) => StageInput::Skip(ErrorCode::ConditionFalse),
                };
                assert!(self.input(stage, input), "what follows is a legal move");
                moved = true;
            }
            if !moved {
                return;
            }
        }
    }

    fn cancel(&mut self) -> bool {
        if self.stages.iter().all(|stage| stage.status().is_ended()) {
            return false;
        }
        for stage in 0..self.stages.len() {
            if matches!(self.stages[stage], StageState::Running { .. }) {
                self.cancelled[stage] = true;
                assert!(self.attempt_input(stage, AttemptInput::StopRequested));
            } else {
                self.input(stage, StageInput::Cancel);
            }
        }
        self.flags.draft = false;
        true
    }

    fn end(&mut self, stage: usize, end: End, now: UtcMs) -> bool {
        let verdict = settle(&evidence(end), self.cancelled[stage]);
        if !self.attempt_input(stage, AttemptInput::Settled(verdict.clone())) {
            return false;
        }
        let (after, used) = stage::after_attempt(
            &verdict,
            self.cancelled[stage],
            &self.retries[stage],
            self.on_interrupt[stage],
            self.used[stage],
            now,
            0.5,
        );
        self.used[stage] = used;
        assert!(self.input(stage, StageInput::AttemptEnded(after)));
        true
    }

    fn reopen(&mut self, which: &Reopen) -> Result<(), ErrorCode> {
        let (queued, waiting) = run::reopen(&self.shape, &self.stages, which)?;
        for (stages, input) in [(queued, StageInput::ReopenQueued), (waiting, StageInput::ReopenWaiting)] {
            for stage in stages {
                assert!(self.input(stage as usize, input.clone()), "{which:?} of {stage}");
                self.used[stage as usize] = Budgets::default();
                self.cancelled[stage as usize] = false;
            }
        }
        self.flags.after_failed = false;
        Ok(())
    }

    /// What must hold whatever happened.
    fn sanity_check(&self) {
        let status = run::derive(self.flags, &self.shape, &self.stages);
        let all_ended = self.stages.iter().all(|stage| stage.status().is_ended());
        assert_eq!(status.is_ended(), all_ended && !self.flags.draft);
        let result = run::result(self.flags, &self.shape, &self.stages);
        assert!(!status.is_ended() || result == Some(status), "the result is the status in the end");
        let stopped = run::stopped_by_failure(&self.shape, &self.stages);
        for (index, stage) in self.stages.iter().enumerate() {
            let rule = &self.shape.rules[index];
            let live = self.attempts[index].iter().filter(|attempt| attempt.status().is_live()).count();
            assert_eq!(
                live,
                usize::from(stage.status() == StageStatus::Running),
                "one live attempt while it runs, else none"
            );
            if let StageState::Running { attempt } = stage {
                assert_eq!(*attempt as usize, self.attempts[index].len(), "the live attempt is the last");
            }
            if matches!(stage.status(), StageStatus::Completed) {
                let last = self.attempts[index].last().map(AttemptState::status);
                assert_eq!(last, Some(AttemptStatus::Completed), "completed is only what ran to its end");
            }
            let begun = matches!(
                stage.status(),
                StageStatus::Queued | StageStatus::Running | StageStatus::Retrying | StageStatus::Held
            );
            if begun {
                assert!(!self.flags.draft, "nothing of a draft begins");
                for need in &rule.needs {
                    let need = self.stages[*need as usize].status();
                    assert!(need.is_ended(), "it begins when its needs have ended");
                    assert!(rule.needs_any || need.satisfies_a_need(), "and ended well");
                }
            }
            if stopped && !self.flags.draft {
                assert!(stage.status().is_ended() || live == 1, "nothing new after a failure that stops");
            }
            let follow = run::follow(&self.shape, &self.stages, index as u32);
            assert!(self.flags.draft || follow.is_none(), "what follows was done at once");
            assert!(self.used[index].retries <= self.retries[index].max);
            assert!(self.used[index].interruptions <= stage::INTERRUPTION_BUDGET);
        }
    }
}

fn evidence(end: End) -> Evidence {
    let exited = |code: Option<i32>, signal: Option<i32>| Evidence::Exited {
        code,
        signal,
        by_wish: (end == End::Stopped).then(|| "w".to_owned()),
        timed_out: end == End::TimedOut,
        session_end: end == End::Logout,
    };
    match end {
        End::Voided => Evidence::Voided,
        End::NoClaim => Evidence::NoClaim { errno: 11 },
        End::ExecMissing => Evidence::ExecFailed { errno: 2, what: "exec".to_owned() },
        End::CwdMissing => Evidence::ExecFailed { errno: 2, what: "cwd".to_owned() },
        End::Zero => exited(Some(0), None),
        End::Code => exited(Some(3), None),
        End::Signal => exited(None, Some(9)),
        End::Stopped | End::TimedOut | End::Logout => exited(None, Some(15)),
        End::LostUnstarted => Evidence::Lost { started: false, why: ErrorCode::ShimLost },
        End::LostStarted => Evidence::Lost { started: true, why: ErrorCode::ShimLost },
    }
}

fn random_rules(random: &mut Random) -> (Vec<Rule>, bool) {
    let count = 1 + random.below(6);
    let rules = (0..count)
        .map(|index| Rule {
            needs: (0..index).filter(|_| random.one_in(3)).collect(),
            allow_failure: random.one_in(5),
            needs_any: random.one_in(5),
            tail: random.one_in(6),
            condition: !random.one_in(8),
            retries: random.below(4) as u32,
            retry_timeouts: random.one_in(2),
            ask: random.one_in(3),
        })
        .collect();
    (rules, random.one_in(3))
}

/// One random operation on both; the name of the operation, and whether it was done. They must agree.
fn operate(random: &mut Random, run: &mut Run, model: &mut Model, now: i64) -> (&'static str, bool) {
    let stage = random.below(run.stages.len());
    match random.below(16) {
        0 => {
            // A draft starts, or is found to come after a run that did not complete.
            let was = std::mem::replace(&mut run.flags.draft, false);
            assert_eq!(was, std::mem::replace(&mut model.draft, false));
            if was && random.one_in(4) {
                run.flags.after_failed = true;
                model.after_failed = true;
                assert_eq!(run.cancel(), model.cancel());
                return ("after failed", true);
            }
            ("start", was)
        }
        1 => {
            run.flags.paused ^= true;
            model.paused ^= true;
            ("pause", true)
        }
        2..=4 => {
            let attempt = run.attempts[stage].len() as u32 + 1;
            let done = run.input(stage, StageInput::Launched { attempt });
            if done {
                run.attempts[stage].push(AttemptState::Launching);
            }
            assert_eq!(done, model.stages[stage].word == "queued");
            if done {
                model.stages[stage].word = "running";
                model.stages[stage].attempts.push("launching");
            }
            ("launch", done)
        }
        5 | 6 => {
            let done = run.attempt_input(stage, AttemptInput::Started);
            assert_eq!(done, model.live_attempt(stage).is_some());
            if model.live_attempt(stage) == Some("launching") {
                model.set_attempt(stage, "running");
            }
            ("started", done)
        }
        7..=10 => {
            // Most ends are those of the programs themselves; `Stopped` is one only where we stopped it.
            let end = if random.one_in(2) { random.pick(&[End::Zero, End::Code]) } else { random.pick(&End::ALL) };
            let end = if end == End::Stopped && !run.cancelled[stage] { End::LostStarted } else { end };
            let done = run.end(stage, end, UtcMs(now));
            assert_eq!(done, model.end(stage, end, now), "{end:?}");
            ("end", done)
        }
        11 => {
            if !random.one_in(4) {
                return ("cancel", false);
            }
            let done = run.cancel();
            assert_eq!(done, model.cancel());
            ("cancel", done)
        }
        12 => {
            let due = matches!(run.stages[stage], StageState::Retrying { at } if at.0 <= now);
            let word = model.stages[stage].word;
            assert_eq!(due, word == "retrying" && model.stages[stage].due <= now);
            if due {
                assert!(run.input(stage, StageInput::RetryDue));
                model.stages[stage].word = "queued";
            }
            ("retry due", due)
        }
        13 => {
            let (input, from, to) = if random.one_in(2) {
                (StageInput::Hold(ErrorCode::SecretMissing), "queued", ("held", "secret_missing"))
            } else {
                (StageInput::Release, "held", ("queued", ""))
            };
            let done = run.input(stage, input);
            assert_eq!(done, model.stages[stage].word == from);
            if done {
                (model.stages[stage].word, model.stages[stage].code) = to;
            }
            ("hold or release", done)
        }
        14 => {
            let at = stage as u32;
            let which = random.pick(&[Reopen::Failed, Reopen::Resume, Reopen::From(at), Reopen::ResumeAt(at)]);
            let from = matches!(which, Reopen::From(_) | Reopen::ResumeAt(_)).then_some(stage);
            let rest = !matches!(which, Reopen::From(_));
            if run.flags.draft {
                return ("reopen", false);
            }
            let done = run.reopen(&which);
            assert_eq!(done.map_err(ErrorCode::as_str), model.reopen(from, rest), "{which:?}");
            ("reopen", done.is_ok())
        }
        _ => {
            if random.one_in(2) {
                // A new checkpoint: interruptions are counted from 0 again.
                run.used[stage].interruptions = 0;
                model.stages[stage].interruptions = 0;
                return ("checkpoint", true);
            }
            let done = run.stages[stage] == StageState::Queued
                && run.input(stage, StageInput::Unmakeable(ErrorCode::InputMissing));
            assert_eq!(done, model.stages[stage].word == "queued");
            if done {
                (model.stages[stage].word, model.stages[stage].code) = ("failed", "input_missing");
            }
            ("unmakeable", done)
        }
    }
}

fn compare(run: &Run, model: &Model) {
    for (index, stage) in run.stages.iter().enumerate() {
        let told = &model.stages[index];
        assert_eq!(stage.status().as_str(), told.word, "stage {index}");
        assert_eq!(stage.code().map_or("", ErrorCode::as_str), told.code, "stage {index}");
        let attempts = run.attempts[index].iter().map(|attempt| attempt.status().as_str());
        assert!(
            attempts.eq(told.attempts.iter().copied()),
            "attempts of {index}: {:?}, {:?}",
            run.attempts[index],
            told
        );
        if let StageState::Retrying { at } = stage {
            assert_eq!(at.0, told.due);
        }
    }
    let status = run::derive(run.flags, &run.shape, &run.stages);
    assert_eq!(status.as_str(), model.status());
    let result = run::result(run.flags, &run.shape, &run.stages);
    assert_eq!(result.map(|result| result.as_str()), model.result());
}

#[test]
fn a_million_random_operations_end_where_the_reference_says() {
    let mut random = Random(20_261_121);
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    let mut operations = 0;
    while operations < 1_000_000 {
        let (rules, stop) = random_rules(&mut random);
        let mut run = Run::new(&rules, stop);
        let mut model = Model::new(rules, stop);
        let mut now = 0;
        for _ in 0..20 + random.below(100) {
            now += random.below(8_000) as i64;
            let (name, done) = operate(&mut random, &mut run, &mut model, now);
            run.settle_needs(&mut random);
            model.settle_needs();
            compare(&run, &model);
            run.sanity_check();
            operations += 1;
            *seen.entry(format!("{name} {}", if done { "done" } else { "refused" })).or_default() += 1;
        }
        *seen.entry(format!("run {}", model.status())).or_default() += 1;
        for stage in &model.stages {
            *seen.entry(format!("stage {}", stage.word)).or_default() += 1;
            *seen.entry(format!("code {}", stage.code)).or_default() += 1;
            for attempt in &stage.attempts {
                *seen.entry(format!("attempt {attempt}")).or_default() += 1;
            }
        }
    }
    // A walk that stays in a corner proves nothing: all that can be reached was, often.
    for status in AttemptStatus::ALL {
        assert!(seen.get(&format!("attempt {status}")).is_some_and(|n| *n > 100), "attempt {status}: {seen:#?}");
    }
    for status in StageStatus::ALL.iter().filter(|status| **status != StageStatus::Cached) {
        assert!(seen.get(&format!("stage {status}")).is_some_and(|n| *n > 100), "stage {status}: {seen:#?}");
    }
    for name in
        ["start", "after failed", "pause", "launch", "started", "end", "cancel", "retry due", "reopen", "unmakeable"]
    {
        assert!(seen.get(&format!("{name} done")).is_some_and(|n| *n > 100), "{name}: {seen:#?}");
    }
    println!("{seen:#?}");
}
