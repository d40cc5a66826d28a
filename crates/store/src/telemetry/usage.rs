//! The table `usage`: what the processes of an attempt used. Counters stand for the whole attempt up to their moment, so that an owner
//! who dies leaves a gap in time and none in a sum; peaks stand for the time since the row before.

use rusqlite::{Connection, TransactionBehavior, params};

use super::Telemetry;
use crate::error::StoreError;
use crate::row;

/// A minute has one row once it is older than those who look closely look at.
const MINUTE_MS: i64 = 60_000;
/// How far back rows are thinned at once: what was left by an owner that died is little.
const THINNED_MS: i64 = 30 * MINUTE_MS;

/// What an attempt's processes had used at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct UsageRow {
    /// The stage's index.
    pub stage: u32,
    /// The attempt's number.
    pub attempt: u32,
    /// When, UTC milliseconds.
    pub time: i64,
    /// Processor time since its start, milliseconds.
    pub cpu_ms: u64,
    /// Most bytes of memory since the row before.
    pub memory: u64,
    /// Bytes read from disks since its start, where the system tells.
    pub read: Option<u64>,
    /// Bytes written to disks since its start.
    pub written: Option<u64>,
    /// The share of time in which its GPUs computed since the row before, 0 to 1.
    pub gpu: Option<f64>,
    /// Most bytes of GPU memory since the row before.
    pub gpu_memory: Option<u64>,
}

impl Telemetry {
    /// Adds rows; of minutes that ended before `thin_before` (UTC milliseconds) one row each stays, with the peaks of all.
    ///
    /// # Errors
    /// `Full`, `Busy` after 30 s, and those of writing.
    pub fn add_usage(&mut self, rows: &[UsageRow], thin_before: i64) -> Result<(), StoreError> {
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for row in rows {
            put(&tx, row)?;
        }
        let before = thin_before.div_euclid(MINUTE_MS) * MINUTE_MS;
        thin(&tx, before - THINNED_MS, before)?;
        Ok(tx.commit()?)
    }

    /// All rows of a stage or of all, by stage, attempt and time.
    ///
    /// # Errors
    /// Those of reading.
    pub fn usage(&self, stage: Option<u32>) -> Result<Vec<UsageRow>, StoreError> {
        if self.version < 2 {
            return Ok(Vec::new());
        }
        let mut statement = self.conn.prepare_cached(
            "SELECT stage, attempt, time, cpu_ms, memory, read, written, gpu, gpu_memory FROM usage
             WHERE ?1 IS NULL OR stage = ?1 ORDER BY stage, attempt, time",
        )?;
        let rows = statement.query_map([stage], |r| {
            Ok(UsageRow {
                stage: r.get(0)?,
                attempt: r.get(1)?,
                time: r.get(2)?,
                cpu_ms: row::unsigned(r, 3)?,
                memory: row::unsigned(r, 4)?,
                read: row::maybe_unsigned(r, 5)?,
                written: row::maybe_unsigned(r, 6)?,
                gpu: r.get(7)?,
                gpu_memory: row::maybe_unsigned(r, 8)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

fn put(conn: &Connection, u: &UsageRow) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT OR REPLACE INTO usage (stage, attempt, time, cpu_ms, memory, read, written, gpu, gpu_memory)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        u.stage,
        u.attempt,
        u.time,
        row::signed(u.cpu_ms),
        row::signed(u.memory),
        u.read.map(row::signed),
        u.written.map(row::signed),
        u.gpu,
        u.gpu_memory.map(row::signed),
    ])?;
    Ok(())
}

/// The last row of each minute takes the peaks of the others, which go. Doing it again changes nothing.
fn thin(conn: &Connection, from: i64, before: i64) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT OR REPLACE INTO usage (stage, attempt, time, cpu_ms, memory, read, written, gpu, gpu_memory)
         SELECT stage, attempt, max(time), max(cpu_ms), max(memory), max(read), max(written), avg(gpu), max(gpu_memory)
         FROM usage WHERE time >= ?1 AND time < ?2 GROUP BY stage, attempt, time / 60000 HAVING count(*) > 1",
    )?
    .execute([from, before])?;
    conn.prepare_cached(
        "DELETE FROM usage WHERE time >= ?1 AND time < ?2 AND EXISTS
           (SELECT 1 FROM usage later WHERE later.stage = usage.stage AND later.attempt = usage.attempt
              AND later.time > usage.time AND later.time / 60000 = usage.time / 60000)",
    )?
    .execute([from, before])?;
    Ok(())
}
