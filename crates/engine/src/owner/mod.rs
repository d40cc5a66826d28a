//! The owner: `footplate work`, the one process that decides. One loop: wait, look at folders, one transaction for all that follows, then
//! the effects. No window, no network; a guest's crash is nothing to it and its own crash nothing to the programs.
//!
//! Not here: SQL (`footplate-store`), the law of states and the order of the queue (`footplate-core`), holding programs (`footplate-shim`).

mod active;
mod after;
mod alarm;
mod alerts;
mod changes;
mod copies;
mod due;
mod effects;
mod ends;
mod follow;
pub(crate) mod gpus;
mod guard;
mod handed;
mod keeping;
mod launch;
mod live;
pub mod lock;
pub(crate) mod machine;
mod meter;
mod mind;
mod order;
mod outputs;
mod post;
mod presence;
mod reach;
mod reading;
mod recover;
mod resume;
pub(crate) mod schedules;
mod shims;
mod silence;
mod strays;
mod sweeps;
mod tail;
mod tidy;
mod turn;
mod untold;
mod wishes;

use std::time::Duration;

use footplate_core::{ErrorCode, Fault};
use footplate_shim::clock;
use footplate_shim::contract::{MARK_VARIABLE, OwnerLine};
use footplate_store::{Store, StoreError};

use crate::home::Home;
use crate::install::{Installed, install_executables};
use crate::rescue::{self, Request};
use lock::{Acquired, OwnerLock, VERSION};

/// How `footplate work` was called.
#[derive(Clone, Copy, Debug, Default)]
pub struct WorkOptions {
    /// Leave once nothing is to be done and nobody is present.
    pub until_idle: bool,
    /// Where another process is the owner, say so at once instead of standing by.
    pub no_wait: bool,
    /// Most stages at once, over all queues.
    pub max: Option<u32>,
}

/// What stops the owner.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The law has no such move: the store and our memory do not agree.
    #[error(transparent)]
    Law(#[from] footplate_core::state::Illegal),
    /// A row was not as remembered.
    #[error("lost a race for {0}")]
    LostRace(String),
    /// A row cannot be understood.
    #[error("{0}")]
    Damaged(String),
    /// The system refused something that everything stands on.
    #[error(transparent)]
    System(#[from] std::io::Error),
}

/// Why the loop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    /// Nothing is to be done.
    Idle,
    /// TERM or INT.
    Told,
    /// A newer version asked for the lock.
    HandOver,
}

/// How long a try for the lock goes on: guests hold it for microseconds to see whether it is free.
const LOCK_TRY: Duration = Duration::from_millis(150);

/// Variables that must not reach an owner: they would make it part of a run.
const RUN_VARIABLES: &[&str] = &[
    MARK_VARIABLE,
    "FOOTPLATE_RUN_ID",
    "FOOTPLATE_RUN_NUMBER",
    "FOOTPLATE_STAGE",
    "FOOTPLATE_ATTEMPT",
    "FOOTPLATE_RUN_DIR",
    "FOOTPLATE_OUTPUT",
];

/// Is the owner until idle, or until told to leave.
///
/// # Errors
/// `StoreHeld` where another process is the owner and `no_wait` is set; `StoreNewer` and `Storage` where the store cannot be used.
pub fn work(home: Home, options: WorkOptions) -> Result<(), Fault> {
    raise_descriptors();
    let installed = install_executables(&home)?;
    move_into(&home, &installed)?;
    let mut lock = Some(take_lock(&home, options)?);
    let orderly = lock.as_ref().is_some_and(OwnerLock::follows_order);
    let mut store = Some(rescue::open(&home, orderly)?.0);
    let mut mended = false;
    loop {
        let Some(held) = lock.take() else { return Ok(()) };
        // Whoever asked for a hand-over has the lock now.
        let _ = std::fs::remove_file(home.hand_over());
        let Some(open) = store.take() else { return Ok(()) };
        let done = turn::run(&home, &installed, open, &held, options);
        if matches!(&done, Err(Trouble::Store(error)) if error.fault().code == ErrorCode::DiskFull) {
            crate::disk::give_up_ballast(&home);
        }
        let (open, left, seen) = match done {
            // Once: a store that is damaged again at once is beyond us.
            Err(error) if is_damage(&error) && held.is_still_there() && !mended => {
                let asked = Request::left(&home).is_some();
                let (open, restored) = mend(&home, &error)?;
                // Nothing to mend: it is as it was, and so would be the end of it. Not so where somebody only wanted it looked at.
                if !restored && !asked {
                    return Err(trouble(&error));
                }
                mended = !asked;
                (lock, store) = (Some(held), Some(open));
                continue;
            }
            done => done.map_err(|e| trouble(&e))?,
        };
        held.leave().map_err(|e| trouble(&Trouble::System(e)))?;
        if left != Left::Idle {
            return Ok(());
        }
        // Once more, with the lock free: whoever found it taken and started no owner committed before it was given back.
        if turn::anything_new(&open, seen)?
            && let Acquired::Ours(again) = OwnerLock::try_acquire(&home.owner_lock()).map_err(|e| trouble(&e.into()))?
        {
            lock = Some(again);
            store = Some(open);
        }
    }
}

/// Looks through a store that showed damage while it was used, and restores it where that is so; says whether it was.
fn mend(home: &Home, error: &Trouble) -> Result<(Store, bool), Fault> {
    eprintln!("{error}");
    let suspected = Some(error.to_string());
    Request { suspected, wanted: None }.leave(home).map_err(|e| trouble(&Trouble::System(e)))?;
    rescue::open(home, false)
}

