//! Telling the owner that an attempt has ended; starting one where the last did not leave in an orderly way.

use footplate_shim::clock::running_ms;
use footplate_shim::contract::{OwnerLine, Spec};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{Mode, OFlags};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// How long a shim waits for its ring to be taken, milliseconds. An owner takes it with its next turn.
const PATIENCE_MS: u64 = 2_000;

/// A ring that somebody may hear.
pub(super) struct Rung(OwnedFd);

/// To be called without the lock: an owner that looks at once must find it free.
pub(super) fn ring(spec: &Spec) -> Option<Rung> {
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match rustix::fs::open(&spec.bell, flags, Mode::empty()) {
        Ok(bell) => {
            // A full bell rings already.
            let _ = rustix::io::write(&bell, b"!");
            Some(Rung(bell))
        }
        Err(rustix::io::Errno::NXIO | rustix::io::Errno::NOENT) => {
            nobody_listens(spec);
            None
        }
        Err(_) => None,
    }
}

impl Rung {
    /// Waits until the ring is taken. An owner that dies at this moment holds the bell for some milliseconds more and takes
    /// nothing: then it is as if nobody had listened.
    pub(super) fn see_to_it(self, spec: &Spec) {
        let until = running_ms() + PATIENCE_MS;
        while !matches!(rustix::io::ioctl_fionread(&self.0), Ok(0) | Err(_)) && running_ms() < until {
            let mut bell = [PollFd::new(&self.0, PollFlags::empty())];
            let timeout = Timespec { tv_sec: 0, tv_nsec: 2_000_000 };
            // The end of the last listener is told at once, as an error; that a ring was taken is not told.
            if rustix::event::poll(&mut bell, Some(&timeout)).is_ok_and(|n| n > 0)
                && bell[0].revents().contains(PollFlags::ERR)
            {
                return nobody_listens(spec);
            }
        }
    }
}

fn nobody_listens(spec: &Spec) {
    if !left_orderly(spec) {
        start_owner(spec);
    }
}

fn left_orderly(spec: &Spec) -> bool {
    let line = std::fs::read(&spec.owner_lock).ok();
    line.and_then(|line| serde_json::from_slice::<OwnerLine>(&line).ok()).is_some_and(|owner| owner.orderly)
}

/// In a session of its own: it must not end with anything of ours. Too many are no harm, one gets the lock.
#[expect(unsafe_code, reason = "a session of its own can only be made between fork and exec")]
fn start_owner(spec: &Spec) {
    let Some((program, arguments)) = spec.owner_argv.split_first() else { return };
    let mut command = Command::new(program.as_os_str());
    command.args(arguments.iter().map(|word| word.as_os_str()));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // SAFETY: setsid is async-signal-safe, and signal is as well.
    unsafe {
        command.pre_exec(|| {
            for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGXFSZ] {
                libc::signal(signal, libc::SIG_DFL);
            }
            rustix::process::setsid()?;
            Ok(())
        });
    }
    // Nobody is left to be told; the next command of any guest starts an owner too.
    let _ = command.spawn();
}
