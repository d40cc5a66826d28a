//! What the owner remembers between commits, and the moves it makes on it. Each move is one step of the law, one conditional update and one
//! event; a worklist carries what follows from it.

use std::collections::hash_map::Entry::{Occupied, Vacant};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use footplate_core::notice::NoticeKind;
use footplate_core::schedule::{Backlog, Capacity, Demand, Entry, QueueRule, RunGate};
use footplate_core::state::run::{Follow, derive, follow, result, stopped_by_failure};
use footplate_core::state::stage::{StageInput, StageState, step};
use footplate_core::{AttemptKey, ErrorCode, RunStatus, StageKey, StageStatus, UtcMs};
use footplate_shim::clock;
use footplate_shim::folder::AttemptDir;
use footplate_store::RunBrief;
use footplate_store::Tx;
use footplate_store::{StageChange, StageRow};
use indexmap::IndexMap;

use super::Trouble;
use super::active::{ActiveRun, apply};
use super::due::Due;
use super::effects::Effect;
use super::gpus::Gpus;
use super::guard::Guard;
use super::keeping::Keeper;
use super::live::Live;
use super::meter::Meter;
use super::reach::Reach;
use super::schedules::Schedules;
use super::shims::{Shim, Shims};
use super::wishes::Awaiting;
use crate::home::Home;
use crate::install::Installed;
use crate::wake::Waker;

/// How often what a held stage lacks is looked for, milliseconds.
const LOOK_AT_HELD_MS: u64 = 30_000;
/// So many runs that have not begun stay in memory: each holds its definition, and a queue may hold a hundred thousand.
const KEPT_RUNS: usize = 256;

/// What the owner remembers. Everything here can be read again from the store and the folders.
pub(super) struct Mind {
    /// The data folder.
    pub(super) home: Home,
    /// Where shims and owners are started from.
    pub(super) installed: Installed,
    /// Starts shims.
    pub(super) shims: Shims,
    /// What is queued and what runs.
    pub(super) backlog: Backlog,
    /// Runs that something happened to.
    pub(super) runs: HashMap<i64, ActiveRun>,
    /// With more of them than this, those that wait are forgotten.
    pub(super) runs_mark: usize,
    /// Attempts that hold a slot.
    pub(super) live: BTreeMap<AttemptKey, Live>,
    /// Retries by the time they are due.
    pub(super) retries: Due,
    /// Held stages by the time of the next look at what they are held for.
    pub(super) held: Due,
    /// Stages whose checkpoints are to be looked through, by the time they are due.
    pub(super) keeping: Due,
    /// What is due by schedules.
    pub(super) schedules: Schedules,
    /// Where the stages that run write their checkpoints.
    pub(super) folders: HashMap<StageKey, PathBuf>,
    /// Looks through them.
    pub(super) keeper: Keeper,
    /// Who comes after whom: the awaited run, then those that wait for it.
    pub(super) after: HashMap<i64, BTreeSet<i64>>,
    /// Wishes whose effect is awaited.
    pub(super) awaiting: Vec<Awaiting>,
    /// Runs up to this number have been seen.
    pub(super) seen_run: i64,
    /// Runs to look at before the commit.
    pub(super) touched: BTreeSet<i64>,
    /// Something in this turn is news to whoever does not look.
    pub(super) has_news: bool,
    /// What is to be done after the commit.
    pub(super) effects: Vec<Effect>,
    /// The time of this turn.
    pub(super) now: UtcMs,
    /// What is known of the disk.
    pub(super) guard: Guard,
    /// What is known of the GPUs.
    pub(super) gpus: Gpus,
    /// Looks at places outside the data folder.
    pub(super) reach: Rc<Reach>,
    /// Measures.
    pub(super) meter: Meter,
    /// Shims of settled attempts that have not quite gone.
    pub(super) leaving: Vec<Shim>,
    /// Attempts settled in this turn, whose shims wait to be told so.
    pub(super) settled: Vec<AttemptDir>,
    /// State of the jitter's generator.
    pub(super) dice: u64,
}

impl Mind {
    /// A mind that knows nothing yet.
    #[must_use]
    pub(super) fn new(home: &Home, installed: &Installed, capacity: Capacity, max: Option<u32>, waker: Waker) -> Mind {
        let mut backlog = Backlog::new(capacity);
        backlog.set_max(max);
        Mind {
            home: home.clone(),
            installed: installed.clone(),
            shims: Shims::new(&installed.shim),
            backlog,
            runs: HashMap::new(),
            runs_mark: KEPT_RUNS,
            live: BTreeMap::new(),
            retries: Due::default(),
            held: Due::default(),
            keeping: Due::default(),
            schedules: Schedules::default(),
            folders: HashMap::new(),
            keeper: Keeper::default(),
            after: HashMap::new(),
            awaiting: Vec::new(),
            seen_run: 0,
            touched: BTreeSet::new(),
            has_news: false,
            effects: Vec::new(),
            now: UtcMs(clock::wall_ms()),
            guard: Guard::default(),
            gpus: Gpus::default(),
            reach: Rc::new(Reach::new(waker.clone())),
            meter: Meter::new(waker),
            leaving: Vec::new(),
            settled: Vec::new(),
            dice: u64::from(std::process::id()) << 20 | clock::running_ms(),
        }
    }

