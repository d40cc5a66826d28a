//! Whether somebody looks on: guests hold a shared lock as long as they do, and the owner does not leave meanwhile.

use std::fs::{File, TryLockError};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::home::Home;
use crate::wake::Waker;

/// Waits for the last guest to leave, where one is there.
pub(super) struct Presence {
    home: Home,
    waker: Waker,
    /// A thread waits already.
    waits: Arc<AtomicBool>,
}

impl Presence {
    pub(super) fn new(home: &Home, waker: Waker) -> Presence {
        Presence { home: home.clone(), waker, waits: Arc::new(AtomicBool::new(false)) }
    }

    /// Somebody is there; the loop is woken when nobody is any more.
    pub(super) fn is_seen(&self) -> bool {
        let Ok(file) = File::options().read(true).write(true).create(true).truncate(false).open(self.home.presence())
        else {
            return false;
        };
        if !matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
            return false;
        }
        if !self.waits.swap(true, Ordering::SeqCst) {
            let (waits, waker) = (Arc::clone(&self.waits), self.waker.clone());
            let started = std::thread::Builder::new().name("presence".to_owned()).spawn(move || {
                let _ = file.lock();
                waits.store(false, Ordering::SeqCst);
                waker.wake();
            });
            if started.is_err() {
                self.waits.store(false, Ordering::SeqCst);
            }
        }
        true
    }
}
