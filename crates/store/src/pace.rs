//! Waiting for others and leaving room for them.
//!
//! SQLite's write lock is not fair: whoever asks at the right moment has it. A guest asks each 1 to 5 ms; so the owner, when it
//! writes without a break, leaves the lock alone for a ninth of the time.

use std::time::{Duration, Instant};

/// After this much writing without a break, a gap follows.
const BURST: Duration = Duration::from_millis(4);
/// How long the gap is.
const GAP: Duration = Duration::from_micros(500);
/// How long anyone waits for the lock.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The owner's account of its writing.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    written: Duration,
    last_end: Option<Instant>,
}

impl Pace {
    /// Called before the lock is taken: leaves a gap where one is due. Returns when the lock was asked for.
    pub(crate) fn before(&mut self) -> Instant {
        let now = Instant::now();
        let idle = self.last_end.map_or(GAP, |end| now.saturating_duration_since(end));
        if idle >= GAP {
            self.written = Duration::ZERO;
        } else if self.written >= BURST {
            std::thread::sleep(GAP - idle);
            self.written = Duration::ZERO;
        }
        Instant::now()
    }

    /// Called when the lock is given back.
    pub(crate) fn after(&mut self, since: Instant) {
        let now = Instant::now();
        self.written += now.saturating_duration_since(since);
        self.last_end = Some(now);
    }
}

/// The busy handler of every connection: guests ask each 1 to 5 ms, the owner ten times as often, since all of them wait for what it
/// does; 30 s in all.
pub(crate) fn busy_handler(owner: bool) -> impl FnMut(i32) -> bool + Send + 'static {
    let mut since = Instant::now();
    let mut random = u64::from(std::process::id()) << 20 | 1;
    move |count| {
        if count == 0 {
            since = Instant::now();
        } else if since.elapsed() > PATIENCE {
            return false;
        }
        // xorshift, stirred by the time: neighbours must not ask in step.
        random ^= u64::from(since.elapsed().subsec_nanos());
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let guests = 1000 + random % 4000;
        std::thread::sleep(Duration::from_micros(if owner { guests / 10 } else { guests }));
        true
    }
}
