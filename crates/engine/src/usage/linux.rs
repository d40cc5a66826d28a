//! `/proc`: see proc(5). Processes that belong to nobody are remembered, for who is not below a shim at birth never will be; so a look
//! costs what the attempts' own processes cost, however many others there are.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use footplate_shim::os;

use super::{Root, Used};

/// After so many looks everybody is looked at again: a number may be another process's by then.
const STRANGERS_FOR: u32 = 12;
/// What a process read and wrote only grows: it is looked up at each so many-th look, a part of them at each.
const DISK_EVERY: u32 = 4;
/// Our own executables begin so; what is below one that holds nothing of ours is not ours.
const OURS: &str = "footplate";

/// Remembers between two looks.
#[derive(Debug)]
pub struct Census {
    strangers: HashSet<i32>,
    roots: Vec<Root>,
    /// Bytes read and written, as last looked up.
    disks: HashMap<i32, (u64, u64)>,
    looks: u32,
    tick_ms: u64,
    page: u64,
    buffer: Vec<u8>,
}

struct Line {
    parent: i32,
    session: i32,
    ours: bool,
    /// Processor time of its own and of children it waited for, milliseconds.
    own_ms: u64,
    children_ms: u64,
}

impl Default for Census {
    fn default() -> Census {
        Census {
            strangers: HashSet::new(),
            roots: Vec::new(),
            disks: HashMap::new(),
            looks: 0,
            tick_ms: 1000 / rustix::param::clock_ticks_per_second().clamp(1, 1000),
            page: rustix::param::page_size() as u64,
            buffer: vec![0; 1024],
        }
    }
}

impl Census {
    /// What each of these trees uses now, in their order; empty where nothing of one is left.
    pub fn look(&mut self, roots: &[Root]) -> Vec<Used> {
        // Those below a new root may have been seen when they were nobody's.
        if self.looks.is_multiple_of(STRANGERS_FOR) || roots.iter().any(|root| !self.roots.contains(root)) {
            self.strangers.clear();
        }
        self.roots = roots.to_vec();
        self.looks += 1;
        let mut lines: HashMap<i32, Line> = HashMap::new();
        let mut there = HashSet::new();
        for pid in pids() {
            there.insert(pid);
            if !self.strangers.contains(&pid)
                && let Some(line) = self.line(pid)
            {
                lines.insert(pid, line);
            }
        }
        self.strangers.retain(|pid| there.contains(pid));
        self.disks.retain(|pid, _| there.contains(pid));
        let mut used = vec![Used::default(); roots.len()];
        let mut shared = vec![0; roots.len()];
        let mut known: HashMap<i32, Option<usize>> = HashMap::new();
        for (place, root) in roots.iter().enumerate() {
            known.insert(root.shim, Some(place));
        }
        let mut all: Vec<i32> = lines.keys().copied().collect();
        all.sort_unstable();
        for pid in all {
            let Some(place) = belongs(pid, &lines, roots, &mut known) else {
                self.strangers.insert(pid);
                continue;
            };
            let Some(line) = lines.get(&pid) else { continue };
            let sum = &mut used[place];
            sum.cpu_ms += line.children_ms;
            if roots[place].shim == pid {
                // What it carries is our work; its children's time is the attempt's.
                continue;
            }
            sum.cpu_ms += line.own_ms;
            sum.pids.push(pid);
            let (own, files) = self.memory(pid);
            sum.memory += own;
            shared[place] = files.max(shared[place]);
            let turn = pid.unsigned_abs().wrapping_add(self.looks).is_multiple_of(DISK_EVERY);
            if turn || !self.disks.contains_key(&pid) {
                let found = self.disk(pid);
                self.disks.extend(found.map(|found| (pid, found)));
            }
            if let Some((read, written)) = self.disks.get(&pid) {
                sum.read = Some(sum.read.unwrap_or(0) + read);
                sum.written = Some(sum.written.unwrap_or(0) + written);
            }
        }
        for (used, shared) in used.iter_mut().zip(shared) {
            used.memory += shared;
        }
        used
    }

    fn text(&mut self, path: &str) -> Option<&str> {
        let length = File::open(path).ok()?.read(&mut self.buffer).ok()?;
        std::str::from_utf8(self.buffer.get(..length)?).ok()
    }

