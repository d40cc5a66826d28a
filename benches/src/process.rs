//! What a process costs, as `/proc` has it.

use std::collections::HashMap;
use std::fs;

/// KiB of a process's proportional share of memory.
#[must_use]
pub fn pss_kib(pid: u32) -> Option<f64> {
    rolled_up(pid, "Pss:")
}

/// KiB of a process's own memory, of no file: what the system cannot take back without writing it somewhere. The rest is
/// mostly the executable's code, which the page cache holds anyway; the kernel maps 64 KiB and more around each touch of it.
#[must_use]
pub fn anonymous_kib(pid: u32) -> Option<f64> {
    rolled_up(pid, "Anonymous:")
}

fn rolled_up(pid: u32, name: &str) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    text.lines().find_map(|line| line.strip_prefix(name))?.trim().split(' ').next()?.parse().ok()
}

/// Seconds that a process and its threads have computed.
#[must_use]
pub fn cpu_seconds(pid: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in brackets may hold anything. Then come the state, and as the 12th and 13th of what follows it the ticks.
    let mut rest = stat[stat.rfind(')')? + 1..].split_ascii_whitespace().skip(11);
    let ticks = rest.next()?.parse::<f64>().ok()? + rest.next()?.parse::<f64>().ok()?;
    Some(ticks / rustix::param::clock_ticks_per_second() as f64)
}

/// How often each thread of a process went to sleep by itself, which is how often it woke. Nothing where there is no process.
#[must_use]
pub fn sleeps(pid: u32) -> HashMap<u32, u64> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return HashMap::new() };
    let of = |path: std::path::PathBuf| -> Option<(u32, u64)> {
        let status = fs::read_to_string(path.join("status")).ok()?;
        let count =
            status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?.trim().parse().ok()?;
        Some((path.file_name()?.to_str()?.parse().ok()?, count))
    };
    threads.flatten().filter_map(|thread| of(thread.path())).collect()
}

/// How often threads woke from one look to another, those that ended in between left out.
#[must_use]
pub fn woke(before: &HashMap<u32, u64>, after: &HashMap<u32, u64>) -> u64 {
    after.iter().map(|(thread, count)| count.saturating_sub(before.get(thread).copied().unwrap_or(0))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_computes_costs_time_and_memory() {
        let own = std::process::id();
        let before = cpu_seconds(own).unwrap();
        let computed = footplate_testkit::holds_within(std::time::Duration::from_secs(30), || {
            (0..1_000_000_u64).fold(0, |sum: u64, n| sum.wrapping_mul(31) ^ n) != 1
                && cpu_seconds(own).unwrap() >= before + 0.1
        });
        assert!(computed);
        let (all, own_only) = (pss_kib(own).unwrap(), anonymous_kib(own).unwrap());
        assert!(own_only > 50.0 && all > own_only, "{all} {own_only}");
        assert!(cpu_seconds(u32::MAX).is_none());
    }
}
