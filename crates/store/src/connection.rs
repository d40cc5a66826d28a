//! One connection to `state.db`, its snapshots and its transactions.

use std::cell::{Cell, RefCell};
use std::ops::Deref;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use footplate_core::RunStatus;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Params, Row};

use crate::error::StoreError;
use crate::migrate::{self, SCHEMA_VERSION};
use crate::pace::{self, Pace};

/// How many runs were added, by what they are counted by: status, queue, experiment or ''.
type NewRuns = Vec<((RunStatus, String, String), u32)>;

/// Who opens the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The one who holds `owner.lock`: migrates, and leaves gaps for guests when it writes without a break.
    Owner,
    /// Anyone else who writes runs and wishes.
    Guest,
    /// Reads only; may open a file of a newer format.
    ReadOnly,
}

/// One connection to `state.db`. May be sent to another thread, not shared between threads.
#[derive(Debug)]
pub struct Store {
    conn: Connection,
    role: Role,
    place: Place,
    /// How many [`Read`]s are open; they share one snapshot.
    reading: Cell<u32>,
    pace: Pace,
}

/// Where the file was when it was opened, and which file it was: a restore puts another one there.
#[derive(Debug)]
struct Place {
    path: PathBuf,
    file: (u64, u64),
}

impl Place {
    fn of(path: &Path) -> Result<Place, StoreError> {
        let about = std::fs::metadata(path).map_err(|e| StoreError::io(path, e))?;
        if about.len() == 0 {
            // SQLite would take it for a new one.
            return Err(StoreError::Damaged("the file is empty".to_owned()));
        }
        Ok(Place { path: path.to_owned(), file: (about.dev(), about.ino()) })
    }

    fn still(&self) -> Result<(), StoreError> {
        let there = std::fs::metadata(&self.path).map(|about| (about.dev(), about.ino()));
        if there.is_ok_and(|there| there == self.file) { Ok(()) } else { Err(StoreError::Replaced) }
    }
}

impl Store {
    /// Opens `state.db` in the data folder `dir`, and makes it where it is not there yet (owners and guests).
    ///
    /// # Errors
    /// `Newer`; `Older` unless `role` is `Owner`, who migrates; `Io`, `Damaged`, `Busy` after 30 s; `Missing` where there is none and
    /// one has been.
    pub fn open(dir: &Path, role: Role) -> Result<Store, StoreError> {
        let path = dir.join("state.db");
        match path.try_exists() {
            Ok(true) => {}
            Ok(false) if role == Role::ReadOnly => {
                return Err(StoreError::io(&path, std::io::ErrorKind::NotFound.into()));
            }
            Ok(false) => migrate::create_missing(dir, &path)?,
            Err(e) => return Err(StoreError::io(&path, e)),
        }
        let access = match role {
            Role::ReadOnly => OpenFlags::SQLITE_OPEN_READ_ONLY,
            Role::Owner | Role::Guest => OpenFlags::SQLITE_OPEN_READ_WRITE,
        };
        let (place, mut conn) = loop {
            let place = Place::of(&path)?;
            let conn = Connection::open_with_flags(&path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
            // A restore may have come in between.
            if place.still().is_ok() {
                break (place, conn);
            }
        };
        // Else SQLite plans most statements anew each time a value is bound to them, in case statistics would tell it more
        // about that value; there are none here, and it would be a quarter of the owner's work.
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        conn.busy_handler(Some(pace::busy_handler(role == Role::Owner)))?;
        conn.execute_batch(
            "PRAGMA trusted_schema = OFF; PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;
             PRAGMA journal_size_limit = 16777216;",
        )?;
        // Pages. Copying the journal back is the owner's work: a guest that writes a whole sweep should not wait for it.
        conn.pragma_update(None, "wal_autocheckpoint", if role == Role::Owner { 4000 } else { 16_000 })?;
        if cfg!(target_os = "macos") {
            conn.execute_batch("PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON;")?;
        }
        // KiB. The owner lives long and is to stay small; guests come and go, and write whole sweeps.
        conn.pragma_update(None, "cache_size", if role == Role::Owner { -4096 } else { -16384 })?;
        conn.set_prepared_statement_cache_capacity(128);
        let found = migrate::user_version(&conn)?;
        if found > SCHEMA_VERSION && role != Role::ReadOnly {
            return Err(StoreError::Newer { found, known: SCHEMA_VERSION });
        }
        if found < SCHEMA_VERSION {
            if role != Role::Owner {
                return Err(StoreError::Older { found, known: SCHEMA_VERSION });
            }
            migrate::bring_up_to_date(dir, &mut conn)?;
        }
        Ok(Store { conn, role, place, reading: Cell::new(0), pace: Pace::default() })
    }

    /// The format of the file as it is now; greater than [`SCHEMA_VERSION`] where a newer version wrote it.
    ///
    /// # Errors
    /// Those of reading.
    pub fn version(&self) -> Result<u32, StoreError> {
        migrate::user_version(&self.conn)
    }

    /// `false`: commits of this connection no longer wait for the disk (they are still whole or not there, and in order). For what
    /// may be lost at a power cut: `latest` and `capacity`.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn set_durable(&self, durable: bool) -> Result<(), StoreError> {
        Ok(self.conn.pragma_update(None, "synchronous", if durable { "FULL" } else { "NORMAL" })?)
    }

