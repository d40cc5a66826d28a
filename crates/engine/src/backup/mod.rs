//! Backups of the store: what they are called, which there are, making one, thinning them. The owner makes one each hour in which
//! something changed (`owner/copies.rs`); anybody may make one by hand.
//!
//! Deliberately not here: how a copy is made and verified (`footplate-store`), and what is done with one (`rescue`).

pub mod plan;

use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDateTime};
use footplate_core::view::{DiskLevel, DiskView};
use footplate_core::{ErrorCode, Fault, UtcMs};
use footplate_store::{Copy, Role, Store, StoreError};
use serde::Serialize;

use crate::disk::{self, Marks};
use crate::home::Home;

const PREFIX: &str = "state-";
const SUFFIX: &str = ".db";
const FORM: &str = "%Y%m%dT%H%M%SZ";

/// One backup in `backups/`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Backup {
    /// The file's name.
    pub name: String,
    /// When it was made; of one from before a migration, when the file was last written.
    pub at: UtcMs,
    /// Bytes.
    pub bytes: u64,
    /// Made by the owner each hour, and thinned; others stay until somebody removes them.
    pub hourly: bool,
}

/// The name of the backup of this moment.
#[must_use]
pub fn name_of(at: i64) -> String {
    let moment = DateTime::from_timestamp_millis(at).unwrap_or_default();
    format!("{PREFIX}{}{SUFFIX}", moment.format(FORM))
}

/// The moment in an hourly backup's name.
fn moment_of(name: &str) -> Option<i64> {
    let text = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    Some(NaiveDateTime::parse_from_str(text, FORM).ok()?.and_utc().timestamp_millis())
}

/// Every backup, newest first. Unfinished ones are not among them.
#[must_use]
pub fn list(home: &Home) -> Vec<Backup> {
    let mut all: Vec<Backup> = std::fs::read_dir(home.backups())
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok().filter(|name| name.ends_with(SUFFIX))?;
            let about = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
            let hourly = moment_of(&name);
            let at = hourly.or_else(|| written(&about))?;
            Some(Backup { name, at: UtcMs(at), bytes: about.len(), hourly: hourly.is_some() })
        })
        .collect();
    all.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| b.name.cmp(&a.name)));
    all
}

fn written(about: &std::fs::Metadata) -> Option<i64> {
    use std::os::unix::fs::MetadataExt;
    about.mtime().checked_mul(1000)
}

/// Makes a backup of the store as it is now, in `backups/` or where `to` says, verified before it has its name.
///
/// # Errors
/// `StoreDamaged` where the store does not check out; `DiskFull`, `Storage`.
pub fn make(home: &Home, to: Option<&Path>, now: i64) -> Result<(PathBuf, Copy), Fault> {
    let store = Store::open(home.state_dir(), Role::ReadOnly).map_err(|e| e.fault())?;
    let path = match to {
        Some(path) => path.to_owned(),
        None => prepare(home).map_err(|e| e.fault())?.join(name_of(now)),
    };
    if to.is_some() && path.exists() {
        let text = format!("{} is there already.", path.display());
        return Err(Fault::new(ErrorCode::Conflict, text).hint("Name another file, or remove that one first."));
    }
    let copy = store.backup_to(&path).map_err(|e| e.fault())?;
    Ok((path, copy))
}

/// `backups/`, made where it is missing.
fn prepare(home: &Home) -> Result<PathBuf, StoreError> {
    use std::os::unix::fs::DirBuilderExt;
    let folder = home.backups();
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder);
    made.map_err(|source| StoreError::Io { path: folder.clone(), source })?;
    Ok(folder)
}

/// What came of an hourly backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hourly {
    /// It was made.
    Made(Copy),
    /// Nothing has changed since the newest one.
    Unchanged,
    /// The disk has no room for it.
    NoRoom,
}

/// The hourly backup: made where something has changed since the newest one and there is room, if need be the room of those that are too
/// many; then these are removed.
///
/// # Errors
/// As [`make`]; `Damaged` says that the store itself is.
pub(crate) fn hourly(home: &Home, now: i64) -> Result<Hourly, StoreError> {
    let store = Store::open(home.state_dir(), Role::ReadOnly)?;
    let folder = prepare(home)?;
    remove_unfinished(&folder);
    let there = list(home);
    let newest = there.iter().find(|backup| backup.hourly);
    if let Some(before) = newest.and_then(|backup| footplate_store::peek(&folder.join(&backup.name)).ok())
        && before.epoch == store.epoch()?
        && before.last_seq == store.read()?.last_seq()?
    {
        return Ok(Hourly::Unchanged);
    }
    let marks = Marks::read(&store.read()?)?;
    let look = || disk::look(home.root(), marks).map_err(|source| StoreError::Io { path: folder.clone(), source });
    let bytes = home.root().join("state.db").metadata().map_or(0, |about| about.len());
    if !has_room(&look()?, bytes) {
        // Those of a store that has grown may be what takes it.
        thin(home, look()?.free, now);
        if !has_room(&look()?, bytes) {
            return Ok(Hourly::NoRoom);
        }
    }
    let copy = store.backup_to(&folder.join(name_of(now)))?;
    thin(home, look()?.free, now);
    Ok(Hourly::Made(copy))
}

