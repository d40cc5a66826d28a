//! The tables `schedule`, work that repeats, and `scheduled`, which runs it came to. Guests write new schedules; everything else about one is
//! the owner's.

use footplate_core::UtcMs;
use footplate_core::event::Event;
use footplate_core::timetable::{CatchUp, Missed, Overlap, ScheduledBy};
use rusqlite::{Row, params};

use crate::connection::{Read, Tx};
use crate::error::StoreError;
use crate::row;

/// So many of the newest times that a schedule missed are kept.
const MISSED_MOST: usize = 20;

/// One schedule. Times are UTC milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleRow {
    /// UUIDv7; a second insert with the same id does nothing.
    pub id: String,
    /// What people call it; no other has the same.
    pub name: String,
    /// What it runs, and with which values: JSON that the engine knows.
    pub job: String,
    /// The working folder of its runs.
    pub cwd: Vec<u8>,
    /// The captured environment in `env/`.
    pub env_hash: String,
    /// The name of its file in `secrets/`.
    pub secrets: Option<String>,
    /// The submitter's umask, 0 to 0o777.
    pub umask: u32,
    /// The submitter's resource limits as JSON.
    pub limits: String,
    /// `30 2 * * *`, `@daily` or `every 6h`.
    pub timing: String,
    /// The IANA name of its time zone.
    pub zone: String,
    /// What becomes of times that nobody saw.
    pub catch_up: CatchUp,
    /// What becomes of a start while its last run has not ended.
    pub overlap: Overlap,
    /// False: paused.
    pub enabled: bool,
    /// When it is due next; none where it never is again.
    pub next_at: Option<i64>,
    /// The number of the run it started last.
    pub last_run: Option<i64>,
    /// The newest times it missed, newest first.
    pub missed: Vec<Missed>,
    /// When it was made; intervals count from here.
    pub created_at: i64,
}

const COLUMNS: &str = "id, name, job, cwd, env_hash, secrets, umask, limits, timing, zone, catch_up, overlap, enabled, next_at, \
     last_run, missed, created_at";

fn from_row(r: &Row<'_>) -> rusqlite::Result<ScheduleRow> {
    Ok(ScheduleRow {
        id: r.get(0)?,
        name: r.get(1)?,
        job: r.get(2)?,
        cwd: r.get(3)?,
        env_hash: r.get(4)?,
        secrets: r.get(5)?,
        umask: r.get(6)?,
        limits: r.get(7)?,
        timing: r.get(8)?,
        zone: r.get(9)?,
        catch_up: if r.get_ref(10)?.as_str()? == "skip" { CatchUp::Skip } else { CatchUp::Once },
        overlap: if r.get_ref(11)?.as_str()? == "queue" { Overlap::Queue } else { Overlap::Skip },
        enabled: r.get(12)?,
        next_at: r.get(13)?,
        last_run: r.get(14)?,
        missed: row::list(r, 15)?,
        created_at: r.get(16)?,
    })
}

fn catch_up(rule: CatchUp) -> &'static str {
    match rule {
        CatchUp::Once => "once",
        CatchUp::Skip => "skip",
    }
}

fn overlap(rule: Overlap) -> &'static str {
    match rule {
        Overlap::Skip => "skip",
        Overlap::Queue => "queue",
    }
}

impl Read<'_> {
    /// All schedules, by name.
    ///
    /// # Errors
    /// Those of reading.
    pub fn schedules(&self) -> Result<Vec<ScheduleRow>, StoreError> {
        self.all(&format!("SELECT {COLUMNS} FROM schedule ORDER BY name COLLATE NOCASE"), [], from_row)
    }

    /// One schedule by its name.
    ///
    /// # Errors
    /// Those of reading.
    pub fn schedule(&self, name: &str) -> Result<Option<ScheduleRow>, StoreError> {
        self.one(&format!("SELECT {COLUMNS} FROM schedule WHERE name = ?1"), [name], from_row)
    }

    /// Those that are enabled and due at `now`, longest due first, at most `limit`.
    ///
    /// # Errors
    /// Those of reading.
    pub fn schedules_due(&self, now: i64, limit: u32) -> Result<Vec<ScheduleRow>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM schedule WHERE enabled = 1 AND next_at <= ?1 ORDER BY next_at, id LIMIT ?2");
        self.all(&sql, params![now, limit], from_row)
    }

    /// When the first of those that are enabled is due, those with these ids left out; none where no time is to come.
    ///
    /// # Errors
    /// Those of reading.
    pub fn next_schedule(&self, but: &[String]) -> Result<Option<i64>, StoreError> {
        if but.is_empty() {
            let sql = "SELECT min(next_at) FROM schedule WHERE enabled = 1 AND next_at IS NOT NULL";
            return Ok(self.one(sql, [], |r| r.get::<_, Option<i64>>(0))?.flatten());
        }
        let sql = "SELECT min(next_at) FROM schedule WHERE enabled = 1 AND next_at IS NOT NULL \
                   AND id NOT IN (SELECT value FROM json_each(?1))";
        let ids = serde_json::Value::from(but).to_string();
        Ok(self.one(sql, params![ids], |r| r.get::<_, Option<i64>>(0))?.flatten())
    }

    /// Whether a schedule has a run for this time.
    ///
    /// # Errors
    /// Those of reading.
    pub fn is_scheduled(&self, id: &str, due: i64) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM scheduled WHERE schedule = ?1 AND due = ?2";
        Ok(self.one(sql, params![id, due], |_| Ok(()))?.is_some())
    }

    /// The schedule that started a run.
    ///
    /// # Errors
    /// Those of reading.
    pub fn scheduled_by(&self, run: i64) -> Result<Option<ScheduledBy>, StoreError> {
        self.one("SELECT name, due FROM scheduled WHERE run = ?1", [run], |r| {
            Ok(ScheduledBy { name: r.get(0)?, due: UtcMs(r.get(1)?) })
        })
    }
}

