//! Rows written as they are, for a store that is rebuilt from the attempts' folders. No law is asked and no event written: what
//! is written happened before, and whoever reads starts anew, for the epoch is another.

use footplate_core::{ErrorCode, RunStatus};
use rusqlite::params;

use crate::attempt::AttemptRow;
use crate::connection::{Read, Tx};
use crate::error::StoreError;
use crate::row;
use crate::run::{INSERT_BODY, RunRow, id_tail};
use crate::stage::StageRow;

impl Read<'_> {
    /// Every setting, by its key.
    ///
    /// # Errors
    /// Those of reading.
    pub fn settings(&self) -> Result<Vec<(String, String)>, StoreError> {
        self.all("SELECT key, value FROM setting ORDER BY key", [], |r| Ok((r.get(0)?, r.get(1)?)))
    }
}

impl Tx<'_> {
    /// Gives the store another name: no cursor of before is taken for one of this. Returns it.
    ///
    /// # Errors
    /// Those of writing.
    pub fn renew_epoch(&self) -> Result<String, StoreError> {
        self.write("UPDATE epoch SET value = lower(hex(randomblob(16)))", [])?;
        self.one("SELECT value FROM epoch", [], |r| r.get(0))?.ok_or(StoreError::Damaged("the epoch".to_owned()))
    }

    /// No new run gets a number up to this one.
    ///
    /// # Errors
    /// Those of writing.
    pub fn raise_numbers(&self, newest: i64) -> Result<(), StoreError> {
        let raised = self.write("UPDATE sqlite_sequence SET seq = max(seq, ?1) WHERE name = 'run'", [newest.max(0)])?;
        if raised == 0 {
            self.write("INSERT INTO sqlite_sequence (name, seq) VALUES ('run', ?1)", [newest.max(0)])?;
        }
        Ok(())
    }

    /// Writes down a run with its number, its status and its stages, whatever they are.
    ///
    /// # Errors
    /// A refused row (a number or an id that is there already, among others), and those of writing.
    pub fn insert_run_as_it_is(&self, run: &RunRow, stages: &[StageRow]) -> Result<(), StoreError> {
        let after = if run.after.is_empty() { None } else { Some(row::to_json(&run.after)?) };
        let order_key = (run.order_key != run.number * 1024).then_some(run.order_key);
        self.add(
            "INSERT INTO run (number, id, id_tail, name, pipeline, experiment, queue, priority, target, tags, status, draft, paused,
                              after_failed, generation, not_before, after_runs, order_key, created_at, started_at, finished_at,
                              result, result_at, error)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24)",
            params![
                run.number,
                run.id.to_string(),
                id_tail(run.id),
                run.name,
                run.pipeline,
                run.experiment,
                run.queue,
                run.priority,
                run.target,
                row::to_json(&run.tags)?,
                run.status.as_str(),
                run.draft,
                run.paused,
                run.after_failed,
                run.generation,
                run.not_before,
                after,
                order_key,
                run.created_at,
                run.started_at,
                run.finished_at,
                run.result.map(RunStatus::as_str),
                run.result_at,
                run.error,
            ],
        )?;
        self.count_later(run.status, &run.queue, run.experiment.as_deref());
        self.add(
            INSERT_BODY,
            params![
                run.number,
                run.definition,
                run.params,
                run.cwd,
                run.pipeline_dir,
                run.run_dir,
                run.env_hash,
                run.secrets,
                run.umask,
                run.limits,
                run.planning_ms.map(row::signed),
            ],
        )?;
        stages.iter().try_for_each(|stage| self.put_stage_as_it_is(&StageRow { run: run.number, ..stage.clone() }))
    }

    /// Writes a stage's row down, in place of one that is there.
    ///
    /// # Errors
    /// A refused row, and those of writing.
    pub fn put_stage_as_it_is(&self, s: &StageRow) -> Result<(), StoreError> {
        // Not REPLACE, which would delete the attempts with the row.
        self.write(
            "INSERT INTO stage (run, idx, name, queue, status, code, detail, attempt, retries_used, interruptions, retry_at, cpus,
                                memory, gpus, resume, queued_at, started_at, finished_at, outputs, error, resume_from)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)
             ON CONFLICT (run, idx) DO UPDATE SET
               status = excluded.status, code = excluded.code, detail = excluded.detail, attempt = excluded.attempt,
               retries_used = excluded.retries_used, interruptions = excluded.interruptions, retry_at = excluded.retry_at,
               resume = excluded.resume, queued_at = excluded.queued_at, started_at = excluded.started_at,
               finished_at = excluded.finished_at, outputs = excluded.outputs, error = excluded.error,
               resume_from = excluded.resume_from",
            params![
                s.run,
                s.idx,
                s.name,
                s.queue,
                s.status.as_str(),
                s.code.map(ErrorCode::as_str),
                s.detail,
                s.attempt,
                s.retries_used,
                s.interruptions,
                s.retry_at,
                s.cpus,
                row::signed(s.memory),
                s.gpus,
                s.resume,
                s.queued_at,
                s.started_at,
                s.finished_at,
                s.outputs,
                s.error,
                s.resume_from,
            ],
        )?;
        Ok(())
    }

    /// Writes an attempt's row down, in place of one that has not ended.
    ///
    /// # Errors
    /// A refused row (one that has ended is there, or its stage is not), and those of writing.
    pub fn put_attempt_as_it_is(&self, attempt: &AttemptRow, now: i64) -> Result<(), StoreError> {
        self.write(
            "DELETE FROM attempt WHERE run = ?1 AND stage = ?2 AND number = ?3
               AND (status = 'launching' OR status = 'running' OR status = 'stopping')",
            params![attempt.run, attempt.stage, attempt.number],
        )?;
        self.insert_attempt(attempt, now)
    }

    /// Opens a run again, or keeps it open: not a draft, without a result, with this status.
    ///
    /// # Errors
    /// Those of writing.
    pub fn reopen_as_it_is(&self, number: i64, status: RunStatus, paused: bool) -> Result<(), StoreError> {
        self.write(
            "UPDATE run SET status = ?2, paused = ?3, draft = 0, result = NULL, result_at = NULL, finished_at = NULL, error = NULL
             WHERE number = ?1",
            params![number, status.as_str(), paused],
        )?;
        Ok(())
    }

    /// Refuses every wish that was not answered: whoever made it cannot know what it is granted on. Returns how many.
    ///
    /// # Errors
    /// Those of writing.
    pub fn refuse_all_wishes(&self, why: &str, now: i64) -> Result<u64, StoreError> {
        let refused = self.write(
            "UPDATE wish SET status = 'refused', code = 'conflict', message = ?1, done_at = ?2 WHERE status = 'pending'",
            params![why, now],
        )?;
        Ok(refused as u64)
    }
}
