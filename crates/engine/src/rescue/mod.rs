//! When the store is damaged, gone, or behind what an owner saw of it: it is kept beside, the newest verified backup takes its place,
//! all attempts' folders are read before anything starts, and what could not be brought back is told. By the owner alone, who holds
//! its lock; guests that find damage leave a word and start one.
//!
//! Deliberately not here: SQL, what a folder means (`attempt::look`), and settling attempts: the owner does that when it begins, as after
//! any restart.

mod folders;
pub(crate) mod mark;
mod preview;
mod rebuild;
pub(crate) mod record;
mod request;
mod swap;

pub use preview::{Preview, preview};
pub use request::Request;

use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use footplate_core::storage::Restored;
use footplate_core::{ErrorCode, Fault, UtcMs};
use footplate_shim::{clock, failpoint};
use footplate_store::{QueueChange, Read, Role, Store, StoreError};

use crate::backup;
use crate::home::Home;
use mark::{Mark, Short};

/// The setting that keeps the report of the last restore until somebody has seen it.
pub(crate) const REPORT: &str = "storage.restored";

/// Up to this size a store is looked through at each start of an owner, bytes: it costs milliseconds.
const ALWAYS_LOOK: u64 = 1 << 20;
/// Up to this size it is where the last owner did not leave in an orderly way.
const LOOK_AFTER_CRASH: u64 = 32 << 20;

/// What a restore begins with.
enum Base {
    /// What stands in the store, which is sound.
    Present,
    /// A backup.
    Backup(backup::Backup),
    /// Nothing.
    Empty,
}

/// Opens the store for the owner, who holds its lock; looks through it where that is cheap, or asked for, and restores it where it has
/// to be. `orderly`: the last owner left as it should. Says whether it was restored.
///
/// # Errors
/// `StoreNewer`; `Storage` and `DiskFull` where it cannot be restored either.
pub(crate) fn open(home: &Home, orderly: bool) -> Result<(Store, bool), Fault> {
    // What an owner left that died at this.
    let _ = std::fs::remove_dir_all(workshop(home));
    let request = Request::left(home);
    let done = || request.iter().for_each(|request| request.done(home));
    if let Some(name) = request.as_ref().and_then(|request| request.wanted.as_deref()) {
        let restored = wanted(home, name).and_then(|base| restore(home, base, None));
        // Once: one that cannot be granted must not keep every owner from its work.
        done();
        restored?;
        return Store::open(home.state_dir(), Role::Owner).map(|store| (store, true)).map_err(|e| e.fault());
    }
    let suspected = request.as_ref().is_some_and(|request| request.suspected.is_some());
    let look = || look_through(home, suspected, orderly);
    let (mut found, mut wrong) = look()?;
    if wrong.is_some() {
        // A disk may fail to read what is whole on it, and SQLite calls that damage, too: what is wrong is so twice.
        drop(found);
        (found, wrong) = look()?;
    }
    let Some((why, is_base)) = wrong else {
        if found.is_ok() {
            done();
        }
        return found.map(|store| (store, false)).map_err(|e| e.fault());
    };
    drop(found);
    eprintln!("the store is restored: {why}");
    let base = if is_base { Base::Present } else { newest_good(home) };
    restore(home, base, Some(why))?;
    done();
    Store::open(home.state_dir(), Role::Owner).map(|store| (store, true)).map_err(|e| e.fault())
}

/// What is wrong with a store, and whether it is to be gone on from all the same.
type Wrong = Option<(String, bool)>;

/// Opens the store and looks what is wrong with it.
fn look_through(home: &Home, suspected: bool, orderly: bool) -> Result<(Result<Store, StoreError>, Wrong), Fault> {
    let found = open_or_make(home, Role::Owner);
    let wrong = match &found {
        Err(error) if error.is_damage() => Some((error_text(error), false)),
        Err(_) => None,
        Ok(store) => match fault(home, store, suspected, orderly) {
            Ok(None) => mark::lacks(home, store).map_err(|e| e.fault())?.map(|short| match short {
                Short::Behind(why) => (why, true),
                Short::Foreign(why) => (why, false),
            }),
            Ok(Some(why)) => Some((why, false)),
            Err(error) if error.is_damage() => Some((error_text(&error), false)),
            Err(error) => return Err(error.fault()),
        },
    };
    Ok((found, wrong))
}

