//! Starting shims: one that stands by, forked from a process that is kept ready, else started directly. Either way a shim is a child
//! of this process, and what it does with the attempt's folder is the same; two for one attempt are no harm, one of them gets the claim.

use std::cell::RefCell;
use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use footplate_shim::contract::{ADOPT_OPTION, FORK_SERVER_OPTION, SECRETS_OPTION, encode_secrets};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, WaitOptions, waitpid};

use crate::secrets::Secrets;

/// A server that has not answered after this is given up.
const PATIENCE: Duration = Duration::from_secs(2);
/// So many shims stand by: two attempts may begin in one turn.
const STANDING_BY: usize = 2;
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
    /// Of servers that were given up: they end by themselves.
    left: RefCell<Vec<Shim>>,
}

/// A shim that is our child.
#[derive(Debug)]
pub(super) struct Shim(Pid);

/// The fork server; `footplate-shim`'s `server.rs` has the wires.
struct Server {
    process: Child,
    orders: UnixStream,
    requests: OwnedFd,
    /// Ordered, and not yet told of.
    ordered: usize,
    /// Forked, and without an attempt.
    standing_by: Vec<Pid>,
}

impl Shims {
    /// Makes the fork server ready, where the system has such a thing.
    pub(super) fn new(executable: &Path) -> Shims {
        let shims =
            Shims { executable: executable.to_owned(), server: RefCell::new(None), left: RefCell::new(Vec::new()) };
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

    /// Starts a shim that takes the place of the one that held the attempt in this folder.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn adopt(&self, folder: &Path) -> io::Result<Shim> {
        let mut program = self.program();
        program.arg(ADOPT_OPTION).arg(folder).stdin(Stdio::null());
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
        // Without one, shims are started directly.
        *self.server.borrow_mut() = Server::start(self.program()).ok();
    }

    fn forked(&self, folder: &Path) -> Option<Pid> {
        self.left.borrow_mut().retain(|shim| shim.ended().is_none());
        let mut server = self.server.borrow_mut();
        if let Ok(pid) = server.as_mut()?.ask(folder) {
            return Some(pid);
        }
        // Killed, stopped, or out of step: another for those to come.
        if let Some(mut given_up) = server.take() {
            self.left.borrow_mut().extend(given_up.end().into_iter().map(Shim));
        }
        drop(server);
        self.ready();
        None
    }
}

impl Server {
    fn start(mut program: Command) -> io::Result<Server> {
        let (orders, theirs) = UnixStream::pair()?;
        orders.set_read_timeout(Some(PATIENCE))?;
        orders.set_write_timeout(Some(PATIENCE))?;
        let (requests, for_shims) = footplate_shim::os::message_pair()?;
        for direction in [Timeout::Recv, Timeout::Send] {
            set_socket_timeout(&requests, direction, Some(PATIENCE))?;
        }
        let process = program
            .args([OsStr::new(FORK_SERVER_OPTION), OsStr::from_bytes(&[b' '; TITLE_ROOM])])
            .stdin(OwnedFd::from(theirs))
            .stdout(for_shims)
            .spawn()?;
        let mut server = Server { process, orders, requests, ordered: 0, standing_by: Vec::new() };
        server.order(STANDING_BY)?;
        Ok(server)
    }

    /// Hands the folder to one that stands by; the answer is its pid.
    fn ask(&mut self, folder: &Path) -> io::Result<Pid> {
        let path = folder.as_os_str().as_bytes();
        while self.standing_by.is_empty() {
            self.hear()?;
        }
        // One write is one message. Nobody left is an error and no signal: Rust's programs ignore PIPE.
        rustix::io::write(&self.requests, path)?;
        let mut answer = [0; 4];
        if rustix::io::read(&self.requests, &mut answer)? != answer.len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let pid = Pid::from_raw(i32::from_le_bytes(answer)).ok_or(io::ErrorKind::InvalidData)?;
        // It was told of before, or is about to be.
        while !self.standing_by.contains(&pid) {
            self.hear()?;
        }
        self.standing_by.retain(|other| *other != pid);
        // The next is forked while this one is at work. Where that fails, the next request finds out.
        let _ = self.order(1);
        Ok(pid)
    }

    fn order(&mut self, count: usize) -> io::Result<()> {
        self.orders.write_all(&vec![1; count])?;
        self.ordered += count;
        Ok(())
    }

    /// The pid of one that was ordered; one that could not be forked is told by an errno, and left out.
    fn hear(&mut self) -> io::Result<()> {
        if self.ordered == 0 {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut answer = [0; 4];
        self.orders.read_exact(&mut answer)?;
        self.ordered -= 1;
        self.standing_by.extend(Pid::from_raw(i32::from_le_bytes(answer)).filter(|pid| pid.as_raw_nonzero().get() > 1));
        Ok(())
    }

    /// Ends it. The end of the wires ends what stands by, too: those are returned, to be waited for.
    fn end(&mut self) -> Vec<Pid> {
        let _ = self.process.kill();
        let _ = self.process.wait();
        while self.ordered > 0 && self.hear().is_ok() {}
        std::mem::take(&mut self.standing_by)
    }
}

impl Drop for Server {
    /// The end of the wire ends it; a stopped one needs more.
    fn drop(&mut self) {
        self.end();
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
