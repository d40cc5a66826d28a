//! Puts the rebuilt store in the place of the damaged one, which is kept beside under a dated name. Whatever the instant of a crash,
//! there is a `state.db`, and never one with the journal of another.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use chrono::DateTime;
use footplate_shim::{clock, failpoint};

use crate::home::Home;

/// How long the lock that keeps new connections out is tried for, milliseconds. Others hold it for microseconds.
const LOCK_TRY_MS: u64 = 1_000;

/// Puts `new` (a closed store, one file) in the place of `state.db`; the one before is kept as `kept`, a name that is free.
///
/// # Errors
/// What the system says.
pub(super) fn swap(home: &Home, new: &Path, kept: &str) -> io::Result<()> {
    let path = home.root().join("state.db");
    File::open(new)?.sync_all()?;
    let old = match File::options().read(true).write(true).open(&path) {
        Ok(file) => Some(file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    // Without the lock a guest that opens the old file just now may make a journal beside it; that is found by its end below.
    let _ = old.as_ref().map(keep_out);
    if old.is_some() {
        std::fs::hard_link(&path, home.root().join(kept))?;
    }
    failpoint::hit("restore-kept");
    let beside = |suffix: &str| {
        let mut name = path.clone().into_os_string();
        name.push(suffix);
        PathBuf::from(name)
    };
    gone(std::fs::rename(beside("-wal"), home.root().join(format!("{kept}-wal"))))?;
    // It is remade by whoever opens the store; connections to the old one keep theirs.
    gone(std::fs::remove_file(beside("-shm")))?;
    failpoint::hit("restore-journal-aside");
    std::fs::rename(new, &path)?;
    failpoint::hit("restore-swapped");
    File::open(home.root())?.sync_all()
}

/// A dated name that is free, for the store that is put aside.
#[must_use]
pub(super) fn free_name(home: &Home, now: i64) -> String {
    let moment = DateTime::from_timestamp_millis(now).unwrap_or_default().format("%Y%m%dT%H%M%SZ");
    let names = (0_u32..).map(|count| match count {
        0 => format!("state.db.damaged-{moment}"),
        more => format!("state.db.damaged-{moment}.{more}"),
    });
    let free = |name: &String| !home.root().join(name).exists();
    names.take(1_000).find(free).unwrap_or_else(|| format!("state.db.damaged-{now}"))
}

fn gone(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Takes SQLite's PENDING lock on the file: no connection begins to read it until the descriptor is closed. Those that are open see,
/// at their next transaction, that another file has the name. Source: sqlite.org/lockingv3.html, os_unix.c (PENDING_BYTE).
fn keep_out(file: &File) -> bool {
    const PENDING_BYTE: libc::off_t = 0x4000_0000;
    #[expect(unsafe_code, reason = "rustix locks whole files only")]
    // SAFETY: an all-zero flock is a valid one; every field that is read is set below.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = libc::F_WRLCK as libc::c_short;
    lock.l_whence = libc::SEEK_SET as libc::c_short;
    lock.l_start = PENDING_BYTE;
    lock.l_len = 1;
    let deadline = clock::running_ms() + LOCK_TRY_MS;
    loop {
        #[expect(unsafe_code, reason = "rustix locks whole files only")]
        // SAFETY: the descriptor is open, and the struct lives through the call.
        let taken = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLK, &raw const lock) } == 0;
        if taken || clock::running_ms() >= deadline {
            return taken;
        }
        std::thread::yield_now();
    }
}
