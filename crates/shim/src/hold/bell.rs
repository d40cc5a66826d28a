//! Telling the owner that an attempt has ended; starting one where the last did not leave in an orderly way.

use super::patience::{LONGEST_MS, Patience};
use super::signals;
use footplate_shim::clock::running_ms;
use footplate_shim::contract::{Ended, OsBytes, OwnerLine, SETTLED, Spec};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{Mode, OFlags};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

/// Who is to see to the attempt's end.
pub(super) enum Told {
    /// An owner that had the bell open when it was rung.
    Listener(OwnedFd),
    /// Nobody had, and this owner was started.
    Started(Child),
    /// Nobody had, and none could be started just now.
    Failed,
    /// Nobody, and none is to be started.
    Nobody,
}

/// To be called without the lock: an owner that looks at once must find it free.
pub(super) fn ring(spec: &Spec) -> Told {
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match rustix::fs::open(&spec.bell, flags, Mode::empty()) {
        Ok(bell) => {
            // A full bell rings already: who finds it full looks at all.
            let ended = Ended { run: spec.run_number, stage: spec.stage_index, attempt: spec.attempt };
            let _ = rustix::io::write(&bell, ended.to_string().as_bytes());
            Told::Listener(bell)
        }
        Err(rustix::io::Errno::NXIO | rustix::io::Errno::NOENT) => nobody_listens(spec),
        Err(_) => Told::Nobody,
    }
}

impl Told {
    /// Waits until an owner says that the attempt is settled and what comes next is begun. One that dies before, with the ring
    /// taken or not, is told by the bell at once: then it is as if nobody had listened. One that was started from here and
    /// dies is followed by another: as long as a shim is there, the queue goes on.
    pub(super) fn see_to_it(self, spec: &Spec, ctl: &OwnedFd, signals: &OwnedFd) {
        let mut patience = Patience::from(running_ms());
        let mut wait = Wait { ctl, signals, until: patience.ends(), line: Vec::new() };
        let mut told = self;
        loop {
            told = match told {
                Self::Nobody => return,
                // The end of the last listener is told as an error, which nobody has to ask for.
                Self::Listener(bell) => match wait.look(Some(&bell), LONGEST_MS) {
                    Saw::Enough => return,
                    Saw::TheEnd => nobody_listens(spec),
                    Saw::Nothing => Self::Listener(bell),
                },
                Self::Started(mut owner) => match owner.try_wait() {
                    // It has done what there was to do. One that failed (the disk is full, say, or the dead one's store was not
                    // free yet), or found another, is no word that somebody sees to it.
                    Ok(Some(end)) if end.success() => return,
                    Ok(Some(_)) => Self::Failed,
                    // Its end is told by a signal.
                    Ok(None) => match wait.look(None, LONGEST_MS) {
                        Saw::Enough => return,
                        Saw::TheEnd | Saw::Nothing => Self::Started(owner),
                    },
                    Err(_) => return,
                },
                Self::Failed => {
                    if wait.rest(patience.pause(running_ms())) {
                        return;
                    }
                    ring(spec)
                }
            };
        }
    }
}

/// What a look saw.
enum Saw {
    /// The attempt is settled, or time is up.
    Enough,
    /// The last listener has gone.
    TheEnd,
    /// A signal, or only the time that was given.
    Nothing,
}

/// Waiting for the word of the owner, and for what may come in its place.
struct Wait<'a> {
    ctl: &'a OwnedFd,
    signals: &'a OwnedFd,
    until: u64,
    /// The line of `ctl` that is being read; commands that came too late are in it, too.
    line: Vec<u8>,
}

impl Wait<'_> {
    fn look(&mut self, bell: Option<&OwnedFd>, ms: u64) -> Saw {
        let left = self.until.saturating_sub(running_ms());
        let ms = ms.min(left);
        let timeout = Timespec { tv_sec: (ms / 1000).cast_signed(), tv_nsec: (ms % 1000 * 1_000_000).cast_signed() };
        let none = PollFlags::empty();
        // Without a bell `ctl` stands in its place: nothing is asked of it there.
        let mut fds = [
            PollFd::new(self.ctl, PollFlags::IN),
            PollFd::new(self.signals, PollFlags::IN),
            PollFd::new(bell.unwrap_or(self.ctl), none),
        ];
        let count = rustix::event::poll(&mut fds, Some(&timeout)).unwrap_or(0);
        let [ctl, signals, bell] = fds.map(|fd| if count > 0 { fd.revents() } else { none });
        if ctl.contains(PollFlags::IN) && self.settled() {
            return Saw::Enough;
        }
        // The session ends: who comes next sees to it.
        if signals.contains(PollFlags::IN) && signals::came(self.signals).term {
            return Saw::Enough;
        }
        if bell.intersects(PollFlags::ERR | PollFlags::HUP) {
            return Saw::TheEnd;
        }
        if left == 0 { Saw::Enough } else { Saw::Nothing }
    }

    /// A pause that no signal cuts short: that the owner ended is one. True where it is enough.
    fn rest(&mut self, ms: u64) -> bool {
        let until = running_ms().saturating_add(ms);
        loop {
            let left = until.saturating_sub(running_ms());
            if matches!(self.look(None, left), Saw::Enough) {
                return true;
            }
            if left == 0 {
                return false;
            }
        }
    }

    fn settled(&mut self) -> bool {
        let mut bytes = [0; 256];
        while let Ok(count @ 1..) = rustix::io::read(self.ctl, &mut bytes) {
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

fn nobody_listens(spec: &Spec) -> Told {
    let Some((program, arguments)) = spec.owner_argv.split_first() else { return Told::Nobody };
    if left_orderly(spec) || is_gone(spec) {
        return Told::Nobody;
    }
    // One that is just being replaced by a newer version is there again in a moment.
    start_owner(program, arguments).map_or(Told::Failed, Told::Started)
}

/// The data folder was removed: an owner would make it anew.
fn is_gone(spec: &Spec) -> bool {
    let looked = spec.owner_lock.parent().map(std::fs::symlink_metadata);
    matches!(looked, Some(Err(error)) if error.kind() == std::io::ErrorKind::NotFound)
}

fn left_orderly(spec: &Spec) -> bool {
    let line = std::fs::read(&spec.owner_lock).ok();
    line.and_then(|line| serde_json::from_slice::<OwnerLine>(&line).ok()).is_some_and(|owner| owner.orderly)
}

/// In a session of its own: it must not end with anything of ours. Too many are no harm, one gets the lock.
#[expect(unsafe_code, reason = "a session of its own can only be made between fork and exec")]
fn start_owner(program: &OsBytes, arguments: &[OsBytes]) -> Option<Child> {
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
    command.spawn().ok()
}
