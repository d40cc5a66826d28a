//! The table `keeping`: stages whose checkpoints are to be looked through, so that an owner that dies leaves none uncleaned.

use footplate_core::StageKey;
use rusqlite::params;

use crate::connection::{Read, Tx};
use crate::error::StoreError;

impl Read<'_> {
    /// All of them, with the moment each is due, UTC milliseconds.
    ///
    /// # Errors
    /// Those of reading.
    pub fn keeping(&self) -> Result<Vec<(StageKey, i64)>, StoreError> {
        self.all("SELECT run, stage, due FROM keeping ORDER BY run, stage", [], |r| {
            Ok((StageKey { run: r.get(0)?, stage: r.get(1)? }, r.get(2)?))
        })
    }
}

impl Tx<'_> {
    /// A stage's checkpoints are to be looked through then.
    ///
    /// # Errors
    /// A refused row where the stage is not there, and those of writing.
    pub fn put_keeping(&self, key: StageKey, due: i64) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO keeping (run, stage, due) VALUES (?1, ?2, ?3) ON CONFLICT (run, stage) DO UPDATE SET due = excluded.due",
            params![key.run, key.stage, due],
        )?;
        Ok(())
    }

    /// They were, for the last time.
    ///
    /// # Errors
    /// Those of writing.
    pub fn end_keeping(&self, key: StageKey) -> Result<(), StoreError> {
        self.write("DELETE FROM keeping WHERE run = ?1 AND stage = ?2", params![key.run, key.stage])?;
        Ok(())
    }
}
