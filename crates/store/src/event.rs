//! The table `event`: every change of state, in order, replayable from (epoch, seq).

use footplate_core::event::Event;
use rusqlite::params;

use crate::connection::{Read, Tx};
use crate::error::StoreError;
use crate::row;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRow {
    /// Its place in the order of all events of this epoch; rises without end.
    pub seq: i64,
    /// When, UTC milliseconds.
    pub time: i64,
    /// The run's number, where it concerns one.
    pub run: Option<i64>,
    /// What changed.
    pub event: Event,
}

impl Read<'_> {
    /// The events after `seq`, in order, at most `limit`. One that this version does not know reads as a note.
    ///
    /// # Errors
    /// Those of reading.
    pub fn events_after(&self, seq: i64, limit: u32) -> Result<Vec<EventRow>, StoreError> {
        self.all(
            "SELECT seq, time, run, data FROM event WHERE seq > ?1 ORDER BY seq LIMIT ?2",
            params![seq, limit],
            |r| {
                let event = row::json(r, 3)
                    .unwrap_or_else(|_| Event::Note { stage: None, text: "an event of another version".to_owned() });
                Ok(EventRow { seq: r.get(0)?, time: r.get(1)?, run: r.get(2)?, event })
            },
        )
    }

    /// The remarks on a run that are kept, oldest first: the newest `limit`. Those of a run that had many are cut at the old end.
    ///
    /// # Errors
    /// Those of reading.
    pub fn notes(&self, run: i64, limit: u32) -> Result<Vec<EventRow>, StoreError> {
        // The condition is the index's own, word for word, so that it serves.
        let mut notes = self.all(
            "SELECT seq, time, data FROM event WHERE run = ?1 AND substr(data, 1, 14) = '{\"kind\":\"note\"'
             ORDER BY seq DESC LIMIT ?2",
            params![run, limit],
            |r| Ok(EventRow { seq: r.get(0)?, time: r.get(1)?, run: Some(run), event: row::json(r, 2)? }),
        )?;
        notes.reverse();
        Ok(notes)
    }

    /// The greatest number given so far, 0 before the first; trimming does not lower it.
    ///
    /// # Errors
    /// Those of reading.
    pub fn last_seq(&self) -> Result<i64, StoreError> {
        Ok(self.one("SELECT max(seq) FROM event", [], |r| r.get::<_, Option<i64>>(0))?.flatten().unwrap_or(0))
    }

    /// The least number still kept, 1 before the first event. A cursor below `first_seq() - 1` has missed events.
    ///
    /// # Errors
    /// Those of reading.
    pub fn first_seq(&self) -> Result<i64, StoreError> {
        Ok(self.one("SELECT min(seq) FROM event", [], |r| r.get::<_, Option<i64>>(0))?.flatten().unwrap_or(1))
    }
}

impl Tx<'_> {
    /// Writes down an event. Returns its number.
    ///
    /// # Errors
    /// Those of writing.
    pub fn append(&self, run: Option<i64>, event: &Event, now: i64) -> Result<i64, StoreError> {
        self.add("INSERT INTO event (time, run, data) VALUES (?1, ?2, ?3)", params![now, run, row::to_json(event)?])?;
        Ok(self.conn.last_insert_rowid())
    }

    /// Removes the oldest events: those before the first one of the last `keep_ms`, and all but the newest `keep_rows`; the
    /// newest one stays in any case; at most `limit` of them. Returns how many.
    ///
    /// # Errors
    /// Those of writing.
    pub fn trim(&self, keep_ms: i64, keep_rows: u64, now: i64, limit: u32) -> Result<u64, StoreError> {
        let last = self.last_seq()?;
        let furthest = (self.first_seq()? + i64::from(limit) - 1).min(last - 1);
        let by_rows = last.saturating_sub(row::signed(keep_rows));
        // No further than may go now: what is left for the next time is not walked along in vain.
        let by_time = self
            .one(
                "SELECT seq - 1 FROM event WHERE time >= ?1 AND seq <= ?2 ORDER BY seq LIMIT 1",
                params![now.saturating_sub(keep_ms), furthest],
                |r| r.get(0),
            )?
            .unwrap_or(furthest);
        let to = by_rows.max(by_time).min(furthest);
        Ok(self.write("DELETE FROM event WHERE seq <= ?1", [to])? as u64)
    }
}
