//! Finding and ending what an attempt left: by descent, session, group and mark.
//!
//! The sweep ends at any owner or shim of this data folder, and leaves what is below it: a run may add runs. Not found
//! (and not promised): processes that left the session **and** erased their environment, after their shim died.

use crate::clock::running_ms;
use crate::contract::{MARK_VARIABLE, Start};
use crate::identity::Identity;
use crate::os::{self, Process};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::Signal;
use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

/// How the processes of one attempt are known.
#[derive(Clone, Debug)]
pub struct Tree {
    mark: Vec<u8>,
    /// (session, who made it: the shim) and (group, who leads it: the program).
    session: Option<(i32, Identity)>,
    group: Option<(i32, Identity)>,
    bin_dir: PathBuf,
    below_me: bool,
}

/// What a sweep came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What was found: `pid name`.
    pub left: Vec<String>,
    /// Whether all of it is gone.
    pub gone: bool,
}

impl Tree {
    /// The tree of an attempt, as its owner looks for it. `start` is its start record, where there is one; `bin_dir` is
    /// the canonical folder that owners and shims run from.
    pub fn of(mark: &str, start: Option<&Start>, bin_dir: &Path) -> Self {
        let this_boot = start.filter(|start| start.shim.is_of_this_boot());
        Self {
            mark: format!("{MARK_VARIABLE}={mark}").into_bytes(),
            session: this_boot.map(|start| (start.sid, start.shim.clone())),
            group: this_boot.map(|start| (start.pgid, start.child.clone())),
            bin_dir: bin_dir.to_owned(),
            below_me: false,
        }
    }

    /// Counts the descendants of the calling process in as well: for the shim, which is their subreaper.
    #[must_use]
    pub fn below_me(mut self) -> Self {
        self.below_me = true;
        self
    }

    /// Its living processes, parents before children.
    ///
    /// # Errors
    /// When the system's table of processes cannot be read.
    pub fn members(&self) -> io::Result<Vec<Process>> {
        let all = os::processes()?;
        let me = rustix::process::getpid().as_raw_nonzero().get();
        let starts: HashMap<i32, u64> = all.iter().map(|process| (process.pid, process.start)).collect();
        // A number that now belongs to another process is another session's (or group's).
        let ours = |known: &Option<(i32, Identity)>| match known {
            Some((number, maker)) if starts.get(number).is_none_or(|&start| start == maker.start) => Some(*number),
            _ => None,
        };
        let (session, group) = (ours(&self.session), ours(&self.group));
        let mut environment = Vec::new();
        let mut members: HashSet<i32> = HashSet::new();
        let mut spared: HashSet<i32> = HashSet::new();
        let is_seed = |process: &Process, environment: &mut Vec<u8>| {
            (self.below_me && process.parent == me)
                || (session == Some(process.session) && process.session > 1)
                || (group == Some(process.group) && process.group > 1)
                || os::started_with(process.pid, &self.mark, environment)
        };
        for process in all.iter().filter(|process| process.pid > 1 && process.pid != me && !process.dead) {
            if is_seed(process, &mut environment) {
                self.sort_in(process, &mut members, &mut spared);
            }
        }
        let mut ordered: Vec<&Process> = all.iter().filter(|process| members.contains(&process.pid)).collect();
        // Then what is below them, generation by generation; a spared process hands nothing down.
        loop {
            let more: Vec<&Process> = all
                .iter()
                .filter(|process| members.contains(&process.parent) && !process.dead && process.pid > 1)
                .filter(|process| {
                    process.pid != me && !members.contains(&process.pid) && !spared.contains(&process.pid)
                })
                .collect();
            if more.is_empty() {
                break;
            }
            for process in more {
                if self.sort_in(process, &mut members, &mut spared) {
                    ordered.push(process);
                }
            }
        }
        let mut depth: HashMap<i32, usize> = HashMap::new();
        let parents: HashMap<i32, i32> = all.iter().map(|process| (process.pid, process.parent)).collect();
        for process in &ordered {
            let (mut steps, mut at) = (0, process.pid);
            while let Some(&parent) = parents.get(&at)
                && members.contains(&parent)
                && steps < parents.len()
            {
                steps += 1;
                at = parent;
            }
            depth.insert(process.pid, steps);
        }
        ordered.sort_by_key(|process| (depth.get(&process.pid).copied(), process.pid));
        Ok(ordered.into_iter().cloned().collect())
    }

    /// Whether the sweep ends at this process: an owner or a shim, known by its executable.
    pub fn spares(&self, pid: i32) -> bool {
        // An empty path would be the beginning of every other.
        !self.bin_dir.as_os_str().is_empty() && os::executable(pid).is_some_and(|path| path.starts_with(&self.bin_dir))
    }

