//! The fork server: one process that the owner keeps warm, from which shims are forked rather than started anew. Loading an
//! executable costs more than the fork of a small process that is ready (on a virtual machine, where the C library's look
//! at the processor is slow, several times more). A shim is forked before it is needed: it stands by, ready but for the
//! attempt, so that a launch need not wait for the fork either.
//!
//! A forked shim is a child of the owner, as a started one is, and does the same from there on. Deliberately not here: secrets
//! (such a shim is started directly), and anything that could not be lost: an owner without a server starts shims itself.
//!
//! The wires: over stdin, a stream, each byte orders one shim, and the answer is its pid or a negative errno, four bytes, little
//! end first. On stdout, a socket that keeps messages apart, all that stand by wait for the path of an attempt's folder: one of
//! them gets it, and answers with its own pid, four bytes. The end of the wires is the end of the server and of all that
//! stand by.

use super::Refusal;
use super::launch::{Ready, prepare};
use super::signals;
use footplate_shim::clock;
use footplate_shim::contract::{Exit, code};
use footplate_shim::folder::AttemptDir;
use footplate_shim::os::Title;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

/// Longer paths than this are no paths.
const LONGEST: usize = 4096;

/// Serves until the owner is gone. Returns in each forked shim that got an attempt.
pub(super) fn serve() -> Result<Option<(AttemptDir, Ready)>, Refusal> {
    footplate_shim::os::close_inherited(3, None);
    let failed = |error: io::Error| Refusal::of("cannot serve", &error);
    let wire = |fd| rustix::io::fcntl_dupfd_cloexec(fd, 3).map_err(|error| failed(error.into()));
    let mut orders = UnixStream::from(wire(rustix::stdio::stdin())?);
    let requests = wire(rustix::stdio::stdout())?;
    // Nothing of the terminal or of the folder that the owner was started in, and nobody holds a wire by accident.
    super::launch::detach().map_err(failed)?;
    // Looked up once here rather than in each shim: which instructions the processor has (slow on a virtual machine), where
    // the clocks are, which boot this is, how willing to be killed, which control group counts, how much is allowed.
    let _ = Exit::default().seal();
    let _ = (clock::running_ms(), clock::boot_id(), footplate_shim::os::oom_score(0), footplate_shim::os::oom_kills());
    super::child::know_limits();
    let title = Title::find();
    title.set(b"footplate-shim --fork-server");
    let mut order = [0; 1];
    while orders.read_exact(&mut order).is_ok() {
        let answer = match footplate_shim::os::fork_sibling() {
            Ok(None) => {
                drop(orders);
                return stand_by(requests, &title);
            }
            Ok(Some(pid)) => pid,
            Err(error) => -error.raw_os_error().unwrap_or(libc::EIO),
        };
        if orders.write_all(&answer.to_le_bytes()).is_err() {
            break;
        }
    }
    Ok(None)
}

/// Makes itself ready, and waits for an attempt. `None`: there will be none.
fn stand_by(requests: OwnedFd, title: &Title) -> Result<Option<(AttemptDir, Ready)>, Refusal> {
    title.set(b"footplate-shim --stand-by");
    let ready = prepare()?;
    let Some(folder) = request(&requests, &ready.signals) else { return Ok(None) };
    title.set(&[b"footplate-shim ", folder.as_slice()].concat());
    // An owner that does not hear it starts another; one of the two gets the claim.
    let pid = rustix::process::getpid().as_raw_nonzero().get();
    let _ = rustix::io::write(&requests, &pid.to_le_bytes());
    Ok(Some((AttemptDir::open(PathBuf::from(OsString::from_vec(folder))), ready)))
}

fn request(requests: &OwnedFd, signals: &OwnedFd) -> Option<Vec<u8>> {
    let mut folder = vec![0; LONGEST];
    loop {
        let mut fds = [PollFd::new(requests, PollFlags::IN), PollFd::new(signals, PollFlags::IN)];
        if matches!(poll(&mut fds, None), Err(error) if error != Errno::INTR) {
            return None;
        }
        // The session ends, with nothing to be stopped.
        if signals::came(signals).term {
            return None;
        }
        match rustix::net::recv(requests.as_fd(), folder.as_mut_slice(), rustix::net::RecvFlags::DONTWAIT) {
            Ok((count, length)) if count > 0 && count == length => {
                folder.truncate(count);
                return Some(folder);
            }
            // Another got it.
            Err(Errno::AGAIN | Errno::INTR) => {}
            Ok(_) | Err(_) => return None,
        }
    }
}

/// The exit code of a server, or of a shim without an attempt, that has done its work.
pub(super) const SERVED: u8 = code::HELD;
