//! Acting upon wishes, in their order. A wish is on disk before anything is done for it, and a repeat is harmless: after a crash all that
//! were not answered are taken again.

use std::path::PathBuf;

use footplate_core::schedule::{QueueRule, RunGate};
use footplate_core::state::attempt::{AttemptInput, step};
use footplate_core::state::run::{Reopen, reopen};
use footplate_core::state::stage::StageInput;
use footplate_core::{AttemptKey, ErrorCode, RunStatus, StageStatus};
use footplate_shim::contract::{Command, Reason};
use footplate_store::Tx;
use footplate_store::{AttemptChange, QueueChange, StageChange, WishRow};

use super::Trouble;
use super::effects::Effect;
use super::mind::Mind;
use crate::client::Wish;

/// A wish whose effect is awaited before it is answered.
pub(super) struct Awaiting {
    /// The wish's id.
    pub(super) wish: String,
    /// The run.
    pub(super) run: i64,
    /// What is awaited.
    pub(super) until: Until,
}

/// What a wish waits for.
pub(super) enum Until {
    /// The end of the run.
    RunEnded,
    /// The end of one stage.
    StageEnded(u32),
    /// The shims' word for these attempts; then this is the answer.
    Carried(Vec<AttemptKey>, String),
}

/// A refusal: code and the present state.
type Refused = (ErrorCode, String);

