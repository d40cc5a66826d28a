//! For tests of the whole product: a [`Bench`] is a temporary data folder with the executables as built, and it knows every
//! process that came from it. Also: waiting for conditions, pretend trainings, and redaction for snapshots.
//!
//! Not here: any knowledge of the store or of the engine's insides; what a test sees, a user could see. Processes are found
//! in `/proc`, so the benches are for Linux.

mod bench;
mod gpus;
mod mounts;
mod pretend;
pub mod process;
mod receiver;
mod redact;

pub use bench::{Bench, Output};
pub use gpus::{PretendGpu, PretendGpus};
pub use mounts::{SilentDisk, SmallDisk, in_own_mounts};
pub use pretend::Pretend;
pub use process::{Found, kill9};
pub use receiver::{Receiver, Reply, Request};
pub use redact::{redact, redact_json};

use std::time::{Duration, Instant};

/// Waits until the condition holds; false where it does not within the deadline. The only place of the product that sleeps.
#[must_use]
pub fn holds_within(deadline: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + deadline;
    let mut pause = Duration::from_millis(1);
    loop {
        if condition() {
            return true;
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        std::thread::sleep(pause.min(left));
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// Waits until the condition holds.
///
/// # Panics
/// Where it does not within the deadline, naming what was waited for.
#[track_caller]
pub fn until(deadline: Duration, what: &str, condition: impl FnMut() -> bool) {
    assert!(holds_within(deadline, condition), "not within {deadline:?}: {what}");
}
