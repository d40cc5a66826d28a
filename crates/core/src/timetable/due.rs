//! What is to be done about a time that has come, or that went by unseen.

use super::{CatchUp, Timetable};
use crate::time::UtcMs;

/// A start up to so long after its time is on time, milliseconds: a busy machine, a clock that was set a little. Later it was missed.
pub const LATE_AFTER_MS: i64 = 60_000;
/// So many times that were missed are counted; more are told as at least so many.
pub const TIMES_MOST: u32 = 10_000;

/// Times that went by without a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MissedTimes {
    /// The first.
    pub from: UtcMs,
    /// The last.
    pub until: UtcMs,
    /// How many, at most [`TIMES_MOST`].
    pub times: u32,
}

/// What a look at the clock comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// A run is to be started for this time: on time, or caught up.
    pub start: Option<UtcMs>,
    /// These are not started.
    pub missed: Option<MissedTimes>,
    /// The next time, after all of them.
    pub next: Option<UtcMs>,
}

impl Timetable {
    /// What is due at `now`, of what was to be looked at `next`. Of several times at most one is started: the last.
    #[must_use]
    pub fn due(&self, anchor: UtcMs, next: UtcMs, now: UtcMs, catch_up: CatchUp) -> Due {
        if next > now {
            return Due { start: None, missed: None, next: Some(next) };
        }
        let (mut before, mut last, mut times) = (None, next, 1);
        let mut after = self.next_after(last, anchor);
        while let Some(at) = after.filter(|at| *at <= now) {
            if times >= TIMES_MOST {
                // Nobody counts minutes by the year; the last one is what matters.
                let newest = self.last_until(now, anchor).filter(|newest| *newest > last).unwrap_or(at);
                (before, last) = (Some(last), newest);
                after = self.next_after(newest.max(now), anchor);
                break;
            }
            (before, last, times) = (Some(last), at, times + 1);
            after = self.next_after(at, anchor);
        }
        let starts = now.0 - last.0 <= LATE_AFTER_MS || catch_up == CatchUp::Once;
        let missed = match (starts, before) {
            (true, None) => None,
            (true, Some(before)) => Some(MissedTimes { from: next, until: before, times: (times - 1).max(1) }),
            (false, _) => Some(MissedTimes { from: next, until: last, times }),
        };
        Due { start: starts.then_some(last), missed, next: after }
    }
}
