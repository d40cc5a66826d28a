//! While the program runs, and until its tree is gone: output, commands, time, signals. One poll(2), no wake-ups of its own.

use super::bell;
use super::bond::{Bond, HowEnded};
use super::launch::Launched;
use super::output::LogWriter;
use super::paper::{Acts, ExitPaper};
use super::signals;
use footplate_shim::clock::{running_ms, wall_ms};
use footplate_shim::contract::{Act, Command, Exit, Reason, Spec, Start, Swept, VERSION, code};
use footplate_shim::failpoint;
use footplate_shim::folder::{AttemptDir, LockGuard};
use footplate_shim::os::{self, Ended};
use footplate_shim::sweep::{self, Tree};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal, WaitOptions};
use std::os::fd::OwnedFd;

mod end;
mod recall;
mod wishes;

const BUFFER_BYTES: usize = 64 << 10;
/// So many buffers are read before other things get their turn.
const READS_A_TURN: u32 = 16;
/// What a program leaves behind may end by itself for so long.
const LINGER_MS: u64 = 5_000;
/// How often to look whether it has, where no signal tells.
const LOOK_EVERY_MS: u64 = 1_000;
/// After so long, what does not die is named, and tried again more slowly.
const STUBBORN_MS: u64 = 30_000;
const STUBBORN_EVERY_MS: u64 = 10_000;
/// Reading what is left of the output takes no longer.
const DRAIN_MS: u64 = 1_000;

/// Why and how far the program is being stopped.
struct Stop {
    /// It was asked for a checkpoint; it is told to end then.
    term_at: Option<u64>,
    kill_at: u64,
    killed_at: Option<u64>,
}

enum Phase {
    Running,
    /// The program has ended, its record is written, but its tree lives. `until`: when the sweep begins; `look_at`: when
    /// to look again whether it still does.
    Lingering {
        until: Option<u64>,
        look_at: Option<u64>,
    },
    Sweeping {
        since: u64,
        next: u64,
        empty: u8,
    },
    Gone,
}

struct Attendance {
    folder: AttemptDir,
    spec: Spec,
    start: Start,
    child: Pid,
    group: Pid,
    tree: Tree,
    paper: ExitPaper,
    bond: Bond,
    fifo: OwnedFd,
    /// Keeps an output that can never come from being reported as hung up.
    silence: Option<OwnedFd>,
    ctl: OwnedFd,
    signals: OwnedFd,
    log: LogWriter,
    acts: Acts,
    buffer: Box<[u8]>,
    line: Vec<u8>,
    wishes: Vec<String>,
    paused_for: Vec<Reason>,
    paused_since: Option<u64>,
    paused_ms: u64,
    /// What keeps the program stopped should this shim die is there, or cannot be.
    anchored: bool,
    stop: Option<Stop>,
    by_wish: Option<String>,
    timed_out: bool,
    session_end: bool,
    /// The record of its program's end, where the attempt goes on until all that it started has ended.
    program: Option<Exit>,
    left: Vec<String>,
    phase: Phase,
}

/// Holds the attempt to its end. Returns the exit code.
pub(super) fn attend(launched: Launched) -> u8 {
    begin(launched).map_or(code::IO, |(attendance, lock)| attendance.hold_on(lock))
}

/// Holds an attempt to its end that another shim has held before, and done this with.
pub(super) fn go_on(launched: Launched, acts: &[Act]) -> u8 {
    let Some((mut attendance, lock)) = begin(launched) else { return code::IO };
    attendance.recall(acts);
    attendance.hold_on(lock)
}

/// With nothing done yet. `None`: the start record names no process.
fn begin(launched: Launched) -> Option<(Attendance, LockGuard)> {
    let Launched { folder, spec, lock, start, paper, bond, log, fifo, ctl, signals } = launched;
    let (child, group) = (Pid::from_raw(start.child.pid)?, Pid::from_raw(start.pgid)?);
    let tree = Tree::of(&spec.mark, Some(&start), &spec.bin_dir);
    let attendance = Attendance {
        tree: if bond.is_parent() { tree.below_me() } else { tree },
        log,
        acts: Acts::new(&folder),
        buffer: vec![0; BUFFER_BYTES].into_boxed_slice(),
        bond,
        line: Vec::new(),
        wishes: Vec::new(),
        paused_for: Vec::new(),
        paused_since: None,
        paused_ms: 0,
        anchored: false,
        stop: None,
        silence: None,
        by_wish: None,
        timed_out: false,
        session_end: false,
        program: None,
        left: Vec::new(),
        phase: Phase::Running,
        folder,
        spec,
        start,
        child,
        group,
        paper,
        fifo,
        ctl,
        signals,
    };
    Some((attendance, lock))
}

impl Attendance {
    fn hold_on(mut self, lock: LockGuard) -> u8 {
        while !matches!(self.phase, Phase::Gone) {
            self.turn();
        }
        self.drain();
        self.log.finish();
        self.record_the_group();
        if self.acts.any() {
            self.acts.write("swept");
        }
        failpoint::hit("shim-gone");
        let swept = Swept {
            by: "shim".to_owned(),
            left: std::mem::take(&mut self.left),
            log_size: self.log.size(),
            dropped: self.log.dropped(),
            at_ms: wall_ms(),
            version: VERSION,
        };
        // Where it cannot be written, the owner sweeps again and finds nothing.
        let _ = self.folder.write_swept(&swept);
        failpoint::hit("shim-swept");
        drop(lock);
        let told = bell::ring(&self.spec);
        // After the bell: the owner goes on meanwhile.
        self.sync();
        told.see_to_it(&self.spec, &self.ctl, &self.signals);
        code::HELD
    }