    fn sort_in(&self, process: &Process, members: &mut HashSet<i32>, spared: &mut HashSet<i32>) -> bool {
        let ours = self.spares(process.pid);
        if ours {
            spared.insert(process.pid)
        } else {
            members.insert(process.pid)
        };
        !ours
    }

    /// Sends a signal to every member, children first. Returns how many got it.
    ///
    /// # Errors
    /// When the system's table of processes cannot be read.
    pub fn signal(&self, signal: Signal) -> io::Result<usize> {
        let members = self.members()?;
        Ok(members.iter().rev().filter(|process| send(process, signal)).count())
    }

    /// Sends a signal to the members of one process group, each by its identity: for who is not the leader's parent, and so
    /// cannot know that the group's number is still its own.
    ///
    /// # Errors
    /// When the system's table of processes cannot be read.
    pub fn signal_group(&self, group: i32, signal: Signal) -> io::Result<()> {
        for process in self.members()?.iter().rev().filter(|process| process.group == group) {
            send(process, signal);
        }
        Ok(())
    }

    /// One pass: stops every member until no new one shows up, then kills them all. Returns what it found.
    ///
    /// # Errors
    /// When the system's table of processes cannot be read.
    pub fn pass(&self) -> io::Result<Vec<Process>> {
        if self.below_me {
            self.stop_children();
        }
        let mut found = self.members()?;
        let mut known: HashSet<(i32, u64)> = HashSet::new();
        // What is stopped cannot fork; bounded, for the last word is KILL anyway.
        for _ in 0..8 {
            let fresh: Vec<&Process> =
                found.iter().filter(|process| !known.contains(&(process.pid, process.start))).collect();
            if fresh.is_empty() {
                break;
            }
            for process in fresh {
                send(process, Signal::STOP);
                known.insert((process.pid, process.start));
            }
            found = self.members()?;
        }
        for process in &found {
            send(process, Signal::KILL);
        }
        Ok(found)
    }

    /// A chain of processes that fork and leave is gone before a look at the whole table comes to it; but each one's
    /// orphan becomes our child, and a list of these is quick. They are not reaped meanwhile, so a pid is enough.
    fn stop_children(&self) {
        let mut stopped = HashSet::new();
        for _ in 0..200 {
            let fresh = os::own_children().unwrap_or_default().into_iter().filter(|pid| stopped.insert(*pid));
            let sent = fresh
                .filter(|&pid| pid > 1 && !self.spares(pid))
                .filter_map(rustix::process::Pid::from_raw)
                .filter(|&pid| rustix::process::kill_process(pid, Signal::STOP).is_ok())
                .count();
            if sent == 0 {
                return;
            }
        }
    }
}

/// A process of the table is an identity of this boot.
fn identity(process: &Process) -> Identity {
    Identity { pid: process.pid, start: process.start, boot: crate::clock::boot_id().to_owned() }
}

fn send(process: &Process, signal: Signal) -> bool {
    identity(process).signal(signal).unwrap_or(false)
}

/// Ends the whole tree: passes until two in a row (four, once there was something) find nothing, or until `deadline` on the running clock. For the owner,
/// where the shim died.
pub fn sweep(tree: &Tree, deadline: u64) -> Outcome {
    let mut outcome = Outcome::default();
    let mut empty = 0;
    // Where there was something, it may have been moving: one look past it is no proof.
    while empty < if outcome.left.is_empty() { 2 } else { 4 } {
        let found = match tree.pass() {
            Ok(found) => found,
            Err(_) => return outcome,
        };
        empty = if found.is_empty() { empty + 1 } else { 0 };
        for process in &found {
            let line = describe(process);
            if !outcome.left.contains(&line) {
                outcome.left.push(line);
            }
        }
        let now = running_ms();
        if !found.is_empty() {
            if now >= deadline {
                return outcome;
            }
            await_end(&found, (deadline - now).min(50));
        }
    }
    outcome.gone = true;
    outcome
}

/// `pid name`, as records name a process.
pub fn describe(process: &Process) -> String {
    format!("{} {}", process.pid, process.name)
}

/// Waits until one of them ends, or so many milliseconds.
fn await_end(processes: &[Process], at_most_ms: u64) {
    let fds: Vec<_> = processes.iter().filter_map(|process| identity(process).open_pidfd().ok().flatten()).collect();
    let mut poll: Vec<_> = fds.iter().map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
    let nanos = i64::try_from(at_most_ms).unwrap_or(50) * 1_000_000;
    let timeout = Timespec { tv_sec: 0, tv_nsec: nanos };
    if !poll.is_empty() {
        // Interrupted or not: the next pass looks anyway.
        let _ = rustix::event::poll(&mut poll, Some(&timeout));
    }
}
