//! Time, and the boot this machine is in. The only reader of the wall clock in the product.

use std::os::fd::OwnedFd;
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

/// The wall clock: UTC milliseconds since 1970. For what people read and for schedules, never for durations.
/// `FOOTPLATE_TEST_WALL_SHIFT` names a file with milliseconds to add, so that tests can set it back, or let a night pass.
#[expect(clippy::disallowed_methods, reason = "this is the one module that reads the wall clock")]
pub fn wall_ms() -> i64 {
    let now = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
    };
    now.saturating_add(test_shift())
}

fn test_shift() -> i64 {
    static FILE: OnceLock<Option<std::ffi::OsString>> = OnceLock::new();
    let file = FILE.get_or_init(|| std::env::var_os("FOOTPLATE_TEST_WALL_SHIFT"));
    let text = file.as_ref().and_then(|file| std::fs::read_to_string(file).ok());
    text.and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

/// A timer of the wall clock, readable when it rings; see [`set_wall_timer`]. `None` where the system has none (macOS).
pub fn wall_timer() -> Option<OwnedFd> {
    #[cfg(target_os = "linux")]
    {
        use rustix::time::{TimerfdClockId, TimerfdFlags, timerfd_create};
        timerfd_create(TimerfdClockId::Realtime, TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK).ok()
    }
    #[cfg(not(target_os = "linux"))]
    None
}

/// Lets it ring at `due`, UTC milliseconds, after sleep as well, and whenever somebody sets the clock; `None`: not at all. False
/// where the system refuses.
pub fn set_wall_timer(timer: &OwnedFd, due: Option<i64>) -> bool {
    #[cfg(target_os = "linux")]
    {
        use rustix::time::{Itimerspec, TimerfdTimerFlags, Timespec, timerfd_settime};
        // What tests put on top of the clock is not known to the system. 0 would mean not at all.
        let at = due.map_or(0, |due| due.saturating_sub(test_shift()).max(1));
        let value = Timespec { tv_sec: at.div_euclid(1000), tv_nsec: at.rem_euclid(1000) * 1_000_000 };
        let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: value };
        timerfd_settime(timer, TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET, &once).is_ok()
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (timer, due);
        false
    }
}

/// The running clock in milliseconds: stops while the machine sleeps and never jumps. Same origin for every process of
/// one boot, so that owner and shim may compare values.
pub fn running_ms() -> u64 {
    crate::os::running_ms()
}

/// The name of this boot, new after each one. `FOOTPLATE_TEST_BOOT_ID` overrides it, so that tests can pretend a reboot.
/// Empty where the system does not tell.
pub fn boot_id() -> &'static str {
    static BOOT: OnceLock<String> = OnceLock::new();
    BOOT.get_or_init(|| match std::env::var("FOOTPLATE_TEST_BOOT_ID") {
        Ok(id) if !id.is_empty() => id,
        _ => crate::os::boot_id(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_running_clock_never_goes_back_and_the_boot_has_a_name() {
        let first = running_ms();
        assert!(running_ms() >= first);
        assert!(!boot_id().is_empty());
        assert!(wall_ms() > 1_700_000_000_000);
    }
}
