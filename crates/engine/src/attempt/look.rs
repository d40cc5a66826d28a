//! Reading an attempt's folder: claim, then lock, then exit record, in this order (docs/RUN-FOLDER.md; the model in
//! crates/shim/tests says what goes wrong in another). Without a shim, all is read and decided under the lock, for another may be
//! about to adopt it. Decides nothing about stages.

use std::io;

use footplate_core::ErrorCode;
use footplate_core::state::settle::Evidence;
use footplate_shim::contract::{Adopted, Exit, Start};
use footplate_shim::folder::{AttemptDir, Claim, ExitRecord, LockGuard};

/// What a folder says.
#[derive(Debug)]
pub(crate) enum Seen {
    /// No claim: no shim has taken it, as far as can be known.
    Unclaimed {
        /// Whether the folder is there.
        built: bool,
    },
    /// The folder is gone although somebody had claimed it.
    Gone,
    /// A shim holds it.
    Held {
        /// Its start record, once the program runs.
        start: Option<Start>,
        /// Who took the place of its first shim, where one did.
        adopted: Option<Adopted>,
    },
    /// Its program lives, and no shim holds it.
    Orphan {
        /// Its start record.
        start: Start,
        /// Nobody adopts it while this is held.
        lock: LockGuard,
    },
    /// It is over; nothing of it is left.
    Over {
        /// What is known of the end.
        evidence: Evidence,
        /// The exit record.
        exit: Option<Box<Exit>>,
    },
    /// Nobody holds it, and its tree was not swept.
    Unswept {
        /// What is known of the end.
        evidence: Evidence,
        /// The exit record.
        exit: Option<Box<Exit>>,
        /// The start record, to find the tree by.
        start: Option<Start>,
        /// Nobody adopts what is left while this is held. None of an earlier boot's, or where the folder cannot have one.
        lock: Option<LockGuard>,
    },
}

/// Reads the folder of an attempt launched in this boot. `known_claimed`: it was seen claimed before.
///
/// # Errors
/// What the system says, other than that a file is not there.
pub(crate) fn look(dir: &AttemptDir, known_claimed: bool) -> io::Result<Seen> {
    match dir.claim()? {
        Claim::None if dir.exists() => return Ok(Seen::Unclaimed { built: true }),
        Claim::None if known_claimed => return Ok(Seen::Gone),
        Claim::None => return Ok(Seen::Unclaimed { built: false }),
        Claim::Void => return Ok(Seen::Over { evidence: Evidence::Voided, exit: None }),
        Claim::Run(_) => {}
    }
    let Some(lock) = dir.try_lock()? else {
        return Ok(Seen::Held { start: dir.start(), adopted: dir.adopted() });
    };
    let record = dir.exit()?;
    let start = dir.start();
    let swept = dir.swept().is_some();
    let (evidence, exit) = match (record, start) {
        (ExitRecord::Valid(exit), _) => (exited(&exit), Some(exit)),
        (ExitRecord::Blank | ExitRecord::Missing, Some(start)) if !swept && start.child.is_alive() => {
            return Ok(Seen::Orphan { start, lock });
        }
        (ExitRecord::Blank | ExitRecord::Missing, start) => {
            (Evidence::Lost { started: start.is_some(), why: ErrorCode::ShimLost }, None)
        }
    };
    if swept {
        return Ok(Seen::Over { evidence, exit });
    }
    Ok(Seen::Unswept { evidence, exit, start: dir.start(), lock: Some(lock) })
}

/// Reads the folder of an attempt launched in an earlier boot: only the exit record counts.
///
/// # Errors
/// What the system says, other than that a file is not there.
pub(crate) fn look_after_reboot(dir: &AttemptDir, known_claimed: bool) -> io::Result<Seen> {
    if known_claimed && !dir.path().exists() {
        return Ok(Seen::Gone);
    }
    Ok(match dir.exit()? {
        ExitRecord::Valid(exit) => Seen::Over { evidence: exited(&exit), exit: Some(exit) },
        ExitRecord::Missing => Seen::Over { evidence: Evidence::Voided, exit: None },
        ExitRecord::Blank => {
            Seen::Over { evidence: Evidence::Lost { started: true, why: ErrorCode::Rebooted }, exit: None }
        }
    })
}

fn exited(exit: &Exit) -> Evidence {
    match exit.exec_errno {
        Some(errno) => {
            Evidence::ExecFailed { errno, what: exit.exec_what.clone().unwrap_or_else(|| "exec".to_owned()) }
        }
        // By whom it was ended is known all the same.
        None if exit.unseen && exit.by_wish.is_none() && !exit.timed_out && !exit.session_end => {
            Evidence::Lost { started: true, why: ErrorCode::ShimLost }
        }
        None => Evidence::Exited {
            code: exit.code,
            signal: exit.signal,
            by_wish: exit.by_wish.clone(),
            timed_out: exit.timed_out,
            session_end: exit.session_end,
        },
    }
}
