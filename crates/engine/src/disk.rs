//! Room on the disk of the data folder, and the two marks that keep it: below the warning mark nothing new starts, below the
//! critical one what runs is paused rather than let crash. The owner acts on it (`owner/guard.rs`); guests say so.
//!
//! Deliberately not here: other disks that a program writes to.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::OnceLock;

use footplate_core::quantity::ByteSize;
use footplate_core::schedule::StartsHeld;
use footplate_core::view::{DiskLevel, DiskView};
use footplate_store::{Read, StoreError};

use crate::home::Home;

/// The setting of the warning mark, bytes.
pub const WARNING: &str = "disk.warning";
/// The setting of the critical mark, bytes.
pub const CRITICAL: &str = "disk.critical";

/// With less a store may not even be opened, bytes: the index of its journal is made larger first.
const TO_OPEN: u64 = 1 << 20;

const GIB: u64 = 1 << 30;
const MIB: u64 = 1 << 20;

/// The two marks as somebody set them; `None`: by the disk's size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Below it nothing starts, bytes; 0: never.
    pub warning: Option<u64>,
    /// Below it what runs is paused, bytes; 0: never.
    pub critical: Option<u64>,
}

impl Marks {
    /// As they stand in the store.
    ///
    /// # Errors
    /// Those of reading. A value that is no number counts as not set.
    pub fn read(read: &Read<'_>) -> Result<Marks, StoreError> {
        let mark = |key| Ok::<_, StoreError>(read.setting(key)?.and_then(|text| text.parse().ok()));
        Ok(Marks { warning: mark(WARNING)?, critical: mark(CRITICAL)? })
    }
}

/// Looks at the disk of this folder. `FOOTPLATE_TEST_DISK_FREE` names a file with the bytes to be taken for free, so that tests
/// can fill a disk and empty it again.
///
/// # Errors
/// What the system says.
pub fn look(folder: &Path, marks: Marks) -> io::Result<DiskView> {
    let facts = rustix::fs::statvfs(folder)?;
    let total = facts.f_blocks.saturating_mul(facts.f_frsize);
    let free = test_free().unwrap_or_else(|| facts.f_bavail.saturating_mul(facts.f_frsize));
    Ok(of(free, total, marks))
}

fn test_free() -> Option<u64> {
    static FILE: OnceLock<Option<OsString>> = OnceLock::new();
    let file = FILE.get_or_init(|| std::env::var_os("FOOTPLATE_TEST_DISK_FREE")).as_ref()?;
    std::fs::read_to_string(file).ok()?.trim().parse().ok()
}

fn of(free: u64, total: u64, marks: Marks) -> DiskView {
    let warning = marks.warning.unwrap_or((5 * GIB).min(total / 10));
    let critical = marks.critical.unwrap_or((512 * MIB).min(total / 100));
    let level = match free {
        free if free < critical => DiskLevel::Critical,
        free if free < warning => DiskLevel::Low,
        _ => DiskLevel::Enough,
    };
    DiskView { free, total, warning, critical, level }
}

/// Why nothing starts, where that is so.
#[must_use]
pub fn holds_starts(disk: &DiskView) -> Option<StartsHeld> {
    let mark = disk.warning.max(disk.critical);
    (disk.level != DiskLevel::Enough).then_some(StartsHeld::Disk { free: disk.free, mark })
}

/// What the marks mean, in half a sentence each.
#[must_use]
pub fn in_words(disk: &DiskView) -> String {
    let size = |bytes| ByteSize(bytes).rounded();
    let starts = match disk.warning {
        0 => "starts are never held".to_owned(),
        mark => format!("nothing starts below {}", size(mark)),
    };
    let runs = match disk.critical {
        0 => "what runs is never paused".to_owned(),
        mark => format!("what runs is paused below {}", size(mark)),
    };
    format!("{starts}; {runs}")
}

/// Whether what was paused for want of room may go on: not at the very mark, or it would stop again at once.
#[must_use]
pub fn may_go_on(disk: &DiskView) -> bool {
    disk.free >= disk.critical.saturating_mul(2).min(disk.warning.max(disk.critical))
}

/// Gives up the ballast that an owner has laid ([`crate::owner`]): also for one that ends because there is no room, so that the next has
/// some.
pub(crate) fn give_up_ballast(home: &Home) {
    let _ = std::fs::remove_file(home.ballast());
}

/// Before a guest opens the store: with no owner about, nobody else gives up the ballast that lets people look, cancel and clean.
pub(crate) fn make_room(home: &Home) {
    let free = rustix::fs::statvfs(home.root()).map(|facts| facts.f_bavail.saturating_mul(facts.f_frsize));
    if free.is_ok_and(|free| free < TO_OPEN) {
        give_up_ballast(home);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_follow_the_disk_unless_they_were_set_and_zero_means_never() {
        let large = of(100 * GIB, 1000 * GIB, Marks::default());
        assert_eq!((large.warning, large.critical, large.level), (5 * GIB, 512 * MIB, DiskLevel::Enough));
        let small = of(GIB, 10 * GIB, Marks::default());
        assert_eq!((small.warning, small.level), (GIB, DiskLevel::Enough));
        assert_eq!(of(GIB - 1, 10 * GIB, Marks::default()).level, DiskLevel::Low);
        assert_eq!(of(99 * MIB, 10 * GIB, Marks::default()).level, DiskLevel::Critical);
        let never = Marks { warning: Some(0), critical: Some(0) };
        assert_eq!((of(0, GIB, never).level, holds_starts(&of(0, GIB, never))), (DiskLevel::Enough, None));
    }

    #[test]
    fn a_critical_mark_above_the_warning_one_holds_starts_too() {
        let odd = Marks { warning: Some(10), critical: Some(100) };
        assert_eq!(holds_starts(&of(50, GIB, odd)), Some(StartsHeld::Disk { free: 50, mark: 100 }));
        assert!(!may_go_on(&of(50, GIB, odd)) && may_go_on(&of(100, GIB, odd)));
    }

    #[test]
    fn what_was_paused_goes_on_at_twice_the_mark_or_where_all_is_well() {
        let marks = Marks { warning: Some(1000), critical: Some(100) };
        let at = |free| may_go_on(&of(free, GIB, marks));
        assert_eq!([at(99), at(100), at(199), at(200)], [false, false, false, true]);
        let close = Marks { warning: Some(120), critical: Some(100) };
        assert!(may_go_on(&of(120, GIB, close)));
    }
}
