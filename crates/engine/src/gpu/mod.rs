//! The GPUs of this machine: how many, and, when somebody wants to know, which and who uses them.
//!
//! A machine without any is the normal case: nothing is loaded there, and nothing is looked for but a name in `/dev`. What a look
//! finds is words ([`footplate_core::gpu`]); who gets which is the owner's.

#[cfg(target_os = "macos")]
mod apple;
#[cfg(target_os = "linux")]
mod nvml;
mod ours;

#[cfg(target_os = "macos")]
use apple as driver;
use footplate_core::gpu::Gpu;
#[cfg(target_os = "linux")]
use nvml as driver;
pub use ours::Ours;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

/// The setting that says that processes of others count for nothing: `1`.
pub const IGNORE_OTHERS: &str = "gpus.ignore_others";

/// How many there are, by their names in `/dev` and `/sys` alone. Tests set `FOOTPLATE_TEST_GPUS`.
#[must_use]
pub fn count() -> u32 {
    test_count().unwrap_or_else(driver::count)
}

fn test_count() -> Option<u32> {
    std::env::var("FOOTPLATE_TEST_GPUS").ok()?.parse().ok()
}

/// Looks at all of them. A driver that hangs makes this hang: for a thread of its own ([`look_within`] has one).
#[must_use]
pub fn look() -> Vec<Gpu> {
    let count = count();
    let mut seen = if count == 0 { Vec::new() } else { driver::look(test_count()) };
    // Those that nothing more is known of are there all the same.
    for index in (seen.len()..count as usize).map(|index| index as u32) {
        seen.push(Gpu { index, id: format!("gpu.{index}"), name: driver::USUAL_NAME.to_owned(), ..Gpu::default() });
    }
    seen
}

/// Lets the driver go: one that is held cannot be replaced. The next look takes it up again.
pub fn release() {
    driver::release();
}

/// The same, but no longer than this: those that did not answer are silent then. While one look hangs no other is begun.
#[must_use]
pub fn look_within(patience: Duration) -> Vec<Gpu> {
    static HANGS: AtomicBool = AtomicBool::new(false);
    let count = count();
    if count == 0 {
        return Vec::new();
    }
    if !HANGS.swap(true, Ordering::SeqCst) {
        let (tell, told) = mpsc::channel();
        let started = std::thread::Builder::new().name("gpus".to_owned()).spawn(move || {
            let seen = look();
            HANGS.store(false, Ordering::SeqCst);
            // Nobody listens where it took too long.
            let _ = tell.send(seen);
        });
        match started {
            Ok(_) => {
                if let Ok(seen) = told.recv_timeout(patience) {
                    return seen;
                }
            }
            Err(_) => HANGS.store(false, Ordering::SeqCst),
        }
    }
    let silent = |index| Gpu { index, name: driver::USUAL_NAME.to_owned(), silent: true, ..Gpu::default() };
    (0..count).map(silent).collect()
}
