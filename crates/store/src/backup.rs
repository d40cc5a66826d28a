//! Copies of the store, in one step, verified before they count; and what such a file holds.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use footplate_core::RunId;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use crate::connection::Store;
use crate::error::StoreError;
use crate::examine;
use crate::migrate::{self, SCHEMA_VERSION};
use crate::row;

/// What a copy holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// The format of the file.
    pub format: u32,
    /// The epoch of the store it was taken from.
    pub epoch: String,
    /// How many runs.
    pub runs: u64,
    /// The greatest number of a run; 0 where there is none.
    pub newest_run: i64,
    /// The greatest number of an event.
    pub last_seq: i64,
    /// Its size, bytes.
    pub bytes: u64,
}

impl Store {
    /// Makes the file keep its journal in a file beside it (WAL), as a copy does not.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn use_journal(&self) -> Result<(), StoreError> {
        Ok(self.connection().pragma_update(None, "journal_mode", "WAL")?)
    }

    /// Copies the journal back into the file, as far as nobody reads what is in it.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn take_journal_in(&self) -> Result<(), StoreError> {
        Ok(self.connection().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }

    /// Writes a copy of the whole store, as of one moment, to `path` (0600); replaces a file there. The copy is verified (see
    /// [`verify`]) before it gets its name, and is one file: nothing stands in a journal beside it.
    ///
    /// # Errors
    /// `Full`, `Io`, or `Damaged` where the copy does not check out.
    pub fn backup_to(&self, path: &Path) -> Result<Copy, StoreError> {
        backup(self.connection(), path)
    }
}

/// Looks through a copy that nobody writes to: `PRAGMA integrity_check`, its format, and that its tables can be read.
///
/// # Errors
/// `Damaged` with what is wrong; `Newer` where another version wrote it; `Io`.
pub fn verify(path: &Path) -> Result<Copy, StoreError> {
    known(look_through(path)?)
}

/// The same whatever version wrote it.
fn look_through(path: &Path) -> Result<Copy, StoreError> {
    let conn = open_closed(path)?;
    let faults = examine::integrity(&conn)?;
    match faults.into_iter().next() {
        Some(first) => Err(StoreError::Damaged(first)),
        None => facts(&conn, path),
    }
}

fn known(copy: Copy) -> Result<Copy, StoreError> {
    if copy.format > SCHEMA_VERSION {
        return Err(StoreError::Newer { found: copy.format, known: SCHEMA_VERSION });
    }
    Ok(copy)
}

/// What a copy holds, as far as it can be told without looking through it.
///
/// # Errors
/// As [`verify`].
pub fn peek(path: &Path) -> Result<Copy, StoreError> {
    known(facts(&open_closed(path)?, path)?)
}

/// The ids of the runs in a copy.
///
/// # Errors
/// As [`verify`].
pub fn run_ids(path: &Path) -> Result<Vec<RunId>, StoreError> {
    let conn = open_closed(path)?;
    let mut statement = conn.prepare("SELECT id FROM run")?;
    let ids = statement.query_map([], |row| row::run_id(row, 0))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

/// Opens a file that nobody writes to: no lock is taken, and no journal is made beside it.
fn open_closed(path: &Path) -> Result<Connection, StoreError> {
    let mut uri = "file:".to_owned();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => uri.push(char::from(*byte)),
            other => {
                // Writing to a String does not fail.
                let _ = write!(uri, "%{other:02X}");
            }
        }
    }
    uri.push_str("?immutable=1");
    std::fs::metadata(path).map_err(|e| StoreError::io(path, e))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(uri, flags)?;
    conn.execute_batch("PRAGMA trusted_schema = OFF;")?;
    Ok(conn)
}

fn facts(conn: &Connection, path: &Path) -> Result<Copy, StoreError> {
    let format = migrate::user_version(conn)?;
    if format == 0 {
        return Err(StoreError::Damaged("it is not a store".to_owned()));
    }
    let bytes = std::fs::metadata(path).map_err(|e| StoreError::io(path, e))?.len();
    // Of an older format too: these columns are as old as the store.
    let copy = conn.query_row(
        "SELECT (SELECT value FROM epoch), (SELECT count(*) FROM run), (SELECT coalesce(max(number), 0) FROM run),
                (SELECT coalesce(max(seq), 0) FROM event)",
        [],
        |row| {
            let runs: i64 = row.get(1)?;
            Ok(Copy {
                format,
                epoch: row.get(0)?,
                runs: runs.unsigned_abs(),
                newest_run: row.get(2)?,
                last_seq: row.get(3)?,
                bytes,
            })
        },
    )?;
    Ok(copy)
}

pub(crate) fn backup(conn: &Connection, path: &Path) -> Result<Copy, StoreError> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(format!(".new-{}", std::process::id()));
    let aside = Path::new(&aside);
    let done = copy(conn, aside)
        .and_then(|()| look_through(aside))
        .and_then(|copy| std::fs::rename(aside, path).map(|()| copy).map_err(|e| StoreError::io(path, e)))
        .and_then(|copy| match path.parent() {
            Some(folder) => File::open(folder)
                .and_then(|folder| folder.sync_all())
                .map(|()| copy)
                .map_err(|e| StoreError::io(folder, e)),
            None => Ok(copy),
        });
    if done.is_err() {
        let _ = std::fs::remove_file(aside);
    }
    done
}

fn copy(conn: &Connection, aside: &Path) -> Result<(), StoreError> {
    OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(aside)
        .map_err(|e| StoreError::io(aside, e))?;
    let mut target = Connection::open(aside)?;
    {
        let backup = Backup::new(conn, &mut target)?;
        // One step: one snapshot, however much others write meanwhile.
        match backup.step(-1)? {
            StepResult::Done => {}
            StepResult::Busy | StepResult::Locked => return Err(StoreError::Busy),
            _ => return Err(StoreError::Damaged("the copy did not come to its end".to_owned())),
        }
    }
    // The header says WAL, as the original's does; a copy has to be one file.
    target.pragma_update(None, "journal_mode", "DELETE")?;
    target.close().map_err(|(_, e)| StoreError::from(e))?;
    File::open(aside).and_then(|file| file.sync_all()).map_err(|e| StoreError::io(aside, e))
}
