//! Copies, damage, and a file that is put in another's place while connections are open.
#![allow(clippy::unwrap_used, reason = "tests may")]

mod common;

use common::{add, guest, new_run, owner};
use footplate_core::{ErrorCode, RunStatus, StageStatus};
use footplate_store::{NewWish, Role, Store, StoreError, peek, run_ids, verify};

#[test]
fn a_copy_is_one_file_and_tells_what_it_holds() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = owner(dir.path());
    add(&mut store, "a");
    add(&mut store, "b");
    let folder = tempfile::tempdir().unwrap();
    // A name that a URI would take apart.
    let path = folder.path().join("a copy? 100%#1.db");
    let copy = store.backup_to(&path).unwrap();
    assert_eq!((copy.runs, copy.newest_run, copy.format), (2, 2, store.version().unwrap()));
    assert_eq!(
        (copy.epoch.as_str(), copy.last_seq),
        (store.epoch().unwrap().as_str(), store.read().unwrap().last_seq().unwrap())
    );
    assert_eq!((verify(&path).unwrap(), peek(&path).unwrap()), (copy.clone(), copy));
    assert_eq!(run_ids(&path).unwrap().len(), 2);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "looking at it leaves nothing beside it");
}

#[test]
fn a_copy_that_does_not_check_out_is_never_taken_for_one() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = owner(dir.path());
    for index in 0..200 {
        add(&mut store, &format!("run {index}"));
    }
    let path = dir.path().join("copy.db");
    store.backup_to(&path).unwrap();
    let whole = std::fs::read(&path).unwrap();
    let damaged = |bytes: &[u8]| {
        let path = dir.path().join("damaged.db");
        std::fs::write(&path, bytes).unwrap();
        verify(&path)
    };
    assert!(damaged(&whole).is_ok());
    let mut zeroed = whole.clone();
    zeroed[2 * 4096..3 * 4096].fill(0);
    let mut header = whole.clone();
    header[..16].fill(b'x');
    let cut = &whole[..whole.len() / 2];
    for (what, bytes) in
        [("zeroed", &zeroed[..]), ("header", &header), ("cut", cut), ("empty", b""), ("text", b"hello")]
    {
        assert!(matches!(damaged(bytes), Err(StoreError::Damaged(_))), "{what}: {:?}", damaged(bytes));
    }
    assert!(matches!(verify(&dir.path().join("nowhere.db")), Err(StoreError::Io { .. })));
    // A damaged store makes no backup: what is there keeps its name.
    drop(store);
    std::fs::write(dir.path().join("state.db"), &zeroed).unwrap();
    let store = Store::open(dir.path(), Role::ReadOnly).unwrap();
    assert!(store.backup_to(&path).unwrap_err().is_damage());
    assert_eq!(std::fs::read(&path).unwrap(), whole);
}

#[test]
fn an_empty_file_is_damage_and_no_new_store() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("state.db"), "").unwrap();
    for role in [Role::Owner, Role::Guest, Role::ReadOnly] {
        assert!(matches!(Store::open(dir.path(), role), Err(StoreError::Damaged(_))), "{role:?}");
    }
    assert_eq!(std::fs::read(dir.path().join("state.db")).unwrap(), b"");
}

#[test]
fn where_a_store_has_been_no_empty_one_is_made() {
    for trace in ["attempts", "backups"] {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join(trace)).unwrap();
        std::fs::write(dir.path().join(trace).join("something"), "").unwrap();
        let missing = Store::open(dir.path(), Role::Owner).unwrap_err();
        assert!(matches!(missing, StoreError::Missing) && missing.is_damage());
        assert_eq!(missing.fault().code, ErrorCode::StoreDamaged);
        assert!(!dir.path().join("state.db").exists());
        std::fs::remove_file(dir.path().join(trace).join("something")).unwrap();
        owner(dir.path());
    }
}

