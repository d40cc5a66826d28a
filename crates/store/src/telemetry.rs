//! `attempts/<run id>/telemetry.db`: metrics, checkpoints and outputs of one run, written in one transaction with how far the log
//! was read, so that reading starts again exactly there.
//!
//! Points are kept in blocks, many to a row: a row for each point would cost more than reading the line it stood in. Commits do
//! not wait for the disk (`synchronous = NORMAL`): a killed owner loses nothing, a power cut the last second.
//!
//! Not here: what is a point (the progress crate), and best or newest values for lists (`latest` in `state.db`).

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior, params};
use serde_json::Value;

use crate::error::StoreError;
use crate::pace;
use crate::row;
use crate::telemetry::point::Packed;

mod point;
mod usage;

pub use usage::UsageRow;

/// Each entry brings the file from the version of its index to the next.
const MIGRATIONS: [&str; 2] =
    [include_str!("../migrations/telemetry_0001.sql"), include_str!("../migrations/telemetry_0002.sql")];
/// The version of `telemetry.db` that this program writes; it reads those before, too.
const VERSION: u32 = MIGRATIONS.len() as u32;
/// A block that has fewer points is added to; so a slow series does not take a row for each point.
const SMALL_BLOCK: i64 = 64;

/// How far the log of an attempt was read, and what the reader remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReaderMark<'a> {
    /// The stage's index.
    pub stage: u32,
    /// The attempt's number.
    pub attempt: u32,
    /// Bytes of log read.
    pub offset: u64,
    /// The reader's state, as it wrote it.
    pub state: &'a [u8],
}

/// One value of one series.
#[derive(Clone, Debug, PartialEq)]
pub struct PointRow {
    /// The stage's index.
    pub stage: u32,
    /// The attempt's number.
    pub attempt: u32,
    /// The metric's name.
    pub name: Arc<str>,
    /// The step, where known.
    pub step: Option<i64>,
    /// The epoch, where known; may be a fraction.
    pub epoch: Option<f64>,
    /// When, UTC milliseconds.
    pub time: i64,
    /// The value; NaN and infinities come back bit for bit.
    pub value: f64,
}

/// A checkpoint that a program announced or that was found. One path of a stage is one checkpoint, the newest.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckpointRow {
    /// The stage's index.
    pub stage: u32,
    /// The attempt's number.
    pub attempt: u32,
    /// The path as the program wrote it.
    pub path: String,
    /// The step, where known.
    pub step: Option<i64>,
    /// The epoch, where known.
    pub epoch: Option<f64>,
    /// When, UTC milliseconds.
    pub time: i64,
    /// Bytes, where known.
    pub size: Option<u64>,
    /// Its figures and whatever else is known, as JSON.
    pub data: String,
}

#[derive(Clone, Copy, Debug)]
struct Series {
    id: i64,
    blocks: i64,
    in_last: i64,
}

type SeriesKey = (u32, u32, Arc<str>);

/// One connection to a run's `telemetry.db`.
#[derive(Debug)]
pub struct Telemetry {
    conn: Connection,
    version: u32,
    /// The series as committed; told to be stale by `data_version`, where another process wrote.
    known: HashMap<SeriesKey, Series>,
    known_at: Option<i64>,
}

