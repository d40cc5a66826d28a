//! Signals as bytes in a pipe, so that one poll(2) sees them with everything else.

use std::io;
use std::os::fd::{AsFd, IntoRawFd, OwnedFd};
use std::sync::atomic::{AtomicI32, Ordering};

static WRITE_END: AtomicI32 = AtomicI32::new(-1);

/// Which signals came since the last look.
#[derive(Default)]
pub(super) struct Came {
    pub(super) child: bool,
    pub(super) term: bool,
}

const IGNORED: [libc::c_int; 4] = [libc::SIGHUP, libc::SIGINT, libc::SIGPIPE, libc::SIGXFSZ];
const CAUGHT: [libc::c_int; 2] = [libc::SIGCHLD, libc::SIGTERM];

/// As a process finds them that nobody has prepared: whoever started this one may have ignored some. Once, at the start.
#[expect(unsafe_code, reason = "signal handlers have no safe wrapper")]
pub(super) fn reset_all() {
    // PIPE stays ignored until the child: nobody is to die of a message that cannot be written.
    for signal in (1..32).filter(|&signal| signal != libc::SIGPIPE) {
        // SAFETY: no memory is touched. KILL and STOP refuse, which is as well.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
}

/// Takes back what [`install`] did, in the child of a process that began with [`reset_all`]. Async-signal-safe.
#[expect(unsafe_code, reason = "signal handlers have no safe wrapper")]
pub(super) fn reset_ours() {
    for signal in IGNORED.into_iter().chain(CAUGHT) {
        // SAFETY: no memory is touched.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
}

/// Ignores HUP, INT, PIPE and XFSZ (a file size limit is a full disk, not a death); catches CHLD and TERM. Returns the
/// end to poll.
#[expect(unsafe_code, reason = "signal handlers have no safe wrapper")]
pub(super) fn install() -> io::Result<OwnedFd> {
    let (read, write) = io::pipe()?;
    for end in [read.as_fd(), write.as_fd()] {
        rustix::io::ioctl_fionbio(end, true)?;
    }
    WRITE_END.store(write.into_raw_fd(), Ordering::SeqCst);
    for signal in IGNORED {
        // SAFETY: ignoring a signal touches no memory.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
    for signal in CAUGHT {
        // SAFETY: a plain C structure, for which all-zero is valid: an empty mask.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        let handler: extern "C" fn(libc::c_int) = caught;
        action.sa_sigaction = handler as usize;
        action.sa_flags = libc::SA_RESTART | libc::SA_NOCLDSTOP;
        // SAFETY: the structure lives through the call, and the handler does async-signal-safe things only.
        if unsafe { libc::sigaction(signal, &raw const action, std::ptr::null_mut()) } != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(read.into())
}

#[expect(unsafe_code, reason = "a handler may call write(2) and little else")]
extern "C" fn caught(signal: libc::c_int) {
    let byte = if signal == libc::SIGTERM { b't' } else { b'c' };
    // SAFETY: one byte that lives through the call. A full pipe loses nothing: what is in it wakes the poll as well.
    // errno is put back, for the handler may run between a call and the look at its errno.
    unsafe {
        let errno = errno_place();
        let before = *errno;
        libc::write(WRITE_END.load(Ordering::SeqCst), (&raw const byte).cast(), 1);
        *errno = before;
    }
}

#[expect(unsafe_code, reason = "errno has no safe place")]
fn errno_place() -> *mut libc::c_int {
    #[cfg(target_os = "linux")]
    // SAFETY: always valid for the calling thread.
    let place = unsafe { libc::__errno_location() };
    #[cfg(target_os = "macos")]
    // SAFETY: always valid for the calling thread.
    let place = unsafe { libc::__error() };
    place
}

/// Empties the pipe.
pub(super) fn came(read: &OwnedFd) -> Came {
    let mut came = Came::default();
    let mut bytes = [0_u8; 64];
    while let Ok(count) = rustix::io::read(read, &mut bytes) {
        if count == 0 {
            break;
        }
        for byte in bytes.iter().take(count) {
            came.term |= *byte == b't';
            came.child |= *byte == b'c';
        }
    }
    came
}
