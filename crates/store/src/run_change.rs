//! What is changed about a run after it was written down. Each change that people see writes its event.

use footplate_core::RunStatus;
use footplate_core::event::Event;
use rusqlite::params;

use crate::connection::Tx;
use crate::error::StoreError;
use crate::row;
use crate::run::After;

/// Drafts that become runs in one statement.
const RELEASED_AT_ONCE: usize = 1000;

impl Tx<'_> {
    /// Stores the derived status; the event only where it is another. Returns whether it was.
    ///
    /// # Errors
    /// Those of writing.
    pub fn set_run_status(&self, number: i64, to: RunStatus, now: i64) -> Result<bool, StoreError> {
        let changed = self
            .write("UPDATE run SET status = ?2 WHERE number = ?1 AND status <> ?2", params![number, to.as_str()])?
            > 0;
        if changed {
            self.append(Some(number), &Event::RunStatus { status: to }, now)?;
        }
        Ok(changed)
    }

    /// Stores the run's own flags. No event: the status that follows from them has one.
    ///
    /// # Errors
    /// Those of writing.
    pub fn set_run_flags(&self, number: i64, draft: bool, paused: bool, after_failed: bool) -> Result<(), StoreError> {
        self.write(
            "UPDATE run SET draft = ?2, paused = ?3, after_failed = ?4 WHERE number = ?1",
            params![number, draft, paused, after_failed],
        )?;
        Ok(())
    }

    /// The runs that it still comes after.
    ///
    /// # Errors
    /// Those of writing.
    pub fn set_after(&self, number: i64, after: &[After]) -> Result<(), StoreError> {
        let after = if after.is_empty() { None } else { Some(row::to_json(&after)?) };
        self.write("UPDATE run SET after_runs = ?2 WHERE number = ?1", params![number, after])?;
        Ok(())
    }

    /// Starts drafts: no draft any more, status `queued`, an event each. Others of the numbers are left as they are. Returns how many
    /// were started. What the last transaction of a batch does for all of them.
    ///
    /// # Errors
    /// Those of writing.
    pub fn release_drafts(&self, numbers: &[i64], now: i64) -> Result<u64, StoreError> {
        self.count_new_runs()?;
        let mut released = 0;
        // By ranges, not one by one: within a savepoint SQLite walks through all that the savepoint has changed at the end of
        // each statement with a trigger, so that the cost would grow with the square of the batch.
        for chunk in numbers.chunk_by(|one, next| *one + 1 == *next).flat_map(|range| range.chunks(RELEASED_AT_ONCE)) {
            let (Some(first), Some(last)) = (chunk.first(), chunk.last()) else { continue };
            let changed: Vec<i64> = self.all(
                "UPDATE run SET draft = 0, status = 'queued'
                 WHERE number BETWEEN ?1 AND ?2 AND draft = 1 AND status = 'draft' RETURNING number",
                [first, last],
                |r| r.get(0),
            )?;
            for number in &changed {
                self.append(Some(*number), &Event::RunStatus { status: RunStatus::Queued }, now)?;
            }
            released += changed.len() as u64;
        }
        Ok(released)
    }

    /// Stores both times, as they are given (`None` clears).
    ///
    /// # Errors
    /// Those of writing.
    pub fn set_run_times(
        &self,
        number: i64,
        started_at: Option<i64>,
        finished_at: Option<i64>,
    ) -> Result<(), StoreError> {
        self.write(
            "UPDATE run SET started_at = ?2, finished_at = ?3 WHERE number = ?1",
            params![number, started_at, finished_at],
        )?;
        Ok(())
    }

    /// Stores why it failed (JSON of `core::view::Failure`), or that it did not.
    ///
    /// # Errors
    /// Those of writing.
    pub fn set_run_error(&self, number: i64, error: Option<&str>) -> Result<(), StoreError> {
        self.write("UPDATE run SET error = ?2 WHERE number = ?1", params![number, error])?;
        Ok(())
    }

    /// Fixes the result, once in a generation. Returns whether it was fixed now.
    ///
    /// # Errors
    /// A refused row where `result` is no end, and those of writing.
    pub fn fix_result(&self, number: i64, result: RunStatus, at: i64) -> Result<bool, StoreError> {
        let fixed = self.write(
            "UPDATE run SET result = ?2, result_at = ?3 WHERE number = ?1 AND result IS NULL",
            params![number, result.as_str(), at],
        )?;
        Ok(fixed > 0)
    }

    /// Begins a new generation: result, end, error, `paused` and `after_failed` are cleared. The stages and the status are for the
    /// caller, in the same transaction. Returns the new generation.
    ///
    /// # Errors
    /// `Damaged` where there is no such run, and those of writing.
    pub fn reopen_run(&self, number: i64) -> Result<u32, StoreError> {
        self.write(
            "UPDATE run SET generation = generation + 1, result = NULL, result_at = NULL, finished_at = NULL, error = NULL,
                            paused = 0, after_failed = 0 WHERE number = ?1",
            [number],
        )?;
        self.one("SELECT generation FROM run WHERE number = ?1", [number], |r| r.get(0))?
            .ok_or_else(|| StoreError::Damaged(format!("there is no run {number}")))
    }

    /// Another name.
    ///
    /// # Errors
    /// A refused row where it is empty, and those of writing.
    pub fn rename_run(&self, number: i64, name: &str, now: i64) -> Result<(), StoreError> {
        self.write("UPDATE run SET name = ?2 WHERE number = ?1", params![number, name])?;
        self.changed(number, now)
    }

    /// Other tags, all of them.
    ///
    /// # Errors
    /// Those of writing.
    pub fn set_tags(&self, number: i64, tags: &[String], now: i64) -> Result<(), StoreError> {
        self.write("UPDATE run SET tags = ?2 WHERE number = ?1", params![number, row::to_json(tags)?])?;
        self.changed(number, now)
    }

    /// Another priority, -100 to 100.
    ///
    /// # Errors
    /// A refused row where it is out of bounds, and those of writing.
    pub fn set_priority(&self, number: i64, priority: i32, now: i64) -> Result<(), StoreError> {
        self.write("UPDATE run SET priority = ?2 WHERE number = ?1", params![number, priority])?;
        self.changed(number, now)
    }

    /// Another queue for the run, and for those of its stages that were in the run's queue and have neither ended nor begun.
    ///
    /// # Errors
    /// Those of writing.
    pub fn set_queue(&self, number: i64, queue: &str, now: i64) -> Result<(), StoreError> {
        self.write(
            "UPDATE stage SET queue = ?2
             WHERE run = ?1 AND queue = (SELECT queue FROM run WHERE number = ?1)
               AND status IN ('waiting','queued','held','retrying')",
            params![number, queue],
        )?;
        self.write("UPDATE run SET queue = ?2 WHERE number = ?1", params![number, queue])?;
        self.changed(number, now)
    }

    /// Another place among the runs of its priority.
    ///
    /// # Errors
    /// Those of writing.
    pub fn set_order_key(&self, number: i64, order_key: i64, now: i64) -> Result<(), StoreError> {
        self.write("UPDATE run SET order_key = ?2 WHERE number = ?1", params![number, order_key])?;
        self.changed(number, now)
    }

    /// Another definition (JSON), for a run that has not begun.
    ///
    /// # Errors
    /// Those of writing.
    pub fn set_definition(&self, number: i64, definition: &str, now: i64) -> Result<(), StoreError> {
        self.write("UPDATE run_body SET definition = ?2 WHERE run = ?1", params![number, definition])?;
        self.changed(number, now)
    }

    /// Removes the run with all that belongs to it, but its events and wishes. Returns whether it was there.
    ///
    /// # Errors
    /// Those of writing.
    pub fn remove_run(&self, number: i64, now: i64) -> Result<bool, StoreError> {
        let removed = self.write("DELETE FROM run WHERE number = ?1", [number])? > 0;
        if removed {
            self.append(Some(number), &Event::RunRemoved, now)?;
        }
        Ok(removed)
    }

    fn changed(&self, number: i64, now: i64) -> Result<(), StoreError> {
        self.append(Some(number), &Event::RunChanged, now).map(|_| ())
    }
}