impl Mind {
    /// Acts upon one wish.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn grant(&mut self, tx: &Tx<'_>, row: &WishRow) -> Result<(), Trouble> {
        let outcome = match (Wish::from_row(&row.kind, &row.args), row.run) {
            (None, _) => {
                Err((ErrorCode::Invalid, format!("{} {} is no wish that this version knows", row.kind, row.args)))
            }
            (Some(Wish::Queue { name, limit, priority, paused }), _) => {
                self.change_queue(tx, &name, limit, priority, paused)?
            }
            (Some(Wish::Clean { older_than_ms, dry_run }), _) => self.clean(tx, older_than_ms, dry_run)?,
            (Some(Wish::Release { runs }), _) => self.release(tx, &runs)?,
            (Some(_), None) => Err((ErrorCode::Invalid, format!("{} concerns a run, and none is named", row.kind))),
            (Some(wish), Some(number)) if tx.run(number)?.is_none() => {
                let _ = wish;
                Err((ErrorCode::NotFound, format!("There is no run #{number}")))
            }
            (Some(wish), Some(number)) => self.grant_run(tx, row, number, wish)?,
        };
        match outcome {
            Ok(Some(message)) => self.answer(tx, &row.id, None, &message),
            Ok(None) => Ok(()),
            Err((code, message)) => self.answer(tx, &row.id, Some(code), &message),
        }
    }

    fn answer(&mut self, tx: &Tx<'_>, wish: &str, refused: Option<ErrorCode>, message: &str) -> Result<(), Trouble> {
        tx.answer_wish(wish, refused.is_none(), refused, message, self.now.0)?;
        Ok(())
    }

    /// `Ok(None)`: answered later.
    fn grant_run(
        &mut self,
        tx: &Tx<'_>,
        row: &WishRow,
        number: i64,
        wish: Wish,
    ) -> Result<Result<Option<String>, Refused>, Trouble> {
        let run = self.run(tx, number)?;
        let (status, generation) = (run.row.status, run.row.generation);
        if row.generation.is_some_and(|g| g != generation) {
            let text = format!("#{number} was retried in the meantime and is {status} now");
            return Ok(Err((ErrorCode::Conflict, text)));
        }
        let result = match wish {
            Wish::Cancel { stage } => self.cancel(tx, row, number, stage.as_deref())?,
            Wish::Pause {} => self.pause(tx, row, number, true)?,
            Wish::Unpause {} => self.pause(tx, row, number, false)?,
            Wish::Retry { from, .. } => self.reopen(tx, number, from.as_deref(), false)?,
            Wish::Resume {} => self.reopen(tx, number, None, true)?,
            Wish::Start {} => self.start_draft(tx, number)?,
            Wish::Move { to } => self.move_to(tx, number, to)?,
            Wish::Set { priority, queue, timeout_ms } => self.set(tx, number, priority, queue, timeout_ms)?,
            Wish::Rename { name } => {
                tx.rename_run(number, &name, self.now.0)?;
                self.run(tx, number)?.row.name.clone_from(&name);
                Ok(Some(format!("#{number} is now named {name}")))
            }
            Wish::Tag { add, remove } => self.tag(tx, number, add, &remove)?,
            Wish::Rm { files } => self.remove(tx, number, files)?,
            Wish::Queue { .. } | Wish::Clean { .. } | Wish::Release { .. } => {
                Err((ErrorCode::Invalid, "it concerns no run".to_owned()))
            }
        };
        if self.runs.contains_key(&number) {
            self.touched.insert(number);
        }
        Ok(result)
    }

    fn cancel(
        &mut self,
        tx: &Tx<'_>,
        row: &WishRow,
        number: i64,
        stage: Option<&str>,
    ) -> Result<Result<Option<String>, Refused>, Trouble> {
        let run = self.run(tx, number)?;
        if run.row.status.is_ended() {
            return Ok(Err(already(number, run.row.status)));
        }
        let only = match stage {
            None => None,
            Some(name) => match run.definition.stages.get_index_of(name) {
                Some(index) => Some(index as u32),
                None => return Ok(Err((ErrorCode::NotFound, format!("#{number} has no stage {name}")))),
            },
        };
        match only {
            None => {
                run.cancelled = true;
                if run.row.draft {
                    run.row.draft = false;
                    let (paused, after_failed) = (run.row.paused, run.row.after_failed);
                    tx.set_run_flags(number, false, paused, after_failed)?;
                }
            }
            Some(index) if run.states[index as usize].status().is_ended() => {
                let text = format!(
                    "stage {} of #{number} is {} already",
                    stage.unwrap_or_default(),
                    run.states[index as usize].status()
                );
                return Ok(Err((ErrorCode::AlreadyEnded, text)));
            }
            Some(index) => {
                run.cancelled_stages.insert(index);
            }
        }
        let chosen = |index: u32| only.is_none_or(|o| o == index);
        let mut ended = Vec::new();
        for key in self.startable(tx, number)?.into_iter().filter(|k| chosen(k.stage)) {
            self.move_stage(tx, key, StageInput::Cancel, |c| c)?;
            ended.push(key.stage);
        }
        self.propagate(tx, number, &ended)?;
        let attempts: Vec<AttemptKey> = self.attempts_of(number).into_iter().filter(|k| chosen(k.stage)).collect();
        for key in attempts {
            self.stop_attempt(tx, key, &row.id)?;
        }
        let until = only.map_or(Until::RunEnded, Until::StageEnded);
        self.awaiting.push(Awaiting { wish: row.id.clone(), run: number, until });
        Ok(Ok(None))
    }

    /// Attempts of a run that hold a slot.
    fn attempts_of(&self, number: i64) -> Vec<AttemptKey> {
        let first = AttemptKey { run: number, stage: 0, attempt: 0 };
        let last = AttemptKey { run: number, stage: u32::MAX, attempt: u32::MAX };
        self.live.range(first..=last).map(|(key, _)| *key).collect()
    }

    fn stop_attempt(&mut self, tx: &Tx<'_>, key: AttemptKey, wish: &str) -> Result<(), Trouble> {
        let now = self.now.0;
        let Some(live) = self.live.get_mut(&key) else { return Ok(()) };
        let next = step(&live.state, AttemptInput::StopRequested)?;
        if next.status() != live.state.status() {
            tx.move_attempt(key, &[live.state.status()], &AttemptChange::to(next.status()), now)?;
            live.state = next;
        }
        let grace_ms = self.run(tx, key.run)?.stage(key.stage).grace_ms();
        self.effects.push(Effect::Stop { key, wish: wish.to_owned(), grace_ms });
        Ok(())
    }

    fn pause(
        &mut self,
        tx: &Tx<'_>,
        row: &WishRow,
        number: i64,
        paused: bool,
    ) -> Result<Result<Option<String>, Refused>, Trouble> {
        let run = self.run(tx, number)?;
        if run.row.status.is_ended() || run.row.draft {
            return Ok(Err(already(number, run.row.status)));
        }
        if !paused && !run.row.paused {
            return Ok(Err((ErrorCode::Conflict, format!("#{number} is not paused; it is {}", run.row.status))));
        }
        run.row.paused = paused;
        let (draft, after_failed) = (run.row.draft, run.row.after_failed);
        tx.set_run_flags(number, draft, paused, after_failed)?;
        if paused {
            self.backlog.close_run(number, RunGate::Paused);
        } else {
            self.backlog.open_gate(number, RunGate::Paused);
        }
        let attempts = self.attempts_of(number);
        for key in &attempts {
            if let Some(live) = self.live.get_mut(key) {
                live.paused = paused;
            }
            tx.set_attempt_paused(*key, paused, self.now.0)?;
            let wish = row.id.clone();
            let reason = Reason::User;
            let command = if paused { Command::Pause { wish, reason } } else { Command::Resume { wish, reason } };
            self.effects.push(Effect::Tell { key: *key, command });
        }
        let message = match (paused, attempts.is_empty()) {
            (true, true) => format!("#{number} is paused: nothing of it starts"),
            (true, false) => format!("#{number} is paused; its cores are free, its memory and GPU are not"),
            (false, _) => format!("#{number} goes on"),
        };
        if attempts.is_empty() {
            return Ok(Ok(Some(message)));
        }
        self.awaiting.push(Awaiting { wish: row.id.clone(), run: number, until: Until::Carried(attempts, message) });
        Ok(Ok(None))
    }

    fn reopen(
        &mut self,
        tx: &Tx<'_>,
        number: i64,
        from: Option<&str>,
        resume: bool,
    ) -> Result<Result<Option<String>, Refused>, Trouble> {
        let run = self.run(tx, number)?;
        let which = match from {
            Some(name) => match run.definition.stages.get_index_of(name) {
                Some(index) => Reopen::From(index as u32),
                None => return Ok(Err((ErrorCode::NotFound, format!("#{number} has no stage {name}")))),
            },
            None if resume => Reopen::Resume,
            None => Reopen::Failed,
        };
        if run.row.draft {
            return Ok(Err((ErrorCode::Conflict, format!("#{number} is a draft; start it instead"))));
        }
        let (queued, waiting) = match reopen(&run.shape, &run.states, &which) {
            Ok(both) => both,
            Err(ErrorCode::Conflict) => {
                let text =
                    format!("#{number} is {}: nothing of it failed, was cancelled or interrupted", run.row.status);
                return Ok(Err((ErrorCode::Conflict, text)));
            }
            Err(code) => {
                return Ok(Err((code, format!("#{number} is {}: what would be done again is live", run.row.status))));
            }
        };
        if resume && !queued.iter().any(|s| !run.stage(*s).resume.is_empty()) {
            let text =
                format!("#{number} has no stage to go on from a checkpoint with (no `resume` in its definition)");
            return Ok(Err((ErrorCode::NothingToResume, text)));
        }
        run.row.generation = tx.reopen_run(number)?;
        run.row.result = None;
        run.row.result_at = None;
        run.row.finished_at = None;
        run.row.after_failed = false;
        run.row.paused = false;
        run.cancelled = false;
        run.cancelled_stages.clear();
        for (stages, input) in [(&queued, StageInput::ReopenQueued), (&waiting, StageInput::ReopenWaiting)] {
            for stage in stages {
                let key = footplate_core::StageKey { run: number, stage: *stage };
                if self.run(tx, number)?.states[*stage as usize].status() == StageStatus::Waiting
                    && input == StageInput::ReopenWaiting
                {
                    continue;
                }
                self.move_stage(tx, key, input.clone(), |c| StageChange {
                    retries_used: Some(0),
                    interruptions: Some(0),
                    started_at: Some(None),
                    finished_at: Some(None),
                    resume: Some(resume),
                    error: Some(None),
                    ..c
                })?;
            }
        }
        self.activate(tx, number)?;
        let names: Vec<String> = {
            let run = self.run(tx, number)?;
            queued.iter().map(|s| run.rows[*s as usize].name.clone()).collect()
        };
        let verb = if resume { "goes on with" } else { "does again" };
        Ok(Ok(Some(format!("#{number} {verb} {}", names.join(", ")))))
    }

    fn start_draft(&mut self, tx: &Tx<'_>, number: i64) -> Result<Result<Option<String>, Refused>, Trouble> {
        let run = self.run(tx, number)?;
        if !run.row.draft {
            let text = format!("#{number} was started already; it is {}", run.row.status);
            return Ok(Err((ErrorCode::AlreadyStarted, text)));
        }
        run.row.draft = false;
        let (paused, after_failed) = (run.row.paused, run.row.after_failed);
        tx.set_run_flags(number, false, paused, after_failed)?;
        self.backlog.open_gate(number, RunGate::Draft);
        self.activate(tx, number)?;
        Ok(Ok(Some(format!("#{number} is started"))))
    }

    /// The end of a batch: its drafts start together.
    fn release(&mut self, tx: &Tx<'_>, ranges: &[(i64, i64)]) -> Result<Result<Option<String>, Refused>, Trouble> {
        let numbers: Vec<i64> = ranges.iter().flat_map(|(from, to)| *from..=*to).collect();
        let released = tx.release_drafts(&numbers, self.now.0)?;
        for number in numbers {
            self.runs.remove(&number);
            self.backlog.open_gate(number, RunGate::Draft);
            if tx.stages(number)?.iter().any(|s| s.status == StageStatus::Waiting) {
                self.activate(tx, number)?;
            }
        }
        Ok(Ok(Some(format!("{released} runs are started"))))
    }

    fn move_to(&mut self, tx: &Tx<'_>, number: i64, to: u32) -> Result<Result<Option<String>, Refused>, Trouble> {
        let run = self.run(tx, number)?;
        let Some(queue) = run.rows.iter().find(|r| r.status == StageStatus::Queued).map(|r| r.queue.clone()) else {
            return Ok(Err((ErrorCode::Conflict, format!("#{number} is {}: nothing of it is queued", run.row.status))));
        };
        let (priority, own) = (run.row.priority, run.row.order_key);
        let mut others: Vec<(i64, i64)> = Vec::new();
        for key in self.backlog.queue_order(&queue, usize::MAX) {
            if key.run != number && others.last().is_none_or(|o| o.0 != key.run) {
                let other = tx.run(key.run)?;
                if let Some(other) = other.filter(|o| o.priority == priority) {
                    others.push((other.number, other.order_key));
                }
            }
        }
        let place = (to.max(1) as usize - 1).min(others.len());
        let before = place.checked_sub(1).and_then(|i| others.get(i)).map(|o| o.1);
        let after = others.get(place).map(|o| o.1);
        let order = match (before, after) {
            (Some(b), Some(a)) if a - b > 1 => b + (a - b) / 2,
            (Some(_), Some(_)) => return self.respace(tx, number, place, &others),
            (Some(b), None) => b + 1024,
            (None, Some(a)) => a - 1024,
            (None, None) => own,
        };
        self.set_order(tx, number, order)?;
        Ok(Ok(Some(format!("#{number} is at place {} in {queue}", place + 1))))
    }

    /// No key is left between two neighbours: all of them get new ones.
    fn respace(
        &mut self,
        tx: &Tx<'_>,
        number: i64,
        place: usize,
        others: &[(i64, i64)],
    ) -> Result<Result<Option<String>, Refused>, Trouble> {
        let mut order: Vec<i64> = others.iter().map(|o| o.0).collect();
        order.insert(place, number);
        let first = others.first().map_or(0, |o| o.1);
        for (index, run) in order.into_iter().enumerate() {
            self.set_order(tx, run, first + index as i64 * 1024)?;
        }
        Ok(Ok(Some(format!("#{number} is at place {}", place + 1))))
    }

    fn set_order(&mut self, tx: &Tx<'_>, number: i64, order: i64) -> Result<(), Trouble> {
        tx.set_order_key(number, order, self.now.0)?;
        let run = self.run(tx, number)?;
        run.row.order_key = order;
        let priority = run.row.priority;
        self.backlog.set_run(number, priority, order);
        self.touched.insert(number);
        Ok(())
    }

    fn set(
        &mut self,
        tx: &Tx<'_>,
        number: i64,
        priority: Option<i32>,
        queue: Option<String>,
        timeout_ms: Option<u64>,
    ) -> Result<Result<Option<String>, Refused>, Trouble> {
        let run = self.run(tx, number)?;
        if !matches!(run.row.status, RunStatus::Draft | RunStatus::Queued | RunStatus::Paused)
            || run.rows.iter().any(|r| r.status == StageStatus::Running)
        {
            let text = format!("#{number} is {}; only what is still queued can be changed", run.row.status);
            return Ok(Err((ErrorCode::Conflict, text)));
        }
        let mut said = Vec::new();
        let now = self.now.0;
        let run = self.run(tx, number)?;
        if let Some(priority) = priority {
            run.row.priority = priority;
            let order = run.row.order_key;
            tx.set_priority(number, priority, now)?;
            self.backlog.set_run(number, priority, order);
            said.push(format!("priority {priority}"));
        }
        if let Some(queue) = queue {
            if !tx.queues()?.iter().any(|q| q.name == queue) {
                return Ok(Err((ErrorCode::NotFound, format!("There is no queue {queue}"))));
            }
            let run = self.run(tx, number)?;
            let old = run.row.queue.clone();
            tx.set_queue(number, &queue, now)?;
            run.row.queue.clone_from(&queue);
            for row in run.rows.iter_mut().filter(|r| r.queue == old && !r.status.is_ended()) {
                row.queue.clone_from(&queue);
            }
            self.backlog.set_run_queue(number, &old, &queue);
            said.push(format!("queue {queue}"));
        }
        if let Some(ms) = timeout_ms {
            let run = self.run(tx, number)?;
            for stage in run.definition.stages.values_mut() {
                stage.timeout = Some(footplate_core::quantity::Span(ms));
            }
            let text = serde_json::to_string(&run.definition).map_err(|e| Trouble::Damaged(e.to_string()))?;
            tx.set_definition(number, &text, now)?;
            said.push(format!("timeout {}", footplate_core::quantity::Span(ms)));
        }
        Ok(Ok(Some(format!("#{number}: {}", said.join(", ")))))
    }

    fn tag(
        &mut self,
        tx: &Tx<'_>,
        number: i64,
        add: Vec<String>,
        remove: &[String],
    ) -> Result<Result<Option<String>, Refused>, Trouble> {
        let run = self.run(tx, number)?;
        run.row.tags.retain(|t| !remove.contains(t));
        for tag in add {
            if !run.row.tags.contains(&tag) {
                run.row.tags.push(tag);
            }
        }
        let tags = run.row.tags.clone();
        tx.set_tags(number, &tags, self.now.0)?;
        let text = if tags.is_empty() { "no tags".to_owned() } else { tags.join(", ") };
        Ok(Ok(Some(format!("#{number}: {text}"))))
    }

    fn remove(&mut self, tx: &Tx<'_>, number: i64, files: bool) -> Result<Result<Option<String>, Refused>, Trouble> {
        let run = self.run(tx, number)?;
        if !run.row.status.is_ended() && !run.row.draft {
            let text = format!("#{number} is {}; cancel it first", run.row.status);
            return Ok(Err((ErrorCode::StillLive, text)));
        }
        let home = self.home.clone();
        let run = self.run(tx, number)?;
        let mut paths = vec![home.attempts_of(&run.row.id)];
        let run_dir =
            PathBuf::from(<std::ffi::OsString as std::os::unix::ffi::OsStringExt>::from_vec(run.row.run_dir.clone()));
        let secrets = run.row.secrets.clone();
        if files {
            paths.push(run_dir);
        }
        paths.extend(secrets.map(|name| home.secrets_dir().join(name)));
        for key in self.startable(tx, number)? {
            self.backlog.remove(key);
        }
        tx.remove_run(number, self.now.0)?;
        self.runs.remove(&number);
        self.touched.remove(&number);
        self.backlog.open_run(number);
        self.effects.push(Effect::Remove { paths });
        let text = if files { "with its files" } else { "its run folder stays" };
        Ok(Ok(Some(format!("#{number} is removed, {text}"))))
    }

    fn clean(
        &mut self,
        tx: &Tx<'_>,
        older_than_ms: u64,
        dry_run: bool,
    ) -> Result<Result<Option<String>, Refused>, Trouble> {
        let before = self.now.0.saturating_sub(i64::try_from(older_than_ms).unwrap_or(i64::MAX));
        let old = tx.ended_before(before, u32::MAX)?;
        if dry_run {
            return Ok(Ok(Some(format!("{} ended runs would be removed", old.len()))));
        }
        let mut removed = 0;
        for (number, _) in old {
            if self.remove(tx, number, false)?.is_ok() {
                removed += 1;
            }
        }
        Ok(Ok(Some(format!("{removed} ended runs are removed; their run folders stay"))))
    }

    fn change_queue(
        &mut self,
        tx: &Tx<'_>,
        name: &str,
        limit: Option<u32>,
        priority: Option<i32>,
        paused: Option<bool>,
    ) -> Result<Result<Option<String>, Refused>, Trouble> {
        let known = tx.queues()?.into_iter().find(|q| q.name == name);
        if known.is_none() && limit.is_none() && priority.is_none() {
            return Ok(Err((ErrorCode::NotFound, format!("There is no queue {name}"))));
        }
        tx.put_queue(name, &QueueChange { priority, limit: limit.map(Some), paused }, self.now.0)?;
        self.read_queues(tx)?;
        let cores = crate::client::machine_capacity().cpus;
        let rule = tx.queues()?.into_iter().find(|q| q.name == name).map_or(
            QueueRule { priority: 0, limit: cores, paused: false },
            |q| QueueRule { priority: q.priority, limit: q.limit.unwrap_or(cores), paused: q.paused },
        );
        let state = if rule.paused { ", paused" } else { "" };
        Ok(Ok(Some(format!("{name}: limit {}, priority {}{state}", rule.limit, rule.priority))))
    }

    /// A shim carried a command out: wishes that waited for it.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn carried(&mut self, tx: &Tx<'_>, key: AttemptKey, command: &Command) -> Result<(), Trouble> {
        let mut answers = Vec::new();
        for awaiting in &mut self.awaiting {
            if awaiting.wish == command.wish()
                && let Until::Carried(attempts, message) = &mut awaiting.until
            {
                attempts.retain(|k| *k != key);
                if attempts.is_empty() {
                    answers.push((awaiting.wish.clone(), message.clone()));
                }
            }
        }
        for (wish, message) in answers {
            self.awaiting.retain(|a| a.wish != wish);
            self.answer(tx, &wish, None, &message)?;
        }
        Ok(())
    }

    /// Wishes that waited for the end of this run.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn answer_ended(&mut self, tx: &Tx<'_>, number: i64, status: RunStatus) -> Result<(), Trouble> {
        let (ours, others) = std::mem::take(&mut self.awaiting).into_iter().partition(|a| a.run == number);
        self.awaiting = others;
        for awaiting in ours {
            match (&awaiting.until, status) {
                (Until::RunEnded, RunStatus::Cancelled) => {
                    self.answer(tx, &awaiting.wish, None, &format!("#{number} is cancelled"))?;
                }
                (Until::RunEnded, _) => {
                    let text = format!("The cancel came too late: #{number} is {status}");
                    self.answer(tx, &awaiting.wish, Some(ErrorCode::AlreadyEnded), &text)?;
                }
                (Until::StageEnded(stage), _) => self.answer_stage(tx, &awaiting.wish, number, *stage)?,
                (Until::Carried(..), _) => {
                    self.answer(tx, &awaiting.wish, None, &format!("#{number} ended in the meantime: {status}"))?;
                }
            }
        }
        Ok(())
    }

    /// Wishes that waited for the end of single stages of a run that goes on.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn answer_stages(&mut self, tx: &Tx<'_>, number: i64) -> Result<(), Trouble> {
        let Some(run) = self.runs.get(&number) else { return Ok(()) };
        let ended: Vec<(String, u32)> = self
            .awaiting
            .iter()
            .filter(|a| a.run == number)
            .filter_map(|a| match a.until {
                Until::StageEnded(stage) if run.states[stage as usize].status().is_ended() => {
                    Some((a.wish.clone(), stage))
                }
                Until::StageEnded(_) | Until::RunEnded | Until::Carried(..) => None,
            })
            .collect();
        for (wish, stage) in ended {
            self.awaiting.retain(|a| a.wish != wish);
            self.answer_stage(tx, &wish, number, stage)?;
        }
        Ok(())
    }

    fn answer_stage(&mut self, tx: &Tx<'_>, wish: &str, number: i64, stage: u32) -> Result<(), Trouble> {
        let run = self.run(tx, number)?;
        let (name, status) = (run.rows[stage as usize].name.clone(), run.states[stage as usize].status());
        let refused = (status != StageStatus::Cancelled).then_some(ErrorCode::AlreadyEnded);
        self.answer(tx, wish, refused, &format!("stage {name} of #{number} is {status}"))
    }
}

fn already(number: i64, status: RunStatus) -> Refused {
    (ErrorCode::AlreadyEnded, format!("#{number} is {status} already"))
}
