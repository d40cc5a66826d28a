//! The table `attempt`: one row for each time a stage is tried. Final is final; the schema says so too.

use footplate_core::event::Event;
use footplate_core::{AttemptKey, AttemptStatus, ErrorCode};
use rusqlite::types::Value;
use rusqlite::{Row, params, params_from_iter};

use crate::connection::{Read, Tx};
use crate::error::StoreError;
use crate::row;

/// One attempt. Times are UTC milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptRow {
    /// The run's number.
    pub run: i64,
    /// The stage's index.
    pub stage: u32,
    /// From 1 over the run's whole history.
    pub number: u32,
    /// The generation of the run it belongs to.
    pub generation: u32,
    /// Its status.
    pub status: AttemptStatus,
    /// Why it ended so.
    pub code: Option<ErrorCode>,
    /// The boot it was launched in.
    pub boot_id: String,
    /// When its row was written.
    pub created_at: i64,
    /// The program's process id, once it ran.
    pub pid: Option<i32>,
    /// When its program started.
    pub started_at: Option<i64>,
    /// When it ended.
    pub finished_at: Option<i64>,
    /// Milliseconds it ran, without sleep and pauses.
    pub running_ms: Option<u64>,
    /// The exit code.
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// The user stopped it for a while.
    pub paused: bool,
    /// It lives without its shim.
    pub orphan: bool,
    /// A remark: `cancel came too late`.
    pub note: Option<String>,
    /// Why it failed: JSON of `core::view::Failure`.
    pub error: Option<String>,
    /// Bytes of log in all.
    pub log_size: Option<u64>,
    /// How far the log was read, where not to its end.
    pub log_read_to: Option<u64>,
    /// Shims started for it.
    pub spawned: u32,
    /// The ids of the GPUs that it holds, or held.
    pub gpus: Vec<String>,
    /// What it used: JSON of `core::usage::Usage`.
    pub usage: Option<String>,
}

impl AttemptRow {
    /// Which attempt it is.
    #[must_use]
    pub fn key(&self) -> AttemptKey {
        AttemptKey { run: self.run, stage: self.stage, attempt: self.number }
    }
}

/// A move of an attempt; `None` keeps what is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptChange {
    /// The new status; the one it has, where only fields change (no event then).
    pub to: AttemptStatus,
    /// Why it ended so.
    pub code: Option<ErrorCode>,
    /// The program's process id.
    pub pid: Option<i32>,
    /// When its program started.
    pub started_at: Option<i64>,
    /// When it ended.
    pub finished_at: Option<i64>,
    /// Milliseconds it ran, without sleep and pauses.
    pub running_ms: Option<u64>,
    /// The exit code.
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Paused or not; an end clears it by itself.
    pub paused: Option<bool>,
    /// It lives without its shim.
    pub orphan: Option<bool>,
    /// A remark.
    pub note: Option<String>,
    /// Why it failed: JSON of `core::view::Failure`.
    pub error: Option<String>,
    /// Bytes of log in all.
    pub log_size: Option<u64>,
    /// How far the log was read, where not to its end.
    pub log_read_to: Option<u64>,
    /// What it used: JSON of `core::usage::Usage`.
    pub usage: Option<String>,
}

impl AttemptChange {
    /// A move that keeps every field.
    #[must_use]
    pub fn to(to: AttemptStatus) -> Self {
        AttemptChange {
            to,
            code: None,
            pid: None,
            started_at: None,
            finished_at: None,
            running_ms: None,
            exit_code: None,
            signal: None,
            paused: None,
            orphan: None,
            note: None,
            error: None,
            log_size: None,
            log_read_to: None,
            usage: None,
        }
    }
}

/// The condition of the index `attempt_live`, word for word: only a query that names it is served by that index.
const LIVE: &str = "status = 'launching' OR status = 'running' OR status = 'stopping'";

const COLUMNS: &str = "run, stage, number, generation, status, code, boot_id, created_at, pid, started_at, finished_at, running_ms, \
     exit_code, signal, paused, orphan, note, error, log_size, log_read_to, spawned, gpus, usage";

