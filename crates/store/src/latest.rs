//! The tables `latest` and `capacity`: what the owner shows guests of the present. Overwritten each tick; no history.

use rusqlite::{Row, params};

use crate::connection::{Read, Tx};
use crate::error::StoreError;
use crate::row;

/// The newest state of a stage's newest attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct LatestRow {
    /// The run's number.
    pub run: i64,
    /// The stage's index.
    pub stage: u32,
    /// The attempt's number.
    pub attempt: u32,
    /// 0 to 1.
    pub progress: Option<f64>,
    /// Seconds left.
    pub eta_s: Option<f64>,
    /// What it does now.
    pub message: Option<String>,
    /// The progress reader's newest state and the newest values of metrics, as JSON.
    pub data: String,
    /// How far the log was read, bytes.
    pub log_read_to: u64,
    /// When, UTC milliseconds.
    pub updated_at: i64,
}

/// What the owner says about itself and the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapacityRow {
    /// The owner's process id.
    pub pid: u32,
    /// The owner's version.
    pub version: String,
    /// Cores, memory, GPUs, and what is in use, as JSON.
    pub data: String,
    /// When, UTC milliseconds.
    pub updated_at: i64,
}

const COLUMNS: &str = "run, stage, attempt, progress, eta_s, message, data, log_read_to, updated_at";

fn from_row(r: &Row<'_>) -> rusqlite::Result<LatestRow> {
    Ok(LatestRow {
        run: r.get(0)?,
        stage: r.get(1)?,
        attempt: r.get(2)?,
        progress: r.get(3)?,
        eta_s: r.get(4)?,
        message: r.get(5)?,
        data: r.get(6)?,
        log_read_to: row::unsigned(r, 7)?,
        updated_at: r.get(8)?,
    })
}

impl Read<'_> {
    /// The newest states of a run's stages, by index; only of those that were tried.
    ///
    /// # Errors
    /// Those of reading.
    pub fn latest(&self, run: i64) -> Result<Vec<LatestRow>, StoreError> {
        self.all(&format!("SELECT {COLUMNS} FROM latest WHERE run = ?1 ORDER BY stage"), [run], from_row)
    }

    /// The same for several runs, in the order given.
    ///
    /// # Errors
    /// Those of reading.
    pub fn latest_of(&self, runs: &[i64]) -> Result<Vec<LatestRow>, StoreError> {
        let mut all = Vec::new();
        for run in runs {
            all.append(&mut self.latest(*run)?);
        }
        Ok(all)
    }

    /// What the newest owner said last; `None` before the first.
    ///
    /// # Errors
    /// Those of reading.
    pub fn capacity(&self) -> Result<Option<CapacityRow>, StoreError> {
        self.one("SELECT pid, version, data, updated_at FROM capacity WHERE one = 1", [], |r| {
            Ok(CapacityRow { pid: r.get(0)?, version: r.get(1)?, data: r.get(2)?, updated_at: r.get(3)? })
        })
    }
}

impl Tx<'_> {
    /// Stores the newest state of a stage. A progress or rest that is not a number is stored as none.
    ///
    /// # Errors
    /// A refused row where the stage is not there, and those of writing.
    pub fn put_latest(&self, latest: &LatestRow) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO latest (run, stage, attempt, progress, eta_s, message, data, log_read_to, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (run, stage) DO UPDATE SET
               attempt = excluded.attempt, progress = excluded.progress, eta_s = excluded.eta_s, message = excluded.message,
               data = excluded.data, log_read_to = excluded.log_read_to, updated_at = excluded.updated_at",
            params![
                latest.run,
                latest.stage,
                latest.attempt,
                latest.progress,
                latest.eta_s,
                latest.message,
                latest.data,
                row::signed(latest.log_read_to),
                latest.updated_at,
            ],
        )?;
        Ok(())
    }

    /// Stores what the owner says about itself.
    ///
    /// # Errors
    /// Those of writing.
    pub fn put_capacity(&self, capacity: &CapacityRow) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO capacity (one, pid, version, data, updated_at) VALUES (1, ?1, ?2, ?3, ?4)
             ON CONFLICT (one) DO UPDATE SET
               pid = excluded.pid, version = excluded.version, data = excluded.data, updated_at = excluded.updated_at",
            params![capacity.pid, capacity.version, capacity.data, capacity.updated_at],
        )?;
        Ok(())
    }
}
