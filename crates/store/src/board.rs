//! What a screen that shows everything at once asks: what comes next, and what ended badly of late.

use footplate_core::RunStatus;
use rusqlite::params;

use crate::connection::Read;
use crate::error::StoreError;
use crate::row;
use crate::run::{COLUMNS, RunRow, from_row};

impl Read<'_> {
    /// Queued runs in the order in which they start where there is room for each: the queue's priority, the run's own,
    /// first come.
    ///
    /// # Errors
    /// `Damaged` for a row that cannot be read; what SQLite says.
    pub fn queued_in_order(&self, limit: u32) -> Result<Vec<RunRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM (
               SELECT r.number, coalesce(q.priority, 0) AS first, r.priority AS second, r.order_key AS third
               FROM run r LEFT JOIN queue q ON q.name = r.queue WHERE r.status = ?1
               ORDER BY first DESC, second DESC, third LIMIT ?2
             ) AS page JOIN run r ON r.number = page.number JOIN run_body b ON b.run = page.number
             ORDER BY page.first DESC, page.second DESC, page.third"
        );
        self.all(&sql, params![RunStatus::Queued.as_str(), limit], from_row)
    }

    /// How many failed and interrupted runs ended at or after this moment.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn ended_badly_since(&self, ms: i64) -> Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM run WHERE finished_at >= ?1 AND +status IN ('failed','interrupted')";
        Ok(self.one(sql, [ms], |r| row::unsigned(r, 0))?.unwrap_or(0))
    }
}