fn from_row(r: &Row<'_>) -> rusqlite::Result<AttemptRow> {
    Ok(AttemptRow {
        run: r.get(0)?,
        stage: r.get(1)?,
        number: r.get(2)?,
        generation: r.get(3)?,
        status: row::word(r, 4)?,
        code: row::code(r, 5)?,
        boot_id: r.get(6)?,
        created_at: r.get(7)?,
        pid: r.get(8)?,
        started_at: r.get(9)?,
        finished_at: r.get(10)?,
        running_ms: row::maybe_unsigned(r, 11)?,
        exit_code: r.get(12)?,
        signal: r.get(13)?,
        paused: r.get(14)?,
        orphan: r.get(15)?,
        note: r.get(16)?,
        error: r.get(17)?,
        log_size: row::maybe_unsigned(r, 18)?,
        log_read_to: row::maybe_unsigned(r, 19)?,
        spawned: r.get(20)?,
        gpus: row::list(r, 21)?,
        usage: r.get(22)?,
    })
}

impl Read<'_> {
    /// All attempts of a run, by stage and number.
    ///
    /// # Errors
    /// Those of reading.
    pub fn attempts(&self, run: i64) -> Result<Vec<AttemptRow>, StoreError> {
        self.all(&format!("SELECT {COLUMNS} FROM attempt WHERE run = ?1 ORDER BY stage, number"), [run], from_row)
    }

    /// All attempts of one stage, oldest first.
    ///
    /// # Errors
    /// Those of reading.
    pub fn attempts_of(&self, run: i64, stage: u32) -> Result<Vec<AttemptRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM attempt WHERE run = ?1 AND stage = ?2 ORDER BY number");
        self.all(&sql, params![run, stage], from_row)
    }

    /// One attempt.
    ///
    /// # Errors
    /// Those of reading.
    pub fn attempt(&self, key: AttemptKey) -> Result<Option<AttemptRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM attempt WHERE run = ?1 AND stage = ?2 AND number = ?3");
        self.one(&sql, params![key.run, key.stage, key.attempt], from_row)
    }

    /// Every attempt that holds a slot, over all runs, by run, stage and number.
    ///
    /// # Errors
    /// Those of reading.
    pub fn live_attempts(&self) -> Result<Vec<AttemptRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM attempt WHERE {LIVE} ORDER BY run, stage, number");
        self.all(&sql, [], from_row)
    }
}

