//! Taking the place of a shim that is gone while its program lives. The model in `tests/model/adopt.rs` shows why the order is
//! this: the lock, then a look whether there is anything to adopt, then what a shim does.

use super::Refusal;
use super::attend;
use super::bond::Bond;
use super::launch::{self, Launched};
use super::output::LogWriter;
use super::paper::ExitPaper;
use footplate_shim::clock::{running_ms, wall_ms};
use footplate_shim::contract::{Adopted, Start, VERSION, code};
use footplate_shim::failpoint;
use footplate_shim::folder::{AttemptDir, Claim, ExitRecord, LockGuard};
use footplate_shim::identity::Identity;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use std::io;
use std::time::Duration;

/// The owner, who gave the order, may still have the lock for a look.
const LOCK_TRIES: u32 = 200;
const LOCK_EVERY: Duration = Duration::from_millis(5);
/// A process that stands at its gate runs or is gone in a moment; one that looks so for longer is the program after all.
const GATE_MS: u64 = 2_000;
const GATE_EVERY_NS: i64 = 2_000_000;

/// Adopts the attempt in this folder, and holds it to its end. Returns the exit code.
pub(super) fn adopt(folder: AttemptDir) -> Result<u8, Refusal> {
    let spec = folder.spec().map_err(|error| Refusal::new(code::SPEC, format!("cannot read spec.json: {error}")))?;
    let launch::Ready { signals, null } = launch::prepare()?;
    let lock = take_lock(&folder)?;
    failpoint::hit("adopt-locked");
    let start = something_to_adopt(&folder)?;
    let end = start.child.open_pidfd().unwrap_or_default();
    wait_past_the_gate(&start, end.as_ref());
    if !start.child.is_alive() {
        return Err(nothing());
    }
    let cannot = |what: &'static str| move |error: io::Error| Refusal::of(what, &error);
    let paper = ExitPaper::again(&folder).map_err(cannot("cannot open the room for the exit record"))?;
    let log =
        LogWriter::resume(folder.clone(), spec.segment, spec.log_cap).map_err(cannot("cannot go on with the log"))?;
    let open = |path, flags| rustix::fs::open(path, flags | OFlags::CLOEXEC, Mode::empty()).map_err(io::Error::from);
    let fifo = open(folder.fifo_path(), OFlags::RDONLY | OFlags::NONBLOCK).map_err(cannot("cannot open the output"))?;
    let ctl = open(folder.ctl_path(), OFlags::RDWR | OFlags::NONBLOCK).map_err(cannot("cannot open ctl"))?;
    let shim = Identity::own().ok_or_else(|| Refusal::new(code::IO, "cannot tell who I am"))?;
    folder
        .write_adopted(&Adopted { version: VERSION, shim, at_ms: wall_ms() })
        .map_err(cannot("cannot write adopt.json"))?;
    failpoint::hit("adopt-written");
    let _ = rustix::stdio::dup2_stderr(&null);
    let acts = folder.acts();
    let launched = Launched { folder, spec, lock, start, paper, bond: Bond::Adopted { end }, log, fifo, ctl, signals };
    Ok(attend::go_on(launched, &acts))
}

fn nothing() -> Refusal {
    Refusal::new(code::NOTHING_TO_ADOPT, "")
}

fn take_lock(folder: &AttemptDir) -> Result<LockGuard, Refusal> {
    for _ in 0..LOCK_TRIES {
        match folder.try_lock() {
            Ok(Some(lock)) => return Ok(lock),
            Ok(None) => std::thread::sleep(LOCK_EVERY),
            Err(error) => return Err(Refusal::of("cannot open the lock", &error)),
        }
    }
    Err(nothing())
}

/// Claimed by a shim, begun in this boot, not ended, not swept.
fn something_to_adopt(folder: &AttemptDir) -> Result<Start, Refusal> {
    let claimed = matches!(folder.claim(), Ok(Claim::Run(_)));
    let ended = !matches!(folder.exit(), Ok(ExitRecord::Blank));
    let start = folder.start().filter(|start| start.child.is_alive());
    start.filter(|_| claimed && !ended && folder.swept().is_none()).ok_or_else(nothing)
}

/// The shim may have died between the start record and the gate: its child has not become the program then, and never will.
fn wait_past_the_gate(start: &Start, end: Option<&std::os::fd::OwnedFd>) {
    let until = running_ms() + GATE_MS;
    let every = Timespec { tv_sec: 0, tv_nsec: GATE_EVERY_NS };
    while may_be_a_shim(start.child.pid) && start.child.is_alive() && running_ms() < until {
        match end {
            Some(end) => drop(poll(&mut [PollFd::new(end, PollFlags::IN)], Some(&every))),
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    }
}

/// Who runs nothing that can be named may be ending: the memory goes before the process does, and what it ran with it.
fn may_be_a_shim(pid: i32) -> bool {
    let name = footplate_shim::os::executable(pid);
    name.is_none_or(|path| path.file_name().is_some_and(|name| name == "footplate-shim"))
}
