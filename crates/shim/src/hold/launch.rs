//! From the spec to an open gate. The order is the protocol's, see `docs/RUN-FOLDER.md`; the model in `tests/` shows why.

use super::Refusal;
use super::bond::Bond;
use super::child::{Ends, Gated, Plan};
use super::environ;
use super::output::LogWriter;
use super::paper::ExitPaper;
use super::signals;
use footplate_shim::clock::{boot_id, running_ms, wall_ms};
use footplate_shim::contract::{Exit, Spec, Start, Swept, VERSION, code, read_secrets};
use footplate_shim::failpoint;
use footplate_shim::folder::{AttemptDir, Claim, LockGuard};
use footplate_shim::identity::Identity;
use rustix::fs::{Mode, OFlags};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::Duration;

const LOCK_TRIES: u32 = 200;
const LOCK_EVERY: Duration = Duration::from_millis(5);
const PIPE_BYTES: usize = 1 << 20;

/// An attempt whose gate is open.
pub(super) struct Launched {
    pub(super) folder: AttemptDir,
    pub(super) spec: Spec,
    pub(super) lock: LockGuard,
    pub(super) start: Start,
    pub(super) paper: ExitPaper,
    pub(super) bond: Bond,
    pub(super) log: LogWriter,
    pub(super) fifo: OwnedFd,
    pub(super) ctl: OwnedFd,
    pub(super) signals: OwnedFd,
}

/// A process that is ready to be a shim, of whatever attempt.
pub(super) struct Ready {
    pub(super) signals: OwnedFd,
    pub(super) null: OwnedFd,
}

/// What a shim can do before it knows its attempt. What came over stdin must have been read.
pub(super) fn prepare() -> Result<Ready, Refusal> {
    let signals = signals::install().map_err(|error| Refusal::of("cannot catch signals", &error))?;
    let detached = || {
        let null = detach()?;
        footplate_shim::os::become_subreaper()?;
        Ok(null)
    };
    Ok(Ready { signals, null: detached().map_err(|error| Refusal::of("cannot detach", &error))? })
}

pub(super) fn launch(folder: AttemptDir, secrets_fd: Option<i32>, ready: Option<Ready>) -> Result<Launched, Refusal> {
    let spec = folder.spec().map_err(|error| Refusal::new(code::SPEC, format!("cannot read spec.json: {error}")))?;
    if spec.argv.is_empty() {
        return Err(Refusal::new(code::SPEC, "argv is empty"));
    }
    let secrets = match (spec.secrets, secrets_fd) {
        (false, _) => Vec::new(),
        (true, None) => return Err(Refusal::new(code::SECRETS, "the secrets were not handed over")),
        (true, Some(fd)) => receive_secrets(fd)?,
    };
    let environment = environ::environment(&spec, &folder, secrets)
        .map_err(|error| Refusal::of("cannot read the captured environment", &error))?;
    let plan = Plan::new(&spec, &environment)
        .map_err(|_| Refusal::new(code::SPEC, "a NUL byte in an argument, a path or a variable"))?;
    drop(environment);
    let Ready { signals, null } = ready.map_or_else(prepare, Ok)?;

    let lock = take_lock(&folder)?;
    failpoint::hit("shim-locked");
    // A lost claim is the first thing to see: what follows writes into the folder, which is another shim's then.
    if folder.claim().map_err(|error| Refusal::of("cannot read the claim", &error))? != Claim::None {
        return Err(Refusal::new(code::CLAIM_LOST, ""));
    }
    // All that may want room, before the claim: who refuses without one is launched again.
    let paper =
        ExitPaper::take(&folder).map_err(|error| Refusal::of("cannot make room for the exit record", &error))?;
    let open = |path, flags| rustix::fs::open(path, flags | OFlags::CLOEXEC, Mode::empty()).map_err(io::Error::from);
    let pipes = || -> io::Result<_> {
        let fifo = open(folder.fifo_path(), OFlags::RDONLY | OFlags::NONBLOCK)?;
        let writer = open(folder.fifo_path(), OFlags::WRONLY)?;
        let guard = open(folder.fifo_path(), OFlags::RDONLY | OFlags::NONBLOCK)?;
        let ctl = open(folder.ctl_path(), OFlags::RDWR | OFlags::NONBLOCK)?;
        Ok((fifo, writer, guard, ctl))
    };
    let (fifo, writer, guard, ctl) = pipes().map_err(|error| Refusal::of("cannot open the pipes", &error))?;
    footplate_shim::os::widen_pipe(&writer, PIPE_BYTES);
    let own = Identity::own().ok_or_else(|| Refusal::new(code::IO, "cannot tell who I am"))?;

    let id = format!("{}.{}", own.pid, own.start);
    failpoint::hit("shim-unclaimed");
    if !folder.try_claim_run(&id).map_err(|error| Refusal::of("cannot claim the attempt", &error))? {
        return Err(Refusal::new(code::CLAIM_LOST, ""));
    }
    failpoint::hit("shim-claimed");
    // From here on nobody else will ever run it: whatever fails must be written down as the attempt's end.
    let started_ms = wall_ms();
    let ends = Ends { lock: lock.file().as_raw_fd(), null: &null, writer: &writer, guard: &guard };
    let gated = match plan.fork(&ends) {
        Ok(gated) => gated,
        Err(error) => return Err(give_up(&folder, &paper, None, "fork", &error, started_ms)),
    };
    drop((writer, guard, plan));
    failpoint::hit("shim-forked");
    let written = paper.put_down().and_then(|()| {
        let start = start_record(own, &gated, started_ms)?;
        failpoint::hit("shim-room");
        folder.write_start(&start)?;
        Ok(start)
    });
    let start = match written {
        Ok(start) => start,
        Err(error) => return Err(give_up(&folder, &paper, Some(gated), "start", &error, started_ms)),
    };
    failpoint::hit("shim-started");
    // Messages had their time; a terminal or a pipe of the owner's must not be held any longer.
    let _ = rustix::stdio::dup2_stderr(&null);
    let report = gated.open().map_err(|error| Refusal::of("cannot open the gate", &error))?;
    failpoint::hit("shim-gate-open");
    let log = LogWriter::new(folder.clone(), spec.segment, spec.log_cap);
    let bond = Bond::Parent { report: Some(report), reaped: false };
    Ok(Launched { folder, spec, lock, start, paper, bond, log, fifo, ctl, signals })
}