impl Tx<'_> {
    /// Writes a schedule down, with its event. False: one of that id is there already.
    ///
    /// # Errors
    /// A refused row where another has its name, and those of writing.
    pub fn insert_schedule(&self, s: &ScheduleRow, now: i64) -> Result<bool, StoreError> {
        let sql = format!(
            "INSERT INTO schedule ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
             ON CONFLICT (id) DO NOTHING"
        );
        let values = params![
            s.id,
            s.name,
            s.job,
            s.cwd,
            s.env_hash,
            s.secrets,
            s.umask,
            s.limits,
            s.timing,
            s.zone,
            catch_up(s.catch_up),
            overlap(s.overlap),
            s.enabled,
            s.next_at,
            s.last_run,
            row::to_json(&s.missed)?,
            s.created_at,
        ];
        let new = self.write(&sql, values)? > 0;
        if new {
            self.schedule_changed(&s.name, now)?;
        }
        Ok(new)
    }

    /// The times up to the one it was to be looked at, `from`, are dealt with: it is due `next`. False, and nothing is written, where it
    /// was dealt with, paused or removed meanwhile.
    ///
    /// # Errors
    /// Those of writing.
    pub fn advance_schedule(&self, id: &str, from: i64, next: Option<i64>) -> Result<bool, StoreError> {
        let sql = "UPDATE schedule SET next_at = ?3 WHERE id = ?1 AND next_at = ?2 AND enabled = 1";
        Ok(self.write(sql, params![id, from, next])? > 0)
    }

    /// A run of this transaction is the schedule's, for this time.
    ///
    /// # Errors
    /// A refused row where another run is the one of that time, and those of writing.
    pub fn put_scheduled(&self, run: i64, schedule: &ScheduleRow, due: i64) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO scheduled (run, schedule, name, due) VALUES (?1, ?2, ?3, ?4)",
            params![run, schedule.id, schedule.name, due],
        )?;
        self.write("UPDATE schedule SET last_run = ?2 WHERE id = ?1", params![schedule.id, run])?;
        Ok(())
    }

    /// Times went by without a start, with the event. Like the newest ones before, they are told with those.
    ///
    /// # Errors
    /// Those of writing.
    pub fn miss_schedule(&self, id: &str, missed: Missed, now: i64) -> Result<(), StoreError> {
        let found = self.one(&format!("SELECT {COLUMNS} FROM schedule WHERE id = ?1"), [id], from_row)?;
        let Some(schedule) = found else { return Ok(()) };
        let mut all = schedule.missed;
        match all.first_mut().filter(|newest| newest.why == missed.why) {
            Some(newest) => {
                newest.until = missed.until;
                newest.times = newest.times.saturating_add(missed.times);
            }
            None => all.insert(0, missed),
        }
        all.truncate(MISSED_MOST);
        self.write("UPDATE schedule SET missed = ?2 WHERE id = ?1", params![id, row::to_json(&all)?])?;
        self.schedule_changed(&schedule.name, now)
    }

    /// Pauses it, or lets it go on at `next`, with the event.
    ///
    /// # Errors
    /// Those of writing.
    pub fn set_schedule(
        &self,
        schedule: &ScheduleRow,
        enabled: bool,
        next: Option<i64>,
        now: i64,
    ) -> Result<(), StoreError> {
        self.write(
            "UPDATE schedule SET enabled = ?2, next_at = ?3 WHERE id = ?1",
            params![schedule.id, enabled, next],
        )?;
        self.schedule_changed(&schedule.name, now)
    }

    /// Writes down its name, its rule, what it runs and when it is due, with the event; all else stays.
    ///
    /// # Errors
    /// A refused row where another has its name, and those of writing.
    pub fn edit_schedule(&self, s: &ScheduleRow, now: i64) -> Result<(), StoreError> {
        self.write(
            "UPDATE schedule SET name = ?2, job = ?3, secrets = ?4, timing = ?5, zone = ?6, catch_up = ?7, overlap = ?8, next_at = ?9
             WHERE id = ?1",
            params![
                s.id,
                s.name,
                s.job,
                s.secrets,
                s.timing,
                s.zone,
                catch_up(s.catch_up),
                overlap(s.overlap),
                s.next_at
            ],
        )?;
        self.schedule_changed(&s.name, now)
    }

    /// Removes it, with the event; its runs stay. False: it is not there.
    ///
    /// # Errors
    /// Those of writing.
    pub fn remove_schedule(&self, schedule: &ScheduleRow, now: i64) -> Result<bool, StoreError> {
        let removed = self.write("DELETE FROM schedule WHERE id = ?1", [&schedule.id])? > 0;
        if removed {
            self.schedule_changed(&schedule.name, now)?;
        }
        Ok(removed)
    }

    fn schedule_changed(&self, name: &str, now: i64) -> Result<(), StoreError> {
        self.append(None, &Event::ScheduleChanged { schedule: name.to_owned() }, now).map(|_| ())
    }
}
