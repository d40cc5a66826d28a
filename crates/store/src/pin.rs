//! The table `pin`: checkpoints that a person wants to keep.

use footplate_core::StageKey;
use footplate_core::event::Event;
use rusqlite::params;

use crate::connection::{Read, Tx};
use crate::error::StoreError;

impl Read<'_> {
    /// The checkpoints of a run that are pinned: stage's index, path.
    ///
    /// # Errors
    /// Those of reading.
    pub fn pins(&self, run: i64) -> Result<Vec<(u32, String)>, StoreError> {
        self.all("SELECT stage, path FROM pin WHERE run = ?1 ORDER BY stage, path", [run], |r| {
            Ok((r.get(0)?, r.get(1)?))
        })
    }
}

impl Tx<'_> {
    /// Pins a checkpoint, or takes its pin out, with the event. `false`: it was so already.
    ///
    /// # Errors
    /// A refused row where the stage is not there, and those of writing.
    pub fn set_pin(&self, key: StageKey, path: &str, pinned: bool, now: i64) -> Result<bool, StoreError> {
        let sql = if pinned {
            "INSERT OR IGNORE INTO pin (run, stage, path) VALUES (?1, ?2, ?3)"
        } else {
            "DELETE FROM pin WHERE run = ?1 AND stage = ?2 AND path = ?3"
        };
        let changed = self.write(sql, params![key.run, key.stage, path])? > 0;
        if changed {
            self.append(Some(key.run), &Event::RunChanged, now)?;
        }
        Ok(changed)
    }
}