    /// The rules of all queues, from the store.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn read_queues(&mut self, tx: &Tx<'_>) -> Result<(), Trouble> {
        let cores = crate::client::machine_capacity().cpus;
        for queue in tx.queues()? {
            let rule =
                QueueRule { priority: queue.priority, limit: queue.limit.unwrap_or(cores), paused: queue.paused };
            self.backlog.set_queue(&queue.name, rule);
        }
        Ok(())
    }

    /// The run in memory, read where it was not.
    ///
    /// # Errors
    /// What the store says; `Damaged` where it is not there or cannot be understood.
    pub(super) fn run(&mut self, tx: &Tx<'_>, number: i64) -> Result<&mut ActiveRun, Trouble> {
        match self.runs.entry(number) {
            Occupied(run) => Ok(run.into_mut()),
            Vacant(place) => {
                let row =
                    tx.run(number)?.ok_or_else(|| Trouble::Damaged(format!("run #{number} is not in the store")))?;
                let wishes = tx.cancel_wishes(number, row.generation)?;
                let mut run = ActiveRun::new(self.home.own(row), tx.stages(number)?)?;
                run.note_cancels(&wishes);
                Ok(place.insert(run))
            }
        }
    }

    /// Runs that have not begun leave the memory where they are many. The store has all of them.
    pub(super) fn forget_those_that_wait(&mut self) {
        if self.runs.len() <= self.runs_mark {
            return;
        }
        let (live, touched) = (&self.live, &self.touched);
        let is_live = |number: i64| {
            let first = AttemptKey { run: number, stage: 0, attempt: 0 };
            live.range(first..).next().is_some_and(|(key, _)| key.run == number)
        };
        self.runs
            .retain(|number, run| run.row.status == RunStatus::Running || touched.contains(number) || is_live(*number));
        self.runs.shrink_to_fit();
        // Those that stayed are not looked through at each turn.
        self.runs_mark = KEPT_RUNS.max(self.runs.len() * 2);
    }

    /// A number in [0, 1) for the jitter of retries; xorshift, seeded by pid and clock.
    pub(super) fn jitter(&mut self) -> f64 {
        self.dice |= 1;
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        (self.dice >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// One move of a stage: the law, the store, our memory, the backlog. What follows for others is not done here.
    ///
    /// # Errors
    /// `Law` for a move that is none, `LostRace` where the store's row was another.
    pub(super) fn move_stage(
        &mut self,
        tx: &Tx<'_>,
        key: StageKey,
        input: StageInput,
        adjust: impl FnOnce(StageChange) -> StageChange,
    ) -> Result<(), Trouble> {
        let now = self.now;
        let launched = matches!(input, StageInput::Launched { .. });
        let reopened = input == StageInput::ReopenQueued;
        let run = self.run(tx, key.run)?;
        let index = key.stage as usize;
        let before = run.states[index].clone();
        let next = step(&before, input)?;
        let mut change = StageChange { code: next.code(), ..StageChange::to(next.status()) };
        match &next {
            StageState::Queued if reopened || run.rows[index].queued_at.is_none() || before == StageState::Waiting => {
                change.queued_at = Some(Some(now.0));
            }
            StageState::Running { attempt } => {
                change.attempt = Some(*attempt);
                if run.rows[index].started_at.is_none() {
                    change.started_at = Some(Some(now.0));
                }
            }
            StageState::Retrying { at } => change.retry_at = Some(at.0),
            StageState::Waiting | StageState::Queued | StageState::Held { .. } => {}
            StageState::Completed
            | StageState::Cached
            | StageState::Skipped { .. }
            | StageState::Failed { .. }
            | StageState::Cancelled
            | StageState::Interrupted { .. } => change.finished_at = Some(Some(now.0)),
        }
        let change = adjust(change);
        if !tx.move_stage(key, before.status(), &change, now.0)? {
            return Err(Trouble::LostRace(format!("stage {} of run #{}", key.stage, key.run)));
        }
        apply(&change, &mut run.rows[index]);
        run.states[index] = next.clone();
        self.touched.insert(key.run);
        self.follow_in_backlog(key, &before, &next, launched);
        Ok(())
    }

    fn follow_in_backlog(&mut self, key: StageKey, before: &StageState, next: &StageState, launched: bool) {
        match before {
            StageState::Queued if !launched => {
                self.backlog.remove(key);
            }
            StageState::Running { .. } => self.backlog.ended(key),
            StageState::Retrying { .. } => self.retries.remove(key),
            StageState::Held { .. } => self.held.remove(key),
            StageState::Waiting
            | StageState::Queued
            | StageState::Completed
            | StageState::Cached
            | StageState::Skipped { .. }
            | StageState::Failed { .. }
            | StageState::Cancelled
            | StageState::Interrupted { .. } => {}
        }
        match next {
            StageState::Queued => {
                if let Some(run) = self.runs.get(&key.run) {
                    self.backlog.push(entry(run, key));
                }
            }
            StageState::Retrying { at } => {
                let delay = u64::try_from(at.0.saturating_sub(self.now.0)).unwrap_or(0);
                self.retries.insert(key, clock::running_ms() + delay);
            }
            StageState::Held { .. } => self.held.insert(key, clock::running_ms() + LOOK_AT_HELD_MS),
            StageState::Waiting
            | StageState::Running { .. }
            | StageState::Completed
            | StageState::Cached
            | StageState::Skipped { .. }
            | StageState::Failed { .. }
            | StageState::Cancelled
            | StageState::Interrupted { .. } => {}
        }
    }

    /// Does what follows from the ends of these stages for those that need them, and for theirs.
    ///
    /// # Errors
    /// As [`Mind::move_stage`].
    pub(super) fn propagate(&mut self, tx: &Tx<'_>, number: i64, ended: &[u32]) -> Result<(), Trouble> {
        let mut todo: Vec<u32> = {
            let run = self.run(tx, number)?;
            ended.iter().flat_map(|s| run.shape.dependants[*s as usize].iter().copied()).collect()
        };
        while let Some(stage) = todo.pop() {
            let run = self.run(tx, number)?;
            let Some(what) = follow(&run.shape, &run.states, stage) else { continue };
            let key = run.key(stage);
            match what {
                Follow::Skip { need } => {
                    let why =
                        format!("stage {} ended {}", run.rows[need as usize].name, run.states[need as usize].status());
                    self.move_stage(tx, key, StageInput::Skip(ErrorCode::NeedNotCompleted), |c| StageChange {
                        detail: Some(why),
                        ..c
                    })?;
                }
                Follow::Ready => self.make_ready(tx, key)?,
            }
            let run = self.run(tx, number)?;
            if run.states[stage as usize].status().is_ended() {
                todo.extend(run.shape.dependants[stage as usize].iter().copied());
            }
        }
        self.stop_after_failure(tx, number)
    }

    /// Queues a waiting stage whose needs have ended, unless its condition says otherwise.
    fn make_ready(&mut self, tx: &Tx<'_>, key: StageKey) -> Result<(), Trouble> {
        let home = self.home.clone();
        let run = self.run(tx, key.run)?;
        let verdict = match &run.stage(key.stage).condition {
            None => Ok(true),
            Some(text) => run.with_scope(
                &home,
                &IndexMap::new(),
                key.stage,
                run.rows[key.stage as usize].attempt + 1,
                None,
                |scope| footplate_spec::condition(&run.rows[key.stage as usize].name, text, scope),
            ),
        };
        match verdict {
            Ok(true) => self.move_stage(tx, key, StageInput::Ready, |c| c),
            Ok(false) => self.move_stage(tx, key, StageInput::Skip(ErrorCode::ConditionFalse), |c| c),
            Err(error) => {
                let text = error.to_string();
                self.move_stage(tx, key, StageInput::Unmakeable(error.code), |c| StageChange {
                    detail: Some(text),
                    ..c
                })
            }
        }
    }

    /// `on_failure = "stop"`: what has not started is skipped.
    fn stop_after_failure(&mut self, tx: &Tx<'_>, number: i64) -> Result<(), Trouble> {
        let run = self.run(tx, number)?;
        if !stopped_by_failure(&run.shape, &run.states) {
            return Ok(());
        }
        for key in self.startable(tx, number)? {
            self.move_stage(tx, key, StageInput::Skip(ErrorCode::StoppedByFailure), |c| c)?;
        }
        Ok(())
    }

    /// The stages of a run that have not ended and are not running.
    ///
    /// # Errors
    /// As [`Mind::run`].
    pub(super) fn startable(&mut self, tx: &Tx<'_>, number: i64) -> Result<Vec<StageKey>, Trouble> {
        let run = self.run(tx, number)?;
        let open = |s: &StageState| !s.status().is_ended() && !matches!(s, StageState::Running { .. });
        Ok((0..run.states.len() as u32).filter(|i| open(&run.states[*i as usize])).map(|i| run.key(i)).collect())
    }

    /// Waiting stages whose needs have ended already (or that have none): at submit, at start, after a reopening.
    ///
    /// # Errors
    /// As [`Mind::move_stage`].
    pub(super) fn activate(&mut self, tx: &Tx<'_>, number: i64) -> Result<(), Trouble> {
        let stages = self.run(tx, number)?.states.len() as u32;
        let mut ended = Vec::new();
        for stage in 0..stages {
            let run = self.run(tx, number)?;
            let key = run.key(stage);
            match follow(&run.shape, &run.states, stage) {
                Some(Follow::Ready) => self.make_ready(tx, key)?,
                Some(Follow::Skip { need }) => {
                    let why =
                        format!("stage {} ended {}", run.rows[need as usize].name, run.states[need as usize].status());
                    self.move_stage(tx, key, StageInput::Skip(ErrorCode::NeedNotCompleted), |c| StageChange {
                        detail: Some(why),
                        ..c
                    })?;
                }
                None => continue,
            }
            if self.run(tx, number)?.states[stage as usize].status().is_ended() {
                ended.push(stage);
            }
        }
        self.touched.insert(number);
        self.propagate(tx, number, &ended)
    }

    /// The same for one of many: it need not stay in memory until its turn comes.
    ///
    /// # Errors
    /// As [`Mind::activate`].
    pub(super) fn activate_and_set_aside(&mut self, tx: &Tx<'_>, number: i64) -> Result<(), Trouble> {
        self.activate(tx, number)?;
        self.touched.remove(&number);
        self.answer_stages(tx, number)?;
        self.conclude(tx, number)?;
        self.forget_those_that_wait();
        Ok(())
    }

    /// The run's status, derived; its result and its end where they are reached. Ended runs leave the memory.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn conclude(&mut self, tx: &Tx<'_>, number: i64) -> Result<(), Trouble> {
        let now = self.now.0;
        let run = self.run(tx, number)?;
        let status = derive(run.flags(), &run.shape, &run.states);
        let first = run.rows.iter().filter_map(|r| r.started_at).min();
        if run.row.started_at.is_none() && first.is_some() {
            run.row.started_at = first;
            tx.set_run_times(number, first, run.row.finished_at)?;
        }
        if run.row.result.is_none()
            && let Some(outcome) = result(run.flags(), &run.shape, &run.states)
        {
            run.row.result = Some(outcome);
            run.row.result_at = Some(now);
            tx.fix_result(number, outcome, now)?;
            self.after_result(tx, number)?;
        }
        let run = self.run(tx, number)?;
        let changed = run.row.status != status;
        if changed {
            run.row.status = status;
            tx.set_run_status(number, status, now)?;
            if status.is_ended() {
                // When the last of its stages ended. A stage is skipped when others end, or when an owner after a restore sees that.
                let last = |skipped: bool| {
                    let counts = |row: &&StageRow| skipped || row.status != StageStatus::Skipped;
                    run.rows.iter().filter(counts).filter_map(|row| row.finished_at).max()
                };
                let ended = last(false).or_else(|| last(true)).unwrap_or(now);
                run.row.finished_at = Some(ended);
                let started = run.row.started_at;
                tx.set_run_times(number, started, Some(ended))?;
            }
        }
        self.has_news |= changed && NoticeKind::of_status(status).is_some();
        if status.is_ended() {
            self.answer_ended(tx, number, status)?;
            self.runs.remove(&number);
            self.backlog.open_run(number);
        }
        Ok(())
    }

    /// A run that was submitted: its gates, its queued stages, and what can start of it.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn take_in(&mut self, tx: &Tx<'_>, brief: &RunBrief) -> Result<(), Trouble> {
        self.seen_run = self.seen_run.max(brief.number);
        if brief.draft {
            self.backlog.close_run(brief.number, RunGate::Draft);
        }
        if brief.paused {
            self.backlog.close_run(brief.number, RunGate::Paused);
        }
        // One that has begun has waited.
        if !brief.after.is_empty() && tx.run(brief.number)?.is_some_and(|run| run.started_at.is_none()) {
            self.gate_after(tx, brief.number, &brief.after)?;
        }
        Ok(())
    }
}

/// A queued stage as the backlog knows it.
#[must_use]
pub(super) fn entry(run: &ActiveRun, key: StageKey) -> Entry {
    let row = &run.rows[key.stage as usize];
    let own = run.stage(key.stage).not_before.as_deref().and_then(UtcMs::parse);
    let not_before = match (own, run.row.not_before.map(UtcMs)) {
        (Some(a), Some(b)) => Some(a.max(b)),
        (one, other) => one.or(other),
    };
    Entry {
        key,
        queue: Arc::from(row.queue.as_str()),
        run_priority: run.row.priority,
        order: run.row.order_key,
        demand: Demand { cpus: row.cpus, memory: row.memory, gpus: row.gpus },
        not_before,
    }
}
