//! Acting upon wishes, in their order. A wish is on disk before anything is done for it, and a repeat is harmless: after a crash all that
//! were not answered are taken again.

use footplate_core::event::Event;
use footplate_core::schedule::RunGate;
use footplate_core::state::attempt::{AttemptInput, step};
use footplate_core::state::stage::StageInput;
use footplate_core::{AttemptKey, ErrorCode, RunStatus, StageStatus};
use footplate_shim::contract::{Command, Reason};
use footplate_store::Tx;
use footplate_store::{AttemptChange, WishRow};

use super::Trouble;
use super::changes::Again;
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
pub(super) type Refused = (ErrorCode, String);

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
            (Some(Wish::Disk { warning, critical }), _) => self.set_disk_marks(tx, warning, critical)?,
            (Some(Wish::Gpus { ignore_others }), _) => self.set_gpus(tx, ignore_others)?,
            (Some(Wish::Adopt {}), _) => self.adopt(tx)?,
            (Some(Wish::RestoreSeen {}), _) => self.forget_restore(tx)?,
            (Some(Wish::Clean { older_than_ms, dry_run }), _) => self.clean(tx, older_than_ms, dry_run)?,
            (Some(Wish::Release { runs }), _) => self.release(tx, &runs)?,
            (Some(Wish::Schedule { name, enabled, remove }), _) => self.change_schedule(tx, &name, enabled, remove)?,
            (Some(Wish::Schedules { keep_owner }), _) => self.keep_for_schedules(tx, keep_owner)?,
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
            Wish::Retry { from, .. } => self.reopen(tx, number, from.as_deref().map_or(Again::Failed, Again::From))?,
            Wish::Resume { from: None, .. } => self.reopen(tx, number, Again::Resume)?,
            Wish::Resume { from: Some(path), stage: Some(stage) } => {
                self.reopen(tx, number, Again::ResumeAt { stage: &stage, path: &path })?
            }
            Wish::Resume { from: Some(_), stage: None } => {
                Err((ErrorCode::Invalid, "a checkpoint was named without its stage".to_owned()))
            }
            Wish::Start {} => self.start_draft(tx, number)?,
            Wish::Move(spot) => self.move_to(tx, number, &spot)?,
            Wish::Set { priority, queue, timeout_ms } => self.set(tx, number, priority, queue, timeout_ms)?,
            Wish::Rename { name } => {
                tx.rename_run(number, &name, self.now.0)?;
                self.run(tx, number)?.row.name.clone_from(&name);
                Ok(Some(format!("#{number} is now named {name}")))
            }
            Wish::Tag { add, remove } => self.tag(tx, number, add, &remove)?,
            Wish::Rm { files } => self.remove(tx, number, files)?,
            Wish::CleanCheckpoints {} => self.clean_checkpoints(tx, row, number)?,
            Wish::Pin { checkpoint, stage, pinned } => self.pin(tx, number, &checkpoint, stage.as_deref(), pinned)?,
            Wish::Dismiss { alert } => self.dismiss(tx, number, alert)?,
            Wish::Queue { .. }
            | Wish::Disk { .. }
            | Wish::Gpus { .. }
            | Wish::Adopt {}
            | Wish::RestoreSeen {}
            | Wish::Schedule { .. }
            | Wish::Schedules { .. }
            | Wish::Clean { .. }
            | Wish::Release { .. } => Err((ErrorCode::Invalid, "it concerns no run".to_owned())),
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

    /// Tells an attempt to stop for this wish; one that is told already takes no harm.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn stop_attempt(&mut self, tx: &Tx<'_>, key: AttemptKey, wish: &str) -> Result<(), Trouble> {
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
            let for_disk = self.live.get(key).is_some_and(|live| live.paused_for_disk);
            if let Some(live) = self.live.get_mut(key) {
                live.set_paused(paused || for_disk);
            }
            tx.set_attempt_paused(*key, paused || for_disk, self.now.0)?;
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

    /// A shim carried a command out: wishes that waited for it.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn carried(&mut self, tx: &Tx<'_>, key: AttemptKey, command: &Command) -> Result<(), Trouble> {
        self.carried_where(tx, key, |wish| wish == command.wish())
    }

    fn carried_where(&mut self, tx: &Tx<'_>, key: AttemptKey, is: impl Fn(&str) -> bool) -> Result<(), Trouble> {
        let mut answers = Vec::new();
        for awaiting in &mut self.awaiting {
            if is(&awaiting.wish)
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

    /// An attempt has ended: nothing is carried out there any more, and who waited for it has waited enough.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn waited_for(&mut self, tx: &Tx<'_>, key: AttemptKey) -> Result<(), Trouble> {
        self.carried_where(tx, key, |_| true)
    }

    /// Another shim has taken the place of the first: stored and said once.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn adopted(&mut self, tx: &Tx<'_>, key: AttemptKey) -> Result<(), Trouble> {
        let Some(live) = self.live.get_mut(&key) else { return Ok(()) };
        let status = live.state.status();
        let change = AttemptChange { orphan: Some(true), ..AttemptChange::to(status) };
        if tx.move_attempt(key, &[status], &change, self.now.0)? {
            let text = crate::client::explain::TAKEN_OVER.to_owned();
            tx.append(Some(key.run), &Event::Note { stage: Some(key.stage), text }, self.now.0)?;
        }
        live.orphan = true;
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
