//! The Client itself: opening it, whether there is an owner, starting one, and waiting for change.

use std::cell::Cell;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use footplate_core::{ErrorCode, Fault, UtcMs};
use footplate_shim::clock;
use footplate_shim::contract::OwnerLine;
use footplate_shim::os::process;
use footplate_store::{Role, Store, StoreError};

use super::storage;
use super::types::{OwnerStart, OwnerState};
use crate::bell;
use crate::disk;
use crate::home::Home;
use crate::install::{Installed, install_executables};
use crate::rescue;

/// The owner's log begins anew above this size, bytes.
const OWNER_LOG_MOST: u64 = 1 << 20;
/// What a guest that only looks keeps of the store's pages, KiB: an app has a few of them for as long as it is open.
const LOOKER_KIB: u32 = 2048;
/// How long a view waits for a new owner's first commit.
const FIRST_COMMIT: Duration = Duration::from_secs(1);
/// How long an older store is waited for to be brought up to date.
const MIGRATION: Duration = Duration::from_secs(60);
/// How long a ring may go unheard before the lock is looked at again, milliseconds.
const HEARD_MS: u64 = 200;
/// So many changes in a row are told within milliseconds each; after that a store that changes all the time is looked at ten
/// times a second, so that who watches a busy queue does not slow it.
const PROMPT_CHANGES: u32 = 10;
/// After so long without a change the next ones are told promptly again, milliseconds.
const CALM_MS: u64 = 1_000;

/// What every guest uses. One connection to the store: may be sent to another thread, not shared.
#[derive(Debug)]
pub struct Client {
    pub(super) home: Home,
    pub(super) store: Store,
    pub(super) start: OwnerStart,
    /// Why the store is only read: a newer version wrote it.
    pub(super) newer: Option<String>,
    /// The store's version when [`Client::wait_for_change`] last looked.
    seen: Cell<i64>,
    /// When [`Client::tend`] may start an owner again, on the running clock, and how long after that, both in milliseconds.
    tended: Cell<(u64, u64)>,
    /// How many changes [`Client::wait_for_change`] told in a row, and when the last, on the running clock.
    changes: Cell<(u32, u64)>,
}

/// Held by those who look on (app, `serve`, `watch`): the owner does not leave meanwhile. Ends when it is dropped.
#[derive(Debug)]
pub struct PresenceGuard {
    _file: File,
}

impl Client {
    /// Opens the store, and makes it where there is none. Starts owners where they are needed.
    ///
    /// # Errors
    /// `Storage` (also of a damaged one that an owner could not restore), `DiskFull`. One that a newer version wrote is opened for
    /// reading only, see [`Client::storage`].
    pub fn open(home: Home) -> Result<Client, Fault> {
        Client::open_with(home, OwnerStart::WhenNeeded)
    }

    /// Opens the store, and says whether owners may be started.
    ///
    /// # Errors
    /// As [`Client::open`].
    pub fn open_with(home: Home, start: OwnerStart) -> Result<Client, Fault> {
        disk::make_room(&home);
        let (store, newer) = match rescue::open_or_make(&home, Role::Guest) {
            Err(StoreError::Older { found, known }) if start == OwnerStart::WhenNeeded => {
                // Only an owner migrates: ours does, as soon as an older one has left.
                start_owner(&home)?;
                (wait_for_migration(&home, &StoreError::Older { found, known })?, None)
            }
            Ok(store) if start == OwnerStart::Never => (store, None),
            Ok(store) => (storage::whole(&home, store)?, None),
            Err(_) => storage::open(&home, start)?,
        };
        // An owner of ours cannot do anything with a newer store.
        let start = if newer.is_some() { OwnerStart::Never } else { start };
        if start == OwnerStart::Never {
            store.set_cache_kib(LOOKER_KIB).map_err(|e| e.fault())?;
        }
        let seen = Cell::new(store.data_version().map_err(|e| e.fault())?);
        Ok(Client { home, store, start, newer, seen, tended: Cell::new((0, 1000)), changes: Cell::new((0, 0)) })
    }

    /// The data folder.
    #[must_use]
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// The store's own random name: numbers and cursors of another epoch mean nothing here.
    ///
    /// # Errors
    /// `Storage`.
    pub fn epoch(&self) -> Result<String, Fault> {
        Ok(self.store.epoch()?)
    }

