//! The table `run` (with `run_body`): its rows, how one is written down, and how they are read by number.

use footplate_core::event::Event;
use footplate_core::{RunId, RunStatus};
use rusqlite::{Row, params};
use serde::{Deserialize, Serialize};

use crate::connection::{Read, Tx};
use crate::error::StoreError;
use crate::row;
use crate::stage::NewStage;

/// Another run that this one comes after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct After {
    /// Its number.
    pub run: i64,
    /// Only where it completed; otherwise whatever its end.
    pub ok_only: bool,
}

/// One run. Times are UTC milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRow {
    /// What people use; never used again.
    pub number: i64,
    /// UUIDv7.
    pub id: RunId,
    /// Its name.
    pub name: String,
    /// The pipeline's name.
    pub pipeline: String,
    /// The experiment it belongs to.
    pub experiment: Option<String>,
    /// The queue of its stages that name none.
    pub queue: String,
    /// -100 to 100.
    pub priority: i32,
    /// Where it runs: `local`.
    pub target: String,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Derived by `core` from flags and stages; kept here so that lists need no more.
    pub status: RunStatus,
    /// Not started yet.
    pub draft: bool,
    /// Paused by the user.
    pub paused: bool,
    /// The run it comes after did not complete.
    pub after_failed: bool,
    /// How often it was reopened, plus one.
    pub generation: u32,
    /// The definition as JSON; empty in lists.
    pub definition: String,
    /// The parameters as JSON, secrets left out.
    pub params: String,
    /// The working folder it was submitted from.
    pub cwd: Vec<u8>,
    /// The folder of its pipeline file.
    pub pipeline_dir: Vec<u8>,
    /// Its own folder for user files.
    pub run_dir: Vec<u8>,
    /// The captured environment in `env/`.
    pub env_hash: Option<String>,
    /// The name of its file in `secrets/`.
    pub secrets: Option<String>,
    /// The submitter's umask.
    pub umask: u32,
    /// The submitter's resource limits as JSON.
    pub limits: String,
    /// How long it took until its plan stood, milliseconds; `None` where nobody measured.
    pub planning_ms: Option<u64>,
    /// Not started before.
    pub not_before: Option<i64>,
    /// The runs it comes after.
    pub after: Vec<After>,
    /// Its place among runs of equal priority, least first; `number * 1024` until it is moved.
    pub order_key: i64,
    /// When it was submitted.
    pub created_at: i64,
    /// When its first attempt started.
    pub started_at: Option<i64>,
    /// When its last stage ended.
    pub finished_at: Option<i64>,
    /// The result, fixed when all stages but the tails had ended.
    pub result: Option<RunStatus>,
    /// When the result was fixed.
    pub result_at: Option<i64>,
    /// Why it failed: JSON of `core::view::Failure`.
    pub error: Option<String>,
}

/// What the owner keeps of a run that has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunBrief {
    /// Its number.
    pub number: i64,
    /// UUIDv7.
    pub id: RunId,
    /// Its status.
    pub status: RunStatus,
    /// Not started yet.
    pub draft: bool,
    /// Paused by the user.
    pub paused: bool,
    /// The run it comes after did not complete.
    pub after_failed: bool,
    /// How often it was reopened, plus one.
    pub generation: u32,
    /// The queue of its stages that name none.
    pub queue: String,
    /// -100 to 100.
    pub priority: i32,
    /// Its place among runs of equal priority, least first.
    pub order_key: i64,
    /// Not started before, UTC milliseconds.
    pub not_before: Option<i64>,
    /// The runs it comes after.
    pub after: Vec<After>,
}

/// A run to be written down; see [`RunRow`] for what the fields mean. Its status is `draft` or `queued`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRun {
    /// UUIDv7; a second insert with the same id does nothing.
    pub id: RunId,
    /// Its name, not empty.
    pub name: String,
    /// The pipeline's name.
    pub pipeline: String,
    /// The experiment it belongs to.
    pub experiment: Option<String>,
    /// The queue of its stages that name none.
    pub queue: String,
    /// -100 to 100.
    pub priority: i32,
    /// Where it runs: `local`.
    pub target: String,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Not to be started yet.
    pub draft: bool,
    /// The definition as JSON.
    pub definition: String,
    /// The parameters as JSON, secrets left out.
    pub params: String,
    /// The working folder it is submitted from.
    pub cwd: Vec<u8>,
    /// The folder of its pipeline file.
    pub pipeline_dir: Vec<u8>,
    /// Its own folder for user files.
    pub run_dir: Vec<u8>,
    /// The captured environment in `env/`.
    pub env_hash: Option<String>,
    /// The name of its file in `secrets/`.
    pub secrets: Option<String>,
    /// The submitter's umask, 0 to 0o777.
    pub umask: u32,
    /// The submitter's resource limits as JSON.
    pub limits: String,
    /// How long it took until its plan stood, milliseconds.
    pub planning_ms: Option<u64>,
    /// Not started before, UTC milliseconds.
    pub not_before: Option<i64>,
    /// The runs it comes after.
    pub after: Vec<After>,
    /// When it is submitted, UTC milliseconds.
    pub created_at: i64,
}

