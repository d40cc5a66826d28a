//! The table `wish`: what guests ask of the owner. On disk before anything is done about it; a repeat is harmless.

use footplate_core::ErrorCode;
use footplate_core::event::Event;
use rusqlite::{Row, params};

use crate::connection::{Read, Tx};
use crate::error::StoreError;
use crate::row;

/// What became of a wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WishStatus {
    /// Not answered yet.
    Pending,
    /// Done.
    Done,
    /// Refused, with a code.
    Refused,
}

impl WishStatus {
    /// The word in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            WishStatus::Pending => "pending",
            WishStatus::Done => "done",
            WishStatus::Refused => "refused",
        }
    }
}

impl std::str::FromStr for WishStatus {
    type Err = ();
    fn from_str(word: &str) -> Result<Self, ()> {
        match word {
            "pending" => Ok(WishStatus::Pending),
            "done" => Ok(WishStatus::Done),
            "refused" => Ok(WishStatus::Refused),
            _ => Err(()),
        }
    }
}

/// A wish and its answer. Times are UTC milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WishRow {
    /// Its place in the order of all wishes.
    pub seq: i64,
    /// From the guest, unique.
    pub id: String,
    /// The run's number, where it concerns one.
    pub run: Option<i64>,
    /// The generation of the run that the guest saw.
    pub generation: Option<u32>,
    /// What is wished: `cancel`, `pause` ...
    pub kind: String,
    /// More about it, as JSON.
    pub args: String,
    /// What became of it.
    pub status: WishStatus,
    /// The code of a refusal.
    pub code: Option<ErrorCode>,
    /// The answer in one sentence.
    pub message: Option<String>,
    /// When it was written.
    pub created_at: i64,
    /// When it was answered.
    pub done_at: Option<i64>,
}

/// A wish to be written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewWish {
    /// From the guest, unique; a second insert with the same id does nothing.
    pub id: String,
    /// The run's number, where it concerns one.
    pub run: Option<i64>,
    /// The generation of the run that the guest saw.
    pub generation: Option<u32>,
    /// What is wished.
    pub kind: String,
    /// More about it, as JSON.
    pub args: String,
    /// When it is written, UTC milliseconds.
    pub created_at: i64,
}

const COLUMNS: &str = "seq, id, run, generation, kind, args, status, code, message, created_at, done_at";

fn from_row(r: &Row<'_>) -> rusqlite::Result<WishRow> {
    Ok(WishRow {
        seq: r.get(0)?,
        id: r.get(1)?,
        run: r.get(2)?,
        generation: r.get(3)?,
        kind: r.get(4)?,
        args: r.get(5)?,
        status: row::word(r, 6)?,
        code: row::code(r, 7)?,
        message: r.get(8)?,
        created_at: r.get(9)?,
        done_at: r.get(10)?,
    })
}

impl Read<'_> {
    /// The wishes not answered yet, in their order.
    ///
    /// # Errors
    /// Those of reading.
    pub fn pending_wishes(&self) -> Result<Vec<WishRow>, StoreError> {
        self.all(&format!("SELECT {COLUMNS} FROM wish WHERE status = 'pending' ORDER BY seq"), [], from_row)
    }

    /// One wish.
    ///
    /// # Errors
    /// Those of reading.
    pub fn wish(&self, id: &str) -> Result<Option<WishRow>, StoreError> {
        self.one(&format!("SELECT {COLUMNS} FROM wish WHERE id = ?1"), [id], from_row)
    }

    /// The cancel wishes of that generation of a run that were not refused (of the whole run and of single stages: see `args`).
    ///
    /// # Errors
    /// Those of reading.
    pub fn cancel_wishes(&self, run: i64, generation: u32) -> Result<Vec<WishRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM wish
             WHERE kind = 'cancel' AND run = ?1 AND generation = ?2 AND status IN ('pending','done') ORDER BY seq"
        );
        self.all(&sql, params![run, generation], from_row)
    }

    /// Whether that generation of a run has a cancel wish, pending or done.
    ///
    /// # Errors
    /// Those of reading.
    pub fn accepted_cancel(&self, run: i64, generation: u32) -> Result<bool, StoreError> {
        Ok(self
            .one(
                "SELECT 1 FROM wish
                 WHERE kind = 'cancel' AND run = ?1 AND generation = ?2 AND status IN ('pending','done') LIMIT 1",
                params![run, generation],
                |_| Ok(()),
            )?
            .is_some())
    }
}

impl Tx<'_> {
    /// Writes down a wish. Returns its place in the order; that of the first, where one of that id is there.
    ///
    /// # Errors
    /// Those of writing.
    pub fn insert_wish(&self, wish: &NewWish) -> Result<i64, StoreError> {
        self.write(
            "INSERT INTO wish (id, run, generation, kind, args, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (id) DO NOTHING",
            params![wish.id, wish.run, wish.generation, wish.kind, wish.args, wish.created_at],
        )?;
        self.one("SELECT seq FROM wish WHERE id = ?1", [&wish.id], |r| r.get(0))?
            .ok_or_else(|| StoreError::Damaged("the index of wishes".to_owned()))
    }

    /// Answers a pending wish, with the event. A refusal without a code gets `refused`; the code of a wish that was done is left
    /// out. `false`: it was answered before, or is not there.
    ///
    /// # Errors
    /// Those of writing.
    pub fn answer_wish(
        &self,
        id: &str,
        done: bool,
        code: Option<ErrorCode>,
        message: &str,
        now: i64,
    ) -> Result<bool, StoreError> {
        let status = if done { WishStatus::Done } else { WishStatus::Refused };
        let code = (!done).then(|| code.unwrap_or(ErrorCode::Refused));
        let run: Option<Option<i64>> = self.one(
            "UPDATE wish SET status = ?2, code = ?3, message = ?4, done_at = ?5
             WHERE id = ?1 AND status = 'pending' RETURNING run",
            params![id, status.as_str(), code.map(ErrorCode::as_str), message, now],
            |r| r.get(0),
        )?;
        let Some(run) = run else { return Ok(false) };
        self.append(run, &Event::WishAnswered { wish: id.to_owned(), done, code }, now)?;
        Ok(true)
    }

    /// Removes answered wishes written before `ms`, at most `limit`. Returns how many.
    ///
    /// # Errors
    /// Those of writing.
    pub fn trim_wishes(&self, ms: i64, limit: u32) -> Result<u64, StoreError> {
        let removed = self.write(
            "DELETE FROM wish WHERE seq IN
               (SELECT seq FROM wish WHERE status <> 'pending' AND created_at < ?1 ORDER BY seq LIMIT ?2)",
            params![ms, limit],
        )?;
        Ok(removed as u64)
    }
}