    /// Who is the owner.
    #[must_use]
    pub fn owner(&self) -> OwnerState {
        look(&self.home)
    }

    /// Sees to it that there is an owner: starts one where the lock is free, or where an older version holds it.
    /// Call it after the commit of what the owner is needed for.
    ///
    /// # Errors
    /// Why none could be started. What was committed stands.
    pub fn ensure_owner(&self) -> Result<(), Fault> {
        match look(&self.home) {
            OwnerState::Present { version, .. } if self.start == OwnerStart::Never || !is_older(&version) => {
                // It looks at the store when it hears the bell, at its start, and once more after it has given its lock back;
                // so only one that is being killed this moment leaves us alone.
                let absent = || matches!(look(&self.home), OwnerState::Absent { .. });
                let heard = bell::is_heard(&self.home, HEARD_MS, absent);
                if heard || self.start == OwnerStart::Never || !absent() { Ok(()) } else { start_owner(&self.home) }
            }
            OwnerState::Absent { .. } if self.start == OwnerStart::Never => Ok(()),
            OwnerState::Present { .. } | OwnerState::Absent { .. } => start_owner(&self.home),
        }
    }

    /// For those who wait for something to happen: starts an owner where nobody holds the lock, the second time not before
    /// 1 s has passed, then 2, 4 .. 60 s, for an owner that dies again and again is not helped by haste.
    ///
    /// # Errors
    /// As [`Client::ensure_owner`].
    pub fn tend(&self) -> Result<(), Fault> {
        let now = clock::running_ms();
        let (not_before, delay) = self.tended.get();
        if now < not_before || !matches!(look(&self.home), OwnerState::Absent { .. }) {
            return Ok(());
        }
        self.tended.set((now + delay, (delay * 2).min(60_000)));
        self.ensure_owner()
    }

    /// Starts an owner where nobody holds the lock, and hands its process over, for those who must know how it ended.
    /// Somebody has to wait for it, or it leaves a zombie.
    ///
    /// # Errors
    /// Why none could be started.
    pub fn launch_owner(&self) -> Result<Option<Child>, Fault> {
        match look(&self.home) {
            OwnerState::Present { .. } => Ok(None),
            OwnerState::Absent { .. } => launch(&self.home).map(Some),
        }
    }

    /// Sees to it that live attempts have an owner who knows of them, and schedules one that starts them. True: what the store says is
    /// confirmed.
    ///
    /// # Errors
    /// `Storage`.
    pub(super) fn confirm(&self) -> Result<bool, Fault> {
        if self.is_confirmed()? {
            return Ok(true);
        }
        let read = self.store.read()?;
        if read.live_attempts()?.is_empty() {
            let needed = super::schedules::need_an_owner(&read, clock::wall_ms())?;
            drop(read);
            if needed && matches!(self.owner(), OwnerState::Absent { .. }) {
                // Best effort: what is shown is true without one.
                let _ = self.ensure_owner();
            }
            return Ok(true);
        }
        drop(read);
        if self.start == OwnerStart::Never || self.ensure_owner().is_err() {
            return Ok(false);
        }
        let deadline = clock::running_ms() + ms(FIRST_COMMIT);
        while clock::running_ms() < deadline {
            if self.is_confirmed()? {
                return Ok(true);
            }
            nap(5);
        }
        Ok(false)
    }

    /// An owner holds the lock and has committed what it found at its start.
    fn is_confirmed(&self) -> Result<bool, Fault> {
        let OwnerState::Present { pid, .. } = look(&self.home) else { return Ok(false) };
        let capacity = self.store.read()?.capacity()?;
        Ok(capacity.is_some_and(|row| i64::from(row.pid) == i64::from(pid)))
    }

    /// Says that somebody looks on.
    ///
    /// # Errors
    /// `Storage`.
    pub fn presence(&self) -> Result<PresenceGuard, Fault> {
        let path = self.home.presence();
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
        let held = file.and_then(|file| file.lock_shared().map(|()| file));
        held.map(|file| PresenceGuard { _file: file })
            .map_err(|e| Fault::new(ErrorCode::Storage, format!("{} cannot be locked: {e}.", path.display())))
    }

