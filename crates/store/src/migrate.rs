//! How the file comes to be and is brought up to date.
//!
//! A new file is built aside under `schema.lock` and renamed, so that nobody ever opens half a store. Only an owner migrates.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rusqlite::{Connection, TransactionBehavior};

use crate::backup;
use crate::error::StoreError;

/// Each entry brings the file from the version of its index to the next.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_first.sql"),
    include_str!("../migrations/0002_guards.sql"),
    include_str!("../migrations/0003_schedules.sql"),
    include_str!("../migrations/0004_names_pins.sql"),
    include_str!("../migrations/0005_usage.sql"),
];

/// The version of `state.db` that this program reads and writes.
pub const SCHEMA_VERSION: u32 = MIGRATIONS.len() as u32;

pub(crate) fn user_version(conn: &Connection) -> Result<u32, StoreError> {
    let version: i64 = conn.prepare_cached("PRAGMA user_version")?.query_row([], |row| row.get(0))?;
    match u32::try_from(version) {
        // No version of this program will ever come that far.
        Ok(found) if found < 1_000_000 => Ok(found),
        _ => Err(StoreError::Damaged(format!("its format is said to be {version}"))),
    }
}

/// Takes `schema.lock` until the file returned is dropped.
pub(crate) fn schema_lock(dir: &Path) -> Result<File, StoreError> {
    let path = dir.join("schema.lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path)
        .map_err(|e| StoreError::io(&path, e))?;
    file.lock().map_err(|e| StoreError::io(&path, e))?;
    Ok(file)
}

/// Makes `path` where it is not there yet; whoever comes second finds it.
pub(crate) fn create_missing(dir: &Path, path: &Path) -> Result<(), StoreError> {
    let _lock = schema_lock(dir)?;
    if path.exists() {
        return Ok(());
    }
    if has_been(dir) {
        return Err(StoreError::Missing);
    }
    let aside = aside(path);
    let built = build(&aside).and_then(|()| publish(dir, &aside, path));
    if built.is_err() {
        // Best effort: what is left aside is never taken for the store.
        let _ = std::fs::remove_file(&aside);
    }
    built
}

/// Whether there are traces of an earlier store: an empty one in its place would say that nothing ever ran.
fn has_been(dir: &Path) -> bool {
    let any = |folder: &str| std::fs::read_dir(dir.join(folder)).is_ok_and(|mut all| all.next().is_some());
    any("attempts") || any("backups")
}

fn aside(path: &Path) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".new-{}", std::process::id()));
    if count > 0 {
        name.push(format!("-{count}"));
    }
    PathBuf::from(name)
}

fn build(aside: &Path) -> Result<(), StoreError> {
    match std::fs::remove_file(aside) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(StoreError::io(aside, e)),
        _ => {}
    }
    // Made before SQLite opens it: the mode is that of -wal and -shm too.
    OpenOptions::new().create_new(true).write(true).mode(0o600).open(aside).map_err(|e| StoreError::io(aside, e))?;
    let mut conn = Connection::open(aside)?;
    conn.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL;")?;
    if cfg!(target_os = "macos") {
        conn.execute_batch("PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON;")?;
    }
    conn.pragma_update(None, "journal_mode", "WAL")?;
    for version in 0..SCHEMA_VERSION {
        apply(&mut conn, MIGRATIONS, version)?;
    }
    conn.close().map_err(|(_, e)| e.into())
}

fn publish(dir: &Path, aside: &Path, path: &Path) -> Result<(), StoreError> {
    File::open(aside).and_then(|file| file.sync_all()).map_err(|e| StoreError::io(aside, e))?;
    std::fs::rename(aside, path).map_err(|e| StoreError::io(path, e))?;
    File::open(dir).and_then(|folder| folder.sync_all()).map_err(|e| StoreError::io(dir, e))
}

fn apply(conn: &mut Connection, migrations: &[&str], from: u32) -> Result<(), StoreError> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute_batch(migrations[from as usize])?;
    tx.pragma_update(None, "user_version", from + 1)?;
    Ok(tx.commit()?)
}

