//! Waiting until the store may be another, for those who look on for hours: no look costs anything while nothing is written.
//!
//! A write to the store's journal is heard before what it says can be read, by as long as the disk takes to flush it, and a lock
//! is given back just after its file is closed. So what was heard is looked for more than once: see [`Pulse::again`].

use std::io;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::home::Home;
use crate::wake::{Wakeable, Waker, pair};
use crate::watch::{Heed, Watch};

/// From a write that was heard to the first look after it, and how often that is doubled: up to 2.5 s after the write.
const FIRST_AGAIN: Duration = Duration::from_millis(20);
const AGAIN_TIMES: u32 = 7;

/// What ended a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// [`Caller::call`].
    Call,
    /// Something in the data folder was written.
    Write,
    /// Nothing: the time is over.
    Nothing,
}

/// Ends a wait from another thread. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Caller(Waker);

impl Caller {
    /// Ends the wait that goes on, or the next one.
    pub fn call(&self) {
        self.0.wake();
    }
}

/// The one that waits.
#[derive(Debug)]
pub struct Pulse {
    calls: Wakeable,
    writes: Option<Watch<()>>,
    /// Looks since a write was heard.
    looks: u32,
}

impl Pulse {
    /// One that hears calls only, and who calls.
    ///
    /// # Errors
    /// What the system says.
    pub fn new() -> io::Result<(Pulse, Caller)> {
        let (waker, calls) = pair()?;
        Ok((Pulse { calls, writes: None, looks: AGAIN_TIMES }, Caller(waker)))
    }

    /// Hears the writes to this data folder's store from now on. False: this system tells of none (macOS, or a limit on watches is
    /// reached), and who waits has to look by the clock.
    pub fn listen(&mut self, home: &Home) -> bool {
        let watch = || {
            let mut watch = Watch::new()?;
            watch.add(home.root(), Heed::Store, ())?;
            io::Result::Ok(watch)
        };
        self.writes = watch().ok();
        self.hears()
    }

    /// Whether writes are heard.
    #[must_use]
    pub fn hears(&self) -> bool {
        self.writes.is_some()
    }

    /// In how long to look again for what was heard last; `None` where it has been looked for long enough.
    #[must_use]
    pub fn again(&self) -> Option<Duration> {
        (self.looks < AGAIN_TIMES).then(|| FIRST_AGAIN * 2_u32.pow(self.looks))
    }

    /// Waits for a call or a write, at most `at_most`.
    pub fn wait(&mut self, at_most: Duration) -> Heard {
        let heard = self.hear(at_most, true);
        self.looks = if heard == Heard::Write { 0 } else { (self.looks + 1).min(AGAIN_TIMES) };
        heard
    }

    /// Waits for a call, at most `at_most`. A write meanwhile ends the next [`Pulse::wait`].
    pub fn rest(&mut self, at_most: Duration) -> Heard {
        self.hear(at_most, false)
    }

    fn hear(&mut self, at_most: Duration, writes: bool) -> Heard {
        let timeout = Timespec {
            tv_sec: i64::try_from(at_most.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: at_most.subsec_nanos().into(),
        };
        let mut polled = vec![PollFd::new(&self.calls, PollFlags::IN)];
        polled.extend(self.writes.iter().filter(|_| writes).map(|watch| PollFd::new(watch.fd(), PollFlags::IN)));
        // Interrupted: as if the time were over.
        let _ = poll(&mut polled, Some(&timeout));
        let [called, written] = [0, 1].map(|at| polled.get(at).is_some_and(|fd| !fd.revents().is_empty()));
        if called {
            self.calls.drain();
        }
        if written && let Some(watch) = &mut self.writes {
            watch.take();
        }
        match (called, written) {
            (_, true) => Heard::Write,
            (true, false) => Heard::Call,
            (false, false) => Heard::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(30);
    const NOW: Duration = Duration::ZERO;

    #[test]
    fn a_call_ends_a_wait_and_a_rest_and_is_heard_once() {
        let (mut pulse, caller) = Pulse::new().unwrap();
        let calls = caller.clone();
        let called = std::thread::spawn(move || calls.call());
        assert_eq!(pulse.wait(LONG), Heard::Call);
        called.join().unwrap();
        caller.call();
        caller.call();
        assert_eq!(pulse.rest(LONG), Heard::Call);
        assert_eq!(pulse.wait(NOW), Heard::Nothing);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_write_is_heard_once_the_end_of_a_writer_too_and_a_reader_never() {
        let place = tempfile::tempdir().unwrap();
        let home = Home::at(place.path()).unwrap();
        let (mut pulse, _caller) = Pulse::new().unwrap();
        assert!(!pulse.hears());
        assert!(pulse.listen(&home));
        let lock = std::fs::File::create(home.owner_lock()).unwrap();
        assert_eq!(pulse.wait(NOW), Heard::Nothing, "nothing was written into it");
        std::fs::read(home.owner_lock()).unwrap();
        assert_eq!(pulse.wait(NOW), Heard::Nothing, "it was read");
        drop(lock);
        assert_eq!(pulse.rest(NOW), Heard::Nothing, "only calls end a rest");
        assert_eq!(pulse.wait(NOW), Heard::Write, "whoever held it has gone");
        assert_eq!(pulse.wait(NOW), Heard::Nothing);
        std::fs::write(home.root().join("state.db-wal"), "x").unwrap();
        assert_eq!(pulse.wait(LONG), Heard::Write);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_was_heard_is_looked_for_again_more_and_more_seldom_and_then_no_more() {
        let place = tempfile::tempdir().unwrap();
        let home = Home::at(place.path()).unwrap();
        let (mut pulse, _caller) = Pulse::new().unwrap();
        assert_eq!(pulse.again(), None, "nothing was heard");
        assert!(pulse.listen(&home));
        std::fs::write(home.root().join("state.db-wal"), "x").unwrap();
        assert_eq!(pulse.wait(LONG), Heard::Write);
        let mut waited = Vec::new();
        while let Some(time) = pulse.again() {
            waited.push(time.as_millis());
            assert_eq!(pulse.wait(NOW), Heard::Nothing);
        }
        assert_eq!(waited, [20, 40, 80, 160, 320, 640, 1280]);
        std::fs::write(home.root().join("state.db-wal"), "y").unwrap();
        assert_eq!(pulse.wait(LONG), Heard::Write);
        assert_eq!(pulse.again(), Some(FIRST_AGAIN));
    }
}
