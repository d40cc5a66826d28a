//! When to try: pure, told the time. All times are milliseconds of the running clock, which stands still while the machine sleeps.

/// Least time between two messages, and most, when one follows the other.
const GAP: (u64, u64) = (1_000, 60_000);
/// After so long without a message the next ones follow each other quickly again.
const CALM: u64 = 5 * 60_000;
/// First and longest wait after a try that failed.
const RETRY: (u64, u64) = (2_000, 30 * 60_000);

/// When to try next, and what that follows from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pace {
    due: Option<u64>,
    /// When a message was taken last, and how long the next one keeps away from it.
    sent: Option<(u64, u64)>,
    /// Tries in a row that failed.
    failures: u32,
}

impl Pace {
    /// When to try next; `None`: there is nothing to tell.
    pub(crate) fn due(&self) -> Option<u64> {
        self.due
    }

    /// Tries in a row that failed.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    /// There may be something to tell. A wait that goes on goes on.
    pub(crate) fn stir(&mut self, now: u64) {
        let soon = self.sent.map_or(now, |(at, gap)| now.max(at + gap));
        self.due.get_or_insert(soon);
    }

    /// Whoever waits for it wants to leave: at once, unless the receiver is in trouble.
    pub(crate) fn hurry(&mut self, now: u64) {
        if self.failures == 0 && self.due.is_some() {
            self.due = Some(now);
        }
    }

    /// Another address, or the same one again: what went wrong before means nothing.
    pub(crate) fn begin_anew(&mut self, now: u64) {
        self.failures = 0;
        self.due = Some(now);
    }

    /// A message was taken; `more`: there is more to tell.
    pub(crate) fn sent(&mut self, now: u64, more: bool) {
        let gap = match self.sent {
            Some((at, gap)) if now < at + CALM => (gap * 2).min(GAP.1),
            _ => GAP.0,
        };
        self.sent = Some((now, gap));
        self.failures = 0;
        self.due = more.then_some(now + gap);
    }

    /// There was nothing to tell.
    pub(crate) fn nothing(&mut self) {
        self.failures = 0;
        self.due = None;
    }

    /// A try failed; `wanted`: how long the receiver asks to be left alone.
    pub(crate) fn failed(&mut self, now: u64, wanted: Option<u64>) {
        let doubled = RETRY.0.saturating_mul(1 << self.failures.min(20));
        self.failures = self.failures.saturating_add(1);
        self.due = Some(now + wanted.unwrap_or(0).max(doubled).min(RETRY.1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_message_goes_at_once_and_many_in_a_row_come_ever_more_slowly() {
        let mut pace = Pace::default();
        assert_eq!(pace.due(), None);
        pace.stir(1_000_000);
        assert_eq!(pace.due(), Some(1_000_000));
        let (mut now, mut gaps) = (1_000_000, Vec::new());
        for _ in 0..9 {
            pace.sent(now, true);
            let due = pace.due().unwrap();
            gaps.push(due - now);
            now = due;
        }
        assert_eq!(gaps, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
        // With nothing more to tell it is not asked for, and what comes soon after keeps its distance.
        pace.sent(now, false);
        assert_eq!(pace.due(), None);
        pace.stir(now + 5);
        assert_eq!(pace.due(), Some(now + 60_000));
        pace.nothing();
        // After a while all is as in the beginning.
        pace.stir(now + CALM);
        assert_eq!(pace.due(), Some(now + CALM));
        pace.sent(now + CALM, true);
        assert_eq!(pace.due(), Some(now + CALM + 1_000));
    }

    #[test]
    fn a_dead_receiver_is_tried_ever_more_rarely_and_news_do_not_shorten_the_wait() {
        let mut pace = Pace::default();
        pace.stir(0);
        let (mut now, mut waits) = (0, Vec::new());
        for _ in 0..13 {
            pace.failed(now, None);
            pace.stir(now + 1);
            pace.hurry(now + 1);
            let due = pace.due().unwrap();
            waits.push((due - now) / 1000);
            now = due;
        }
        assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1800, 1800, 1800]);
        pace.sent(now, false);
        pace.failed(now, None);
        assert_eq!(pace.due(), Some(now + 2_000), "a success ends it");
    }

    #[test]
    fn a_receiver_that_asks_for_time_gets_it_and_another_address_is_tried_at_once() {
        let mut pace = Pace::default();
        pace.failed(0, Some(90_000));
        assert_eq!(pace.due(), Some(90_000));
        pace.failed(90_000, Some(u64::MAX / 2));
        assert_eq!(pace.due(), Some(90_000 + RETRY.1), "not for ever");
        pace.begin_anew(91_000);
        assert_eq!((pace.due(), pace.failures()), (Some(91_000), 0));
    }

    #[test]
    fn who_wants_to_leave_does_not_wait_for_the_distance() {
        let mut pace = Pace::default();
        pace.hurry(5);
        assert_eq!(pace.due(), None, "there is nothing to hurry for");
        pace.stir(5);
        pace.sent(5, true);
        pace.hurry(6);
        assert_eq!(pace.due(), Some(6));
    }
}