#[test]
fn connections_to_a_file_that_was_replaced_write_and_wait_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let (mut old, next) = (owner(dir.path()), tempfile::tempdir().unwrap());
    add(&mut old, "a");
    let mut waiting = guest(dir.path());
    old.backup_to(&next.path().join("state.db")).unwrap();
    std::fs::rename(next.path().join("state.db"), dir.path().join("state.db")).unwrap();
    for store in [&mut old, &mut waiting] {
        let refused = store.write(|tx| tx.put_setting("a", "b")).unwrap_err();
        assert!(matches!(refused, StoreError::Replaced), "{refused:?}");
        assert!(matches!(store.data_version(), Err(StoreError::Replaced)));
    }
}

#[test]
fn every_row_is_read_as_what_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = owner(dir.path());
    let number = store.write(|tx| tx.insert_run(&new_run("good"), &[])).unwrap().0;
    assert_eq!(store.read().unwrap().unreadable().unwrap(), Vec::<String>::new());
    let raw = rusqlite::Connection::open(dir.path().join("state.db")).unwrap();
    for (column, value) in [("definition", "{\"form"), ("params", "x"), ("cwd", "text, not bytes")] {
        // As damage does it: no condition is asked.
        let before: rusqlite::types::Value =
            raw.query_row(&format!("SELECT {column} FROM run_body"), [], |row| row.get(0)).unwrap();
        raw.execute_batch("PRAGMA ignore_check_constraints = ON").unwrap();
        let damaged = raw.execute(&format!("UPDATE run_body SET {column} = ?1"), [value]);
        if damaged.is_ok() {
            let faults = store.read().unwrap().unreadable().unwrap();
            assert!(faults.len() == 1 && faults[0].starts_with(&format!("run #{number}: ")), "{column}: {faults:?}");
        }
        raw.execute(&format!("UPDATE run_body SET {column} = ?1"), [before]).unwrap();
    }
}

#[test]
fn rows_are_written_as_they_are_and_numbers_and_names_of_before_mean_nothing_after() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = owner(dir.path());
    let first = add(&mut store, "a");
    let wish = NewWish {
        id: "w".to_owned(),
        run: Some(first),
        generation: Some(1),
        kind: "cancel".to_owned(),
        args: "{}".to_owned(),
        created_at: common::NOW,
    };
    store.write(|tx| tx.insert_wish(&wish)).unwrap();
    let (row, stages) = {
        let read = store.read().unwrap();
        (read.run(first).unwrap().unwrap(), read.stages(first).unwrap())
    };
    let other = tempfile::tempdir().unwrap();
    let mut rebuilt = owner(other.path());
    let epoch = rebuilt.epoch().unwrap();
    let row =
        footplate_store::RunRow { number: 77, order_key: 77 * 1024, status: RunStatus::Paused, paused: true, ..row };
    rebuilt
        .write(|tx| {
            tx.renew_epoch()?;
            tx.insert_run_as_it_is(&row, &stages)?;
            tx.put_attempt_as_it_is(&common::attempt(77, 0, 1), 1)?;
            tx.put_attempt_as_it_is(&common::attempt(77, 0, 1), 1)?;
            tx.raise_numbers(90)?;
            tx.raise_numbers(3)
        })
        .unwrap();
    assert_ne!(rebuilt.epoch().unwrap(), epoch);
    let read = rebuilt.read().unwrap();
    let there = read.run(77).unwrap().unwrap();
    assert_eq!(there, row);
    assert_eq!((read.stages(77).unwrap()[1].status, read.attempts(77).unwrap().len()), (StageStatus::Waiting, 1));
    drop(read);
    assert_eq!(add(&mut rebuilt, "next"), 91);
    assert_eq!(rebuilt.check().unwrap(), Vec::<String>::new());
    assert_eq!(store.write(|tx| tx.refuse_all_wishes("it was restored", 5)).unwrap(), 1);
    let answered = store.read().unwrap().wish("w").unwrap().unwrap();
    assert_eq!((answered.code, answered.message.as_deref()), (Some(ErrorCode::Conflict), Some("it was restored")));
}