    /// `/proc/PID/stat`; the name in brackets may hold anything, so the last bracket counts.
    fn line(&mut self, pid: i32) -> Option<Line> {
        let tick = self.tick_ms;
        let length = File::open(format!("/proc/{pid}/stat")).ok()?.read(&mut self.buffer).ok()?;
        let bytes = self.buffer.get(..length)?;
        let (open, close) = (bytes.iter().position(|b| *b == b'(')?, bytes.iter().rposition(|b| *b == b')')?);
        let ours = bytes.get(open + 1..close)?.starts_with(OURS.as_bytes());
        let mut fields = std::str::from_utf8(bytes.get(close + 1..)?).ok()?.split_ascii_whitespace();
        // Of the fields in proc(5): 4 parent, 6 session, 14 and 15 own time, 16 and 17 that of children.
        let parent = fields.nth(1)?.parse().ok()?;
        let session = fields.nth(1)?.parse().ok()?;
        let mut time = || -> Option<u64> { fields.next()?.parse().ok() };
        for _ in 0..7 {
            time();
        }
        let own_ms = (time()? + time()?) * tick;
        let children_ms = (time()? + time()?) * tick;
        Some(Line { parent, session, ours, own_ms, children_ms })
    }

    /// Bytes of its own, and of files and shared memory.
    fn memory(&mut self, pid: i32) -> (u64, u64) {
        let page = self.page;
        let read = |text: &str| {
            let mut pages = text.split_ascii_whitespace().skip(1).map_while(|field| field.parse::<u64>().ok());
            let (resident, shared) = (pages.next()?, pages.next()?);
            Some((resident.saturating_sub(shared) * page, shared * page))
        };
        self.text(&format!("/proc/{pid}/statm")).and_then(read).unwrap_or_default()
    }

    fn disk(&mut self, pid: i32) -> Option<(u64, u64)> {
        let text = self.text(&format!("/proc/{pid}/io"))?;
        let number = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        Some((number("read_bytes:")?, number("write_bytes:")?))
    }
}

fn pids() -> Vec<i32> {
    let all = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    all.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// Whose a process is: by its session, or by the first of its forebears that is somebody's.
fn belongs(
    pid: i32,
    lines: &HashMap<i32, Line>,
    roots: &[Root],
    known: &mut HashMap<i32, Option<usize>>,
) -> Option<usize> {
    let (mut path, mut at) = (Vec::new(), pid);
    let found = loop {
        if let Some(found) = known.get(&at) {
            break *found;
        }
        let Some(line) = lines.get(&at) else { break None };
        path.push(at);
        if line.ours && is_ours(at) {
            break None;
        }
        if let Some(place) = roots.iter().position(|root| root.session == line.session && root.session > 1) {
            break Some(place);
        }
        if path.len() > lines.len() {
            break None;
        }
        at = line.parent;
    };
    for pid in path {
        known.insert(pid, found);
    }
    found
}

/// A name is no proof: the file it runs is. A program of a run that has such a name is one of the run.
fn is_ours(pid: i32) -> bool {
    let name = |path: &Path| path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
    os::executable(pid)
        .and_then(|path| name(&path))
        .is_some_and(|name| ["footplate", "footplate-shim"].contains(&&*name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_measured_with_its_children_and_without_strangers() {
        let child = std::process::Command::new("sh")
            .args(["-c", "sleep 300 & x=$(head -c 30000000 /dev/zero | tr '\\0' x); i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo ready; wait"])
            .stdout(std::process::Stdio::piped())
            .spawn();
        let mut child = child.unwrap();
        let mut line = [0; 6];
        child.stdout.take().unwrap().read_exact(&mut line).unwrap();
        let pid = child.id().cast_signed();
        let mut census = Census::default();
        // As if this process were its shim, whose own use is not the attempt's.
        let root = Root { shim: std::process::id().cast_signed(), session: 0, child: pid };
        let first = census.look(&[root]).remove(0);
        assert!(first.pids.contains(&pid) && first.pids.len() == 2, "{first:?}");
        assert!(first.memory > 25_000_000 && first.memory < 500_000_000, "{first:?}");
        assert!(!census.strangers.is_empty());
        let again = census.look(&[root]).remove(0);
        assert_eq!(again.pids, first.pids);
        assert!(again.cpu_ms >= first.cpu_ms);
        child.kill().unwrap();
        child.wait().unwrap();
        for pid in first.pids {
            // The sleeper that is left.
            let _ = rustix::process::Pid::from_raw(pid)
                .map(|pid| rustix::process::kill_process(pid, rustix::process::Signal::KILL));
        }
    }
}
