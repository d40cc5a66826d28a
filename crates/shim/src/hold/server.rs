//! The fork server: one process that the owner keeps warm, from which each shim is forked rather than started anew. Loading an
//! executable costs more than the fork of a small process that is ready (on a virtual machine, where the C library's look
//! at the processor is slow, several times more).
//!
//! A forked shim is a child of the owner, as a started one is, and does the same from there on. Deliberately not here: secrets
//! (such a shim is started directly), and anything that could not be lost: an owner without a server starts shims itself.
//!
//! The wire: a length of four bytes, little end first, and the attempt folder's path; the answer is the shim's pid or a negative
//! errno, four bytes. The end of the wire is the end of the server.

use super::Refusal;
use footplate_shim::contract::{Exit, code};
use footplate_shim::folder::AttemptDir;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

/// Longer paths than this are no paths.
const LONGEST: u32 = 64 * 1024;

/// Serves until the owner is gone. Returns in each forked shim, with the folder it is for.
pub(super) fn serve() -> Result<Option<AttemptDir>, Refusal> {
    footplate_shim::os::close_inherited(3, None);
    let failed = |error: io::Error| Refusal::of("cannot serve", &error);
    let wire = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3).map_err(|error| failed(error.into()))?;
    let mut wire = UnixStream::from(wire);
    // Nothing of the terminal or of the folder that the owner was started in.
    let _ = rustix::process::setsid();
    std::env::set_current_dir("/").map_err(failed)?;
    // Looked up once here rather than in each shim: which instructions the processor has, which is slow on a virtual machine.
    let _ = Exit::default().seal();
    let title = footplate_shim::os::Title::find();
    title.set(b"footplate-shim --fork-server");
    loop {
        let Ok(folder) = request(&mut wire) else { return Ok(None) };
        let answer = match footplate_shim::os::fork_sibling() {
            Ok(None) => {
                title.set(&[b"footplate-shim ", folder.as_slice()].concat());
                return Ok(Some(AttemptDir::open(PathBuf::from(OsString::from_vec(folder)))));
            }
            Ok(Some(pid)) => pid,
            Err(error) => -error.raw_os_error().unwrap_or(libc::EIO),
        };
        if wire.write_all(&answer.to_le_bytes()).is_err() {
            return Ok(None);
        }
    }
}

fn request(wire: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    wire.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length);
    if length > LONGEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut folder = vec![0; length as usize];
    wire.read_exact(&mut folder)?;
    Ok(folder)
}

/// The exit code of a server that has done its work.
pub(super) const SERVED: u8 = code::HELD;