/// The columns of [`RunRow`] but the definition, in its order; `from_row` reads them.
pub(crate) const COLUMNS: &str = "r.number, r.id, r.name, r.pipeline, r.experiment, r.queue, r.priority, r.target, r.tags, r.status, \
     r.draft, r.paused, r.after_failed, r.generation, b.params, b.cwd, b.pipeline_dir, b.run_dir, b.env_hash, \
     b.secrets, b.umask, b.limits, r.not_before, r.after_runs, coalesce(r.order_key, r.number * 1024), r.created_at, \
     r.started_at, r.finished_at, r.result, r.result_at, r.error, b.planning_ms";
pub(crate) const COLUMN_COUNT: usize = 32;
const BRIEF: &str = "number, id, status, draft, paused, after_failed, generation, queue, priority, \
     coalesce(order_key, number * 1024), not_before, after_runs";

pub(crate) fn from_row(r: &Row<'_>) -> rusqlite::Result<RunRow> {
    Ok(RunRow {
        number: r.get(0)?,
        id: row::run_id(r, 1)?,
        name: r.get(2)?,
        pipeline: r.get(3)?,
        experiment: r.get(4)?,
        queue: r.get(5)?,
        priority: r.get(6)?,
        target: r.get(7)?,
        tags: row::list(r, 8)?,
        status: row::word(r, 9)?,
        draft: r.get(10)?,
        paused: r.get(11)?,
        after_failed: r.get(12)?,
        generation: r.get(13)?,
        definition: String::new(),
        params: r.get(14)?,
        cwd: r.get(15)?,
        pipeline_dir: r.get(16)?,
        run_dir: r.get(17)?,
        env_hash: r.get(18)?,
        secrets: r.get(19)?,
        umask: r.get(20)?,
        limits: r.get(21)?,
        not_before: r.get(22)?,
        after: row::list(r, 23)?,
        order_key: r.get(24)?,
        created_at: r.get(25)?,
        started_at: r.get(26)?,
        finished_at: r.get(27)?,
        result: row::maybe_word(r, 28)?,
        result_at: r.get(29)?,
        error: r.get(30)?,
        planning_ms: row::maybe_unsigned(r, 31)?,
    })
}

fn with_definition(r: &Row<'_>) -> rusqlite::Result<RunRow> {
    Ok(RunRow { definition: r.get(COLUMN_COUNT)?, ..from_row(r)? })
}

fn brief(r: &Row<'_>) -> rusqlite::Result<RunBrief> {
    Ok(RunBrief {
        number: r.get(0)?,
        id: row::run_id(r, 1)?,
        status: row::word(r, 2)?,
        draft: r.get(3)?,
        paused: r.get(4)?,
        after_failed: r.get(5)?,
        generation: r.get(6)?,
        queue: r.get(7)?,
        priority: r.get(8)?,
        order_key: r.get(9)?,
        not_before: r.get(10)?,
        after: row::list(r, 11)?,
    })
}

