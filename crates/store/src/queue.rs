//! The table `queue`: the rules of the queues. What stands in them are stages.

use std::collections::BTreeMap;

use footplate_core::StageStatus;
use footplate_core::event::Event;
use rusqlite::{Row, params};

use crate::connection::{Read, Tx};
use crate::error::StoreError;
use crate::row;
use crate::stage::OPEN;

/// One queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueRow {
    /// Its name.
    pub name: String,
    /// Higher starts first.
    pub priority: i32,
    /// Stages at once; `None`: the number of cores.
    pub limit: Option<u32>,
    /// Starts nothing.
    pub paused: bool,
}

/// A change of a queue's rule; `None` keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueChange {
    /// Higher starts first.
    pub priority: Option<i32>,
    /// Stages at once; `Some(None)`: the number of cores.
    pub limit: Option<Option<u32>>,
    /// Starts nothing.
    pub paused: Option<bool>,
}

/// How much stands in a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueCount {
    /// Its name, as stages give it.
    pub queue: String,
    /// Stages queued, drafts' and paused runs' among them.
    pub queued: u64,
    /// Stages running.
    pub running: u64,
}

fn from_row(r: &Row<'_>) -> rusqlite::Result<QueueRow> {
    Ok(QueueRow { name: r.get(0)?, priority: r.get(1)?, limit: r.get(2)?, paused: r.get(3)? })
}

impl Read<'_> {
    /// All queues, highest priority first.
    ///
    /// # Errors
    /// Those of reading.
    pub fn queues(&self) -> Result<Vec<QueueRow>, StoreError> {
        self.all("SELECT name, priority, lim, paused FROM queue ORDER BY priority DESC, name", [], from_row)
    }

    /// One queue.
    ///
    /// # Errors
    /// Those of reading.
    pub fn queue(&self, name: &str) -> Result<Option<QueueRow>, StoreError> {
        self.one("SELECT name, priority, lim, paused FROM queue WHERE name = ?1", [name], from_row)
    }

    /// Whether more than so many stages are queued; no more are counted than it takes to know.
    ///
    /// # Errors
    /// Those of reading.
    pub fn more_queued_than(&self, most: u64) -> Result<bool, StoreError> {
        let counted = self.one(
            "SELECT count(*) FROM (SELECT 1 FROM stage WHERE status = 'queued' LIMIT ?1)",
            [row::signed(most.saturating_add(1))],
            |r| row::unsigned(r, 0),
        )?;
        Ok(counted.unwrap_or(0) > most)
    }

    /// How many stages are queued and running in each queue; by name; queues without any are left out.
    ///
    /// # Errors
    /// Those of reading.
    pub fn queue_counts(&self) -> Result<Vec<QueueCount>, StoreError> {
        // In the order of the partial index: nothing is sorted, no row of the table is read.
        let counts = self.all(
            &format!("SELECT queue, status, count(*) FROM stage WHERE {OPEN} GROUP BY status, queue"),
            [],
            |r| Ok((r.get::<_, String>(0)?, row::word::<StageStatus>(r, 1)?, row::unsigned(r, 2)?)),
        )?;
        let mut queues: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for (queue, status, stages) in counts {
            match status {
                StageStatus::Queued => queues.entry(queue).or_default().0 += stages,
                StageStatus::Running => queues.entry(queue).or_default().1 += stages,
                _ => {}
            }
        }
        Ok(queues.into_iter().map(|(queue, (queued, running))| QueueCount { queue, queued, running }).collect())
    }
}

impl Tx<'_> {
    /// Changes a queue's rule, or makes the queue (priority 0, one at a time), with the event.
    ///
    /// # Errors
    /// A refused row where the name is empty, and those of writing.
    pub fn put_queue(&self, name: &str, change: &QueueChange, now: i64) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO queue (name, priority, lim, paused) VALUES (?1, 0, 1, 0) ON CONFLICT (name) DO NOTHING",
            [name],
        )?;
        self.write(
            "UPDATE queue SET priority = coalesce(?2, priority), lim = iif(?3, ?4, lim), paused = coalesce(?5, paused)
             WHERE name = ?1",
            params![name, change.priority, change.limit.is_some(), change.limit.flatten(), change.paused],
        )?;
        self.append(None, &Event::QueueChanged { queue: name.to_owned() }, now).map(|_| ())
    }
}
