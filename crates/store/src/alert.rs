//! The table `alert`: what people were told of a program that ran, and until when it was so.

use footplate_core::AttemptKey;
use footplate_core::alert::AlertFacts;
use footplate_core::event::{AlertChange, Event};
use rusqlite::{Row, params};

use crate::connection::{Read, Tx};
use crate::error::StoreError;
use crate::row;

/// The `rule` of a stall, which is no rule of the stage's list.
pub const STALL_RULE: i64 = -1;

/// One alert. Times are UTC milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertRow {
    /// Its number.
    pub id: i64,
    /// The attempt it is about.
    pub key: AttemptKey,
    /// The rule's place in the stage's alerts, or [`STALL_RULE`].
    pub rule: i64,
    /// From 1, within one attempt and rule.
    pub episode: u32,
    /// What is known of it.
    pub facts: AlertFacts,
    /// When it began.
    pub since: i64,
    /// When it was raised.
    pub raised_at: i64,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// When somebody said that it was seen.
    pub dismissed_at: Option<i64>,
}

const COLUMNS: &str = "id, run, stage, attempt, rule, episode, facts, since, raised_at, ended_at, dismissed_at";

fn from_row(r: &Row<'_>) -> rusqlite::Result<AlertRow> {
    Ok(AlertRow {
        id: r.get(0)?,
        key: AttemptKey { run: r.get(1)?, stage: r.get(2)?, attempt: r.get(3)? },
        rule: r.get(4)?,
        episode: r.get(5)?,
        facts: row::json(r, 6)?,
        since: r.get(7)?,
        raised_at: r.get(8)?,
        ended_at: r.get(9)?,
        dismissed_at: r.get(10)?,
    })
}

impl Read<'_> {
    /// The newest alerts of a run, newest first, at most `limit`.
    ///
    /// # Errors
    /// Those of reading.
    pub fn alerts(&self, run: i64, limit: u32) -> Result<Vec<AlertRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM alert WHERE run = ?1 ORDER BY id DESC LIMIT ?2");
        self.all(&sql, params![run, limit], from_row)
    }

    /// The alerts that have not ended and that nobody has dismissed, over all runs, newest first, at most `limit`.
    ///
    /// # Errors
    /// Those of reading.
    pub fn open_alerts(&self, limit: u32) -> Result<Vec<AlertRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM alert WHERE ended_at IS NULL AND dismissed_at IS NULL ORDER BY id DESC LIMIT ?1"
        );
        self.all(&sql, [limit], from_row)
    }

    /// How many runs have such alerts.
    ///
    /// # Errors
    /// Those of reading.
    pub fn runs_with_open_alerts(&self) -> Result<u64, StoreError> {
        let sql = "SELECT count(DISTINCT run) FROM alert WHERE ended_at IS NULL AND dismissed_at IS NULL";
        Ok(self.one(sql, [], |r| row::unsigned(r, 0))?.unwrap_or(0))
    }

    /// One alert.
    ///
    /// # Errors
    /// Those of reading.
    pub fn alert(&self, id: i64) -> Result<Option<AlertRow>, StoreError> {
        self.one(&format!("SELECT {COLUMNS} FROM alert WHERE id = ?1"), [id], from_row)
    }

    /// The alerts of an attempt that have not ended, dismissed or not, oldest first.
    ///
    /// # Errors
    /// Those of reading.
    pub fn alerts_of(&self, key: AttemptKey) -> Result<Vec<AlertRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM alert WHERE run = ?1 AND stage = ?2 AND attempt = ?3 AND ended_at IS NULL ORDER BY id"
        );
        self.all(&sql, params![key.run, key.stage, key.attempt], from_row)
    }

    /// The newest episode of a rule of an attempt; 0 before the first.
    ///
    /// # Errors
    /// Those of reading.
    pub fn last_episode(&self, key: AttemptKey, rule: i64) -> Result<u32, StoreError> {
        let sql = "SELECT max(episode) FROM alert WHERE run = ?1 AND stage = ?2 AND attempt = ?3 AND rule = ?4";
        let found = self.one(sql, params![key.run, key.stage, key.attempt, rule], |r| r.get::<_, Option<u32>>(0))?;
        Ok(found.flatten().unwrap_or(0))
    }
}

impl Tx<'_> {
    /// Writes an alert down, with its event. `None`: this episode was written before.
    ///
    /// # Errors
    /// A refused row where the stage is not there, and those of writing.
    pub fn raise_alert(
        &self,
        key: AttemptKey,
        (rule, episode): (i64, u32),
        facts: &AlertFacts,
        since: i64,
        now: i64,
    ) -> Result<Option<i64>, StoreError> {
        let new = self.write(
            "INSERT INTO alert (run, stage, attempt, rule, episode, facts, since, raised_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (run, stage, attempt, rule, episode) DO NOTHING",
            params![key.run, key.stage, key.attempt, rule, episode, row::to_json(facts)?, since, now],
        )?;
        if new == 0 {
            return Ok(None);
        }
        let id = self.conn.last_insert_rowid();
        self.tell_alert(key, id, AlertChange::Raised, now)?;
        Ok(Some(id))
    }

    /// An alert is not so any more. False where it had ended already.
    ///
    /// # Errors
    /// Those of writing.
    pub fn end_alert(&self, id: i64, ended_at: i64, now: i64) -> Result<bool, StoreError> {
        let Some(alert) = self.alert(id)?.filter(|alert| alert.ended_at.is_none()) else { return Ok(false) };
        self.write("UPDATE alert SET ended_at = ?2 WHERE id = ?1", params![id, ended_at.max(alert.since)])?;
        self.tell_alert(alert.key, id, AlertChange::Ended, now)?;
        Ok(true)
    }

    /// Somebody says that an alert was seen. False where it was said before.
    ///
    /// # Errors
    /// Those of writing.
    pub fn dismiss_alert(&self, id: i64, now: i64) -> Result<bool, StoreError> {
        let Some(alert) = self.alert(id)?.filter(|alert| alert.dismissed_at.is_none()) else { return Ok(false) };
        self.write("UPDATE alert SET dismissed_at = ?2 WHERE id = ?1", params![id, now])?;
        self.tell_alert(alert.key, id, AlertChange::Dismissed, now)?;
        Ok(true)
    }

    fn tell_alert(&self, key: AttemptKey, alert: i64, change: AlertChange, now: i64) -> Result<(), StoreError> {
        let event = Event::Alert { stage: key.stage, attempt: key.attempt, alert, change };
        self.append(Some(key.run), &event, now)?;
        Ok(())
    }
}
