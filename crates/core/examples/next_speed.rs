//! What one `next` costs as the queue grows: `cargo run --release -p footplate-core --example next_speed`.
//!
//! Each step is what the owner does for one stage: it ends, a new one is pushed, and the next is picked.

use std::time::Instant;

use footplate_core::id::StageKey;
use footplate_core::schedule::{Backlog, Capacity, Demand, Entry, QueueRule};
use footplate_core::time::UtcMs;

fn entry(run: i64, classes: u64) -> Entry {
    // A multiplicative hash spreads priorities and demands over the runs.
    let mixed = (run as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    Entry {
        key: StageKey { run, stage: 0 },
        queue: ["training", "default", "evaluation"][(mixed % 3) as usize].into(),
        run_priority: (mixed % 5) as i32,
        order: run,
        demand: Demand { cpus: 1, memory: (mixed >> 8) % classes, gpus: 0 },
        not_before: None,
    }
}

/// Nanoseconds for one round of ended, push and next, and for one `next` that finds a full machine.
fn measure(queued: i64, classes: u64) -> (f64, f64) {
    let mut backlog = Backlog::new(Capacity { cpus: 4, memory: 1 << 40, gpus: 0 });
    for name in ["training", "default", "evaluation"] {
        backlog.set_queue(name, QueueRule { priority: 0, limit: 8, paused: false });
    }
    for run in 0..queued {
        backlog.push(entry(run, classes));
    }
    let now = UtcMs(0);
    let mut running: Vec<StageKey> = std::iter::from_fn(|| backlog.next(now)).collect();
    let rounds = (4_000_000 / (classes as i64 + 40)).min(100_000);
    let mut full = 0;
    let start = Instant::now();
    for round in 0..rounds {
        let slot = round as usize % running.len();
        backlog.ended(running[slot]);
        backlog.push(entry(queued + round, classes));
        if let Some(key) = backlog.next(now) {
            running[slot] = key;
        }
        let before = Instant::now();
        assert_eq!(backlog.next(now), None, "four cores, four running");
        full += before.elapsed().as_nanos();
    }
    let total = start.elapsed().as_nanos() - full;
    (total as f64 / rounds as f64, full as f64 / rounds as f64)
}

fn main() {
    println!("{:>10} {:>16} {:>22} {:>20}", "queued", "distinct demands", "ended+push+next, ns", "next, full, ns");
    for classes in [1, 10, 1000] {
        for queued in [10, 1000, 100_000] {
            let (round, full) = measure(queued, classes);
            println!("{queued:>10} {classes:>16} {round:>22.0} {full:>20.0}");
        }
    }
}
