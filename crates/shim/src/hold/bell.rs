//! Telling the owner that an attempt has ended; starting one where the last did not leave in an orderly way.

use footplate_shim::clock::running_ms;
use footplate_shim::contract::{OwnerLine, SETTLED, Spec};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{Mode, OFlags};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// How long a shim waits for its attempt to be settled, milliseconds: reading a long log takes its time.
const PATIENCE_MS: u64 = 60_000;

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
    /// Waits until the owner says that the attempt is settled and what comes next is begun. One that dies before, with the ring
    /// taken or not, is told by the bell at once: then it is as if nobody had listened.
    pub(super) fn see_to_it(self, spec: &Spec, ctl: &OwnedFd) {
        let until = running_ms() + PATIENCE_MS;
        let mut heard = Heard::default();
        loop {
            let left = until.saturating_sub(running_ms());
            let timeout =
                Timespec { tv_sec: (left / 1000).cast_signed(), tv_nsec: (left % 1000 * 1_000_000).cast_signed() };
            // The end of the last listener is told as an error, which nobody has to ask for.
            let mut fds = [PollFd::new(&self.0, PollFlags::empty()), PollFd::new(ctl, PollFlags::IN)];
            match rustix::event::poll(&mut fds, Some(&timeout)) {
                Err(rustix::io::Errno::INTR) => continue,
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
            let [bell, ctl_has] = fds.map(|fd| fd.revents());
            if ctl_has.contains(PollFlags::IN) && heard.settled(ctl) {
                return;
            }
            if bell.intersects(PollFlags::ERR | PollFlags::HUP) {
                return nobody_listens(spec);
            }
            if left == 0 {
                return;
            }
        }
    }
}

/// The line of `ctl` that is being read; commands that came too late are in it, too.
#[derive(Default)]
struct Heard {
    line: Vec<u8>,
}

impl Heard {
    fn settled(&mut self, ctl: &OwnedFd) -> bool {
        let mut bytes = [0; 256];
        while let Ok(count @ 1..) = rustix::io::read(ctl, &mut bytes) {
            for &byte in bytes.get(..count).unwrap_or_default() {
                if byte != b'\n' {
                    // Longer than the word: it is another.
                    if self.line.len() <= SETTLED.len() {
                        self.line.push(byte);
                    }
                } else if std::mem::take(&mut self.line) == SETTLED.as_bytes() {
                    return true;
                }
            }
        }
        false
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
