//! Stores of every format that was ever released, as they were: they are brought up to date, and everything in them can be read.
#![allow(clippy::unwrap_used, reason = "tests may")]

mod common;

use std::path::Path;

use common::{add, guest, owner};
use footplate_core::{AttemptStatus, RunStatus};
use footplate_store::{ListQuery, Role, SCHEMA_VERSION, Store, StoreError, verify};

/// A store of each format, by its number: what `.dump` makes of a real session's, never changed once it was released.
const FORMATS: [&str; 5] = [
    include_str!("fixtures/format-1.sql"),
    include_str!("fixtures/format-2.sql"),
    include_str!("fixtures/format-3.sql"),
    include_str!("fixtures/format-4.sql"),
    include_str!("fixtures/format-5.sql"),
];

fn of_format(number: usize, dir: &Path) -> rusqlite::Connection {
    let conn = rusqlite::Connection::open(dir.join("state.db")).unwrap();
    conn.pragma_update(None, "journal_mode", "WAL").unwrap();
    // Rows come before what they refer to.
    conn.pragma_update(None, "foreign_keys", false).unwrap();
    conn.execute_batch(FORMATS[number - 1]).unwrap();
    conn
}

/// Tables, indexes and triggers, but for the blanks in their text.
fn schema(dir: &Path) -> Vec<String> {
    let conn = rusqlite::Connection::open(dir.join("state.db")).unwrap();
    let mut statement =
        conn.prepare("SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema").unwrap();
    let all = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let mut all: Vec<String> = all.map(|sql| sql.unwrap().split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    all.sort();
    all
}

#[test]
fn there_is_a_store_of_every_format() {
    assert_eq!(FORMATS.len(), SCHEMA_VERSION as usize, "a new format needs a store of it here, as it is released");
}

#[test]
fn a_store_of_any_format_is_brought_up_to_date_and_nothing_of_it_is_lost() {
    let new = tempfile::tempdir().unwrap();
    owner(new.path());
    for number in 1..=FORMATS.len() {
        let dir = tempfile::tempdir().unwrap();
        drop(of_format(number, dir.path()));
        if number < FORMATS.len() {
            assert!(matches!(Store::open(dir.path(), Role::Guest), Err(StoreError::Older { .. })));
        }
        let mut store = owner(dir.path());
        assert_eq!(store.version().unwrap(), SCHEMA_VERSION);
        assert_eq!(schema(dir.path()), schema(new.path()), "format {number} does not become what a new store is");
        for before in number + 1..=FORMATS.len() {
            let copy = verify(&dir.path().join(format!("backups/before-format-{before}.db"))).unwrap();
            assert_eq!((copy.format as usize, copy.runs), (before - 1, 2), "the backup before format {before}");
        }
        assert_eq!(store.check().unwrap(), Vec::<String>::new());
        let read = store.read().unwrap();
        assert_eq!(read.unreadable().unwrap(), Vec::<String>::new());
        let (found, total) = read.list(&ListQuery::default()).unwrap();
        assert_eq!((found.len(), total), (2, 2));
        let row = read.run(1).unwrap().unwrap();
        assert_eq!(
            (row.name.as_str(), row.status, row.cwd.as_slice()),
            ("sh", RunStatus::Completed, &b"/home/someone/digits"[..])
        );
        let attempt = read.attempts(1).unwrap().remove(0);
        assert_eq!((attempt.status, attempt.exit_code), (AttemptStatus::Completed, Some(0)));
        assert_eq!(read.setting("disk.warning").unwrap().as_deref(), Some("5000000000"));
        assert_eq!(store.epoch().unwrap(), "00112233445566778899aabbccddeeff");
        drop(read);
        assert_eq!(add(&mut store, "next"), 3);
        assert_eq!(add(&mut guest(dir.path()), "and another"), 4);
    }
}

#[test]
fn a_format_that_no_version_writes_is_damage_and_not_a_newer_store() {
    for (number, damaged) in [(0, true), (-1, true), (2_000_000, true), (i64::from(SCHEMA_VERSION) + 1, false)] {
        let dir = tempfile::tempdir().unwrap();
        let conn = of_format(1, dir.path());
        conn.pragma_update(None, "user_version", number).unwrap();
        drop(conn);
        let error = Store::open(dir.path(), Role::Owner).unwrap_err();
        assert_eq!(error.is_damage(), damaged, "{number}: {error:?}");
        assert_eq!(matches!(error, StoreError::Newer { .. }), !damaged, "{number}: {error:?}");
    }
}