impl Telemetry {
    /// Opens the file. `create`: to write, and it is made (0600) where it is not there; otherwise to read, and `None` where it is not
    /// there (or was begun and never written to).
    ///
    /// # Errors
    /// `Newer`, `Io`, `Damaged`, `Busy`.
    pub fn open(path: &Path, create: bool) -> Result<Option<Telemetry>, StoreError> {
        let access = if create { OpenFlags::SQLITE_OPEN_READ_WRITE } else { OpenFlags::SQLITE_OPEN_READ_ONLY };
        if create {
            let made = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path);
            made.map_err(|e| StoreError::io(path, e))?;
        } else if !path.exists() {
            return Ok(None);
        }
        let mut conn = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        conn.busy_handler(Some(pace::busy_handler(create)))?;
        conn.execute_batch(
            "PRAGMA trusted_schema = OFF; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY;
             PRAGMA journal_size_limit = 1048576;",
        )?;
        conn.set_prepared_statement_cache_capacity(32);
        if create && version(&conn)? < VERSION {
            conn.pragma_update(None, "journal_mode", "WAL")?;
            let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for step in MIGRATIONS.iter().skip(version(&tx)? as usize) {
                tx.execute_batch(step)?;
            }
            tx.pragma_update(None, "user_version", VERSION)?;
            tx.commit()?;
        }
        match version(&conn)? {
            0 => Ok(None),
            version @ 1..=VERSION => Ok(Some(Telemetry { conn, version, known: HashMap::new(), known_at: None })),
            found => Err(StoreError::Newer { found, known: VERSION }),
        }
    }

    /// Writes what was read of a log up to `mark`, and the mark: all or nothing. `outputs` are those of the mark's attempt; a key given
    /// again has its new value. Points and checkpoints name their attempts themselves.
    ///
    /// # Errors
    /// `Full`, `Busy` after 30 s, and those of writing.
    pub fn commit(
        &mut self,
        mark: &ReaderMark<'_>,
        points: &[PointRow],
        checkpoints: &[CheckpointRow],
        outputs: &[(String, Value)],
    ) -> Result<(), StoreError> {
        let done = self.write(mark, points, checkpoints, outputs);
        if done.is_err() {
            // What was noted of series may never have been committed.
            self.known_at = None;
        }
        done
    }

    fn write(
        &mut self,
        mark: &ReaderMark<'_>,
        points: &[PointRow],
        checkpoints: &[CheckpointRow],
        outputs: &[(String, Value)],
    ) -> Result<(), StoreError> {
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if !points.is_empty() {
            let now: i64 = tx.prepare_cached("PRAGMA data_version")?.query_row([], |r| r.get(0))?;
            if self.known_at != Some(now) {
                self.known = known_series(&tx)?;
                self.known_at = Some(now);
            }
            write_points(&tx, &mut self.known, points)?;
        }
        for c in checkpoints {
            tx.prepare_cached(
                "INSERT OR REPLACE INTO checkpoint (stage, attempt, path, step, epoch, time, size, data)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                c.stage,
                c.attempt,
                c.path,
                c.step,
                c.epoch,
                c.time,
                c.size.map(row::signed),
                c.data
            ])?;
        }
        for (key, value) in outputs {
            tx.prepare_cached(
                "INSERT INTO output (stage, attempt, key, value) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (stage, attempt, key) DO UPDATE SET value = excluded.value",
            )?
            .execute(params![mark.stage, mark.attempt, key, row::to_json(value)?])?;
        }
        tx.prepare_cached(
            "INSERT INTO mark (stage, attempt, offset, state) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (stage, attempt) DO UPDATE SET offset = excluded.offset, state = excluded.state",
        )?
        .execute(params![mark.stage, mark.attempt, row::signed(mark.offset), mark.state])?;
        Ok(tx.commit()?)
    }

    /// How far the log of an attempt was read, and the reader's state; `None` before the first commit.
    ///
    /// # Errors
    /// Those of reading.
    pub fn mark(&self, stage: u32, attempt: u32) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        Ok(self
            .conn
            .prepare_cached("SELECT offset, state FROM mark WHERE stage = ?1 AND attempt = ?2")?
            .query_row([stage, attempt], |r| Ok((row::unsigned(r, 0)?, r.get(1)?)))
            .optional()?)
    }

    /// All points of the series of these names (of all, where none is given), of one stage or of all: by stage, then name, then
    /// attempt, then in the order they came.
    ///
    /// # Errors
    /// Those of reading; `Damaged` where a block does not read.
    pub fn series(&self, stage: Option<u32>, names: &[String]) -> Result<Vec<PointRow>, StoreError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT s.stage, s.attempt, s.name, b.data FROM series s
             JOIN block b ON b.key BETWEEN s.id << 32 AND (s.id << 32) + 4294967295
             WHERE (?1 IS NULL OR s.stage = ?1)
               AND (?2 IS NULL OR s.name IN (SELECT value FROM json_each(?2)))
             ORDER BY s.stage, s.name, s.attempt, b.key",
        )?;
        let names = if names.is_empty() { None } else { Some(row::to_json(names)?) };
        let mut rows = statement.query(params![stage, names])?;
        let mut points = Vec::new();
        let mut name: Arc<str> = Arc::from("");
        while let Some(r) = rows.next()? {
            let text = r.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?;
            if *name != *text {
                name = Arc::from(text);
            }
            let data = r.get_ref(3)?.as_blob().map_err(rusqlite::Error::from)?;
            point::unpack_all(data, r.get(0)?, r.get(1)?, &name, &mut points)?;
        }
        Ok(points)
    }

    /// The newest point of each series of an attempt, in the order the series began.
    ///
    /// # Errors
    /// Those of reading.
    pub fn last_values(&self, stage: u32, attempt: u32) -> Result<Vec<PointRow>, StoreError> {
        let mut statement =
            self.conn.prepare_cached("SELECT name, last FROM series WHERE stage = ?1 AND attempt = ?2 ORDER BY id")?;
        let mut rows = statement.query([stage, attempt])?;
        let mut points = Vec::new();
        while let Some(r) = rows.next()? {
            let name: Arc<str> = r.get(0)?;
            let data = r.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
            point::unpack_all(data, stage, attempt, &name, &mut points)?;
        }
        Ok(points)
    }

    /// The checkpoints of a stage, over all its attempts, in the order they came (a path written again counts anew).
    ///
    /// # Errors
    /// Those of reading.
    pub fn checkpoints(&self, stage: u32) -> Result<Vec<CheckpointRow>, StoreError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT stage, attempt, path, step, epoch, time, size, data FROM checkpoint WHERE stage = ?1 ORDER BY seq",
        )?;
        let rows = statement.query_map([stage], |r| {
            Ok(CheckpointRow {
                stage: r.get(0)?,
                attempt: r.get(1)?,
                path: r.get(2)?,
                step: r.get(3)?,
                epoch: r.get(4)?,
                time: r.get(5)?,
                size: row::maybe_unsigned(r, 6)?,
                data: r.get(7)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The outputs of an attempt, in the order the keys came first.
    ///
    /// # Errors
    /// Those of reading.
    pub fn outputs(&self, stage: u32, attempt: u32) -> Result<Vec<(String, Value)>, StoreError> {
        let mut statement = self
            .conn
            .prepare_cached("SELECT key, value FROM output WHERE stage = ?1 AND attempt = ?2 ORDER BY rowid")?;
        let rows = statement.query_map([stage, attempt], |r| Ok((r.get(0)?, row::json(r, 1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

fn version(conn: &Connection) -> Result<u32, StoreError> {
    Ok(conn.query_row("PRAGMA user_version", [], |r| r.get(0))?)
}

fn known_series(conn: &Connection) -> Result<HashMap<SeriesKey, Series>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT stage, attempt, name, id, blocks, in_last FROM series")?;
    let rows = statement.query_map([], |r| {
        let key: SeriesKey = (r.get(0)?, r.get(1)?, r.get(2)?);
        Ok((key, Series { id: r.get(3)?, blocks: r.get(4)?, in_last: r.get(5)? }))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn write_points(
    conn: &Connection,
    known: &mut HashMap<SeriesKey, Series>,
    points: &[PointRow],
) -> Result<(), StoreError> {
    let mut packed: Vec<Packed<'_>> = Vec::new();
    let mut places: HashMap<(u32, u32, &str), usize> = HashMap::new();
    let mut guess = 0;
    for p in points {
        // Programs write their metrics in the same order each time: the series after the last one is most often right.
        let hit = [guess, 0].into_iter().find(|i| packed.get(*i).is_some_and(|one| one.is_of(p)));
        let place = match hit {
            Some(place) => place,
            None => *places.entry((p.stage, p.attempt, &p.name)).or_insert_with(|| {
                packed.push(Packed::new(p));
                packed.len() - 1
            }),
        };
        packed[place].push(p);
        guess = place + 1;
    }
    for one in &packed {
        write_series(conn, known, one)?;
    }
    Ok(())
}

fn write_series(conn: &Connection, known: &mut HashMap<SeriesKey, Series>, new: &Packed<'_>) -> Result<(), StoreError> {
    let first = new.first;
    let key: SeriesKey = (first.stage, first.attempt, Arc::clone(&first.name));
    let (data, last) = (new.data(), new.last());
    let Some(series) = known.get_mut(&key) else {
        conn.prepare_cached(
            "INSERT INTO series (stage, attempt, name, blocks, in_last, last) VALUES (?1, ?2, ?3, 1, ?4, ?5)",
        )?
        .execute(params![first.stage, first.attempt, first.name, new.count(), last])?;
        let id = conn.last_insert_rowid();
        conn.prepare_cached("INSERT INTO block (key, data) VALUES (?1, ?2)")?.execute(params![id << 32, data])?;
        known.insert(key, Series { id, blocks: 1, in_last: new.count() });
        return Ok(());
    };
    if series.in_last < SMALL_BLOCK {
        // A blob joined to a blob is one in bytes, but text in type: hence the cast.
        conn.prepare_cached("UPDATE block SET data = CAST(data || ?2 AS BLOB) WHERE key = ?1")?
            .execute(params![series.id << 32 | (series.blocks - 1), data])?;
        series.in_last += new.count();
    } else {
        conn.prepare_cached("INSERT INTO block (key, data) VALUES (?1, ?2)")?
            .execute(params![series.id << 32 | series.blocks, data])?;
        series.blocks += 1;
        series.in_last = new.count();
    }
    conn.prepare_cached("UPDATE series SET blocks = ?2, in_last = ?3, last = ?4 WHERE id = ?1")?.execute(params![
        series.id,
        series.blocks,
        series.in_last,
        last
    ])?;
    Ok(())
}
