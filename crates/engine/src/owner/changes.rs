//! Changes that wishes ask for: doing again, renaming, removing, queues. Ending and pausing are in [`super::wishes`].

use std::path::PathBuf;
use std::rc::Rc;

use footplate_core::schedule::{QueueRule, RunGate};
use footplate_core::state::run::{Reopen, reopen};
use footplate_core::state::stage::StageInput;
use footplate_core::{ErrorCode, RunStatus, StageKey, StageStatus};
use footplate_store::{QueueChange, StageChange, Tx};

use super::Trouble;
use super::effects::Effect;
use super::mind::Mind;
use super::resume::{self, Chosen};
use super::wishes::Refused;

/// What is to be done again, as it was wished.
#[derive(Clone, Copy)]
pub(super) enum Again<'a> {
    /// All that did not complete.
    Failed,
    /// This stage and all that depends on it.
    From(&'a str),
    /// All that did not complete, from the newest checkpoints.
    Resume,
    /// The same, and this stage from this checkpoint.
    ResumeAt {
        /// The stage's name.
        stage: &'a str,
        /// The checkpoint.
        path: &'a str,
    },
}

impl Mind {
    pub(super) fn reopen(
        &mut self,
        tx: &Tx<'_>,
        number: i64,
        again: Again<'_>,
    ) -> Result<Result<Option<String>, Refused>, Trouble> {
        let home = self.home.clone();
        let run = self.run(tx, number)?;
        let resume = matches!(again, Again::Resume | Again::ResumeAt { .. });
        let which = match again {
            Again::Failed => Reopen::Failed,
            Again::Resume => Reopen::Resume,
            Again::From(name) | Again::ResumeAt { stage: name, .. } => match run.definition.stages.get_index_of(name) {
                Some(index) if resume => Reopen::ResumeAt(index as u32),
                Some(index) => Reopen::From(index as u32),
                None => return Ok(Err((ErrorCode::NotFound, format!("#{number} has no stage {name}")))),
            },
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
        if which == Reopen::Resume && !queued.iter().any(|s| !run.stage(*s).resume.is_empty()) {
            let text =
                format!("#{number} has no stage to go on from a checkpoint with (no `resume` in its definition)");
            return Ok(Err((ErrorCode::NothingToResume, text)));
        }
        let chosen = match (&which, again) {
            (Reopen::ResumeAt(index), Again::ResumeAt { path, .. }) => match resume::choose(run, &home, *index, path) {
                Ok(chosen) => Some((*index, chosen)),
                Err(refused) => return Ok(Err(refused)),
            },
            _ => None,
        };
        run.row.generation = tx.reopen_run(number)?;
        run.row.result = None;
        run.row.result_at = None;
        run.row.finished_at = None;
        run.row.after_failed = false;
        run.row.paused = false;
        run.cancelled = false;
        run.cancelled_stages.clear();
        self.backlog.open_gate(number, RunGate::Paused);
        self.wait_again(tx, number)?;
        for (stages, input) in [(&queued, StageInput::ReopenQueued), (&waiting, StageInput::ReopenWaiting)] {
            for stage in stages {
                let key = StageKey { run: number, stage: *stage };
                if self.run(tx, number)?.states[*stage as usize].status() == StageStatus::Waiting
                    && input == StageInput::ReopenWaiting
                {
                    continue;
                }
                let from = chosen.as_ref().filter(|(index, _)| index == stage).map(|(_, chosen)| chosen.row());
                // What depends on it begins anew: its own checkpoints are of what was before.
                let goes_on = resume && (chosen.is_none() || from.is_some() || queued.contains(stage));
                let from = match from {
                    None if goes_on => self.own_since(tx, key)?.map(|since| Chosen::anew(since).row()),
                    from => from,
                };
                self.move_stage(tx, key, input.clone(), |c| StageChange {
                    retries_used: Some(0),
                    interruptions: Some(0),
                    started_at: Some(None),
                    finished_at: Some(None),
                    resume: Some(goes_on),
                    resume_from: Some(from),
                    error: Some(None),
                    ..c
                })?;
            }
        }
        self.activate(tx, number)?;
        if let Again::ResumeAt { stage, path } = again {
            return Ok(Ok(Some(format!("#{number} goes on with {stage} from {path}"))));
        }
        let (home, reach) = (self.home.clone(), Rc::clone(&self.reach));
        let run = self.run(tx, number)?;
        if resume && let Some(text) = resume::begins(run, &home, &reach, &queued) {
            return Ok(Ok(Some(text)));
        }
        let names: Vec<&str> = queued.iter().map(|stage| run.rows[*stage as usize].name.as_str()).collect();
        Ok(Ok(Some(format!("#{number} does again {}", names.join(", ")))))
    }

    /// Since when the checkpoints of a stage are its own: since it last began anew, as far as that is known, else since it first began.
    fn own_since(&mut self, tx: &Tx<'_>, key: StageKey) -> Result<Option<i64>, Trouble> {
        if let Some(since) = Chosen::began_anew(&self.run(tx, key.run)?.rows[key.stage as usize]) {
            return Ok(Some(since));
        }
        let attempts = tx.attempts_of(key.run, key.stage)?;
        // One that was never tried has none: what lies there is another run's.
        let now = attempts.is_empty().then_some(self.now.0);
        Ok(attempts.iter().filter_map(|attempt| attempt.started_at).min().or(now))
    }

    pub(super) fn start_draft(&mut self, tx: &Tx<'_>, number: i64) -> Result<Result<Option<String>, Refused>, Trouble> {
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
    pub(super) fn release(
        &mut self,
        tx: &Tx<'_>,
        ranges: &[(i64, i64)],
    ) -> Result<Result<Option<String>, Refused>, Trouble> {
        let numbers: Vec<i64> = ranges.iter().flat_map(|(from, to)| *from..=*to).collect();
        let released = tx.release_drafts(&numbers, self.now.0)?;
        for number in numbers {
            self.runs.remove(&number);
            self.backlog.open_gate(number, RunGate::Draft);
            if tx.stages(number)?.iter().any(|s| s.status == StageStatus::Waiting) {
                self.activate_and_set_aside(tx, number)?;
            }
        }
        Ok(Ok(Some(format!("{released} runs are started"))))
    }

    pub(super) fn set(
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

    pub(super) fn tag(
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

    pub(super) fn remove(
        &mut self,
        tx: &Tx<'_>,
        number: i64,
        files: bool,
    ) -> Result<Result<Option<String>, Refused>, Trouble> {
        let run = self.run(tx, number)?;
        if !run.row.status.is_ended() && !run.row.draft {
            let text = format!("#{number} is {}; cancel it first", run.row.status);
            return Ok(Err((ErrorCode::StillLive, text)));
        }
        let home = self.home.clone();
        let run = self.run(tx, number)?;
        // Secrets first: should this end in the middle, they are what must not stay.
        let mut paths: Vec<PathBuf> = run.row.secrets.iter().map(|name| home.secrets_dir().join(name)).collect();
        paths.push(home.attempts_of(&run.row.id));
        let run_dir =
            PathBuf::from(<std::ffi::OsString as std::os::unix::ffi::OsStringExt>::from_vec(run.row.run_dir.clone()));
        if files {
            paths.push(run_dir);
        }
        for key in self.startable(tx, number)? {
            self.backlog.remove(key);
        }
        let ended = self.run(tx, number)?.row.status.is_ended();
        tx.remove_run(number, self.now.0)?;
        self.runs.remove(&number);
        self.touched.remove(&number);
        self.backlog.open_run(number);
        if !ended {
            self.never_ran(tx, number)?;
        }
        self.effects.push(Effect::Remove { paths });
        let text = if files { "with its files" } else { "its run folder stays" };
        Ok(Ok(Some(format!("#{number} is removed, {text}"))))
    }

    pub(super) fn clean(
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

    pub(super) fn change_queue(
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
}
