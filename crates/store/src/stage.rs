//! The table `stage`: one row for each stage of each run. It is moved only from the status that the mover saw.

use footplate_core::event::Event;
use footplate_core::{ErrorCode, StageKey, StageStatus};
use rusqlite::{Row, params};

use crate::connection::{Read, Tx};
use crate::error::StoreError;
use crate::row;

/// The condition of the index `stage_open`, word for word: only a query that names it is served by that index.
pub(crate) const OPEN: &str = "status = 'queued' OR status = 'running' OR status = 'retrying' OR status = 'held'";

/// One stage of one run. Times are UTC milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageRow {
    /// The run's number.
    pub run: i64,
    /// Its place in the definition, from 0.
    pub idx: u32,
    /// Its name.
    pub name: String,
    /// The queue it is started from.
    pub queue: String,
    /// Its status.
    pub status: StageStatus,
    /// Why, where the status has a reason.
    pub code: Option<ErrorCode>,
    /// More about the reason.
    pub detail: Option<String>,
    /// The number of its newest attempt, 0 before the first.
    pub attempt: u32,
    /// Retries used in this generation.
    pub retries_used: u32,
    /// Interruptions in a row without a new checkpoint.
    pub interruptions: u32,
    /// When it is tried again; given exactly while it is `retrying`.
    pub retry_at: Option<i64>,
    /// Cores reserved.
    pub cpus: u32,
    /// Bytes of memory reserved.
    pub memory: u64,
    /// GPUs reserved.
    pub gpus: u32,
    /// Its next attempt goes on from a checkpoint.
    pub resume: bool,
    /// The checkpoint that was chosen for it: JSON, as the owner wrote it. `None`: the newest.
    pub resume_from: Option<String>,
    /// When it was queued first in this generation.
    pub queued_at: Option<i64>,
    /// When its first attempt of this generation started.
    pub started_at: Option<i64>,
    /// When it ended.
    pub finished_at: Option<i64>,
    /// The values it hands on: a JSON object.
    pub outputs: String,
    /// Why it failed: JSON of `core::view::Failure`.
    pub error: Option<String>,
}

/// A stage of a run to be written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewStage {
    /// Its name.
    pub name: String,
    /// The queue it is started from.
    pub queue: String,
    /// `waiting`, or `queued` where it needs nothing.
    pub status: StageStatus,
    /// Cores reserved.
    pub cpus: u32,
    /// Bytes of memory reserved.
    pub memory: u64,
    /// GPUs reserved.
    pub gpus: u32,
    /// When it was queued, UTC milliseconds.
    pub queued_at: Option<i64>,
}

/// What scheduling needs to know of a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageBrief {
    /// The run's number.
    pub run: i64,
    /// Its place in the definition.
    pub idx: u32,
    /// The queue it is started from.
    pub queue: String,
    /// Cores reserved.
    pub cpus: u32,
    /// Bytes of memory reserved.
    pub memory: u64,
    /// GPUs reserved.
    pub gpus: u32,
    /// The number of its newest attempt, 0 before the first.
    pub attempt: u32,
    /// When it is tried again, where it is `retrying`.
    pub retry_at: Option<i64>,
    /// When it was queued first in this generation.
    pub queued_at: Option<i64>,
}

impl StageBrief {
    /// Which stage it is.
    #[must_use]
    pub fn key(&self) -> StageKey {
        StageKey { run: self.run, stage: self.idx }
    }
}

/// A move of a stage. `code`, `detail` and `retry_at` belong to the new status and are always written; of the others `None` keeps
/// what is there, and `Some(None)` clears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageChange {
    /// The new status; the one it has, where only fields change (no event then).
    pub to: StageStatus,
    /// Why, where the new status has a reason.
    pub code: Option<ErrorCode>,
    /// More about the reason.
    pub detail: Option<String>,
    /// When it is tried again; given exactly with `retrying`.
    pub retry_at: Option<i64>,
    /// The number of its newest attempt.
    pub attempt: Option<u32>,
    /// Retries used in this generation.
    pub retries_used: Option<u32>,
    /// Interruptions in a row without a new checkpoint.
    pub interruptions: Option<u32>,
    /// Its next attempt goes on from a checkpoint.
    pub resume: Option<bool>,
    /// The checkpoint that was chosen for it: JSON, as the owner wrote it.
    pub resume_from: Option<Option<String>>,
    /// When it was queued first in this generation.
    pub queued_at: Option<Option<i64>>,
    /// When its first attempt of this generation started.
    pub started_at: Option<Option<i64>>,
    /// When it ended.
    pub finished_at: Option<Option<i64>>,
    /// The values it hands on: a JSON object.
    pub outputs: Option<String>,
    /// Why it failed: JSON of `core::view::Failure`.
    pub error: Option<Option<String>>,
}

impl StageChange {
    /// A move that keeps all fields that do not belong to the status.
    #[must_use]
    pub fn to(to: StageStatus) -> Self {
        StageChange {
            to,
            code: None,
            detail: None,
            retry_at: None,
            attempt: None,
            retries_used: None,
            interruptions: None,
            resume: None,
            resume_from: None,
            queued_at: None,
            started_at: None,
            finished_at: None,
            outputs: None,
            error: None,
        }
    }
}

const COLUMNS: &str = "run, idx, name, queue, status, code, detail, attempt, retries_used, interruptions, retry_at, cpus, memory, \
     gpus, resume, queued_at, started_at, finished_at, outputs, error, resume_from";