/// Removes the hourly backups that are too many, or take too much of a disk with so many bytes free.
fn thin(home: &Home, free: u64, now: i64) {
    let mut there: Vec<(i64, u64)> =
        list(home).iter().filter(|backup| backup.hourly).map(|backup| (backup.at.0, backup.bytes)).collect();
    let room = plan::room(free, held(&there));
    let moments: Vec<i64> = there.iter().map(|(at, _)| *at).collect();
    let mut gone = plan::superfluous(&moments, now);
    there.retain(|(at, _)| !gone.contains(at));
    gone.extend(plan::beyond(&there, room, now));
    for at in gone {
        let path = home.backups().join(name_of(at));
        if let Err(error) = std::fs::remove_file(&path) {
            eprintln!("{} could not be removed: {error}", path.display());
        }
    }
}

fn held(backups: &[(i64, u64)]) -> u64 {
    backups.iter().map(|(_, bytes)| *bytes).fold(0, u64::saturating_add)
}

/// How much the hourly backups may take together now, bytes; `None` where the system does not tell how much is free.
#[must_use]
pub fn room(home: &Home, backups: &[Backup]) -> Option<u64> {
    let free = disk::look(home.root(), Marks::default()).ok()?.free;
    let hourly: Vec<(i64, u64)> =
        backups.iter().filter(|backup| backup.hourly).map(|backup| (backup.at.0, backup.bytes)).collect();
    Some(plan::room(free, held(&hourly)))
}

/// What a process that was killed left half made. Only the owner makes them here, and one at a time; one that somebody makes by
/// hand this moment has a pid that lives.
fn remove_unfinished(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.rsplit_once(".new-")).and_then(|(_, pid)| pid.parse().ok());
        let lives = |pid: i32| footplate_shim::os::process(pid).is_some_and(|process| !process.dead);
        if pid.is_some_and(|pid| !lives(pid) || pid == std::process::id().cast_signed()) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Whether there is room for another backup: it must not bring the disk below the mark from which nothing starts.
#[must_use]
pub fn has_room(disk: &DiskView, bytes: u64) -> bool {
    disk.level == DiskLevel::Enough && disk.free.saturating_sub(bytes) >= disk.warning.max(disk.critical)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_its_moment_and_other_files_are_no_backups() {
        let at = 1_795_291_262_000;
        assert_eq!(name_of(at), "state-20261121T200102Z.db");
        assert_eq!(moment_of(&name_of(at)), Some(at));
        for other in ["state-20261121T200102Z.db.new-77", "state-2026.db", "before-format-2.db", "state-.db"] {
            assert_eq!(moment_of(other), None, "{other}");
        }
        let place = tempfile::tempdir().unwrap();
        let home = Home::at(place.path()).unwrap();
        assert_eq!(list(&home), []);
        std::fs::create_dir(home.backups()).unwrap();
        for name in [&name_of(at), &name_of(at + 60_000), "before-format-2.db", "x.db.new-1", "notes.txt"] {
            std::fs::write(home.backups().join(name), "x").unwrap();
        }
        let names: Vec<String> = list(&home).into_iter().map(|backup| backup.name).collect();
        assert_eq!(names.len(), 3, "{names:?}");
        let hourly: Vec<bool> = list(&home).into_iter().map(|backup| backup.hourly).collect();
        assert_eq!(hourly.iter().filter(|hourly| **hourly).count(), 2);
    }

    #[test]
    fn backups_of_a_store_that_has_grown_are_thinned_to_their_share_of_the_disk() {
        const HOUR_MS: i64 = 3_600_000;
        let place = tempfile::tempdir().unwrap();
        let home = Home::at(place.path()).unwrap();
        std::fs::create_dir(home.backups()).unwrap();
        let now = 1_795_291_262_000;
        let large = |name: &str| {
            // A GiB without a block of its own: the list goes by what a file says it holds.
            std::fs::File::create(home.backups().join(name)).unwrap().set_len(1 << 30).unwrap();
        };
        (0..24).for_each(|hour| large(&name_of(now - hour * HOUR_MS)));
        (1..7).for_each(|day| large(&name_of(now - day * 24 * HOUR_MS)));
        large("before-format-2.db");
        let names = || list(&home).into_iter().map(|backup| backup.name).collect::<Vec<_>>();
        assert_eq!(names().len(), 31);
        // 60 GiB free beside their 30: they may take nine.
        thin(&home, 60 << 30, now);
        assert_eq!(names().len(), 9 + 1, "{:?}", names());
        // Little is free: two GiB is what they may always take.
        thin(&home, 1 << 30, now);
        let mut left = names();
        left.sort();
        assert_eq!(left, ["before-format-2.db".to_owned(), name_of(now - HOUR_MS), name_of(now)]);
        thin(&home, 0, now);
        assert_eq!(names().len(), 3, "the two newest and what is not ours to thin stay");
    }

    #[test]
    fn a_backup_never_brings_the_disk_to_the_mark() {
        let disk = |free, level| DiskView { free, total: 1000, warning: 100, critical: 10, level };
        assert!(has_room(&disk(150, DiskLevel::Enough), 50));
        assert!(!has_room(&disk(149, DiskLevel::Enough), 50));
        assert!(!has_room(&disk(50, DiskLevel::Low), 0));
    }
}