    /// Keeps at most so many KiB of what was read, for a connection that stays open and mostly waits. What is forgotten is read
    /// again from the system's own cache.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn set_cache_kib(&self, kib: u32) -> Result<(), StoreError> {
        Ok(self.conn.pragma_update(None, "cache_size", -i64::from(kib))?)
    }

    /// Runs `f` in a write transaction and commits; an error rolls all of it back.
    ///
    /// # Errors
    /// What `f` returns, and those of [`Store::begin`] and [`Tx::commit`].
    pub fn write<T>(&mut self, f: impl FnOnce(&Tx<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let tx = self.begin()?;
        let value = f(&tx)?;
        tx.commit()?;
        Ok(value)
    }

    /// Begins a write transaction; dropped without a commit, it is rolled back.
    ///
    /// # Errors
    /// `Busy` after 30 s, `Newer` where another version migrated the file meanwhile, `Replaced` where it was restored, `ReadOnly`.
    pub fn begin(&mut self) -> Result<Tx<'_>, StoreError> {
        let since = match self.role {
            Role::Owner => self.pace.before(),
            Role::Guest => Instant::now(),
            Role::ReadOnly => {
                let found = self.version()?;
                return Err(match found {
                    found if found > SCHEMA_VERSION => StoreError::Newer { found, known: SCHEMA_VERSION },
                    _ => StoreError::ReadOnly,
                });
            }
        };
        self.conn.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let read = Read { conn: &self.conn, reading: None };
        let tx = Tx { read, pace: &mut self.pace, since, uncounted: RefCell::default() };
        // With the lock in hand: a restore holds it while it puts another file there.
        self.place.still()?;
        match migrate::user_version(tx.conn)? {
            SCHEMA_VERSION => Ok(tx),
            found if found > SCHEMA_VERSION => Err(StoreError::Newer { found, known: SCHEMA_VERSION }),
            found => Err(StoreError::Older { found, known: SCHEMA_VERSION }),
        }
    }

    /// A consistent snapshot to read from; ends when it is dropped. Several at once on one connection share the first one's.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn read(&self) -> Result<Read<'_>, StoreError> {
        if self.reading.get() == 0 {
            self.conn.prepare_cached("BEGIN DEFERRED")?.execute([])?;
        }
        self.reading.set(self.reading.get() + 1);
        Ok(Read { conn: &self.conn, reading: Some(&self.reading) })
    }

    /// Another number each time another connection has committed something. Costs microseconds.
    ///
    /// # Errors
    /// `Replaced` where the store was restored: open it again; those of SQLite.
    pub fn data_version(&self) -> Result<i64, StoreError> {
        self.place.still()?;
        Ok(self.conn.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?)
    }

    /// The file's own random name, made when it was created: cursors and numbers of another epoch mean nothing here.
    ///
    /// # Errors
    /// Those of reading.
    pub fn epoch(&self) -> Result<String, StoreError> {
        Ok(self.conn.query_row("SELECT value FROM epoch", [], |row| row.get(0))?)
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.conn
    }
}

/// A snapshot: everything read from it is of one moment.
#[derive(Debug)]
pub struct Read<'a> {
    pub(crate) conn: &'a Connection,
    /// `None` within a [`Tx`], which ends itself.
    reading: Option<&'a Cell<u32>>,
}

