//! How the file comes to be, who may open it, and what one connection sees of another.
#![allow(clippy::unwrap_used, reason = "tests may")]

mod common;

use std::os::unix::fs::PermissionsExt;
use std::sync::Barrier;

use common::{add, child, child_task, guest, new_run, owner};
use footplate_core::{ErrorCode, Fault};
use footplate_store::{Role, SCHEMA_VERSION, Store, StoreError};

fn raw(dir: &std::path::Path) -> rusqlite::Connection {
    rusqlite::Connection::open(dir.join("state.db")).unwrap()
}

#[test]
fn twenty_threads_that_start_at_once_in_a_new_folder_share_one_store() {
    for _ in 0..5 {
        let dir = tempfile::tempdir().unwrap();
        let barrier = Barrier::new(20);
        let epochs: Vec<String> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..20)
                .map(|index| {
                    let (dir, barrier) = (dir.path(), &barrier);
                    scope.spawn(move || {
                        barrier.wait();
                        let role = if index % 3 == 0 { Role::Owner } else { Role::Guest };
                        let mut store = Store::open(dir, role).unwrap();
                        store.write(|tx| tx.insert_run(&new_run("first"), &[])).unwrap();
                        store.epoch().unwrap()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(epochs.iter().all(|epoch| *epoch == epochs[0] && epoch.len() == 32), "{epochs:?}");
        assert_eq!(guest(dir.path()).read().unwrap().open_runs().unwrap().len(), 20);
        let left: Vec<String> = std::fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.contains("new"))
            .collect();
        assert!(left.is_empty(), "left aside: {left:?}");
    }
}

#[test]
fn twenty_processes_that_start_at_once_in_a_new_folder_make_no_error() {
    if let Some(dir) = child_task() {
        let mut store = guest(dir.as_ref());
        store.write(|tx| tx.insert_run(&new_run("first"), &[])).unwrap();
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let name = "twenty_processes_that_start_at_once_in_a_new_folder_make_no_error";
    let children: Vec<_> = (0..20).map(|_| child(name, dir.path().to_str().unwrap())).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let store = guest(dir.path());
    assert_eq!(store.read().unwrap().open_runs().unwrap().len(), 20);
    assert_eq!(store.check().unwrap(), Vec::<String>::new());
}

#[test]
fn the_files_are_for_their_user_alone() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = owner(dir.path());
    add(&mut store, "a");
    for name in ["state.db", "state.db-wal", "state.db-shm", "schema.lock"] {
        let mode = std::fs::metadata(dir.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_newer_file_is_read_and_never_written() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = guest(dir.path());
    add(&mut store, "a");
    raw(dir.path()).pragma_update(None, "user_version", SCHEMA_VERSION + 1).unwrap();
    let newer = |e: &StoreError| matches!(e, StoreError::Newer { found, known } if *found == known + 1);
    let error = store.write(|tx| tx.put_setting("a", "b")).unwrap_err();
    assert!(newer(&error), "{error}");
    assert_eq!(error.fault().code, ErrorCode::StoreNewer);
    for role in [Role::Owner, Role::Guest] {
        assert!(newer(&Store::open(dir.path(), role).unwrap_err()));
    }
    let mut reader = Store::open(dir.path(), Role::ReadOnly).unwrap();
    assert_eq!(reader.version().unwrap(), SCHEMA_VERSION + 1);
    assert_eq!(reader.read().unwrap().open_runs().unwrap().len(), 1);
    assert!(newer(&reader.write(|tx| tx.put_setting("a", "b")).unwrap_err()));
}

#[test]
fn only_an_owner_brings_an_older_file_up_to_date() {
    let dir = tempfile::tempdir().unwrap();
    raw(dir.path()).execute_batch("CREATE TABLE nothing_yet (x)").unwrap();
    for role in [Role::Guest, Role::ReadOnly] {
        assert!(matches!(Store::open(dir.path(), role), Err(StoreError::Older { found: 0, .. })));
    }
    let mut store = owner(dir.path());
    assert_eq!(store.version().unwrap(), SCHEMA_VERSION);
    add(&mut store, "a");
    add(&mut guest(dir.path()), "b");
}

#[test]
fn a_file_that_is_no_store_is_said_to_be_damaged_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let text = "not a database, but a letter to a friend. ".repeat(200);
    std::fs::write(dir.path().join("state.db"), &text).unwrap();
    for role in [Role::Owner, Role::Guest, Role::ReadOnly] {
        let error = Store::open(dir.path(), role).unwrap_err();
        assert!(matches!(error, StoreError::Damaged(_)), "{error:?}");
    }
    assert_eq!(std::fs::read_to_string(dir.path().join("state.db")).unwrap(), text);
}

#[test]
fn a_reader_does_not_make_a_store() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(Store::open(dir.path(), Role::ReadOnly), Err(StoreError::Io { .. })));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    let gone = dir.path().join("nowhere");
    assert!(matches!(Store::open(&gone, Role::Guest), Err(StoreError::Io { .. })));
}

#[test]
fn what_is_read_is_of_one_moment() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = owner(dir.path());
    let reader = guest(dir.path());
    add(&mut writer, "a");
    let first = reader.read().unwrap();
    assert_eq!(first.open_runs().unwrap().len(), 1);
    add(&mut writer, "b");
    let second = reader.read().unwrap();
    assert_eq!(first.open_runs().unwrap().len(), 1);
    assert_eq!(second.list(&footplate_store::ListQuery::default()).unwrap().1, 1);
    drop(first);
    assert_eq!(second.open_runs().unwrap().len(), 1);
    drop(second);
    assert_eq!(reader.read().unwrap().open_runs().unwrap().len(), 2);
}

