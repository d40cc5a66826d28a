//! Whether the file is sound: what SQLite says of its pages, and whether every row can be read as what it is.

use footplate_core::definition::Definition;
use rusqlite::Connection;
use serde_json::Value;

use crate::connection::{Read, Store};
use crate::error::StoreError;

/// Most faults that are told.
const FAULTS_MOST: usize = 20;

/// `PRAGMA integrity_check`: what is wrong, nothing where all is well.
pub(crate) fn integrity(conn: &Connection) -> Result<Vec<String>, StoreError> {
    let mut faults = conn
        .prepare(&format!("PRAGMA integrity_check({FAULTS_MOST})"))?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<String>>>()?;
    faults.retain(|fault| fault != "ok");
    Ok(faults)
}

impl Store {
    /// Looks through the whole file (`PRAGMA integrity_check`, foreign keys): what is wrong, nothing where all is well. Slow.
    ///
    /// # Errors
    /// Those of reading.
    pub fn check(&self) -> Result<Vec<String>, StoreError> {
        let conn = self.connection();
        let mut faults = integrity(conn)?;
        let mut statement = conn.prepare("PRAGMA foreign_key_check")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            faults.push(format!("a row of {} without its {}", row.get::<_, String>(0)?, row.get::<_, String>(2)?));
            if faults.len() >= FAULTS_MOST {
                break;
            }
        }
        Ok(faults)
    }

    /// The same without the indexes' content (`PRAGMA quick_check`): several times as fast. The first fault, where there is one.
    ///
    /// # Errors
    /// Those of reading.
    pub fn quick_check(&self) -> Result<Option<String>, StoreError> {
        let verdict: String = self.connection().query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        Ok((verdict != "ok").then_some(verdict))
    }
}

impl Read<'_> {
    /// Reads every row as the product does, definitions and parameters too: what cannot be read, at most 20. For a store that
    /// is suspected; it takes time in proportion to its size.
    ///
    /// # Errors
    /// Those of SQLite where not even the numbers of the runs can be read.
    pub fn unreadable(&self) -> Result<Vec<String>, StoreError> {
        let mut faults = Vec::new();
        let mut told = |what: String, error: &dyn std::fmt::Display| faults.push(format!("{what}: {error}"));
        for number in self.run_numbers()? {
            if let Err(error) = self.readable_run(number) {
                told(format!("run #{number}"), &error);
            }
        }
        let rest = [
            ("queues", self.queues().map(|_| ())),
            ("wishes", self.pending_wishes().map(|_| ())),
            ("live attempts", self.live_attempts().map(|_| ())),
            ("events", self.events_after(0, u32::MAX).map(|_| ())),
            ("schedules", self.schedules().map(|_| ())),
            ("settings", self.settings().map(|_| ())),
        ];
        for (what, read) in rest {
            if let Err(error) = read {
                told(format!("the {what}"), &error);
            }
        }
        faults.truncate(FAULTS_MOST);
        Ok(faults)
    }

    /// Every run's number, rising, as far as they can be read: from both ends, for a hole in the middle.
    ///
    /// # Errors
    /// Those of SQLite where none can be read.
    pub fn run_numbers(&self) -> Result<Vec<i64>, StoreError> {
        let walk = |order: &str| -> Result<(Vec<i64>, bool), StoreError> {
            let mut statement = self.conn.prepare(&format!("SELECT number FROM run ORDER BY number {order}"))?;
            let mut rows = statement.query([])?;
            let mut numbers = Vec::new();
            loop {
                match rows.next() {
                    Ok(Some(row)) => numbers.push(row.get(0)?),
                    Ok(None) => return Ok((numbers, true)),
                    Err(error) if numbers.is_empty() => return Err(error.into()),
                    Err(_) => return Ok((numbers, false)),
                }
            }
        };
        let mut numbers = match walk("ASC") {
            Ok((numbers, true)) => return Ok(numbers),
            Ok((numbers, false)) => numbers,
            Err(error) => match walk("DESC") {
                Ok((numbers, _)) => numbers,
                Err(_) => return Err(error),
            },
        };
        numbers.extend(walk("DESC").map(|(numbers, _)| numbers).unwrap_or_default());
        numbers.sort_unstable();
        numbers.dedup();
        Ok(numbers)
    }

    /// Reads all of a run: its row, its stages and their attempts, and whether its definition has those stages.
    ///
    /// # Errors
    /// `Damaged` with what cannot be understood, and those of reading.
    pub fn readable_run(&self, number: i64) -> Result<(), StoreError> {
        let damaged = |what: &str, error: &dyn std::fmt::Display| StoreError::Damaged(format!("its {what}: {error}"));
        let row = self.run(number)?.ok_or_else(|| StoreError::Damaged("half of it is gone".to_owned()))?;
        let definition: Definition = serde_json::from_str(&row.definition).map_err(|e| damaged("definition", &e))?;
        serde_json::from_str::<Value>(&row.params).map_err(|e| damaged("parameters", &e))?;
        let stages = self.stages(number)?;
        if stages.len() != definition.stages.len() {
            let text = format!("{} rows for {}", stages.len(), definition.stages.len());
            return Err(damaged("stages", &text));
        }
        for stage in stages {
            serde_json::from_str::<Value>(&stage.outputs).map_err(|e| damaged("outputs", &e))?;
        }
        self.attempts(number)?;
        Ok(())
    }
}