impl Tx<'_> {
    /// Writes down an attempt, with its event.
    ///
    /// # Errors
    /// A refused row where it is there already or its stage is not, and those of writing.
    pub fn insert_attempt(&self, a: &AttemptRow, now: i64) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO attempt (run, stage, number, generation, status, code, boot_id, created_at, pid, started_at, finished_at,
                                  running_ms, exit_code, signal, paused, orphan, note, error, log_size, log_read_to, spawned,
                                  gpus, usage)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)",
            params![
                a.run,
                a.stage,
                a.number,
                a.generation,
                a.status.as_str(),
                a.code.map(ErrorCode::as_str),
                a.boot_id,
                a.created_at,
                a.pid,
                a.started_at,
                a.finished_at,
                a.running_ms.map(row::signed),
                a.exit_code,
                a.signal,
                a.paused,
                a.orphan,
                a.note,
                a.error,
                a.log_size.map(row::signed),
                a.log_read_to.map(row::signed),
                a.spawned,
                if a.gpus.is_empty() { None } else { Some(row::to_json(&a.gpus)?) },
                a.usage,
            ],
        )?;
        self.attempt_event(a.key(), a.status, a.code, now)
    }

    /// Moves an attempt, if it still has one of the statuses `from`, and writes the event. `false`: it has another by now; nothing
    /// was written.
    ///
    /// # Errors
    /// A refused row (an ended attempt never moves), and those of writing.
    pub fn move_attempt(
        &self,
        key: AttemptKey,
        from: &[AttemptStatus],
        change: &AttemptChange,
        now: i64,
    ) -> Result<bool, StoreError> {
        let Some(before) = self.one(
            "SELECT status FROM attempt WHERE run = ?1 AND stage = ?2 AND number = ?3",
            params![key.run, key.stage, key.attempt],
            |r| row::word::<AttemptStatus>(r, 0),
        )?
        else {
            return Ok(false);
        };
        if !from.contains(&before) {
            return Ok(false);
        }
        let c = change;
        let ended = !c.to.is_live();
        let text = |value: &Option<String>| value.clone().map_or(Value::Null, Value::from);
        let number = |value: Option<i64>| value.map_or(Value::Null, Value::from);
        let values = [
            Value::from(key.run),
            Value::from(i64::from(key.stage)),
            Value::from(i64::from(key.attempt)),
            Value::from(before.as_str().to_owned()),
            Value::from(c.to.as_str().to_owned()),
            c.code.map_or(Value::Null, |code| Value::from(code.as_str().to_owned())),
            number(c.pid.map(i64::from)),
            number(c.started_at),
            number(c.finished_at),
            number(c.running_ms.map(row::signed)),
            number(c.exit_code.map(i64::from)),
            number(c.signal.map(i64::from)),
            number(if ended { Some(0) } else { c.paused.map(i64::from) }),
            number(c.orphan.map(i64::from)),
            text(&c.note),
            text(&c.error),
            number(c.log_size.map(row::signed)),
            number(c.log_read_to.map(row::signed)),
            text(&c.usage),
        ];
        let moved = self.one(
            "UPDATE attempt SET
               status = ?5, code = coalesce(?6, code), pid = coalesce(?7, pid), started_at = coalesce(?8, started_at),
               finished_at = coalesce(?9, finished_at), running_ms = coalesce(?10, running_ms),
               exit_code = coalesce(?11, exit_code), signal = coalesce(?12, signal), paused = coalesce(?13, paused),
               orphan = coalesce(?14, orphan), note = coalesce(?15, note), error = coalesce(?16, error),
               log_size = coalesce(?17, log_size), log_read_to = coalesce(?18, log_read_to),
               usage = coalesce(?19, usage)
             WHERE run = ?1 AND stage = ?2 AND number = ?3 AND status = ?4 RETURNING 1",
            params_from_iter(values),
            |_| Ok(()),
        )?;
        if moved.is_none() {
            return Ok(false);
        }
        if c.to != before {
            self.attempt_event(key, c.to, c.code, now)?;
        }
        Ok(true)
    }

    /// Notes that a live attempt is paused or goes on, with the event. `false`: it was so already, or it is not live.
    ///
    /// # Errors
    /// Those of writing.
    pub fn set_attempt_paused(&self, key: AttemptKey, paused: bool, now: i64) -> Result<bool, StoreError> {
        let changed = self.write(
            &format!(
                "UPDATE attempt SET paused = ?4 WHERE run = ?1 AND stage = ?2 AND number = ?3 AND paused <> ?4 AND ({LIVE})"
            ),
            params![key.run, key.stage, key.attempt, paused],
        )? > 0;
        if changed {
            let event = Event::AttemptPaused { stage: key.stage, attempt: key.attempt, paused };
            self.append(Some(key.run), &event, now)?;
        }
        Ok(changed)
    }

    /// Counts one more shim started for it. Returns how many there are now.
    ///
    /// # Errors
    /// `Damaged` where there is no such attempt, and those of writing.
    pub fn add_spawn(&self, key: AttemptKey) -> Result<u32, StoreError> {
        self.one(
            "UPDATE attempt SET spawned = spawned + 1 WHERE run = ?1 AND stage = ?2 AND number = ?3 RETURNING spawned",
            params![key.run, key.stage, key.attempt],
            |r| r.get(0),
        )?
        .ok_or_else(|| StoreError::Damaged(format!("there is no attempt {} of run {}", key.folder_name(), key.run)))
    }

    fn attempt_event(
        &self,
        key: AttemptKey,
        status: AttemptStatus,
        code: Option<ErrorCode>,
        now: i64,
    ) -> Result<(), StoreError> {
        let event = Event::AttemptStatus { stage: key.stage, attempt: key.attempt, status, code };
        self.append(Some(key.run), &event, now).map(|_| ())
    }
}