/// Brings an older file up to date, with a backup before each step. For the owner, who holds its lock.
pub(crate) fn bring_up_to_date(dir: &Path, conn: &mut Connection) -> Result<(), StoreError> {
    bring_up_with(dir, conn, MIGRATIONS)
}

fn bring_up_with(dir: &Path, conn: &mut Connection, migrations: &[&str]) -> Result<(), StoreError> {
    let known = migrations.len() as u32;
    let found = user_version(conn)?;
    if found == known {
        return Ok(());
    }
    if found == 0 && has_tables(conn)? {
        return Err(StoreError::Damaged("its format is said to be 0, and it has runs".to_owned()));
    }
    let _lock = schema_lock(dir)?;
    loop {
        let found = user_version(conn)?;
        if found == known {
            return Ok(());
        }
        if found > known {
            return Err(StoreError::Newer { found, known });
        }
        if found > 0 {
            let folder = dir.join("backups");
            std::fs::create_dir_all(&folder).map_err(|e| StoreError::io(&folder, e))?;
            backup::backup(conn, &folder.join(format!("before-format-{}.db", found + 1)))?;
        }
        apply(conn, migrations, found)?;
    }
}

fn has_tables(conn: &Connection) -> Result<bool, StoreError> {
    Ok(conn.query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'run'", [], |row| row.get::<_, i64>(0))? > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file as the first version made it.
    fn first(dir: &Path) -> Connection {
        let mut conn = Connection::open(dir.join("state.db")).unwrap();
        apply(&mut conn, MIGRATIONS, 0).unwrap();
        conn
    }

    #[test]
    fn the_first_file_ever_becomes_what_a_new_one_is() {
        let (dir, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut conn = first(dir.path());
        bring_up_to_date(dir.path(), &mut conn).unwrap();
        create_missing(new.path(), &new.path().join("state.db")).unwrap();
        let columns = |conn: &Connection| -> Vec<String> {
            let sql =
                "SELECT m.name || '.' || c.name || ' ' || c.type FROM sqlite_schema m, pragma_table_info(m.name) c
                       WHERE m.type = 'table' ORDER BY m.name, c.cid";
            let mut statement = conn.prepare(sql).unwrap();
            statement.query_map([], |r| r.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap()
        };
        let made = columns(&Connection::open(new.path().join("state.db")).unwrap());
        assert_eq!(columns(&conn), made);
        assert_eq!(user_version(&conn).unwrap(), SCHEMA_VERSION);
    }

    #[test]
    fn an_older_file_is_backed_up_and_brought_up_step_by_step() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.db");
        create_missing(dir.path(), &path).unwrap();
        let mut conn = Connection::open(&path).unwrap();
        let new = ["ALTER TABLE run ADD COLUMN colour TEXT", "CREATE TABLE extra (x INTEGER) STRICT"];
        let steps: Vec<&str> = MIGRATIONS.iter().copied().chain(new).collect();
        bring_up_with(dir.path(), &mut conn, &steps).unwrap();
        assert_eq!(user_version(&conn).unwrap(), SCHEMA_VERSION + 2);
        conn.prepare("SELECT colour FROM run").unwrap();
        conn.prepare("SELECT x FROM extra").unwrap();
        for (format, version) in [1, 2].map(|n| (SCHEMA_VERSION + n, SCHEMA_VERSION + n - 1)) {
            let copy = Connection::open(dir.path().join(format!("backups/before-format-{format}.db"))).unwrap();
            assert_eq!(user_version(&copy).unwrap(), version);
        }
    }

    #[test]
    fn a_step_that_fails_leaves_the_file_at_the_version_before() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.db");
        create_missing(dir.path(), &path).unwrap();
        let mut conn = Connection::open(&path).unwrap();
        let broken = "CREATE TABLE half (x INTEGER) STRICT; SELECT nothing FROM nowhere;";
        let steps: Vec<&str> = MIGRATIONS.iter().copied().chain([broken]).collect();
        assert!(bring_up_with(dir.path(), &mut conn, &steps).is_err());
        assert_eq!(user_version(&conn).unwrap(), SCHEMA_VERSION);
        assert!(conn.prepare("SELECT x FROM half").is_err());
    }
}