    /// Waits until another process has committed something, at most `timeout`. True: it has, since this was last asked.
    ///
    /// # Errors
    /// `Storage`.
    pub fn wait_for_change(&self, timeout: Duration) -> Result<bool, Fault> {
        let start = clock::running_ms();
        let (row, last) = self.changes.get();
        let row = if start.saturating_sub(last) < CALM_MS { row } else { 0 };
        let prompt = row < PROMPT_CHANGES;
        if !prompt {
            nap(ms(timeout).min(100));
        }
        loop {
            let version = self.store.data_version()?;
            let now = clock::running_ms();
            if self.seen.replace(version) != version {
                self.changes.set((row.saturating_add(1), now));
                return Ok(true);
            }
            let waited = now - start;
            let left = ms(timeout).saturating_sub(waited);
            if left == 0 {
                return Ok(false);
            }
            // Most answers come within milliseconds; after that ten looks a second cost next to nothing.
            nap(left.min(if prompt && waited < 50 { 5 } else { 100 }));
        }
    }
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

pub(super) fn nap(ms: u64) {
    std::thread::sleep(Duration::from_millis(ms));
}

/// Whether this version text is older than ours. One that cannot be read is not.
fn is_older(version: &str) -> bool {
    let numbers = |text: &str| -> Option<Vec<u64>> {
        text.split(['-', '+']).next()?.split('.').map(|n| n.parse().ok()).collect()
    };
    match (numbers(version), numbers(crate::VERSION)) {
        (Some(theirs), Some(ours)) => theirs < ours,
        _ => false,
    }
}

/// Between two tries of the lock of an owner that is on its way out, milliseconds.
const TRY_EVERY_MS: u64 = 5;
/// So many tries while it is seen to end, and so many where there is no such process to be seen.
const TRIES: (u32, u32) = (400, 10);

pub(super) fn look(home: &Home) -> OwnerState {
    let mut state = look_once(home);
    for tried in 0.. {
        let OwnerState::Present { pid, .. } = &state else { return state };
        // What was killed holds its lock until its last thread is gone, and a child that it was just starting until that is a program
        // of its own. One whose pid cannot be seen from here (in another container) is believed after a moment.
        let tries = match process(*pid).filter(|_| *pid > 0) {
            Some(owner) if owner.leaderless => TRIES.0,
            None if *pid > 0 => TRIES.1,
            Some(_) | None => 0,
        };
        if tried >= tries {
            return state;
        }
        nap(TRY_EVERY_MS);
        state = look_once(home);
    }
    state
}

fn look_once(home: &Home) -> OwnerState {
    let absent = |line: Option<OwnerLine>| OwnerState::Absent { orderly: line.is_none_or(|line| line.orderly) };
    let Ok(mut file) = File::open(home.owner_lock()) else { return absent(None) };
    let mut text = String::new();
    // A shared try tells without keeping anybody out but for microseconds.
    let taken = file.try_lock_shared();
    let read = file.read_to_string(&mut text);
    let line = read.ok().and_then(|_| serde_json::from_str::<OwnerLine>(text.lines().next()?).ok());
    match taken {
        Err(TryLockError::WouldBlock) => {
            let line = line.unwrap_or(OwnerLine { pid: 0, version: String::new(), orderly: false, since_ms: 0 });
            OwnerState::Present { pid: line.pid, version: line.version, since: UtcMs(line.since_ms) }
        }
        // A disk without locks is refused when the data folder is opened.
        Ok(()) | Err(TryLockError::Error(_)) => absent(line),
    }
}

fn wait_for_migration(home: &Home, last: &StoreError) -> Result<Store, Fault> {
    let deadline = clock::running_ms() + ms(MIGRATION);
    while clock::running_ms() < deadline {
        match Store::open(home.state_dir(), Role::Guest) {
            Err(StoreError::Older { .. }) => nap(20),
            other => return other.map_err(|e| e.fault()),
        }
    }
    Err(last.fault().hint(format!("{} tells why it was not", home.owner_log().display())))
}

/// Starts an owner, detached from this process: it outlives us, our terminal and our session.
fn start_owner(home: &Home) -> Result<(), Fault> {
    reap(launch(home)?);
    Ok(())
}

/// Reaps it should we live longer, so that it leaves no zombie.
pub(super) fn reap(mut owner: Child) {
    let _ = std::thread::Builder::new().name("owner's end".into()).stack_size(64 << 10).spawn(move || owner.wait());
}

pub(super) fn launch(home: &Home) -> Result<Child, Fault> {
    let installed = install_executables(home)?;
    spawn(home, &installed).map_err(|e| {
        Fault::new(ErrorCode::Storage, format!("The owner ({}) cannot be started: {e}.", installed.footplate.display()))
            .hint("Start it yourself: footplate work")
            .hint(format!("{} may tell more.", home.owner_log().display()))
    })
}

fn spawn(home: &Home, installed: &Installed) -> io::Result<Child> {
    let log = owner_log(home)?;
    let mut owner = Command::new(&installed.footplate);
    owner
        .arg("--data-dir")
        .arg(home.root())
        .args(["work", "--until-idle", "--no-wait"])
        .env_clear()
        .envs(std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_kept)))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    #[expect(unsafe_code, reason = "a session of its own begins between fork and exec")]
    // SAFETY: detach makes system calls only: no allocation, no locks.
    unsafe {
        owner.pre_exec(detach);
    }
    owner.spawn()
}