impl Read<'_> {
    pub(crate) fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        f: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.conn.prepare_cached(sql)?.query_row(params, f).optional()?)
    }

    pub(crate) fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        f: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        Ok(self.conn.prepare_cached(sql)?.query_map(params, f)?.collect::<rusqlite::Result<_>>()?)
    }
}

impl Drop for Read<'_> {
    fn drop(&mut self) {
        if let Some(reading) = self.reading {
            reading.set(reading.get() - 1);
            if reading.get() == 0 {
                // Nothing was written: there is nothing to lose where this fails.
                let _ = self.conn.prepare_cached("COMMIT").and_then(|mut s| s.execute([]));
            }
        }
    }
}

/// A write transaction: reads like [`Read`], and writes.
#[derive(Debug)]
pub struct Tx<'a> {
    read: Read<'a>,
    pace: &'a mut Pace,
    since: Instant,
    /// Runs that were added and stand in no count yet.
    uncounted: RefCell<NewRuns>,
}

impl<'a> Deref for Tx<'a> {
    type Target = Read<'a>;
    fn deref(&self) -> &Read<'a> {
        &self.read
    }
}

impl Tx<'_> {
    /// Commits; when this returns, it is on the disk (see [`Store::set_durable`]).
    ///
    /// # Errors
    /// `Full`, `Busy` and those of SQLite; nothing was committed then.
    pub fn commit(self) -> Result<(), StoreError> {
        self.count_new_runs()?;
        self.conn.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }

    /// Runs `f`; an error of its takes back what it wrote, and nothing else of the transaction.
    ///
    /// # Errors
    /// What `f` returns.
    pub fn savepoint<T>(&self, f: impl FnOnce(&Self) -> Result<T, StoreError>) -> Result<T, StoreError> {
        // `write` counts what was added before; what is added within and taken back must not be counted.
        self.write("SAVEPOINT step", [])?;
        match f(self) {
            Ok(value) => {
                self.write("RELEASE step", [])?;
                Ok(value)
            }
            Err(error) => {
                self.uncounted.borrow_mut().clear();
                // Where SQLite gave up the whole transaction (no room), there is nothing to go back to.
                if !self.conn.is_autocommit() {
                    self.write("ROLLBACK TO step", [])?;
                    self.write("RELEASE step", [])?;
                }
                Err(error)
            }
        }
    }

    /// Runs one writing statement and says how many rows it changed.
    pub(crate) fn write(&self, sql: &str, params: impl Params) -> Result<usize, StoreError> {
        self.count_new_runs()?;
        self.add(sql, params)
    }

    /// Counts a new run, at the latest before the next statement that could change a count. Not by a trigger, nor one by one: each would
    /// cost more than the run's own row.
    pub(crate) fn count_later(&self, status: RunStatus, queue: &str, experiment: Option<&str>) {
        let mut uncounted = self.uncounted.borrow_mut();
        let experiment = experiment.unwrap_or("");
        let known = uncounted.iter_mut().rev().find(|((s, q, e), _)| *s == status && q == queue && e == experiment);
        match known {
            Some((_, runs)) => *runs += 1,
            None => uncounted.push(((status, queue.to_owned(), experiment.to_owned()), 1)),
        }
    }

    /// Brings the counts up to date; [`Tx::write`] does so by itself.
    pub(crate) fn count_new_runs(&self) -> Result<(), StoreError> {
        let uncounted = std::mem::take(&mut *self.uncounted.borrow_mut());
        for ((status, queue, experiment), runs) in uncounted {
            self.add(
                "INSERT INTO run_count (status, queue, experiment, runs) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET runs = runs + excluded.runs",
                rusqlite::params![status.as_str(), queue, experiment, runs],
            )?;
        }
        Ok(())
    }

    /// Runs a statement that only adds rows, other than to the counts.
    pub(crate) fn add(&self, sql: &str, params: impl Params) -> Result<usize, StoreError> {
        // SQLite may have rolled back by itself; outside a transaction each statement would count on its own.
        if self.conn.is_autocommit() {
            return Err(StoreError::Full);
        }
        Ok(self.conn.prepare_cached(sql)?.execute(params)?)
    }
}

impl Drop for Tx<'_> {
    fn drop(&mut self) {
        if !self.conn.is_autocommit() {
            let _ = self.conn.execute_batch("ROLLBACK");
        }
        self.pace.after(self.since);
    }
}