/// What the store lacks that an owner has seen in it, in half a sentence. For guests, who find it sound and empty.
pub(crate) fn lacks(home: &Home, store: &Store) -> Option<String> {
    // Twice: it may have been restored in between.
    let look = || mark::lacks(home, store).ok().flatten();
    look().and_then(|_| look()).map(|short| match short {
        Short::Behind(why) | Short::Foreign(why) => why,
    })
}

/// Opens the store; one that is made anew, where there has been none, has no mark to come up to.
pub(crate) fn open_or_make(home: &Home, role: Role) -> Result<Store, StoreError> {
    let is_new = !home.root().join("state.db").exists();
    let store = Store::open(home.state_dir(), role)?;
    // Where an owner has begun with it in between it loses its mark until the next run.
    if is_new && store.read()?.newest_run()? == 0 {
        mark::forget(home);
    }
    Ok(store)
}

fn error_text(error: &StoreError) -> String {
    match error {
        StoreError::Damaged(what) => what.clone(),
        StoreError::Missing => "state.db was gone".to_owned(),
        other => other.to_string(),
    }
}

/// What is wrong with the store, as far as it is looked through.
fn fault(home: &Home, store: &Store, suspected: bool, orderly: bool) -> Result<Option<String>, StoreError> {
    if suspected {
        let faults = store.check()?;
        let faults = if faults.is_empty() { store.read()?.unreadable()? } else { faults };
        return Ok(faults.into_iter().next());
    }
    let bytes = home.root().join("state.db").metadata().map_or(0, |about| about.len());
    if bytes <= ALWAYS_LOOK || (!orderly && bytes <= LOOK_AFTER_CRASH) { store.quick_check() } else { Ok(None) }
}

fn wanted(home: &Home, name: &str) -> Result<Base, Fault> {
    let all = backup::list(home);
    let chosen = match name {
        "" => all.into_iter().next(),
        name => all.into_iter().find(|backup| backup.name == name),
    };
    let missing = || {
        Fault::new(ErrorCode::NotFound, format!("There is no backup {name:?} in {}.", home.backups().display()))
            .hint("`footplate restore --list` shows those that are there.")
    };
    let chosen = chosen.ok_or_else(missing)?;
    footplate_store::verify(&home.backups().join(&chosen.name)).map_err(|e| e.fault())?;
    Ok(Base::Backup(chosen))
}

/// The newest backup that checks out.
fn newest_good(home: &Home) -> Base {
    for backup in backup::list(home) {
        match footplate_store::verify(&home.backups().join(&backup.name)) {
            Ok(_) => return Base::Backup(backup),
            Err(error) => eprintln!("the backup {} cannot be used: {error}", backup.name),
        }
    }
    Base::Empty
}

fn workshop(home: &Home) -> PathBuf {
    home.root().join("restoring")
}

/// Where the new store is built. Removed when it is dropped.
struct Workshop(PathBuf);