#[test]
fn the_data_version_changes_with_the_commits_of_others() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = owner(dir.path());
    let reader = guest(dir.path());
    let before = reader.data_version().unwrap();
    assert_eq!(reader.data_version().unwrap(), before);
    drop(writer.begin().unwrap());
    assert_eq!(reader.data_version().unwrap(), before);
    add(&mut writer, "a");
    assert_ne!(reader.data_version().unwrap(), before);
}

#[test]
fn an_error_takes_back_the_transaction_and_a_savepoint_only_its_own_part() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = owner(dir.path());
    let refused = || StoreError::from(Fault::new(ErrorCode::Conflict, "no"));
    let error = store.write(|tx| {
        tx.put_setting("a", "1")?;
        Err::<(), _>(refused())
    });
    assert_eq!(error.unwrap_err().fault().code, ErrorCode::Conflict);
    assert_eq!(store.read().unwrap().setting("a").unwrap(), None);
    let tx = store.begin().unwrap();
    tx.put_setting("a", "1").unwrap();
    let inner = tx.savepoint(|tx| {
        tx.put_setting("a", "2")?;
        tx.savepoint(|tx| tx.put_setting("b", "2"))?;
        assert_eq!(tx.setting("b")?.as_deref(), Some("2"));
        Err::<(), _>(refused())
    });
    assert!(inner.is_err());
    tx.savepoint(|tx| tx.put_setting("c", "3")).unwrap();
    tx.commit().unwrap();
    let read = store.read().unwrap();
    assert_eq!(read.setting("a").unwrap().as_deref(), Some("1"));
    assert_eq!(read.setting("b").unwrap(), None);
    assert_eq!(read.setting("c").unwrap().as_deref(), Some("3"));
}

#[test]
fn a_backup_is_a_whole_store_of_the_same_epoch() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = owner(dir.path());
    add(&mut store, "a");
    let copy = tempfile::tempdir().unwrap();
    store.backup_to(&copy.path().join("state.db")).unwrap();
    add(&mut store, "b");
    let mode = std::fs::metadata(copy.path().join("state.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mut restored = owner(copy.path());
    assert_eq!(restored.epoch().unwrap(), store.epoch().unwrap());
    assert_eq!(restored.read().unwrap().open_runs().unwrap().len(), 1);
    assert_eq!(restored.check().unwrap(), Vec::<String>::new());
    assert_eq!(add(&mut restored, "c"), 2);
    assert!(store.backup_to(&copy.path().join("no/such/folder.db")).is_err());
}
