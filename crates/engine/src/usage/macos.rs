//! Apple's system, by the crate sysinfo: time and disk of each process, memory as it counts it. A process table is read whole at each
//! look.

use std::collections::HashMap;

use footplate_shim::os;
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System};

use super::{Root, Used};

/// Remembers between two looks.
#[derive(Debug, Default)]
pub struct Census {
    system: Option<System>,
    /// Time and bytes of processes that have ended, by the shim they were below: nobody here hands them on to the parent.
    ended: HashMap<i32, Used>,
    before: HashMap<i32, (i32, Used)>,
}

impl Census {
    /// What each of these trees uses now, in their order; empty where nothing of one is left.
    pub fn look(&mut self, roots: &[Root]) -> Vec<Used> {
        if self.system.is_none() {
            self.system = System::new().ok();
        }
        let (Some(system), Ok(all)) = (&mut self.system, os::processes()) else {
            return vec![Used::default(); roots.len()];
        };
        let kind = ProcessRefreshKind::nothing().with_cpu().with_memory().with_disk_usage();
        system.refresh_processes_specifics(ProcessesToUpdate::All, true, kind);
        let parents: HashMap<i32, i32> = all.iter().map(|process| (process.pid, process.parent)).collect();
        let groups: HashMap<i32, i32> = all.iter().map(|process| (process.pid, process.group)).collect();
        let mut now: HashMap<i32, (i32, Used)> = HashMap::new();
        for (pid, process) in system.processes() {
            let pid = pid.as_u32().cast_signed();
            let Some(root) = roots.iter().find(|root| is_below(pid, root, &parents, &groups)) else { continue };
            let disk = process.disk_usage();
            let used = Used {
                cpu_ms: process.accumulated_cpu_time(),
                memory: process.memory(),
                read: Some(disk.total_read_bytes),
                written: Some(disk.total_written_bytes),
                pids: vec![pid],
            };
            now.insert(pid, (root.shim, used));
        }
        for (pid, (shim, used)) in std::mem::take(&mut self.before) {
            if !now.contains_key(&pid) {
                add(self.ended.entry(shim).or_default(), &Used { memory: 0, pids: Vec::new(), ..used });
            }
        }
        self.ended.retain(|shim, _| roots.iter().any(|root| root.shim == *shim));
        let of = |root: &Root| {
            let mut sum = self.ended.get(&root.shim).cloned().unwrap_or_default();
            now.values().filter(|(shim, _)| *shim == root.shim).for_each(|(_, used)| add(&mut sum, used));
            sum
        };
        let all = roots.iter().map(of).collect();
        self.before = now;
        all
    }
}

fn add(sum: &mut Used, one: &Used) {
    let both = |a: Option<u64>, b: Option<u64>| a.or(b).map(|_| a.unwrap_or(0) + b.unwrap_or(0));
    sum.cpu_ms += one.cpu_ms;
    sum.memory += one.memory;
    sum.read = both(sum.read, one.read);
    sum.written = both(sum.written, one.written);
    sum.pids.extend(&one.pids);
}

fn is_below(pid: i32, root: &Root, parents: &HashMap<i32, i32>, groups: &HashMap<i32, i32>) -> bool {
    if pid == root.shim {
        return false;
    }
    let mut at = pid;
    for _ in 0..64 {
        if at == root.child || groups.get(&at) == Some(&root.child) {
            return true;
        }
        match parents.get(&at) {
            Some(parent) if *parent == root.shim => return true,
            Some(parent) if *parent > 1 => at = *parent,
            _ => return false,
        }
    }
    false
}
