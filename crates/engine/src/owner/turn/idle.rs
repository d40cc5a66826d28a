//! When the owner has nothing to do any more.

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
            || self.strays.is_busy()
            || !mind.live.is_empty()
            || !mind.awaiting.is_empty()
            || !mind.retries.is_empty()
            || !mind.keeping.is_empty()
            || mind.keeper.is_busy()
            || mind.reach.until().is_some()
            || mind.backlog.can_start_by_itself()
            || mind.schedules.need_an_owner(UtcMs(clock::wall_ms()));
        if busy || self.presence.is_seen() {
            self.post.let_go();
            return false;
        }
        !self.post.holds()
    }
}