/// What the owner needs of our environment. Programs get that of their submitter.
fn is_kept(name: &str) -> bool {
    const NAMES: [&str; 10] =
        ["PATH", "HOME", "LANG", "TZ", "TMPDIR", "USER", "LOGNAME", "SHELL", "RUST_BACKTRACE", "FOOTPLATE_FAILPOINT"];
    NAMES.contains(&name) || ["LC_", "XDG_", "FOOTPLATE_TEST_"].iter().any(|prefix| name.starts_with(prefix))
}

fn owner_log(home: &Home) -> io::Result<File> {
    let log = OpenOptions::new().create(true).append(true).mode(0o600).open(home.owner_log())?;
    if log.metadata()?.len() > OWNER_LOG_MOST {
        log.set_len(0)?;
    }
    Ok(log)
}

/// A session of its own, and nothing inherited but stdio. Runs between fork and exec.
#[expect(unsafe_code, reason = "setsid and the marking of descriptors have to happen in the child")]
fn detach() -> io::Result<()> {
    // SAFETY: system calls on numbers; no memory is touched.
    unsafe {
        if libc::setsid() < 0 {
            return Err(io::Error::last_os_error());
        }
        #[cfg(target_os = "linux")]
        let marked = libc::syscall(libc::SYS_close_range, 3, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) == 0;
        #[cfg(not(target_os = "linux"))]
        let marked = false;
        if !marked {
            for fd in 3..1024 {
                let flags = libc::fcntl(fd, libc::F_GETFD);
                if flags >= 0 {
                    libc::fcntl(fd, libc::F_SETFD, flags | libc::FD_CLOEXEC);
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(is_older("0.0.9"));
        assert!(!is_older(crate::VERSION));
        assert!(!is_older("99.10.0-beta"));
        assert!(!is_older(""));
        assert!(!is_older("a.b"));
    }

    #[test]
    fn the_owner_gets_little_of_our_environment() {
        assert!(["PATH", "LC_ALL", "XDG_DATA_HOME", "FOOTPLATE_TEST_BOOT_ID"].iter().all(|n| is_kept(n)));
        assert!(
            !["HF_TOKEN", "FOOTPLATE_MARK", "LD_PRELOAD", "PYTHONPATH", "FOOTPLATE_DATA"].iter().any(|n| is_kept(n))
        );
    }

    #[test]
    fn the_lock_tells_whether_there_is_an_owner_and_how_the_last_one_left() {
        let place = tempfile::tempdir().unwrap();
        let home = Home::at(place.path()).unwrap();
        assert_eq!(look(&home), OwnerState::Absent { orderly: true });
        let line = r#"{"pid":77,"version":"0.1.0","orderly":false,"since_ms":5,"later":1}"#;
        std::fs::write(home.owner_lock(), line).unwrap();
        assert_eq!(look(&home), OwnerState::Absent { orderly: false });
        let held = File::open(home.owner_lock()).unwrap();
        held.lock().unwrap();
        assert_eq!(look(&home), OwnerState::Present { pid: 77, version: "0.1.0".into(), since: UtcMs(5) });
        std::fs::write(home.owner_lock(), "").unwrap();
        assert_eq!(look(&home), OwnerState::Present { pid: 0, version: String::new(), since: UtcMs(0) });
    }
}