    /// Its program runs, or what it started where that is waited for.
    fn is_at_work(&self) -> bool {
        matches!(self.phase, Phase::Running) || matches!(self.phase, Phase::Lingering { .. }) && self.spec.wait_group
    }

    /// What need not be waited for: the record itself is durable.
    fn sync(&self) {
        self.paper.sync_name();
        self.log.sync();
    }

    fn turn(&mut self) {
        let timeout = self.next_due().map(|due| {
            let wait = due.saturating_sub(running_ms());
            Timespec {
                tv_sec: i64::try_from(wait / 1000).unwrap_or(i64::MAX),
                tv_nsec: i64::try_from(wait % 1000 * 1_000_000).unwrap_or(0),
            }
        });
        // Of an adopted program; once it has ended, its descriptor would be readable for ever.
        let end = self.bond.end().filter(|_| matches!(self.phase, Phase::Running));
        let mut fds = [
            PollFd::new(&self.signals, PollFlags::IN),
            PollFd::new(&self.fifo, PollFlags::IN),
            PollFd::new(&self.ctl, PollFlags::IN),
            PollFd::new(end.unwrap_or(&self.signals), PollFlags::IN),
        ];
        // Interrupted: the byte in the signal pipe is seen in the next turn.
        let count = poll(&mut fds, timeout.as_ref()).unwrap_or(0);
        let [signals, fifo, ctl, ended] = fds.map(|fd| count > 0 && !fd.revents().is_empty());
        let ended = ended && end.is_some();
        if fifo {
            self.read_output();
        }
        if ctl {
            self.read_commands();
        }
        if signals {
            let came = signals::came(&self.signals);
            if came.term {
                self.session_ends();
            }
            if came.child {
                self.children_changed();
            }
        }
        if ended {
            self.look_for_the_end(running_ms());
        }
        self.whatever_is_due(running_ms());
    }

    fn next_due(&self) -> Option<u64> {
        let of_phase = match self.phase {
            Phase::Running => self.bond.must_look().then(|| running_ms() + LOOK_EVERY_MS),
            Phase::Lingering { until, look_at } => earlier(until, look_at),
            Phase::Sweeping { next, .. } => Some(next),
            Phase::Gone => Some(0),
        };
        let of_stop = match (&self.phase, &self.stop) {
            (Phase::Running | Phase::Lingering { .. }, Some(stop)) => earlier(Some(stop.kill_at), stop.term_at),
            _ => self.timeout_at(),
        };
        earlier(of_phase, of_stop)
    }

    /// When its time is over: the running clock stops in sleep, and pauses do not count.
    fn timeout_at(&self) -> Option<u64> {
        let running = matches!(self.phase, Phase::Running | Phase::Lingering { .. });
        if !running || self.stop.is_some() || self.paused_since.is_some() {
            return None;
        }
        self.spec
            .timeout_ms
            .map(|timeout| self.start.started_running_ms.saturating_add(timeout).saturating_add(self.paused_ms))
    }

    fn whatever_is_due(&mut self, now: u64) {
        if self.timeout_at().is_some_and(|at| now >= at) {
            self.timed_out |= self.is_at_work();
            self.acts.write("timeout");
            self.begin_stop(now, self.spec.grace_ms, true);
        }
        if self.stop.as_ref().and_then(|stop| stop.term_at).is_some_and(|at| now >= at) {
            self.term(now);
        }
        let stoppable = matches!(self.phase, Phase::Running | Phase::Lingering { .. });
        if stoppable && self.stop.as_ref().is_some_and(|stop| now >= stop.kill_at) {
            self.kill(now);
        }
        match self.phase {
            Phase::Running if self.bond.must_look() => self.look_for_the_end(now),
            Phase::Lingering { until: Some(until), .. } if now >= until => self.begin_sweep(now),
            Phase::Lingering { until, look_at: Some(at) } if now >= at => self.look_whether_gone(now, until),
            Phase::Sweeping { since, next, empty } if now >= next => self.sweep_pass(now, since, empty),
            _ => {}
        }
    }

    fn read_output(&mut self) {
        for _ in 0..READS_A_TURN {
            match rustix::io::read(&self.fifo, &mut *self.buffer) {
                Ok(0) => return self.reopen_output(),
                Ok(count) => {
                    self.log.write(self.buffer.get(..count).unwrap_or_default());
                    if count < BUFFER_BYTES {
                        return;
                    }
                }
                Err(_) => return,
            }
        }
    }

    /// Nobody has the output open for writing. That is not the program's end, and somebody may open it again by its
    /// name; but poll(2) would report the hang-up without pause. A fresh descriptor does so only after a new writer.
    fn reopen_output(&mut self) {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        match rustix::fs::open(self.folder.fifo_path(), flags, Mode::empty()) {
            Ok(fifo) => self.fifo = fifo,
            // The folder is gone: nobody can open it again either.
            Err(_) => {
                if let Ok((read, write)) = std::io::pipe() {
                    self.fifo = read.into();
                    self.silence = Some(write.into());
                }
            }
        }
    }

    /// Reads until nothing is left, for a second at most: a spared process may go on writing.
    fn drain(&mut self) {
        let until = running_ms() + DRAIN_MS;
        while running_ms() < until {
            match rustix::io::read(&self.fifo, &mut *self.buffer) {
                Ok(count) if count > 0 => self.log.write(self.buffer.get(..count).unwrap_or_default()),
                _ => return,
            }
        }
    }
}

fn earlier(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