/// The store is damaged, or a row of it cannot be understood.
fn is_damage(error: &Trouble) -> bool {
    match error {
        Trouble::Store(error) => error.is_damage(),
        Trouble::Damaged(_) => true,
        Trouble::Law(_) | Trouble::LostRace(_) | Trouble::System(_) => false,
    }
}

fn trouble(error: &Trouble) -> Fault {
    match error {
        Trouble::Store(e) => e.fault(),
        Trouble::Law(_) | Trouble::LostRace(_) | Trouble::Damaged(_) | Trouble::System(_) => {
            Fault::new(ErrorCode::Storage, format!("The owner stops: {error}")).hint(
                "Nothing that runs is affected. Start it again with `footplate work`, and see `footplate doctor`.",
            )
        }
    }
}

/// Goes on as the copy in `bin/`, so that an upgrade cannot pull the executable away and the sweep knows us for what we are; and without
/// the variables of the run that started us.
fn move_into(home: &Home, installed: &Installed) -> Result<(), Fault> {
    use std::os::unix::process::CommandExt;
    let bin = home.bin_dir();
    let there = std::env::current_exe().is_ok_and(|exe| exe.starts_with(&bin));
    let clean = RUN_VARIABLES.iter().all(|name| std::env::var_os(name).is_none());
    if there && clean {
        return Ok(());
    }
    let mut next = std::process::Command::new(&installed.footplate);
    next.args(std::env::args_os().skip(1)).env(crate::home::DATA_VARIABLE, home.root());
    for name in RUN_VARIABLES {
        next.env_remove(name);
    }
    let error = next.exec();
    Err(Fault::new(ErrorCode::Storage, format!("Cannot run {}: {error}", installed.footplate.display()))
        .hint("The data folder must lie where programs may be executed (not mounted with noexec); see --data-dir."))
}

fn take_lock(home: &Home, options: WorkOptions) -> Result<OwnerLock, Fault> {
    let path = home.owner_lock();
    let broken = |e: std::io::Error| trouble(&Trouble::System(e));
    let deadline = clock::running_ms() + LOCK_TRY.as_millis() as u64;
    let holder = loop {
        match OwnerLock::try_acquire(&path).map_err(broken)? {
            Acquired::Ours(lock) => return Ok(lock),
            Acquired::Held(line) if clock::running_ms() >= deadline => break line,
            Acquired::Held(_) => pause(5),
        }
    };
    let holder = match holder {
        Some(line) if older(&line.version) => match take_over(home, line)? {
            Acquired::Ours(lock) => return Ok(lock),
            Acquired::Held(line) => line,
        },
        other => other,
    };
    if options.no_wait {
        return Err(held_by(holder));
    }
    OwnerLock::acquire(&path).map_err(broken)
}

/// Asks an older owner to leave, and waits for the lock. `Held`: another one of our version was quicker.
fn take_over(home: &Home, holder: OwnerLine) -> Result<Acquired, Fault> {
    let broken = |e: std::io::Error| trouble(&Trouble::System(e));
    let word = home.hand_over();
    let deadline = clock::running_ms() + 30_000;
    loop {
        // Each owner removes it at its start, one of the older version that a guest has just started, too.
        if !word.exists() {
            std::fs::write(&word, VERSION).map_err(broken)?;
        }
        let _ = crate::bell::ring(home);
        let acquired = OwnerLock::try_acquire(&home.owner_lock()).map_err(broken)?;
        let over = match &acquired {
            Acquired::Ours(_) => return Ok(acquired),
            Acquired::Held(line) => line.as_ref().is_some_and(|line| !older(&line.version)),
        };
        let late = clock::running_ms() >= deadline;
        if over || late {
            // Who leaves for it later would leave for nobody.
            let _ = std::fs::remove_file(&word);
            return if over { Ok(acquired) } else { Err(held_by(Some(holder))) };
        }
        pause(50);
    }
}

fn held_by(holder: Option<OwnerLine>) -> Fault {
    let who = holder.map_or_else(String::new, |line| {
        format!(" (pid {}, version {}, since {})", line.pid, line.version, footplate_core::UtcMs(line.since_ms))
    });
    Fault::new(ErrorCode::StoreHeld, format!("Another copy{who} holds the data folder."))
        .hint("It does the work; nothing needs to be done. `footplate list` shows what runs.")
}

/// True where `other` is an earlier version than ours; texts that are no versions are not.
fn older(other: &str) -> bool {
    let numbers = |text: &str| -> Option<Vec<u64>> {
        text.split(['.', '-', '+']).take(3).map(|part| part.parse().ok()).collect()
    };
    matches!((numbers(other), numbers(VERSION)), (Some(theirs), Some(ours)) if theirs < ours)
}

fn pause(ms: u64) {
    // Waiting for another process's lock, which cannot be polled for.
    std::thread::sleep(Duration::from_millis(ms));
}

/// Each attempt costs a handful of descriptors: as many as the system allows. Programs get the limits of whoever submitted them.
fn raise_descriptors() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // Where it may not be raised it stays.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_an_earlier_version_is_asked_to_leave() {
        assert!(super::older("0.0.9"));
        assert!(!super::older(super::VERSION));
        assert!(!super::older("99.0.0"));
        assert!(!super::older("something"));
    }
}