impl Read<'_> {
    /// One run, whole.
    ///
    /// # Errors
    /// Those of reading.
    pub fn run(&self, number: i64) -> Result<Option<RunRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS}, b.definition FROM run r JOIN run_body b ON b.run = r.number WHERE r.number = ?1"
        );
        self.one(&sql, [number], with_definition)
    }

    /// One run by its id, whole.
    ///
    /// # Errors
    /// Those of reading.
    pub fn run_by_id(&self, id: &RunId) -> Result<Option<RunRow>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS}, b.definition FROM run r JOIN run_body b ON b.run = r.number WHERE r.id = ?1");
        self.one(&sql, [id.to_string()], with_definition)
    }

    /// The brief of one run.
    ///
    /// # Errors
    /// Those of reading.
    pub fn run_brief(&self, number: i64) -> Result<Option<RunBrief>, StoreError> {
        self.one(&format!("SELECT {BRIEF} FROM run WHERE number = ?1"), [number], brief)
    }

    /// The runs with a greater number, oldest first, at most `limit`, whatever their status.
    ///
    /// # Errors
    /// Those of reading.
    pub fn runs_after(&self, number: i64, limit: u32) -> Result<Vec<RunBrief>, StoreError> {
        let sql = format!("SELECT {BRIEF} FROM run WHERE number > ?1 ORDER BY number LIMIT ?2");
        self.all(&sql, params![number, limit], brief)
    }

    /// Every run that has not ended (drafts among them), oldest first.
    ///
    /// # Errors
    /// Those of reading.
    pub fn open_runs(&self) -> Result<Vec<RunBrief>, StoreError> {
        let sql =
            format!("SELECT {BRIEF} FROM run WHERE status IN ('draft','queued','running','paused') ORDER BY number");
        self.all(&sql, [], brief)
    }

    /// The number of the newest run; 0 where there is none.
    ///
    /// # Errors
    /// Those of reading.
    pub fn newest_run(&self) -> Result<i64, StoreError> {
        Ok(self.one("SELECT max(number) FROM run", [], |row| row.get::<_, Option<i64>>(0))?.flatten().unwrap_or(0))
    }

    /// When the oldest run was submitted.
    ///
    /// # Errors
    /// Those of reading.
    pub fn first_run_at(&self) -> Result<Option<i64>, StoreError> {
        self.one("SELECT created_at FROM run ORDER BY number LIMIT 1", [], |row| row.get(0))
    }

    /// How many runs there are.
    ///
    /// # Errors
    /// Those of reading.
    pub fn count_runs(&self) -> Result<u64, StoreError> {
        Ok(self.one("SELECT count(*) FROM run", [], |row| row::unsigned(row, 0))?.unwrap_or(0))
    }

    /// The number that the next run gets, unless another is written before.
    ///
    /// # Errors
    /// Those of reading.
    pub fn next_run_number(&self) -> Result<i64, StoreError> {
        let last = self.one("SELECT seq FROM sqlite_sequence WHERE name = 'run'", [], |row| row.get::<_, i64>(0))?;
        Ok(last.unwrap_or(0) + 1)
    }

    /// Open runs, drafts left out, of which a stage waits.
    ///
    /// # Errors
    /// Those of reading.
    pub fn waiting_runs(&self) -> Result<Vec<i64>, StoreError> {
        self.all(
            "SELECT r.number FROM run r WHERE r.status IN ('queued','running','paused')
               AND EXISTS (SELECT 1 FROM stage s WHERE s.run = r.number AND s.status = 'waiting') ORDER BY r.number",
            [],
            |row| row.get(0),
        )
    }
}

impl Tx<'_> {
    /// Writes down a run and its stages, in the order of their indexes, with its event. Returns its number, and whether it is new:
    /// where a run of that id is there already, nothing is written.
    ///
    /// # Errors
    /// A refused row (priority, names, umask), and those of writing.
    pub fn insert_run(&self, run: &NewRun, stages: &[NewStage]) -> Result<(i64, bool), StoreError> {
        let mut text = uuid::Uuid::encode_buffer();
        let id: &str = run.id.0.hyphenated().encode_lower(&mut text);
        let tags = if run.tags.is_empty() { "[]".to_owned() } else { row::to_json(&run.tags)? };
        let after = if run.after.is_empty() { None } else { Some(row::to_json(&run.after)?) };
        let status = if run.draft { RunStatus::Draft } else { RunStatus::Queued };
        let written = self.add(
            "INSERT INTO run (id, id_tail, name, pipeline, experiment, queue, priority, target, tags, status, draft, paused,
                              after_failed, generation, not_before, after_runs, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0, 0, 1, ?12, ?13, ?14)
             ON CONFLICT (id) DO NOTHING",
            params![
                id,
                id_tail(run.id),
                run.name,
                run.pipeline,
                run.experiment,
                run.queue,
                run.priority,
                run.target,
                tags,
                status.as_str(),
                run.draft,
                run.not_before,
                after,
                run.created_at,
            ],
        )?;
        if written == 0 {
            let number = self.one("SELECT number FROM run WHERE id = ?1", [id], |r| r.get(0))?;
            return number.map(|number| (number, false)).ok_or(StoreError::Damaged("the index of ids".to_owned()));
        }
        let number = self.conn.last_insert_rowid();
        self.count_later(status, &run.queue, run.experiment.as_deref());
        self.add(
            INSERT_BODY,
            params![
                number,
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
        self.insert_stages(number, stages)?;
        self.append(Some(number), &Event::RunSubmitted, run.created_at)?;
        Ok((number, true))
    }
}

/// What is large of a run, and read only where it is looked at.
pub(crate) const INSERT_BODY: &str =
    "INSERT INTO run_body (run, definition, params, cwd, pipeline_dir, run_dir, env_hash, secrets, umask, limits, planning_ms)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";

/// The last 12 hexadecimal digits, last digit first: suffixes of an id are prefixes of it.
pub(crate) fn id_tail(id: RunId) -> i64 {
    let mut rest = id.0.as_u128();
    let mut tail: i64 = 0;
    for _ in 0..12 {
        tail = tail << 4 | (rest & 0xf) as i64;
        rest >>= 4;
    }
    tail
}
