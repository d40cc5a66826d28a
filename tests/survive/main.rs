//! What survives what: owners, shims and command lines are killed at bad moments; programs go on, nothing runs twice, nothing is said
//! that is not so. Real processes, the real store.

#![expect(clippy::unwrap_used, reason = "a test fails by it")]

mod after;
mod cancel;
mod clocks;
mod corrupted;
mod crash_loop;
mod disk_errors;
mod disk_guard;
mod disk_points;
mod failpoints;
mod full_disk;
mod hand_over;
mod kills;
mod many;
mod nested;
mod output;
mod poison;
mod saves;
mod schedules;
mod silent_disk;
mod sleeps;
mod steady;
mod storage;

use std::time::Duration;

/// Long enough for a slow machine; conditions are waited for, so it costs nothing where all is well.
const LONG: Duration = Duration::from_secs(60);

/// How many rounds of the crash loop: `FOOTPLATE_CRASH_ROUNDS` (`make crash`, `make soak`), else this.
fn crash_rounds(usual: u32) -> u32 {
    std::env::var("FOOTPLATE_CRASH_ROUNDS").ok().and_then(|r| r.parse().ok()).unwrap_or(usual)
}

/// How many rounds: the long count under `make soak` (`FOOTPLATE_SOAK`).
fn rounds(usual: u32, long: u32) -> u32 {
    if std::env::var_os("FOOTPLATE_SOAK").is_some() { long } else { usual }
}

/// A repeatable sequence of numbers below a bound; xorshift.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// Lets a little time pass: the instant of a kill is to be any.
fn let_pass(ms: u64) {
    let _ = footplate_testkit::holds_within(Duration::from_millis(ms), || false);
}
