//! Who a process is: pid, start time and boot together. A pid alone is never signalled.

use rustix::process::{Pid, Signal};
use serde::{Deserialize, Serialize};
use std::io;
use std::os::fd::OwnedFd;

/// One process for all time: pids come back, (pid, start, boot) does not.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// The process id; never 0, 1 or negative in an identity made by [`Identity::of`].
    pub pid: i32,
    /// When it started, in the system's own unit: clock ticks since boot on Linux (`/proc/PID/stat` field 22),
    /// microseconds since 1970 on macOS.
    pub start: u64,
    /// The boot it belongs to, see [`crate::clock::boot_id`].
    pub boot: String,
}

impl Identity {
    /// The process that has this pid now. `None`: there is none, or it may never be touched (0, 1, negative).
    pub fn of(pid: i32) -> Option<Self> {
        let pid = touchable(pid)?.as_raw_nonzero().get();
        let process = crate::os::process(pid)?;
        Some(Self { pid, start: process.start, boot: crate::clock::boot_id().to_owned() })
    }

    /// The process that calls.
    pub fn own() -> Option<Self> {
        Self::of(rustix::process::getpid().as_raw_nonzero().get())
    }

    /// Whether this very process still lives: same start, same boot, not a zombie.
    pub fn is_alive(&self) -> bool {
        self.is_of_this_boot()
            && touchable(self.pid).is_some()
            && crate::os::process(self.pid).is_some_and(|now| now.start == self.start && !now.dead)
    }

    /// Whether it could still exist at all.
    pub fn is_of_this_boot(&self) -> bool {
        self.boot == crate::clock::boot_id()
    }

    /// Sends a signal to this very process. `false`: it is gone (dead, a zombie, or its pid belongs to another).
    ///
    /// # Errors
    /// What the system says, EPERM for instance.
    pub fn signal(&self, signal: Signal) -> io::Result<bool> {
        if !self.is_of_this_boot() {
            return Ok(false);
        }
        match touchable(self.pid) {
            Some(pid) => crate::os::signal_checked(pid, signal, || self.is_alive()),
            None => Ok(false),
        }
    }

    /// A descriptor that polls readable when the process ends. `None`: it is gone already. A zombie has a descriptor
    /// too, readable at once.
    ///
    /// # Errors
    /// What the system says; `Unsupported` on macOS.
    pub fn open_pidfd(&self) -> io::Result<Option<OwnedFd>> {
        if !self.is_of_this_boot() {
            return Ok(None);
        }
        match touchable(self.pid) {
            Some(pid) => {
                crate::os::open_pidfd(pid, || crate::os::process(self.pid).is_some_and(|now| now.start == self.start))
            }
            None => Ok(None),
        }
    }
}

/// 0, 1 and negative numbers mean groups, everybody or init: no business of ours, ever.
fn touchable(pid: i32) -> Option<Pid> {
    if pid > 1 { Pid::from_raw(pid) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn never_zero_one_or_negative() {
        for pid in [0, 1, -1, -7, i32::MIN] {
            assert_eq!(Identity::of(pid), None);
            let forged = Identity { pid, start: 0, boot: crate::clock::boot_id().to_owned() };
            assert!(!forged.is_alive());
            assert!(!forged.signal(Signal::TERM).unwrap());
            assert!(forged.open_pidfd().unwrap().is_none());
        }
    }

    #[test]
    fn a_stranger_with_the_same_pid_is_never_signalled() {
        let mut child = Command::new("sleep").arg("60").stdin(Stdio::null()).spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let real = Identity::of(pid).unwrap();
        let earlier = Identity { start: real.start - 1, ..real.clone() };
        let other_boot = Identity { pid, start: real.start, boot: "another".into() };
        for forged in [&earlier, &other_boot] {
            assert!(!forged.is_alive());
            assert!(!forged.signal(Signal::KILL).unwrap());
        }
        assert!(real.is_alive());
        assert!(child.try_wait().unwrap().is_none(), "the stranger was hit");
        assert!(real.signal(Signal::KILL).unwrap());
        child.wait().unwrap();
        assert!(!real.is_alive());
        assert!(!real.signal(Signal::KILL).unwrap());
    }

    #[test]
    fn a_zombie_is_not_alive_but_its_end_can_be_polled() {
        let mut child = Command::new("sleep").arg("60").stdin(Stdio::null()).spawn().unwrap();
        let real = Identity::of(i32::try_from(child.id()).unwrap()).unwrap();
        let pidfd = real.open_pidfd().unwrap().unwrap();
        assert!(real.signal(Signal::KILL).unwrap());
        let mut fds = [rustix::event::PollFd::new(&pidfd, rustix::event::PollFlags::IN)];
        assert_eq!(rustix::event::poll(&mut fds, None).unwrap(), 1);
        assert!(!real.is_alive());
        assert!(real.open_pidfd().unwrap().is_some());
        child.wait().unwrap();
        assert!(real.open_pidfd().unwrap().is_none());
    }
}