impl Workshop {
    fn open(home: &Home) -> std::io::Result<Workshop> {
        let folder = workshop(home);
        std::fs::DirBuilder::new().mode(0o700).create(&folder)?;
        Ok(Workshop(folder))
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        // What is left is removed by the next one.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Rebuilds the store from `base` and the folders, and puts it in the place of what is there.
fn restore(home: &Home, mut base: Base, why: Option<String>) -> Result<(), Fault> {
    let is_sound = why.is_none() || matches!(base, Base::Present);
    let broken = |error: std::io::Error| {
        Fault::new(ErrorCode::Storage, format!("The store cannot be restored: {error}."))
            .hint(format!("Nothing was changed. Look at {} and its disk.", home.root().display()))
    };
    let workshop = Workshop::open(home).map_err(broken)?;
    let now = clock::wall_ms();
    // The store as it is, as far as it can be opened: held, so that nothing is written to it any more, and read.
    let mut old = Store::open(home.state_dir(), Role::Guest).ok();
    if let (Some(old), true) = (&old, is_sound) {
        // So that all of it is in the one file, should we die while its journal is put aside.
        let _ = old.take_journal_in();
    }
    let held = old.as_mut().and_then(|store| store.begin().ok());
    let mut report = Restored {
        at: UtcMs(now),
        why,
        backup: None,
        kept: None,
        runs: 0,
        rebuilt: Vec::new(),
        updated: Vec::new(),
        held_back: Vec::new(),
        running: Vec::new(),
        lost: Vec::new(),
    };
    let place = workshop.0.join("state.db");
    if matches!(base, Base::Present) {
        let copied = Store::open(home.state_dir(), Role::ReadOnly).and_then(|present| present.backup_to(&place));
        match copied {
            Ok(_) => {}
            // It was not looked through as a copy is.
            Err(error) if error.is_damage() => base = newest_good(home),
            Err(error) => return Err(error.fault()),
        }
    }
    let mut empty = false;
    match &base {
        Base::Present => {}
        Base::Backup(backup) => {
            std::fs::copy(home.backups().join(&backup.name), &place).map_err(broken)?;
            report.backup = Some(backup.at);
        }
        Base::Empty => empty = true,
    }
    let mut new = Store::open(&workshop.0, Role::Owner).map_err(|e| e.fault())?;
    new.use_journal().map_err(|e| e.fault())?;
    let folders = folders::all(home).map_err(broken)?;
    let kept = swap::free_name(home, now);
    new.write(|tx| {
        tx.renew_epoch()?;
        let old = held.as_deref();
        let newest = old.map_or(0, |old| old.next_run_number().unwrap_or(1) - 1).max(mark::newest_run(home));
        let known = tx.next_run_number()? - 1;
        tx.raise_numbers(newest)?;
        if let (true, Some(old)) = (empty, old) {
            take_rules(tx, old, now)?;
        }
        let cleared = rebuild::clear(tx, now)?;
        rebuild::merge(home, tx, &folders, old, &mut report)?;
        rebuild::miss(tx, known + 1..=newest, cleared, &mut report)?;
        tx.raise_numbers(report.lost.iter().filter_map(|lost| lost.number).max().unwrap_or(0))?;
        report.runs = tx.count_runs()?;
        report.kept = home.root().join("state.db").exists().then(|| kept.clone());
        tx.put_setting(REPORT, &serde_json::to_string(&report).unwrap_or_default())
    })
    .map_err(|e| e.fault())?;
    failpoint::hit("restore-built");
    // Before it takes the other's place: by this mark the old one is found wanting until then, should we die.
    let (run, seq) = {
        let read = new.read().map_err(|e| e.fault())?;
        (read.next_run_number().map_err(|e| e.fault())? - 1, read.last_seq())
    };
    Mark::of(home, &new).map_err(|e| e.fault())?.leave(run, || seq);
    // The last connection takes the journal in: one file.
    drop(new);
    swap::swap(home, &place, &kept).map_err(broken)
}

/// The rules of the queues and the settings, where no backup has them.
fn take_rules(tx: &footplate_store::Tx<'_>, old: &Read<'_>, now: i64) -> Result<(), StoreError> {
    for queue in old.queues().unwrap_or_default() {
        let change =
            QueueChange { priority: Some(queue.priority), limit: Some(queue.limit), paused: Some(queue.paused) };
        tx.savepoint(|tx| tx.put_queue(&queue.name, &change, now)).or_else(refused)?;
    }
    for (key, value) in old.settings().unwrap_or_default() {
        tx.savepoint(|tx| tx.put_setting(&key, &value)).or_else(refused)?;
    }
    Ok(())
}

/// A row that the schema refuses was damaged.
fn refused(error: StoreError) -> Result<(), StoreError> {
    if error.is_refused_row() { Ok(()) } else { Err(error) }
}