#[expect(unsafe_code, reason = "a descriptor named on the command line has no owner yet")]
fn receive_secrets(
    fd: i32,
) -> Result<Vec<(footplate_shim::contract::OsBytes, footplate_shim::contract::OsBytes)>, Refusal> {
    if fd == 0 {
        // Stdin stays open until it is replaced: a lower number that is free would be given to something that must stay.
        let pipe = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)
            .map_err(|_| Refusal::new(code::SECRETS, "the descriptor of the secrets is not open"))?;
        return read_secrets(std::fs::File::from(pipe))
            .map_err(|error| Refusal::new(code::SECRETS, format!("the secrets ended early: {error}")));
    }
    // SAFETY: only asks whether the number is open.
    if unsafe { libc::fcntl(fd, libc::F_GETFD) } < 0 {
        return Err(Refusal::new(code::SECRETS, "the descriptor of the secrets is not open"));
    }
    // SAFETY: open, above 2, and inherited for this purpose: nothing else in this program owns it.
    let pipe = std::fs::File::from(unsafe { OwnedFd::from_raw_fd(fd) });
    read_secrets(pipe).map_err(|error| Refusal::new(code::SECRETS, format!("the secrets ended early: {error}")))
}

/// A session of its own, no working folder held, nothing inherited. Messages still go to stderr.
pub(super) fn detach() -> io::Result<OwnedFd> {
    // Fails where this is a session's leader already, which is as good.
    let _ = rustix::process::setsid();
    std::env::set_current_dir("/")?;
    let null = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    Ok(null)
}

fn take_lock(folder: &AttemptDir) -> Result<LockGuard, Refusal> {
    for _ in 0..LOCK_TRIES {
        match folder.try_lock() {
            Ok(Some(lock)) => return Ok(lock),
            // Once claimed, always claimed: no use in waiting.
            Ok(None) if matches!(folder.claim(), Ok(Claim::Run(_) | Claim::Void)) => {
                return Err(Refusal::new(code::CLAIM_LOST, ""));
            }
            Ok(None) => std::thread::sleep(LOCK_EVERY),
            Err(error) => return Err(Refusal::of("cannot open the lock", &error)),
        }
    }
    Err(Refusal::new(code::LOCKED, "another process holds the lock"))
}

fn start_record(shim: Identity, gated: &Gated, started_ms: i64) -> io::Result<Start> {
    let child = Identity::of(gated.pid).ok_or_else(|| io::Error::other("the child is gone before it ran"))?;
    let sid = rustix::process::getsid(None)?.as_raw_nonzero().get();
    let pgid = gated.pid;
    let oom_kills = footplate_shim::os::oom_kills();
    Ok(Start { version: VERSION, shim, child, pgid, sid, started_ms, started_running_ms: running_ms(), oom_kills })
}

/// Ends a claimed attempt that never ran, with a record that says why, as far as one can be written.
fn give_up(
    folder: &AttemptDir,
    paper: &ExitPaper,
    gated: Option<Gated>,
    what: &str,
    error: &io::Error,
    started_ms: i64,
) -> Refusal {
    if let Some(gated) = gated {
        gated.dismiss();
    }
    let exit = Exit {
        version: VERSION,
        exec_errno: Some(error.raw_os_error().unwrap_or(libc::EIO)),
        exec_what: Some(what.to_owned()),
        started_ms,
        finished_ms: wall_ms(),
        ..Exit::default()
    };
    let _ = std::fs::rename(folder.path().join("exit.new"), folder.path().join("exit.tmp"));
    if paper.record(&exit).is_ok() {
        let swept = Swept {
            by: "shim".to_owned(),
            left: Vec::new(),
            log_size: 0,
            dropped: 0,
            at_ms: wall_ms(),
            version: VERSION,
        };
        let _ = folder.write_swept(&swept);
    }
    let doing = format!("cannot start the program ({what}, boot {})", boot_id());
    Refusal::of(&doing, error)
}
