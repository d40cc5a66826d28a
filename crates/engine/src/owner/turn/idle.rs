//! When the owner has nothing to do any more.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use footplate_core::UtcMs;
use footplate_shim::clock;

use super::Owner;

impl Owner<'_> {
    /// Nothing live, nothing that starts or comes due by itself, and nobody looks.
    pub(super) fn is_idle(&mut self) -> bool {
        let mind = &self.mind;
        let busy = self.more
            || self.copies.is_busy()
            || self.tidy.is_busy()
            || !mind.live.is_empty()
            || !mind.awaiting.is_empty()
            || !mind.retries.is_empty()
            || !mind.keeping.is_empty()
            || mind.keeper.is_busy()
            || mind.backlog.can_start_by_itself()
            || mind.schedules.need_an_owner(UtcMs(clock::wall_ms()));
        !busy && !self.somebody_is_present()
    }

    /// Where a guest is present, a thread waits until the last one has left.
    fn somebody_is_present(&mut self) -> bool {
        let Ok(file) =
            std::fs::File::options().read(true).write(true).create(true).truncate(false).open(self.home.presence())
        else {
            return false;
        };
        if !matches!(file.try_lock(), Err(std::fs::TryLockError::WouldBlock)) {
            return false;
        }
        if !self.waits_for_presence.swap(true, Ordering::SeqCst) {
            let (waits, waker) = (Arc::clone(&self.waits_for_presence), self.waker.clone());
            let started = std::thread::Builder::new().name("presence".to_owned()).spawn(move || {
                let _ = file.lock();
                waits.store(false, Ordering::SeqCst);
                waker.wake();
            });
            if started.is_err() {
                self.waits_for_presence.store(false, Ordering::SeqCst);
            }
        }
        true
    }
}
