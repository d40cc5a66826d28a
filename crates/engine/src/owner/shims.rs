//! Starting shims: forked from a process that is kept ready, else started directly. Either way a shim is a child of this process,
//! and what it does with the attempt's folder is the same; two for one attempt are no harm, one of them gets the claim.

use std::cell::RefCell;
use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use footplate_shim::contract::{FORK_SERVER_OPTION, SECRETS_OPTION, encode_secrets};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, WaitOptions, waitpid};

use crate::secrets::Secrets;

/// A server that has not answered after this is given up.
const PATIENCE: Duration = Duration::from_secs(2);
/// Room for the text that a forked shim shows as its arguments: the path of its folder.
const TITLE_ROOM: usize = 256;
/// Variables of this process that its shims get: those of tests. Our own failpoints are not the shim's.
const HANDED_ON: [(&str, &str); 3] = [
    ("FOOTPLATE_TEST_BOOT_ID", "FOOTPLATE_TEST_BOOT_ID"),
    ("FOOTPLATE_TEST_WALL_SHIFT", "FOOTPLATE_TEST_WALL_SHIFT"),
    ("FOOTPLATE_TEST_SHIM_FAILPOINT", "FOOTPLATE_FAILPOINT"),
];

/// Starts shims.
pub(super) struct Shims {
    executable: PathBuf,
    server: RefCell<Option<Server>>,
}

/// A shim that is our child.
#[derive(Debug)]
pub(super) struct Shim(Pid);

struct Server {
    process: Child,
    wire: UnixStream,
}

impl Shims {
    /// Makes the fork server ready, where the system has such a thing.
    pub(super) fn new(executable: &Path) -> Shims {
        let shims = Shims { executable: executable.to_owned(), server: RefCell::new(None) };
        shims.ready();
        shims
    }

    /// Starts a shim for the attempt in this folder.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn start(&self, folder: &Path, secrets: &Secrets) -> io::Result<Shim> {
        if secrets.env.is_empty()
            && let Some(pid) = self.forked(folder)
        {
            return Ok(Shim(pid));
        }
        let mut program = self.program();
        program.arg(folder).stdin(Stdio::null());
        if let Some(pipe) = pipe_of(secrets)? {
            program.args([SECRETS_OPTION, "0"]).stdin(Stdio::from(pipe));
        }
        Ok(Shim(Pid::from_child(&program.spawn()?)))
    }

    fn program(&self) -> Command {
        let mut program = Command::new(&self.executable);
        program.stdout(Stdio::null()).env_clear();
        for (ours, theirs) in HANDED_ON {
            if let Some(value) = std::env::var_os(ours) {
                program.env(theirs, value);
            }
        }
        program
    }

    fn ready(&self) {
        if !footplate_shim::os::HAS_FORK_SERVER {
            return;
        }
        let start = || -> io::Result<Server> {
            let (wire, theirs) = UnixStream::pair()?;
            wire.set_read_timeout(Some(PATIENCE))?;
            wire.set_write_timeout(Some(PATIENCE))?;
            let process = self
                .program()
                .args([OsStr::new(FORK_SERVER_OPTION), OsStr::from_bytes(&[b' '; TITLE_ROOM])])
                .stdin(OwnedFd::from(theirs))
                .spawn()?;
            Ok(Server { process, wire })
        };
        // Without one, shims are started directly.
        *self.server.borrow_mut() = start().ok();
    }

    fn forked(&self, folder: &Path) -> Option<Pid> {
        let mut server = self.server.borrow_mut();
        let answer = server.as_mut()?.ask(folder);
        let Ok(pid) = answer else {
            // Killed, stopped, or out of step: another for those to come.
            drop(server.take());
            drop(server);
            self.ready();
            return None;
        };
        // A refusal to fork is told again, and as an error, where the shim is started directly.
        Pid::from_raw(pid).filter(|_| pid > 1)
    }
}

impl Server {
    fn ask(&mut self, folder: &Path) -> io::Result<i32> {
        let path = folder.as_os_str().as_bytes();
        let mut request = u32::try_from(path.len()).map_err(io::Error::other)?.to_le_bytes().to_vec();
        request.extend(path);
        self.wire.write_all(&request)?;
        let mut answer = [0; 4];
        self.wire.read_exact(&mut answer)?;
        Ok(i32::from_le_bytes(answer))
    }
}

impl Drop for Server {
    /// The end of the wire ends it; a stopped one needs more.
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Shim {
    /// Readable when it has ended; `None` where the system has no such thing.
    pub(super) fn pidfd(&self) -> Option<OwnedFd> {
        // Ours, and not waited for: the number is nobody else's.
        footplate_shim::os::open_pidfd(self.0, || true).ok().flatten()
    }

    /// Its exit code once it has ended, and it is gone then: `Some(None)` where a signal ended it.
    pub(super) fn ended(&self) -> Option<Option<u8>> {
        match waitpid(Some(self.0), WaitOptions::NOHANG) {
            Ok(None) | Err(rustix::io::Errno::INTR) => None,
            Ok(Some((_, status))) => Some(status.exit_status().map(|code| code as u8)),
            // Not our child, which cannot be: nothing more can be learnt.
            Err(_) => Some(None),
        }
    }
}

/// The read end of a pipe that the secrets come over; none where there are none.
fn pipe_of(secrets: &Secrets) -> io::Result<Option<OwnedFd>> {
    if secrets.env.is_empty() {
        return Ok(None);
    }
    let wire = encode_secrets(&secrets.env)?;
    let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
    let mut write = std::fs::File::from(write);
    if wire.len() <= 32 * 1024 {
        write.write_all(&wire)?;
    } else {
        // More than a pipe holds: written while the shim reads; a shim that dies ends the writing.
        std::thread::Builder::new().name("secrets".to_owned()).spawn(move || {
            let _ = write.write_all(&wire);
        })?;
    }
    Ok(Some(read))
}
