//! Being woken at a moment of the wall clock: after sleep, and when the clock is set, too.
//!
//! On Linux a timer of the real-time clock does it, which is also told when that clock jumps: no look in between is needed. Elsewhere what
//! is due by the wall clock is looked at once a minute.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use footplate_shim::clock;

/// Where there is no such timer: how often the wall clock is looked at, milliseconds.
const LOOK_MS: u64 = 60_000;

/// One timer.
#[derive(Debug)]
pub(super) struct Alarm {
    fd: Option<OwnedFd>,
}

impl Alarm {
    /// A timer that is not set.
    pub(super) fn new() -> Alarm {
        Alarm { fd: clock::wall_timer() }
    }

    /// Rings at `due`, UTC milliseconds, or when the clock jumps; at once where it has passed. `None`: not at all. Returns how
    /// long the caller may wait at most, milliseconds.
    pub(super) fn set(&self, due: Option<i64>) -> Option<u64> {
        let left = due.map(|due| u64::try_from(due.saturating_sub(clock::wall_ms())).unwrap_or(0));
        let rings = self.fd.as_ref().is_some_and(|fd| clock::set_wall_timer(fd, due));
        left.map(|left| if left == 0 || !rings { left.min(LOOK_MS) } else { u64::MAX })
    }

    /// What to wait on.
    pub(super) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.fd.as_ref().map(AsFd::as_fd)
    }

    /// Takes a ring.
    pub(super) fn drain(&self) {
        if let Some(fd) = &self.fd {
            // A clock that was set is told as an error; either way everything is looked at.
            let _ = rustix::io::read(fd, &mut [0; 8]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    #[test]
    fn it_rings_at_its_time_and_not_before_and_a_time_that_has_passed_is_due_at_once() {
        let alarm = Alarm::new();
        assert_eq!((alarm.set(None), alarm.set(Some(clock::wall_ms() - 5))), (None, Some(0)));
        let due = clock::wall_ms() + 40;
        let most = alarm.set(Some(due)).unwrap();
        if let Some(fd) = alarm.fd() {
            assert_eq!(most, u64::MAX, "nothing else needs to wake the caller");
            let limit = Timespec { tv_sec: 30, tv_nsec: 0 };
            assert_eq!(poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&limit)), Ok(1));
            assert!(clock::wall_ms() >= due);
            alarm.drain();
            let now = Timespec { tv_sec: 0, tv_nsec: 0 };
            assert_eq!(poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&now)), Ok(0), "one ring");
        } else {
            assert!(most <= LOOK_MS);
        }
    }
}
