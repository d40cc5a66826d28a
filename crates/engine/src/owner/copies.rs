//! The hourly backup: due, made off the loop by a thread, and done.

use std::sync::mpsc::{Receiver, TryRecvError, channel};

use footplate_shim::clock;
use footplate_store::{Store, StoreError};

use crate::backup::{self, Hourly, plan};
use crate::home::Home;
use crate::wake::Waker;

/// How often, while things change, it is asked whether a backup is due, milliseconds.
const ASK_EVERY_MS: u64 = 60_000;

/// What the owner knows of the backups.
pub(super) struct Copies {
    home: Home,
    waker: Waker,
    /// When to ask next whether one is due, on the running clock; none where nothing has changed since.
    ask_at: Option<u64>,
    making: Option<Receiver<Result<Hourly, StoreError>>>,
}

impl Copies {
    /// Asks at the first change.
    pub(super) fn new(home: &Home, waker: Waker) -> Copies {
        Copies { home: home.clone(), waker, ask_at: None, making: None }
    }

    /// Something was committed.
    pub(super) fn changed(&mut self) {
        self.ask_at.get_or_insert_with(clock::running_ms);
    }

    /// When the loop has to come back for this, on the running clock.
    pub(super) fn due(&self) -> Option<u64> {
        self.ask_at.filter(|_| self.making.is_none())
    }

    /// A backup is being made: who left now would leave half of it.
    pub(super) fn is_busy(&self) -> bool {
        self.making.is_some()
    }

    /// Starts one where it is due; takes note of one that is done, or for which there is no room.
    ///
    /// # Errors
    /// `Damaged` where the store does not check out. That a backup could not be made is nobody's trouble: it is tried again.
    pub(super) fn tend(&mut self, store: &Store) -> Result<(), StoreError> {
        if let Some(making) = &self.making {
            match making.try_recv() {
                Err(TryRecvError::Empty) => return Ok(()),
                Ok(Err(error)) if error.is_damage() => return Err(error),
                Ok(Err(error)) => eprintln!("the backup could not be made: {error}"),
                Ok(Ok(Hourly::NoRoom)) => self.ask_at = Some(clock::running_ms() + ASK_EVERY_MS),
                Ok(Ok(Hourly::Made(_) | Hourly::Unchanged)) | Err(TryRecvError::Disconnected) => {}
            }
            self.making = None;
        }
        let now = clock::running_ms();
        if self.ask_at.is_none_or(|at| at > now) {
            return Ok(());
        }
        // Until something changes again there is nothing to ask for; where one is not due yet, it will be.
        let moments: Vec<i64> =
            backup::list(&self.home).iter().filter(|backup| backup.hourly).map(|backup| backup.at.0).collect();
        let wall = clock::wall_ms();
        if !plan::is_due(&moments, store.read()?.first_run_at()?, wall) {
            self.ask_at = Some(now + ASK_EVERY_MS);
            return Ok(());
        }
        self.ask_at = None;
        let (tell, told) = channel();
        let (home, waker) = (self.home.clone(), self.waker.clone());
        let started = std::thread::Builder::new().name("backup".to_owned()).spawn(move || {
            // Nobody listens where the owner has left.
            let _ = tell.send(backup::hourly(&home, wall));
            waker.wake();
        });
        match started {
            Ok(_) => self.making = Some(told),
            Err(error) => {
                eprintln!("the backup could not be begun: {error}");
                self.ask_at = Some(now + ASK_EVERY_MS);
            }
        }
        Ok(())
    }
}