fn from_row(r: &Row<'_>) -> rusqlite::Result<StageRow> {
    Ok(StageRow {
        run: r.get(0)?,
        idx: r.get(1)?,
        name: r.get(2)?,
        queue: r.get(3)?,
        status: row::word(r, 4)?,
        code: row::code(r, 5)?,
        detail: r.get(6)?,
        attempt: r.get(7)?,
        retries_used: r.get(8)?,
        interruptions: r.get(9)?,
        retry_at: r.get(10)?,
        cpus: r.get(11)?,
        memory: row::unsigned(r, 12)?,
        gpus: r.get(13)?,
        resume: r.get(14)?,
        queued_at: r.get(15)?,
        started_at: r.get(16)?,
        finished_at: r.get(17)?,
        outputs: r.get(18)?,
        error: r.get(19)?,
        resume_from: r.get(20)?,
    })
}

impl Read<'_> {
    /// All stages of a run, in the order of the definition.
    ///
    /// # Errors
    /// Those of reading.
    pub fn stages(&self, run: i64) -> Result<Vec<StageRow>, StoreError> {
        self.all(&format!("SELECT {COLUMNS} FROM stage WHERE run = ?1 ORDER BY idx"), [run], from_row)
    }

    /// One stage.
    ///
    /// # Errors
    /// Those of reading.
    pub fn stage(&self, run: i64, idx: u32) -> Result<Option<StageRow>, StoreError> {
        self.one(&format!("SELECT {COLUMNS} FROM stage WHERE run = ?1 AND idx = ?2"), params![run, idx], from_row)
    }

    /// Every stage of that status, over all runs (drafts and paused ones among them), by queue, run and index. Quick for `queued`,
    /// `held`, `retrying` and `running`; others walk through all of history.
    ///
    /// # Errors
    /// Those of reading.
    pub fn open_stages(&self, status: StageStatus) -> Result<Vec<StageBrief>, StoreError> {
        let open = match status {
            StageStatus::Queued | StageStatus::Running | StageStatus::Retrying | StageStatus::Held => OPEN,
            _ => "true",
        };
        let sql = format!(
            "SELECT run, idx, queue, cpus, memory, gpus, attempt, retry_at, queued_at FROM stage
             WHERE status = ?1 AND ({open}) ORDER BY queue, run, idx"
        );
        self.all(&sql, [status.as_str()], |r| {
            Ok(StageBrief {
                run: r.get(0)?,
                idx: r.get(1)?,
                queue: r.get(2)?,
                cpus: r.get(3)?,
                memory: row::unsigned(r, 4)?,
                gpus: r.get(5)?,
                attempt: r.get(6)?,
                retry_at: r.get(7)?,
                queued_at: r.get(8)?,
            })
        })
    }
}

impl Tx<'_> {
    pub(crate) fn insert_stages(&self, run: i64, stages: &[NewStage]) -> Result<(), StoreError> {
        for (idx, stage) in stages.iter().enumerate() {
            self.add(
                "INSERT INTO stage (run, idx, name, queue, status, cpus, memory, gpus, queued_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                params![
                    run,
                    row::signed(idx as u64),
                    stage.name,
                    stage.queue,
                    stage.status.as_str(),
                    stage.cpus,
                    row::signed(stage.memory),
                    stage.gpus,
                    stage.queued_at,
                ],
            )?;
        }
        Ok(())
    }

    /// Moves a stage, if it still has the status `from`, and writes the event. `false`: it has another by now; nothing was written.
    ///
    /// # Errors
    /// A refused row, and those of writing.
    pub fn move_stage(
        &self,
        key: StageKey,
        from: StageStatus,
        change: &StageChange,
        now: i64,
    ) -> Result<bool, StoreError> {
        let c = change;
        let moved = self.one(
            "UPDATE stage SET
               status = ?4, code = ?5, detail = ?6, retry_at = ?7,
               attempt = coalesce(?8, attempt), retries_used = coalesce(?9, retries_used),
               interruptions = coalesce(?10, interruptions), resume = coalesce(?11, resume),
               queued_at = iif(?12, ?13, queued_at), started_at = iif(?14, ?15, started_at),
               finished_at = iif(?16, ?17, finished_at), outputs = coalesce(?18, outputs), error = iif(?19, ?20, error),
               resume_from = iif(?21, ?22, resume_from)
             WHERE run = ?1 AND idx = ?2 AND status = ?3 RETURNING 1",
            params![
                key.run,
                key.stage,
                from.as_str(),
                c.to.as_str(),
                c.code.map(ErrorCode::as_str),
                c.detail,
                c.retry_at,
                c.attempt,
                c.retries_used,
                c.interruptions,
                c.resume,
                c.queued_at.is_some(),
                c.queued_at.flatten(),
                c.started_at.is_some(),
                c.started_at.flatten(),
                c.finished_at.is_some(),
                c.finished_at.flatten(),
                c.outputs,
                c.error.is_some(),
                c.error.as_ref().and_then(Option::as_deref),
                c.resume_from.is_some(),
                c.resume_from.as_ref().and_then(Option::as_deref),
            ],
            |_| Ok(()),
        )?;
        if moved.is_none() {
            return Ok(false);
        }
        if c.to != from {
            self.append(Some(key.run), &Event::StageStatus { stage: key.stage, status: c.to, code: c.code }, now)?;
        }
        Ok(true)
    }
}
